# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Colour: raw frames of one-shot-colour cameras, and images of three colour planes, both made grey."""

from dataclasses import replace

import numpy as np
from astropy.io.fits.card import Undefined
from astropy.nddata import block_reduce

from astroclf.exceptions import FrameError
from astroclf.frames.layouts.geometry import halved_wcs
from astroclf.frames.layouts.ground import CCD, described
from astroclf.frames.layouts.imsets import science_hdus
from astroclf.frames.layouts.plain import first_image, read_hdu
from astroclf.frames.reading import Reading, hdu_name, image_array, image_wcs, is_image

__all__ = ["BAYER", "RGB"]

_PATTERNS = {"".join(sorted(pattern)) for pattern in ("RGGB", "CMYG")}
_NO_PATTERN = ("", "NONE", "MONO", "N/A", "0", "F", "FALSE")
_COLOURS = ("RGB", "COLOR", "COLOUR")


class _Bayer:
    """
    A raw frame of a camera with a filter on every pixel, as BAYERPAT or COLORTYP say.

    Squares of 2 x 2 pixels are averaged. Each holds every colour, wherever the pattern begins and whichever way up
    the rows are, so that XBAYROFF, YBAYROFF and ROWORDER do not matter.
    """

    name = "bayer"

    def matches(self, hdul):
        """Return whether there is no SCI extension, and the first image is flat and has a colour pattern."""
        index = _first(hdul)
        return index is not None and len(_axes(hdul[index])) == 2 and bool(_pattern(hdul, index)[1])

    def read(self, hdul, name):
        """Return the luminance, half as wide and high, as a `Reading`."""
        index, notes = first_image(hdul, name)
        keyword, pattern = _pattern(hdul, index)
        where = f"{name}: HDU {hdu_name(hdul, index)}"
        if "".join(sorted(pattern)) not in _PATTERNS:
            msg = f"{where} has {keyword} = {pattern!r}, no pattern of 2 x 2 colours; make it grey or name hdu="
            raise FrameError(msg)
        if CCD.matches(hdul):
            reading = CCD.read(hdul, name)
        else:
            reading = described(replace(read_hdu(hdul, index, name), notes=notes), hdul, self.name)
        wcs = image_wcs(hdul[index].header, hdul, reading.corner)
        return replace(
            reading,
            data=_halved(reading.data, np.mean),
            saturated=None if reading.saturated is None else _halved(reading.saturated, np.any),
            wcs=halved_wcs(wcs),
            layout=self.name,
            steps=(*reading.steps, f"averaged 2 x 2 pixels of the colours {pattern}"),
        )


class _RGB:
    """
    An image of three planes, red, green and blue: the third axis, or the first, is 3 long and no other quantity.

    The planes are averaged. Unless the header says that they are colours, a note says that this was assumed.
    """

    name = "rgb"

    def matches(self, hdul):
        """Return whether there is no SCI extension, and the first image has three axes, one of three colours."""
        index = _first(hdul)
        return index is not None and _colour_axis(hdul[index]) is not None

    def read(self, hdul, name):
        """Return the mean of the planes as a `Reading`."""
        index, notes = first_image(hdul, name)
        hdu = hdul[index]
        axis = _colour_axis(hdu)
        data = sum(image_array(hdul, index, name, plane, axis=axis).astype(np.float32) for plane in (1, 2, 3)) / 3
        if not _says_colour(hdu, axis):
            notes = ("its 3 planes were taken for red, green and blue; choose one with plane=", *notes)
        reading = Reading(data, (index,), steps=("averaged 3 planes of colour",), notes=notes)
        return described(reading, hdul, self.name)


def _first(hdul):
    """Return the index of the first image; None where there is none, or a SCI extension."""
    if science_hdus(hdul):
        return None
    return next((index for index, hdu in enumerate(hdul) if is_image(hdu)), None)


def _axes(hdu):
    return tuple(length for length in hdu.shape if length != 1)


def _pattern(hdul, index):
    """Return the keyword that names the colour pattern, and the pattern; empty where the sensor is grey."""
    for keyword in ("BAYERPAT", "COLORTYP"):
        value = hdul[index].header.get(keyword, hdul[0].header.get(keyword))
        text = "" if value is None or isinstance(value, Undefined) else str(value).strip().upper()
        if text not in (*_NO_PATTERN, "TRUE", "T"):
            return keyword, text
    return "", ""


def _halved(values, average):
    return block_reduce(values, 2, average)


def _colour_axis(hdu):
    """Return which of the three long axes is that of colour, 0 or 2; None if none can be."""
    axes = _axes(hdu)
    if len(axes) != 3 or len(hdu.shape) != 3:
        return None
    if axes[0] == 3 and _kind(hdu, 0) in ("", *_COLOURS):
        return 0
    return 2 if axes[2] == 3 and min(axes[:2]) > 3 and _kind(hdu, 2) in ("", *_COLOURS) else None


def _kind(hdu, axis):
    """Return CTYPE of an axis of the array, which FITS counts the other way round."""
    return str(hdu.header.get(f"CTYPE{len(hdu.shape) - axis}", "")).strip().upper()


def _says_colour(hdu, axis):
    space = str(hdu.header.get("COLORSPC", "")).strip().upper()
    return _kind(hdu, axis) in _COLOURS or space == "RGB"


BAYER = _Bayer()
"""The layout of raw frames of one-shot-colour cameras."""

RGB = _RGB()
"""The layout of images of three colour planes."""
