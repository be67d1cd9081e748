# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Stretches tied to the noise of the sky, so that noise stays dark and faint things still show."""

import numpy as np
from astropy.visualization import AsinhStretch, ManualInterval

__all__ = ["choose_scales", "to_rgb"]

_FAINTEST_NOISE = 1e-4
"""Noise assumed in an image that has none, as a fraction of its white level."""


def choose_scales(data, sigma, *, black, white, percentile, softening):
    """
    Choose interval and stretch of the three channels of an RGB image.

    Parameters
    ----------
    data : `~numpy.ndarray` of float32, shape (ny, nx)
        The image, finite, its sky at 0; not modified.
    sigma : float
        Noise of the sky per pixel; 0 for an image without noise.
    black : float
        Black level, in units of ``sigma`` below the sky.
    white : float
        Least white level, in units of ``sigma`` above the sky: an image without anything brighter
        stays dark.
    percentile : sequence of 3 float
        Percentile of the pixels that is white in R, G and B, where brighter than ``white``.
    softening : sequence of 3 float
        Level where the asinh stretch turns from linear to logarithmic in R, G and B: in units of
        ``sigma`` where positive, minus the fraction of the white level where negative.

    Returns
    -------
    scales : list of 3 `~astropy.visualization.CompositeTransform`
        Each maps the image to [0, 1].
    """
    tops = np.percentile(data, percentile)
    least = np.finfo(np.float32).tiny * max(np.abs(data).max(), 1)
    sigma = max(sigma, _FAINTEST_NOISE * tops.max(), least)
    return [_scale(sigma, black, max(top, white * sigma), soft) for top, soft in zip(tops, softening)]


def _scale(sigma, black, top, soft):
    span = top + black * sigma
    knee = soft * sigma / span if soft > 0 else -soft
    return AsinhStretch(min(knee, 1)) + ManualInterval(-black * sigma, top)


def to_rgb(data, scales):
    """
    Render an image through one scale a channel.

    Parameters
    ----------
    data : `~numpy.ndarray`, shape (ny, nx)
        The image, finite; not modified.
    scales : list of 3 callable
        What `choose_scales` returns.

    Returns
    -------
    rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
        The picture.
    """
    return np.clip([scale(data) for scale in scales], 0, 1).astype(np.float32).transpose(1, 2, 0)
