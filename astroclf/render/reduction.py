# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Reduction of an image to fewer pixels by exact area averages that leave bad pixels out."""

from functools import lru_cache

import numpy as np

__all__ = ["fit_inside", "reduce_image"]


def fit_inside(shape, size):
    """
    Return the largest shape of the same aspect ratio whose longer side is ``size``.

    Parameters
    ----------
    shape : tuple of int
        Shape (ny, nx) of an image.
    size : int
        Longer side of the result in pixels.

    Returns
    -------
    shape : tuple of int
        (ny, nx), each at least 1.
    """
    scale = size / max(shape)
    return tuple(max(round(n * scale), 1) for n in shape)


def reduce_image(data, mask, shape):
    """
    Resample an image to another shape: area average when it shrinks, linear when it grows.

    Each new pixel is the mean of the good old pixels it covers, fractions of pixels counted, so
    surface brightness is kept and bad pixels do not spread. Both directions are one product with a
    matrix: on a 4096 x 4096 chip this takes as long as reading it twice.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image; not modified. Its value where ``mask`` is True does not matter.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel is to be left out.
    shape : tuple of int
        Shape of the result.

    Returns
    -------
    reduced : `~numpy.ndarray` of float32
        The image; 0 where ``empty``.
    empty : `~numpy.ndarray` of bool
        True where a new pixel covers fewer good old pixels than a tenth of its area.
    """
    rows, columns = (_weights(old, new) for old, new in zip(data.shape, shape))
    if not mask.any():
        return rows @ data @ columns.T, np.zeros(shape, bool)
    covered = rows @ (~mask).astype(np.float32) @ columns.T
    total = rows @ np.where(mask, np.float32(0), data) @ columns.T
    empty = covered < 0.1
    return np.where(empty, np.float32(0), total / np.where(empty, 1, covered)), empty


@lru_cache(maxsize=16)
def _weights(old, new):
    """Return the (new, old) matrix that resamples one axis; each row sums to 1."""
    edges = np.arange(new + 1) * (old / new)
    if new <= old:
        left, right = edges[:-1, None], edges[1:, None]
        pixel = np.arange(old)
        weights = np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, None)
    else:
        center = np.clip((edges[:-1] + edges[1:]) / 2 - 0.5, 0, old - 1)[:, None]
        weights = np.clip(1 - np.abs(center - np.arange(old)), 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
