# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
An image of which a few pixels in a hundred are looked at, with their neighbours.

Pixels are named by flat index into the image with its margin, in rising order. Bands of rows are worked on in threads,
for NumPy lets others run while it computes; what is found depends on neither.
"""

import numpy as np

from astroclf.threads import in_threads

__all__ = ["Field"]

MARGIN = 4
"""Pixels around the image; nothing looks further."""

_INNER = (slice(MARGIN, -MARGIN),) * 2
_BAND, _TILE, _FEW = 256, 2**15, 2**11
"""Rows of a band; pixels, and windows of pixels, that fit into the cache of a core."""

_SPARSE = 5000
"""Where fewer than one pixel in so many is wanted, sorting their neighbours is faster than a map of all pixels."""


class Field:
    """
    An image as float32 with a reflected margin, read and repaired at single pixels.

    Parameters
    ----------
    image : `~numpy.ndarray`, shape (ny, nx)
        The image; not modified.
    mask : `~numpy.ndarray` of bool, shape (ny, nx), or None
        True where a pixel is bad; those that are not finite are bad too.
    filling : float
        What bad pixels are taken to hold.
    """

    def __init__(self, image, mask, filling):
        self._image, self._mask = image, mask
        shape = [n + 2 * MARGIN for n in image.shape]
        self._data, self._closed = np.empty(shape, np.float32), np.ones(shape, bool)
        self._flat, self._width = self._data.reshape(-1), shape[1]
        self._in_bands(lambda rows: self._load(rows, np.float32(filling)))
        self._reflect()

    def _load(self, rows, filling):
        data, closed = self._data[_INNER][rows], self._closed[_INNER][rows]
        closed[:] = self._bad(rows)
        np.copyto(data, self._image[rows], casting="same_kind")
        np.copyto(data, filling, where=closed)

    def _reflect(self):
        inner = self._data[_INNER]
        if min(inner.shape) <= MARGIN:
            self._data[:] = np.pad(inner, MARGIN, mode="reflect")
            return
        for turned in (self._data[:, MARGIN:-MARGIN], self._data.T):
            turned[:MARGIN] = turned[2 * MARGIN : MARGIN : -1]
            turned[-MARGIN:] = turned[-MARGIN - 2 : -2 * MARGIN - 2 : -1]

    def _bad(self, rows):
        lost = ~np.isfinite(self._image[rows])
        return lost if self._mask is None else lost | self._mask[rows]

    def _in_bands(self, function):
        starts = range(0, len(self._image), _BAND)
        return in_threads(function, [slice(start, min(start + _BAND, len(self._image))) for start in starts])

    def outstanding(self, threshold, select):
        """
        Select from the pixels whose Laplacian is large.

        Parameters
        ----------
        threshold : callable
            Takes a brightness and returns the least Laplacian that is large at this brightness and above.
        select : callable
            Takes pixels and returns some of them.

        Returns
        -------
        found : `~numpy.ndarray` of int
            The selected pixels.
        """
        return np.concatenate(self._in_bands(lambda rows: select(self._outstanding(rows, threshold))))

    def beside(self, at, half, select):
        """
        Select from the pixels around others.

        Parameters
        ----------
        at : `~numpy.ndarray` of int
            The others.
        half : int
            How far around, in each direction.
        select : callable
            Takes pixels, neither bad nor repaired, and returns some of them.

        Returns
        -------
        found : `~numpy.ndarray` of int
            The selected pixels.
        """

        def select_in(rows):
            near = self._beside(rows, at, half)
            return select(near) if near.size else near

        return np.concatenate(self._in_bands(select_in))

    def _outstanding(self, rows, threshold):
        height, found = max(_TILE // self._width, 1), []
        for start in range(rows.start, rows.stop, height):
            tile = self._data[start + MARGIN - 2 : min(start + height, rows.stop) + MARGIN + 2]
            least = threshold(tile.min())
            outstanding = _largest_fold(tile[1:-1, MARGIN - 1 : 1 - MARGIN]) > least
            row, column = np.divmod(np.flatnonzero(outstanding), outstanding.shape[1])
            at = (row + start + MARGIN) * self._width + column + MARGIN
            found.append(at[self.laplacian(at) > least])
        return self._open(np.concatenate(found))

    def _beside(self, rows, at, half):
        start, stop = ((row + MARGIN) * self._width for row in (rows.start, rows.stop))
        first, last = np.searchsorted(at, [start - half * self._width, stop + half * self._width])
        near = self._around(at[first:last], half)
        return self._open(near[slice(*np.searchsorted(near, [start, stop]))])

    def _open(self, at):
        return at[~self._closed.reshape(-1)[at]]

    def _around(self, at, half):
        """Return the pixels within ``half`` of these in each direction, these included, each once."""
        if not at.size:
            return at
        start, stop = at[0] - half * (self._width + 1), at[-1] + half * (self._width + 1) + 1
        if at.size < (stop - start) // _SPARSE:
            return np.unique(at[:, None] + self._window(half))
        near = np.zeros(stop - start, bool)
        near[at - start] = True
        for step in (1, self._width):
            before = near.copy()
            for shift in range(step, half * step + 1, step):
                near[shift:] |= before[:-shift]
                near[:-shift] |= before[shift:]
        return np.flatnonzero(near) + start

    def value(self, at, offset=(0, 0)):
        """Return what the pixels some rows and columns away hold."""
        return self._flat[at + (offset[0] * self._width + offset[1])]

    def laplacian(self, at):
        """
        Return the Laplacian of van Dokkum (2001), equations 1 to 6.

        It is that of the twice subsampled image, its negative part cut off, averaged back to the original pixels.
        """
        center = self.value(at)
        down, up, left, right = (center - self.value(at, side) for side in ((-1, 0), (1, 0), (0, -1), (0, 1)))
        total = np.zeros_like(center)
        for vertical in (down, up):
            for horizontal in (left, right):
                total += np.maximum(vertical + horizontal, 0)
        return total / 4

    def median(self, at, half):
        """Return medians over the pixels within ``half`` in each direction."""
        return self._median(self._flat, at, half)

    def median_of(self, function, at, half):
        """Return medians of what a function gives for the pixels within ``half`` in each direction."""
        if not at.size:
            return np.empty(0, np.float32)
        needed = self._around(at, half)
        values = np.empty(needed[-1] - needed[0] + 1, np.float32)
        values[needed - needed[0]] = function(needed)
        return self._median(values, at - needed[0], half)

    def _median(self, flat, at, half):
        # sorting short rows is several times as fast in numpy as selecting from them, as np.median does
        medians, window = np.empty(at.size, np.float32), self._window(half)
        for part, median in zip(_parts(at), _parts(medians)):
            ordered = flat[part[:, None] + window]
            ordered.sort(axis=1)
            median[:] = ordered[:, window.size // 2]
        return medians

    def _window(self, half):
        offsets = np.arange(-half, half + 1)
        return (offsets[:, None] * self._width + offsets).ravel()

    def repair(self, found):
        """Replace pixels by the median of those within 2 that are neither bad nor repaired, and close them."""
        self._closed.reshape(-1)[found] = True
        in_threads(self._repair, _parts(found))

    def _repair(self, at):
        window = at[:, None] + self._window(2)
        unknown = self._closed.reshape(-1)[window]
        ordered = self._flat[window]
        ordered[unknown] = np.inf
        ordered.sort(axis=1)
        known = window.shape[1] - np.count_nonzero(unknown, axis=1)
        row = np.flatnonzero(known)
        half = known[row] // 2
        self._flat[at[row]] = (ordered[row, (known[row] - 1) // 2] + ordered[row, half]) / 2

    def result(self):
        """
        Return what became of the image; this ends the field's use.

        Returns
        -------
        data : `~numpy.ndarray`, shape (ny, nx)
            The repaired image, bad pixels as they were; float32, or what the image was if that is wider.
        repaired : `~numpy.ndarray` of bool, shape (ny, nx)
            True where a pixel was repaired.
        """
        data = self._data[_INNER].astype(np.result_type(self._image, np.float32), copy=False)
        repaired = self._closed[_INNER]

        def restore(rows):
            if (bad := self._bad(rows)).any():
                data[rows][bad] = self._image[rows][bad]
                repaired[rows] ^= bad

        self._in_bands(restore)
        return data, repaired


def _largest_fold(data):
    """Return twice each inner pixel less its fainter neighbours up or down, left or right: no Laplacian is larger."""
    center = data[1:-1, 1:-1]
    fold = np.minimum(data[2:, 1:-1], data[:-2, 1:-1])
    np.subtract(center, fold, out=fold)
    fold += center
    fold -= np.minimum(data[1:-1, 2:], data[1:-1, :-2])
    return fold


def _parts(array):
    """Return a few elements of an array at a time, as views."""
    return [array[start : start + _FEW] for start in range(0, len(array), _FEW)]
