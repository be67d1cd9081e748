# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Full images in the few pixels of a panel: what a reader of the figure is to see of them."""

import numpy as np

from astroclf.render import reduce_image

__all__ = ["coverage", "field_of_view", "shrink"]

_MOSTLY = 0.6
"""The whole frame is shown where the exposed part is at least so long, as a fraction of the frame, both ways."""

_AROUND, _LEAST_AROUND = 0.05, 2
_SPARSE = 0.01
"""Where fewer of the panel's pixels are marked than this fraction, each mark is made three pixels wide."""


def field_of_view(shape, part):
    """
    Choose what of a frame to show.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of the frame.
    part : tuple of slice
        Its exposed part.

    Returns
    -------
    view : tuple of slice
        Rows and columns: the whole frame, or the exposed part and a little around it where that is much smaller.
    """
    lengths = [side.stop - side.start for side in part]
    if all(length >= _MOSTLY * n for length, n in zip(lengths, shape)):
        return tuple(slice(0, n) for n in shape)
    around = max(round(_AROUND * max(lengths)), _LEAST_AROUND)
    return tuple(slice(max(side.start - around, 0), min(side.stop + around, n)) for side, n in zip(part, shape))


def shrink(data, mask, shape):
    """
    Average an image over the pixels of a panel; one that has fewer pixels is left as it is.

    Parameters
    ----------
    data : `~numpy.ndarray`, shape (ny, nx)
        The image.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel is to be left out.
    shape : tuple of int
        Shape of the panel.

    Returns
    -------
    shrunk : `~numpy.ndarray` of float32
        NaN where hardly any pixel is left.
    """
    shape = tuple(map(min, data.shape, shape))
    reduced, empty = (data, mask) if shape == data.shape else reduce_image(data, mask, shape)
    return np.where(empty, np.float32(np.nan), reduced)


def coverage(marked, shape):
    """
    Shrink a map of marked pixels to a panel, so that single ones stay visible.

    Parameters
    ----------
    marked : `~numpy.ndarray` of bool, shape (ny, nx)
        The map.
    shape : tuple of int
        Shape of the panel.

    Returns
    -------
    covered : `~numpy.ndarray` of float32, range [0, 1]
        Fraction that is marked; where few are, each mark is three pixels wide.
    """
    from scipy.ndimage import maximum_filter

    shape = tuple(map(min, marked.shape, shape))
    if shape == marked.shape:
        return marked.astype(np.float32)
    covered = reduce_image(marked, np.broadcast_to(False, marked.shape), shape)[0]
    fewer = covered.shape[0] < marked.shape[0] and covered.shape[1] < marked.shape[1]
    if fewer and 0 < np.count_nonzero(covered) < _SPARSE * covered.size:
        return maximum_filter(covered, 3)
    return covered
