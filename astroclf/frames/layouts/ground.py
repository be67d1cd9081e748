# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""CCDs on the ground, by the sections in their headers: single ones, and mosaics with DETSEC."""

from dataclasses import replace

import numpy as np

from astroclf.frames.facts import positive, text_of
from astroclf.frames.frame import Exposure
from astroclf.frames.layouts.amplifiers import amplifiers_of, electronics, has_sections, image_header, overscan_steps
from astroclf.frames.layouts.geometry import Section, SectionError
from astroclf.frames.layouts.imsets import science_hdus
from astroclf.frames.layouts.mosaic import put_together
from astroclf.frames.layouts.plain import alone, first_image, read_hdu
from astroclf.frames.reading import Reading, is_image, unit_of

__all__ = ["CCD", "MOSAIC", "described"]

_STACKED = ("NCOMBINE", "STACKCNT", "SNAPSHOT")
"""Numbers of images in a stack: IRAF's, Siril's, MaxIm DL's."""


class _CCD:
    """
    The first image of a file whose header has sections: BIASSEC, TRIMSEC or DATASEC, or those of amplifiers.

    Where the sections do not fit the image, nothing is done, and a note says so. An image that was trimmed before is
    not trimmed again.
    """

    name = "ccd"

    def matches(self, hdul):
        """Return whether there is no SCI extension, and the first image has sections."""
        index = next((index for index, hdu in enumerate(hdul) if is_image(hdu)), None)
        return not science_hdus(hdul) and index is not None and has_sections(image_header(hdul, index))

    def read(self, hdul, name):
        """Return the image as a `Reading`, in counts where there is one amplifier: its gain is only reported."""
        index, notes = first_image(hdul, name)
        reading = described(read_hdu(hdul, index, name), hdul, self.name)
        try:
            reading = _by_sections(reading, hdul, (index,), name)
        except SectionError as error:
            notes = (f"{error}; nothing was trimmed or subtracted", *notes)
        return replace(reading, notes=(*reading.notes, *notes))


class _Mosaic:
    """
    Several images with DETSEC, of chips or amplifiers: each is put where it lies on the detector.

    Overscan is taken off, and the gains are applied where there was some and all are known. A mosaic of more than 100
    million pixels is averaged over squares of pixels.
    """

    name = "mosaic"

    def matches(self, hdul):
        """Return whether several images, the SCI extensions if there are any, have DETSEC."""
        return len(_chips(hdul)) > 1

    def read(self, hdul, name):
        """Return the whole detector as a `Reading`; the first image alone where DETSEC makes no sense."""
        chips = _chips(hdul)
        reading = described(Reading(np.empty((0, 0), np.float32), chips), hdul, self.name)
        try:
            return _by_sections(reading, hdul, chips, name)
        except SectionError as error:
            first = described(read_hdu(hdul, chips[0], name), hdul, self.name)
            return replace(first, notes=(f"{error}; the images were not put together", *alone(hdul, chips)))


def described(reading, hdul, layout):
    """
    Add to a reading what the header of its first image says of the camera.

    Parameters
    ----------
    reading : Reading
        The image.
    hdul : `~astropy.io.fits.HDUList`
        Its file.
    layout : str
        Name of the layout.

    Returns
    -------
    reading : Reading
        With layout, exposure, gain and read noise.
    """
    header = image_header(hdul, reading.science[0])
    gain, readnoise = (_known((value,)) for value in electronics(header))
    return replace(reading, layout=layout, exposure=_exposure(header), gain=gain, readnoise=readnoise)


def _exposure(header):
    """Return COMBINED for a stack, else UNKNOWN: stars may be as sharp as cosmic rays, so none are looked for."""
    stacked = any(positive(header, keyword) > 1 for keyword in _STACKED) or "IMCMB001" in header
    return Exposure.COMBINED if stacked else Exposure.UNKNOWN


def _chips(hdul):
    """Return the indices of the images that have DETSEC: SCI extensions if there are any, else all."""
    images = science_hdus(hdul) or [index for index, hdu in enumerate(hdul) if is_image(hdu)]
    flat = [index for index in images if len([n for n in hdul[index].shape if n != 1]) == 2]
    return tuple(index for index in flat if text_of(hdul[index].header, "DETSEC", "DETSECA"))


def _by_sections(reading, hdul, chips, name):
    """Return what the sections of these images say, as a `Reading`; SectionError if they make no sense."""
    amplifiers = [amplifier for index in chips for amplifier in amplifiers_of(hdul, index, len(chips) > 1)]
    product = "raw" if any(amplifier.bias for amplifier in amplifiers) else ""
    make = _trimmed if len(amplifiers) == 1 and amplifiers[0].place is None else put_together
    gains, noises = _known(one.gain for one in amplifiers), _known(one.readnoise for one in amplifiers)
    return replace(make(reading, hdul, amplifiers, name), product=product, gain=gains, readnoise=noises)


def _known(values):
    """Return these values as a tuple; an empty one if any is not known."""
    values = tuple(values)
    return values if all(values) else ()


def _trimmed(reading, hdul, amplifiers, name):
    """Return the only amplifier of an image."""
    (amplifier,) = amplifiers
    rows, columns = amplifier.data.slices
    data, level = amplifier.exposed(reading.data)
    steps = overscan_steps(amplifiers, [level], unit_of(hdul[amplifier.index].header))
    if amplifier.data != Section.whole(reading.data.shape):
        steps.append(f"trimmed to columns {columns.start + 1}-{columns.stop} and rows {rows.start + 1}-{rows.stop}")
    return replace(
        reading,
        data=data,
        saturated=amplifier.saturated(reading.data),
        steps=tuple(steps),
        corner=(rows.start, columns.start),
    )


CCD = _CCD()
"""The layout of single CCDs of telescopes on the ground."""

MOSAIC = _Mosaic()
"""The layout of mosaics of CCDs, or of amplifiers, in several extensions."""
