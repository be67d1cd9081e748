# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Stripes, bad lines and steps between amplifiers, measured on source-free sky and taken out of a reduced image."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from astroclf.clean.background import find_sources

__all__ = ["Pattern"]

_SMOOTH = 15
"""Lines over which what varies slowly is no stripe, in pixels."""

_FEWEST = 0.4
"""Least fraction of a line that must be sky for its level to be known."""

_MEDIAN_ERROR = 1.2533
_THIRDS = 3
_STRIP = 20
"""A step is measured in strips of a twentieth of the image on either side of the seam."""


@dataclass(frozen=True)
class Pattern:
    """
    How the pattern of the electronics is found; call it with a reduced, sky-subtracted image.

    Reduction averages the noise of pixels away, but not what all pixels of a row share: the stripes of ACS/WFC since
    2009, the 1/f noise of infrared arrays, unequal bias levels of amplifiers, bad columns without a flag.

    A row or column is a stripe if the medians of its three thirds, sources left out, all are off its neighbours by more
    than their error, alike and to the same side; where most lines are, even small ones are taken out. What varies
    slowly from line to line is left, and so is all that covers more than half of a line: it may be an object.
    A step is taken out at the middle of the image only, where amplifiers meet.

    Parameters
    ----------
    significance : float
        Least offset of a line, and least step between amplifiers, in units of its error.
    """

    significance: float = 5.0

    def __call__(self, flat, mask, sigma):
        """
        Measure the pattern of an image.

        Parameters
        ----------
        flat : `~numpy.ndarray` of float32, shape (ny, nx)
            The image, finite, its sky at 0; not modified.
        mask : `~numpy.ndarray` of bool, shape (ny, nx)
            True where a pixel is to be left out.
        sigma : float
            Noise per pixel; where it is 0 there is no pattern.

        Returns
        -------
        pattern : `~numpy.ndarray` of float32, shape (ny, nx)
            To be subtracted; 0 where there is none.
        """
        if not sigma > 0 or min(flat.shape) < 2 * _SMOOTH:
            return np.zeros(flat.shape, np.float32)
        sources = find_sources(flat - self._lines(flat, mask, sigma), mask, sigma)
        known = np.where(mask | sources, np.nan, flat)
        steps = self._steps(known, sigma)
        return (steps + self._lines(known - steps, mask, sigma)).astype(np.float32)

    def _lines(self, flat, mask, sigma):
        """Return what rows have in common, and then columns."""
        known = np.where(mask, np.nan, flat)
        rows = self._offsets(known, sigma)[:, None]
        columns = self._offsets((known - rows).T, sigma)[None]
        return rows + columns

    def _offsets(self, known, sigma):
        """Return by how much each row is off its neighbours."""
        offset, error = _centered(known, sigma)
        thirds = [_centered(third, sigma) for third in np.array_split(known, _THIRDS, axis=1)]
        alike = [np.abs(part - offset) < 3 * width + 0.3 * np.abs(offset) for part, width in thirds]
        everywhere = np.median(np.abs(offset)) > 1.5 * np.median(error)
        stands_out = np.abs(offset) > (1 if everywhere else self.significance) * error
        return np.where(stands_out & np.all(alike, axis=0), offset, 0)

    def _steps(self, known, sigma):
        """Return the steps between the amplifiers of the quarters of an image."""
        ny, nx = known.shape
        steps = np.zeros(known.shape)
        for half in (np.s_[: ny // 2], np.s_[ny // 2 :]):
            steps[half] += self._step(known[half], sigma)[None]
        for half in (np.s_[:, : nx // 2], np.s_[:, nx // 2 :]):
            steps[half] += self._step((known - steps)[half].T, sigma)[:, None]
        return steps

    def _step(self, known, sigma):
        """Return the step between the left and the right half of an image, by column."""
        middle, width = known.shape[1] // 2, max(known.shape[1] // _STRIP, 2)
        strips = [known[:, middle + n * width : middle + (n + 1) * width] for n in (-2, -1, 0, 1)]
        levels, errors = zip(*(_median(strip.reshape(1, -1), sigma) for strip in strips))
        far_left, left, right, far_right = (float(level[0]) for level in levels)
        step = (right - left) - ((far_right - right) + (left - far_left)) / 2
        error = np.sqrt(5) * max(float(width[0]) for width in errors)
        side = np.where(np.arange(known.shape[1]) < middle, -0.5, 0.5)
        return side * (step if abs(step) > self.significance * error else 0.0)


def _centered(known, sigma):
    """Return the medians of rows, what varies slowly taken off, and their errors; where too little is known, 0."""
    level, error = _median(known, sigma)
    unknown = ~np.isfinite(error)
    level = np.where(unknown, 0, level)
    return np.where(unknown, 0, level - median_filter(level, _SMOOTH, mode="reflect")), error


def _median(known, sigma):
    """Return the medians of rows without their NaN, and their errors; infinite where too little is known."""
    count, rows = np.count_nonzero(np.isfinite(known), axis=1), np.arange(len(known))
    ordered = np.sort(known, axis=1)  # NaN last; several times as fast as numpy.nanmedian
    level = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    enough = count >= _FEWEST * known.shape[1]
    return level, np.where(enough, _MEDIAN_ERROR * sigma / np.sqrt(np.maximum(count, 1)), np.inf)
