# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A frame as it was read, for the eye: linear, between the limits of zscale."""

import numpy as np
from astropy.visualization import ZScaleInterval
from matplotlib.colors import Normalize

from astroclf.annotation.scales import widened
from astroclf.annotation.shrinking import shrink

__all__ = ["as_read"]

_FEW = 100
"""Of so few pixels zscale makes nothing."""


def as_read(frame, part, shape):
    """
    Reduce a part of a frame, and choose what is black and white; zscale sees its good pixels only.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        The frame.
    part : tuple of slice
        Rows and columns of it.
    shape : tuple of int
        Shape (ny, nx) of the image; one that has fewer pixels is left as it is.

    Returns
    -------
    seen : `~numpy.ndarray` of float32
        The image; NaN where nothing is finite.
    norm : `~matplotlib.colors.Normalize`
        Black and white.
    """
    data = np.asarray(frame.ccd.data[part], np.float32)
    seen = shrink(data, ~np.isfinite(data), shape)
    good = shrink(data, ~frame.good[part], shape)
    norm = Normalize(*_zscale(good[np.isfinite(good)] if np.isfinite(good).any() else seen[np.isfinite(seen)]))
    return seen, norm


def _zscale(values):
    """Return black and white levels of a linear stretch, apart even for an image of one value."""
    low, high = values.min(), values.max()
    if values.size > _FEW and high > low:
        low, high = ZScaleInterval().get_limits(values)
    return widened(low, high)
