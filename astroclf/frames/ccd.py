# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Chips of a CCD camera: overscan taken off, data quality judged, put together as they lie on the sky."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u

from astroclf.frames.quality import DQBits
from astroclf.frames.reading import Reading, image_array, is_image

__all__ = ["CCDCamera", "quality_array", "science_hdus"]


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
        """Return whether a file is a frame of this camera with its SCI extensions."""
        header = hdul[0].header
        named = header.get("INSTRUME"), header.get("DETECTOR")
        return named == (self.instrument, self.detector) and bool(science_hdus(hdul))

    def read(self, hdul, name):
        """Return the whole detector plane as a `Reading`, in electrons where the gain is known."""
        science = science_hdus(hdul)
        single = not _combined(hdul[0].header)
        chips = [self._chip(hdul, index, upper, name) for upper, index in enumerate(science)]
        data, bad, saturated, rays, quality = zip(*chips)
        raw = self._has_overscan(hdul[science[0]])
        return Reading(
            data=self._stack(data, np.nan),
            science=science,
            quality=sum(quality, ()),
            bad=self._stack(bad, False),
            saturated=self._stack(saturated, False),
            cosmic_ray=self._stack(rays, False),
            unexposed=self._stack([np.zeros(d.shape, bool) for d in data], True),
            unit=u.electron if raw else None,
            layout=self.name,
            cosmic_rays=single,
        )

    def _has_overscan(self, hdu):
        return (hdu.header.get("NAXIS2") or hdu.shape[0]) == self.chip[0] + self.virtual_rows

    def _chip(self, hdul, index, upper, name):
        """Return data, bad, saturated and struck pixels of one chip, overscan trimmed, and its DQ HDU."""
        data = image_array(hdul, index, name)
        quality, dq = quality_array(hdul, index, data.shape, name)
        if self._has_overscan(hdul[index]):
            rows, columns = self._lit(upper)
            dq = dq[rows][:, columns]
            data = self._electrons(data, hdul, upper)[rows][:, columns]
        return (data, *self.bits.split(dq), quality)

    def _lit(self, upper):
        """Return the slice of rows and the index of columns that see light."""
        ny, nx = self.chip
        rows = slice(self.virtual_rows, None) if upper else slice(0, ny)
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
    """
    version = hdul[science].ver
    for index, hdu in enumerate(hdul):
        if hdu.name == "DQ" and hdu.ver == version and is_image(hdu):
            return (index,), image_array(hdul, index, name)
    return (), np.zeros(shape, np.int16)


def _combined(header):
    """Return whether cosmic rays were rejected by combining exposures."""
    return header.get("CRCORR") == "COMPLETE" or header.get("DRIZCORR") == "COMPLETE"
