# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Reduction of an image to fewer pixels by exact area averages that leave bad pixels out, and lose no star."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from astroclf.threads import in_threads

__all__ = ["fill_empty", "fit_inside", "keep_points", "reduce_colours", "reduce_image"]

_STRIP = 128
"""Rows of a full image that are searched for stars at a time: few, so that what is made on the way is small."""

_FEWEST_GOOD = 0.1
_REACH, _FARTHEST = 2.0, 1e-3
_SAMPLED = 2**15
"""Pixels of a full image at which its noise is measured."""

_LEAST_REDUCTION = 3
"""Below this factor no star of a few pixels vanishes."""


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
    surface brightness is kept and bad pixels do not spread. Every old pixel is read once, which takes little
    longer than copying the image.

    Parameters
    ----------
    data : `~numpy.ndarray`, shape (ny, nx)
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
    total, covered = (np.empty((shape[0], data.shape[1]), np.float32) for _ in range(2))
    for new, old in enumerate(_covered(len(data), shape[0])):
        weights, good = rows[new, old], ~mask[old]
        np.einsum("i,ij->j", weights, np.where(good, data[old], np.float32(0)), out=total[new], casting="same_kind")
        np.einsum("i,ij->j", weights, good.astype(np.float32), out=covered[new])
    total, covered = total @ columns.T, covered @ columns.T
    empty = covered < _FEWEST_GOOD
    return np.where(empty, np.float32(0), total / np.where(empty, 1, covered)), empty


def reduce_colours(colours, mask, shape):
    """
    Resample a picture in colour as `reduce_image` does an image.

    Parameters
    ----------
    colours : `~numpy.ndarray` of uint8, shape (ny, nx, 3)
        The picture; not modified.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where it is transparent.
    shape : tuple of int
        Shape (my, mx) of the result.

    Returns
    -------
    rgb : `~numpy.ndarray` of float32, shape (my, mx, 3), range [0, 1]
        The picture; black where hardly anything is opaque.
    """
    planes = [reduce_image(colours[..., channel], mask, shape)[0] for channel in range(3)]
    return np.clip(np.stack(planes, axis=-1) / np.float32(255), 0, 1)


def _covered(old, new):
    """Yield for each new pixel along an axis the slice of old ones it is made of."""
    margin = 1 if new > old else 0
    for n in range(new):
        yield slice(max(n * old // new - margin, 0), min(-(-(n + 1) * old // new) + margin, old))


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


def keep_points(flat, sigma, data, mask, *, sky, least, most):
    """
    Lift the pixels of a reduced image in which a star would vanish.

    A star of a few pixels that stands out from a full image is spread over all the pixels that become one: of
    the noise per pixel, its light is worth a tenth or less then. So where the full image has a star, the reduced one
    is at least as far above its noise as the brightest pixel of the star was above that of the full image. Fluxes
    elsewhere are as they were.

    Parameters
    ----------
    flat : `~numpy.ndarray` of float32, shape (my, mx)
        The reduced image, its sky at 0; not modified.
    sigma : float
        Its noise per pixel.
    data : `~numpy.ndarray`, shape (ny, nx)
        The full image, without cosmic rays; not modified.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel of ``data`` is to be left out.
    sky : `~astroclf.clean.Sky`
        The sky of the image.
    least : float
        What the brightest pixel of a star must be above its surroundings, in units of the noise of the full image.
        The brighter of the pixels left and right of it, and that of those above and below, must be above them by
        half of this: a hot pixel and a thin track have no such neighbours.
    most : float
        To how far above the sky a pixel is lifted at most, in units of ``sigma``.

    Returns
    -------
    lifted : `~numpy.ndarray` of float32, shape (my, mx)
        The image; ``flat`` itself where it is reduced by less than a factor of 3.
    """
    if len(data) < _LEAST_REDUCTION * len(flat):
        return flat
    noise = _noise(data, mask, sky)
    if not (noise > 0 and sigma > 0):
        return flat
    row, column = (((np.arange(n) + 0.5) * (m / n)).astype(int) for n, m in zip(data.shape, flat.shape))
    local, lifted = (flat + sky.on(flat.shape))[:, column], flat.copy()

    def search(rows):
        return _points(data, mask, rows, local[row[rows]], least * noise)

    for y, x, height in in_threads(search, [slice(start, start + _STRIP) for start in range(0, len(data), _STRIP)]):
        np.maximum.at(lifted, (row[y], column[x]), np.minimum(height / noise, most).astype(np.float32) * sigma)
    return lifted


def _points(data, mask, rows, local, least):
    """Return rows, columns and heights above their surroundings of the stars in some rows of an image."""
    inner = slice(max(rows.start, 1), min(rows.stop, len(data) - 1))
    above = data[inner] - local[inner.start - rows.start : inner.stop - rows.start]
    y, x = np.divmod(np.flatnonzero(above[:, 1:-1] > least), above.shape[1] - 2)
    height, here, y, x = above[y, x + 1], local[y + inner.start - rows.start, x + 1], y + inner.start, x + 1
    left, right, down, up = (
        np.where(mask[a, b], -np.inf, data[a, b] - here) for a, b in ((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x))
    )
    beside, over = np.maximum(left, right), np.maximum(down, up)
    star = ~mask[y, x] & (np.minimum(beside, over) > least / 2) & (height >= beside) & (height >= over)
    return y[star], x[star], height[star]


def _noise(data, mask, sky):
    """Return the noise per pixel of a full image, measured at some of its pixels; their structure is part of it."""
    step = max(int(np.sqrt(data.size / _SAMPLED)), 1)
    some = np.s_[step // 2 :: step, step // 2 :: step]
    values = (data[some] - sky.on(data[some].shape))[~mask[some]]
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def fill_empty(data, empty):
    """
    Fill the empty pixels of an image from their neighbours, and with sky where there is none within 4 pixels.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image, its sky at 0; not modified.
    empty : `~numpy.ndarray` of bool, shape (ny, nx)
        True where it is to be filled.

    Returns
    -------
    filled : `~numpy.ndarray` of float32, shape (ny, nx)
        The image; ``data`` itself if nothing is empty. A gap has no edge: what fills it goes from one side to the
        other smoothly.
    """
    if not empty.any():
        return data
    weight = gaussian_filter((~empty).astype(np.float32), _REACH, truncate=2)
    near = gaussian_filter(np.where(empty, 0, data), _REACH, truncate=2) / np.maximum(weight, 1e-6)
    return np.where(empty, np.where(weight > _FARTHEST, near, 0), data).astype(np.float32)
