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
_INNER = (slice(_MARGIN, -_MARGIN),) * 2
_BAND, _FEW = 128, 2**15
"""Rows, and single pixels, that are worked on at a time: the results are the same, the memory is small."""

_SPARSE = 5000
"""Where fewer than one pixel in so many is wanted, sorting their neighbours is faster than a map of all pixels."""

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
        mask = None if ccd.mask is None else np.broadcast_to(np.asarray(ccd.mask, bool), ccd.shape)
        closed = _closed(ccd.data, mask)
        noise = _Noise.measured(ccd.data, closed[_INNER])
        field = _Field(_with_margin(ccd.data, closed[_INNER], noise.median), closed)
        at = field.outstanding(2 * self.sigclip * noise.floor)
        for _ in range(self.iterations):
            found = self._pass(field, field.open(at), noise)
            if not found.size:
                break
            field.repair(found)
            at = field.around(found, 2)
        data, struck = field.result(ccd.data, mask)
        return CCDData(data, unit=ccd.unit, mask=ccd.mask, meta=ccd.meta.copy(), wcs=ccd.wcs), struck

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
    closed : `~numpy.ndarray` of bool
        Pixels not to be looked at, the margin among them; those that `repair` replaces are added.
    """

    def __init__(self, data, closed):
        self.data, self.closed = data, closed

    def outstanding(self, threshold):
        """Return the pixels whose Laplacian is above a threshold."""
        image, found = self.data[_INNER], []
        for rows in _bands(len(image)):
            above, below = int(rows.start > 0), int(rows.stop < len(image))
            laplacian = _laplacian(image[rows.start - above : rows.stop + below])[above:]
            row, column = np.nonzero(laplacian[: rows.stop - rows.start] > threshold)
            found.append((row + rows.start + _MARGIN) * self.data.shape[1] + column + _MARGIN)
        return np.concatenate(found)

    def result(self, image, mask):
        """Return the repaired image, bad pixels as they were, and which pixels were repaired; ends the field's use."""
        data, struck = self.data[_INNER].astype(np.result_type(image, np.float32), copy=False), self.closed[_INNER]
        for rows in _bands(len(image)):
            bad = _unusable(image, mask, rows)
            data[rows][bad] = image[rows][bad]
            struck[rows] ^= bad
        return data, struck

    def open(self, at):
        """Return those of the pixels that are neither bad nor struck."""
        return at[~self.closed.ravel()[at]]

    def around(self, at, half):
        """Return the pixels within ``half`` of these in each direction, these included, each once."""
        if at.size < self.data.size // _SPARSE:
            return np.unique(at[:, None] + self._window(half))
        width, found = self.data.shape[1], []
        for rows in _bands(len(self.data)):
            reach = np.array([max(rows.start - half, 0), rows.stop + half]) * width
            near = np.zeros(reach[1] - reach[0] + half * width, bool)
            within = at[slice(*np.searchsorted(at, reach))] - reach[0]
            for offset in self._window(half):
                near[within + offset] = True
            inner = slice(rows.start * width - reach[0], rows.stop * width - reach[0])
            found.append(np.flatnonzero(near[inner]) + rows.start * width)
        return np.concatenate(found)

    def significance(self, at, noise):
        """Return Laplacian over twice the noise, and the noise, of pixels."""
        sigma = noise.at(self._median(self.data, at, 2))
        return _laplacian_at(self.data, at) / (2 * sigma), sigma

    def fine_structure(self, at, sigma):
        """Return median3 - median7(median3), at least a hundredth of the noise: what stars have and rays lack."""
        width, fine = self.data.shape[1], np.empty(at.size, np.float32)
        for rows in _bands(len(self.data)):
            band = slice(*np.searchsorted(at, [rows.start * width, rows.stop * width]))
            needed, start = self.around(at[band], 3), (rows.start - _MARGIN) * width
            smooth = np.empty((_BAND + 2 * _MARGIN) * width, np.float32)
            smooth[needed - start] = self._median(self.data, needed, 1)
            fine[band] = smooth[at[band] - start] - self._median(smooth, at[band] - start, 3)
        return np.maximum(fine, 0.01 * sigma)

    def repair(self, found):
        """Mark pixels as struck, and replace them by the median of the pixels around that are not."""
        self.closed.ravel()[found] = True
        for part in _parts(found):
            window = part[:, None] + self._window(2)
            unknown = self.closed.ravel()[window]
            around = np.where(unknown, np.nan, self.data.ravel()[window])
            known = ~unknown.all(axis=1)
            self.data.ravel()[part[known]] = np.nanmedian(around[known], axis=1)

    def _window(self, half):
        offsets = np.arange(-half, half + 1)
        return (offsets[:, None] * self.data.shape[1] + offsets).ravel()

    def _median(self, image, at, half):
        # sorting short rows is several times as fast in numpy as selecting from them, as np.median does
        medians = np.empty(at.size, image.dtype)
        for part, median in zip(_parts(at), _parts(medians)):
            ordered = np.sort(image.ravel()[part[:, None] + self._window(half)], axis=1)
            median[:] = ordered[:, ordered.shape[1] // 2]
        return medians


def _closed(image, mask):
    """Return which pixels are masked, not finite or of the margin."""
    closed = np.ones([n + 2 * _MARGIN for n in image.shape], bool)
    for rows in _bands(len(image)):
        closed[_INNER][rows] = _unusable(image, mask, rows)
    return closed


def _unusable(image, mask, rows):
    """Return which pixels of some rows are masked or not finite."""
    lost = ~np.isfinite(image[rows])
    return lost if mask is None else lost | mask[rows]


def _with_margin(image, bad, filling):
    """Return an image as float32 with a reflected margin, bad pixels filled."""
    if min(image.shape) <= _MARGIN:
        return np.pad(np.where(bad, np.float32(filling), np.asarray(image, np.float32)), _MARGIN, mode="reflect")
    data = np.empty([n + 2 * _MARGIN for n in image.shape], np.float32)
    data[_INNER] = image
    data[_INNER][bad] = filling
    for turned in (data[:, _MARGIN:-_MARGIN], data.T):
        turned[:_MARGIN] = turned[2 * _MARGIN : _MARGIN : -1]
        turned[-_MARGIN:] = turned[-_MARGIN - 2 : -2 * _MARGIN - 2 : -1]
    return data


def _bands(count):
    """Yield slices of a few rows at a time."""
    for start in range(0, count, _BAND):
        yield slice(start, min(start + _BAND, count))


def _parts(array):
    """Yield a few elements of an array at a time, as views."""
    for start in range(0, len(array), _FEW):
        yield array[start : start + _FEW]


@dataclass(frozen=True)
class _Noise:
    """Noise as a function of brightness: measured at the median, Poisson's law in electrons away from it."""

    median: float
    floor: float

    @classmethod
    def measured(cls, data, bad):
        """Measure from second differences along rows, which smooth structure does not reach."""
        some = slice(None, None, max(data.shape[0] // 256, 1))
        rows = np.where(bad[some], np.nan, np.asarray(data[some], np.float32))
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
