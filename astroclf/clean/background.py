# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The level, slope and noise of the sky, measured so that a nebula or galaxy filling the frame survives."""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.stats import SigmaClip, mad_std, sigma_clipped_stats
from astropy.utils.exceptions import AstropyUserWarning

__all__ = ["Sky", "estimate_sky"]

_LOW = 25
_STRAIGHT = 0.2


@dataclass(frozen=True, eq=False)
class Sky:
    """
    The sky of an image.

    Parameters
    ----------
    level : `~numpy.ndarray` of float32, shape (ny, nx)
        Brightness of the sky at each pixel, in the image's unit: a constant or a tilted plane.
    sigma : float
        Noise of the sky per pixel, in the image's unit; 0 for an image without noise.
    """

    level: np.ndarray
    sigma: float


def estimate_sky(data, mask, boxes=8):
    """
    Measure the sky with `photutils.background.Background2D` on a coarse mesh.

    The level is the lower quartile of the mesh, not a smooth surface through it: a surface would
    subtract any object as large as a box. A slope is taken out only where a tilted plane explains
    the mesh, as scattered light and twilight do and objects do not. The noise is the lower quartile
    of the scatter inside the boxes. Where every box is mostly masked, the good pixels are one box.

    Parameters
    ----------
    data : `~numpy.ndarray`, shape (ny, nx)
        The image; not modified.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel is to be ignored; those that are not finite are ignored too.
    boxes : int, optional
        Number of boxes along the longer side.

    Returns
    -------
    sky : Sky
        Level and noise, finite everywhere; 0 where no pixel is good.
    """
    mesh, rms = _mesh(data, mask, boxes)
    if not np.isfinite(mesh).any():
        mesh, rms = _one_box(data[~mask & np.isfinite(data)])
    good = np.isfinite(mesh)
    level = _plane(mesh, good, data.shape)
    if level is None:
        level = np.full(data.shape, np.percentile(mesh[good], _LOW), np.float32)
    return Sky(level, float(np.percentile(rms[good], _LOW)))


def _mesh(data, mask, boxes):
    """Return level and scatter of the boxes; NaN where a box is mostly masked, and where all are."""
    from photutils.background import Background2D, MADStdBackgroundRMS, MedianBackground

    side = max(-(-max(data.shape) // boxes), 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        try:
            background = Background2D(
                data, side, mask=mask, filter_size=1, exclude_percentile=80, sigma_clip=SigmaClip(3, maxiters=5),
                bkg_estimator=MedianBackground(), bkg_rms_estimator=MADStdBackgroundRMS(),
            )  # fmt: skip
        except ValueError:  # every box is mostly masked
            return np.full((2, 1, 1), np.nan)
    excluded = background.n_pixels_mesh < 0.2 * np.prod(np.minimum(side, data.shape))
    return (np.where(excluded, np.nan, m) for m in (background.background_mesh, background.background_rms_mesh))


def _one_box(values):
    """Return level and scatter of these pixels, as a mesh of one box."""
    _, level, scatter = sigma_clipped_stats(values if values.size else [0.0], maxiters=5, stdfunc=mad_std)
    return np.array([[[level]], [[scatter]]])


def _plane(mesh, good, shape):
    """Return the tilted plane through the mesh, or None where no plane explains it."""
    if min(mesh.shape) < 3 or good.sum() < 0.7 * mesh.size:
        return None
    y, x = (axis.astype(float) for axis in np.indices(mesh.shape))
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    fit, *_ = np.linalg.lstsq(terms[good], mesh[good], rcond=None)
    residual, slope = mesh[good] - terms[good] @ fit, terms[good][:, 1:] @ fit[1:]
    if np.ptp(slope) == 0 or np.std(residual) > _STRAIGHT * np.std(slope):
        return None
    row, column = ((np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(shape, mesh.shape))
    return (fit[0] + fit[1] * column[None] + fit[2] * row[:, None]).astype(np.float32)
