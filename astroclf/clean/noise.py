# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Noise of a single exposure, measured in the image itself."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Noise"]

_SAMPLE = 2**18
"""Pixels that are measured, about."""

_LEAST = 1e-12
"""Noise assumed in an image that has none; its square is a number in float32."""


@dataclass(frozen=True)
class Noise:
    """
    Noise as a function of brightness: measured in the darker half of an image, Poisson's law away from it.

    Parameters
    ----------
    level : float
        Typical brightness of the darker half, in electrons.
    sigma : float
        Standard deviation of the noise there, in electrons.
    """

    level: float
    sigma: float

    @classmethod
    def measured(cls, image, mask=None):
        """
        Measure from second differences along rows, which smooth structure does not reach.

        The mean of three pixels, by which the darker half is chosen, says nothing of their second difference: stars
        and cosmic rays are left out, and the noise is not made smaller.

        Parameters
        ----------
        image : array_like, shape (ny, nx)
            A single exposure in electrons; pixels that are not finite are left out.
        mask : `~numpy.ndarray` of bool, shape (ny, nx), optional
            True where a pixel is left out.

        Returns
        -------
        noise : Noise
            Of level 0 and hardly any sigma where nothing can be measured.
        """
        some = slice(None, None, max(image.size // _SAMPLE, 1))
        rows = np.array(image[some], np.float32)
        if mask is not None:
            rows[mask[some]] = np.nan
        rows[~np.isfinite(rows)] = np.nan
        left, middle, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
        curvature, level = np.abs(left - 2 * middle + right), (left + middle + right) / 3
        known = np.isfinite(curvature)
        if not known.any():
            return cls(0.0, _LEAST)
        curvature, level = curvature[known], level[known]
        dark = level <= np.median(level)
        sigma = 1.4826 * np.median(curvature[dark]) / np.sqrt(6)
        return cls(float(np.median(level[dark])), float(max(sigma, _LEAST)))

    @property
    def least(self):
        """Smallest noise of any pixel, in electrons: half of the measured one."""
        return self.sigma / 2

    def at(self, level):
        """
        Return the noise of pixels.

        Parameters
        ----------
        level : array_like
            Brightness in electrons.

        Returns
        -------
        sigma : `~numpy.ndarray`
            Standard deviation in electrons.
        """
        return np.sqrt(np.maximum(self.sigma**2 + (level - self.level), self.least**2))
