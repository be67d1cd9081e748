# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Chips of a CCD camera: overscan taken off, data quality judged, put together as they lie on the sky."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u

from astroclf.exceptions import FrameError
from astroclf.frames.frame import Exposure
from astroclf.frames.quality import DQBits
from astroclf.frames.reading import Reading, hdu_name, image_array, is_image

__all__ = ["CCDCamera", "is_exposure", "quality_array", "science_hdus"]


@dataclass(frozen=True)
class CCDCamera:
    """
    A camera of one or two chips, the first image HDU being the lower one.

    Parameters
    ----------
    name : str
        Name of the layout.
    instrument, detector : str
        INSTRUME and DETECTOR of its frames.
    chip : tuple of int
        Shape (ny, nx) of a chip without overscan.
    gap : int
        Rows between the chips.
    prescan : int
        Columns of physical overscan on either side.
    virtual_columns, virtual_rows : int
        Columns of virtual overscan in the middle of a row; rows of it at the edge towards the other chip.
    bits : DQBits
        The choice of data-quality bits.
    """

    name: str
    instrument: str
    detector: str
    chip: tuple[int, int]
    gap: int
    prescan: int
    virtual_columns: int
    virtual_rows: int
    bits: DQBits

    def matches(self, hdul):
        """Return whether a file is a frame of this camera with a SCI extension a chip."""
        return is_exposure(hdul, self.instrument, self.detector) and len(science_hdus(hdul)) <= 2

    def read(self, hdul, name):
        """Return the whole detector plane as a `Reading`, in electrons where the gain is known."""
        science = science_hdus(hdul)
        uppers = [hdul[index].header.get("CCDCHIP", 2 - order) == 1 for order, index in enumerate(science)]
        chips = [self._chip(hdul, index, upper, name) for upper, index in zip(uppers, science)]
        data, bad, saturated, rays, quality, raw = zip(*chips)
        return Reading(
            data=self._stack(data, np.nan),
            science=science,
            quality=sum(quality, ()),
            bad=self._stack(bad, False),
            saturated=self._stack(saturated, False),
            cosmic_ray=self._stack(rays, False),
            unexposed=self._stack([np.zeros(d.shape, bool) for d in data], True),
            unit=u.electron if raw[0] else None,
            corner=(self._lit(uppers[0])[0].start, self.prescan) if raw[0] else (0, 0),
            layout=self.name,
            exposure=Exposure.COMBINED if _combined(hdul[0].header) else Exposure.SINGLE,
        )

    def _has_overscan(self, shape):
        ny, nx = self.chip
        return shape == (ny + self.virtual_rows, nx + 2 * self.prescan + self.virtual_columns)

    def _chip(self, hdul, index, upper, name):
        """Return data, bad, saturated and struck pixels of one chip, its DQ HDU, and whether overscan was trimmed."""
        data = image_array(hdul, index, name)
        quality, dq = quality_array(hdul, index, data.shape, name)
        raw = self._has_overscan(data.shape)
        if raw:
            rows, columns = self._lit(upper)
            dq = dq[rows][:, columns]
            data = self._electrons(data, hdul, upper)[rows][:, columns]
        return (data, *self.bits.split(dq), quality, raw)

    def _lit(self, upper):
        """Return the slice of rows and the index of columns that see light."""
        ny, nx = self.chip
        rows = slice(self.virtual_rows, self.virtual_rows + ny) if upper else slice(0, ny)
        left = self.prescan + np.arange(nx // 2)
        return rows, np.concatenate([left, left + nx // 2 + self.virtual_columns])

    def _electrons(self, data, hdul, upper):
        """Subtract the level of each amplifier's physical overscan and apply its gain."""
        header, half = hdul[0].header, data.shape[1] // 2
        level = data.astype(np.float32)
        amplifiers = "AB" if upper else "CD"
        sides = (slice(0, half), slice(0, self.prescan)), (slice(half, None), slice(-self.prescan, None))
        for amplifier, (columns, overscan) in zip(amplifiers, sides):
            level[:, columns] -= np.median(data[:, overscan])
            level[:, columns] *= header.get(f"ATODGN{amplifier}") or header.get("CCDGAIN") or 1
        return level

    def _stack(self, chips, filling):
        if len(chips) == 1:
            return chips[0]
        lower, upper = chips
        return np.concatenate([lower, np.full((self.gap, lower.shape[1]), filling), upper])


def is_exposure(hdul, instrument, detector):
    """Return whether a file holds SCI extensions of one shape as this detector exposed them: not drizzled."""
    header = hdul[0].header
    named = header.get("INSTRUME"), header.get("DETECTOR")
    shapes = {hdul[index].shape for index in science_hdus(hdul)}
    return named == (instrument, detector) and len(shapes) == 1 and not any(hdu.name == "WHT" for hdu in hdul)


def science_hdus(hdul):
    """Return the indices of the SCI extensions, by EXTVER; those without data are left out."""
    found = [
        (hdu.ver, index) for index, hdu in enumerate(hdul)
        if index and hdu.name == "SCI" and is_image(hdu)
    ]  # fmt: skip
    return tuple(index for _, index in sorted(found))


def quality_array(hdul, science, shape, name):
    """
    Return the data quality of a SCI extension.

    Parameters
    ----------
    hdul : `~astropy.io.fits.HDUList`
        The file.
    science : int
        Index of the SCI extension.
    shape : tuple of int
        Shape of its image.
    name : str
        What to call the file in messages.

    Returns
    -------
    indices : tuple of int
        Index of the DQ extension; empty where there is none.
    dq : `~numpy.ndarray` of int
        Its flags; 0 where there is none.

    Raises
    ------
    FrameError
        If its shape is another.
    """
    version = hdul[science].ver
    for index, hdu in enumerate(hdul):
        if hdu.name == "DQ" and hdu.ver == version and is_image(hdu):
            dq = image_array(hdul, index, name)
            if dq.shape != shape:
                flags, image = hdu_name(hdul, index), hdu_name(hdul, science)
                msg = f"{name}: {flags} has the shape {dq.shape}, {image} {shape}; read the image alone with hdu="
                raise FrameError(msg)
            return (index,), dq
    return (), np.zeros(shape, np.int16)


def _combined(header):
    """Return whether cosmic rays were rejected by combining exposures."""
    return header.get("CRCORR") == "COMPLETE" or header.get("DRIZCORR") == "COMPLETE"
