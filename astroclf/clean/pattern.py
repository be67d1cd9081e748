# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Stripes, bad lines and steps between amplifiers, measured on source-free sky and taken out of a reduced image."""

from dataclasses import dataclass

import numpy as np
from astropy.stats import mad_std
from scipy.ndimage import median_filter

from astroclf.clean.background import MEDIAN_ERROR, find_sources

__all__ = ["Pattern"]

_SMOOTH = 15
"""Lines over which what varies slowly is no stripe, in pixels."""

_FEWEST = 0.4
"""Least fraction of a line that must be sky for its level to be known."""

_THIRDS, _FEWEST_THIRDS = 3, 2
_STRIP, _FEWEST_LINES = 7, 20
"""A step is measured in strips of so many pixels on either side of the seam, in so many lines at least."""


@dataclass(frozen=True)
class Pattern:
    """
    How the pattern of the electronics is found; call it with a reduced, sky-subtracted image.

    Reduction averages the noise of pixels away, but not what all pixels of a row share: the stripes of ACS/WFC since
    2009, the 1/f noise of infrared arrays, unequal bias levels of amplifiers, bad columns without a flag.

    A row or column is a stripe if the medians of its thirds, sources left out, are off its neighbours by more than
    their error, alike and to the same side, and at least two thirds are sky; where most lines are, even small ones are
    taken out. What varies slowly from line to line is left, and so is all that covers more than half of a line: it may
    be an object. A step is taken out at the middle of the image only, where amplifiers meet, and only if it is sharp.

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
        steps = self._steps(np.where(mask, np.nan, flat), sigma)
        level = flat - steps
        sources = find_sources(level - self._lines(level, mask, sigma), mask, sigma)
        return (steps + self._lines(level, mask | sources, sigma)).astype(np.float32)

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
        seen = sum(np.isfinite(width) for _, width in thirds) >= _FEWEST_THIRDS
        everywhere = np.median(np.abs(offset)) > 1.5 * np.median(error)
        stands_out = np.abs(offset) > (1 if everywhere else self.significance) * error
        return np.where(stands_out & seen & np.all(alike, axis=0), offset, 0)

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
        """
        Return the step between the left and the right half of an image, by column.

        Only lines count on which the image is flat on either side, as sky is and sources are not; the slope that is
        left on both sides is taken off.
        """
        middle = known.shape[1] // 2
        strips = [known[:, middle + n * _STRIP : middle + (n + 1) * _STRIP] for n in (-2, -1, 0, 1)]
        (far_left, left, right, far_right), errors = zip(*(_median(strip, sigma) for strip in strips))
        uneven = np.maximum(np.abs(far_right - right), np.abs(far_left - left))
        step = (1.5 * (right - left) - 0.5 * (far_right - far_left))[uneven < 2 * np.max(errors, axis=0)]
        step = step[np.isfinite(step)]
        side = np.where(np.arange(known.shape[1]) < middle, -0.5, 0.5)
        if step.size < _FEWEST_LINES:
            return 0 * side
        error = MEDIAN_ERROR * mad_std(step) / np.sqrt(step.size)
        return side * (np.median(step) if abs(np.median(step)) > self.significance * error else 0.0)


def _centered(known, sigma):
    """Return the medians of rows, what varies slowly taken off, and their errors; where too little is known, 0."""
    level, error = _median(known, sigma)
    known = np.flatnonzero(np.isfinite(error))
    offset = np.zeros(len(level))
    if known.size:
        level = np.interp(np.arange(len(level)), known, level[known])
        offset[known] = (level - median_filter(level, _SMOOTH, mode="reflect"))[known]
    return offset, error


def _median(known, sigma):
    """Return the medians of rows without their NaN, and their errors; infinite where too little is known."""
    count, rows = np.count_nonzero(np.isfinite(known), axis=1), np.arange(len(known))
    ordered = np.sort(known, axis=1)  # NaN last; several times as fast as numpy.nanmedian
    level = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    enough = count >= _FEWEST * known.shape[1]
    return level, np.where(enough, MEDIAN_ERROR * sigma / np.sqrt(np.maximum(count, 1)), np.inf)
