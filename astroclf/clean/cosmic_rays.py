# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cosmic rays in single exposures, found by L.A.Cosmic (van Dokkum 2001) where they can be.

The reference, `astroscrappy`, filters every pixel of a chip five times by medians, which takes 20 to 60 times
as long as the network. Here the Laplacian, which is cheap, is taken everywhere, and the medians only where it
is large: a few pixels in a hundred.
"""

from dataclasses import dataclass

import numpy as np
from astropy.nddata import CCDData

__all__ = ["CosmicRays"]

_MARGIN = 4
_LEAST_NOISE = 1e-12
"""Noise assumed in an image that has none; its square is a number in float32."""


@dataclass(frozen=True)
class CosmicRays:
    """
    Settings of the search; call it with an image.

    Parameters
    ----------
    sigclip : float
        Least Laplacian of a cosmic ray, in units of the noise.
    sigfrac : float
        Fraction of ``sigclip`` that is enough beside a cosmic ray.
    objlim : float
        Least contrast between the Laplacian and the fine structure of the image. 2 finds as many rays
        on simulated Hubble frames as `astroscrappy` does with 5, its value for undersampled images, at
        as few lost pixels; 3 spares more stars and leaves more rays.
    iterations : int
        Passes at most; each sees the image without what the ones before it found.
    """

    sigclip: float = 4.5
    sigfrac: float = 0.3
    objlim: float = 2.0
    iterations: int = 4

    def __call__(self, ccd):
        """
        Replace cosmic rays by the median of their good neighbours.

        Parameters
        ----------
        ccd : `~astropy.nddata.CCDData`, shape (ny, nx)
            A single exposure in electrons, its sky included; not modified. Masked and non-finite pixels are left out.

        Returns
        -------
        clean : `~astropy.nddata.CCDData`
            The image without cosmic rays; masked pixels, mask, unit, header and WCS as before.
        struck : `~numpy.ndarray` of bool, shape (ny, nx)
            True where a cosmic ray was replaced.
        """
        bad = ~np.isfinite(ccd.data) if ccd.mask is None else np.asarray(ccd.mask, bool) | ~np.isfinite(ccd.data)
        data = np.array(ccd.data, np.float32)
        noise = _Noise.measured(data, bad)
        data[bad] = noise.median
        field = _Field(np.pad(data, _MARGIN, mode="reflect"), np.pad(bad, _MARGIN, constant_values=True))
        at = np.flatnonzero(np.pad(_laplacian(data) > 2 * self.sigclip * noise.floor, _MARGIN))
        for _ in range(self.iterations):
            found = self._pass(field, field.open(at), noise)
            if not found.size:
                break
            field.repair(found)
            at = field.around(found, 2)
        inner = (slice(_MARGIN, -_MARGIN),) * 2
        data = np.where(bad, ccd.data, field.data[inner])
        clean = CCDData(data, unit=ccd.unit, mask=ccd.mask, meta=ccd.meta.copy(), wcs=ccd.wcs)
        return clean, field.struck[inner].copy()

    def _pass(self, field, at, noise):
        """Return which of the pixels ``at``, and of those beside them, one pass takes for cosmic rays."""
        significance, sigma = field.significance(at, noise)
        strong = significance > self.sigclip
        at, significance, sigma = at[strong], significance[strong], sigma[strong]
        found = at[significance * sigma > self.objlim * field.fine_structure(at, sigma)]
        for enough in (self.sigclip, self.sigclip * self.sigfrac):
            ring = np.setdiff1d(field.open(field.around(found, 1)), found, assume_unique=True)
            found = np.union1d(found, ring[field.significance(ring, noise)[0] > enough])
        return found


class _Field:
    """
    An image with a margin, read and repaired at single pixels, which are named by flat index.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32
        The image; changed by `repair`.
    bad : `~numpy.ndarray` of bool
        Pixels never to be looked at, the margin among them.
    """

    def __init__(self, data, bad):
        self.data, self.bad = data, bad
        self.struck = np.zeros(bad.shape, bool)

    def open(self, at):
        """Return those of the pixels that are neither bad nor struck."""
        return at[~(self.bad.ravel()[at] | self.struck.ravel()[at])]

    def around(self, at, half):
        """Return the pixels within ``half`` of these in each direction, these included, each once."""
        near = np.zeros(self.data.size, bool)
        near[at[:, None] + self._window(half)] = True
        return np.flatnonzero(near)

    def significance(self, at, noise):
        """Return Laplacian over twice the noise, and the noise, of pixels."""
        sigma = noise.at(self._median(self.data, at, 2))
        return _laplacian_at(self.data, at) / (2 * sigma), sigma

    def fine_structure(self, at, sigma):
        """Return median3 - median7(median3), at least a hundredth of the noise: what stars have and rays lack."""
        smooth = np.empty(self.data.size, np.float32)
        needed = self.around(at, 3)
        smooth[needed] = self._median(self.data, needed, 1)
        return np.maximum(smooth[at] - self._median(smooth, at, 3), 0.01 * sigma)

    def repair(self, found):
        """Mark pixels as struck, and replace them by the median of the pixels around that are not."""
        self.struck.ravel()[found] = True
        window = found[:, None] + self._window(2)
        unknown = self.bad.ravel()[window] | self.struck.ravel()[window]
        around = np.where(unknown, np.nan, self.data.ravel()[window])
        known = ~unknown.all(axis=1)
        self.data.ravel()[found[known]] = np.nanmedian(around[known], axis=1)

    def _window(self, half):
        offsets = np.arange(-half, half + 1)
        return (offsets[:, None] * self.data.shape[1] + offsets).ravel()

    def _median(self, image, at, half):
        # sorting short rows is several times as fast in numpy as selecting from them, as np.median does
        ordered = np.sort(image.ravel()[at[:, None] + self._window(half)], axis=1)
        return ordered[:, ordered.shape[1] // 2]


@dataclass(frozen=True)
class _Noise:
    """Noise as a function of brightness: measured at the median, Poisson's law in electrons away from it."""

    median: float
    floor: float

    @classmethod
    def measured(cls, data, bad):
        """Measure from second differences along rows, which smooth structure does not reach."""
        rows = np.where(bad, np.nan, data)[:: max(data.shape[0] // 256, 1)]
        curvature = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
        curvature = curvature[np.isfinite(curvature)]
        floor = 1.4826 * np.median(np.abs(curvature)) / np.sqrt(6) if curvature.size else 0.0
        level = rows[np.isfinite(rows)]
        return cls(float(np.median(level)) if level.size else 0.0, float(max(floor, _LEAST_NOISE)))

    def at(self, level):
        """Return the noise of pixels of this level; never less than half of that at the median."""
        return np.sqrt(np.maximum(self.floor**2 + level - self.median, self.floor**2 / 4))


def _laplacian(data):
    """
    Return the Laplacian of van Dokkum (2001), equations 1 to 6.

    It is that of the twice subsampled image, its negative part cut off, averaged back to the original pixels.
    """
    padded = np.pad(data, 1, mode="edge")
    return _folded(data, padded[2:, 1:-1], padded[:-2, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])


def _laplacian_at(data, at):
    """Return `_laplacian` of single pixels, named by flat index."""
    flat, width = data.ravel(), data.shape[1]
    return _folded(flat[at], flat[at + width], flat[at - width], flat[at - 1], flat[at + 1])


def _folded(center, up, down, left, right):
    total = np.zeros_like(center)
    for vertical in (up, down):
        rest = 2 * center - vertical
        for horizontal in (left, right):
            total += np.maximum(rest - horizontal, 0)
    return total / 4
