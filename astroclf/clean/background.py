# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The level, slope and noise of the sky, measured so that a nebula or galaxy filling the frame survives."""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.stats import SigmaClip, mad_std, sigma_clipped_stats
from astropy.utils.exceptions import AstropyUserWarning

__all__ = ["Background", "Sky", "find_sources"]

_MODELS = ("plane", "constant", "mesh")
_QUIET = 25
"""Percentile of the boxes whose scatter is the noise: sources raise that of the others."""

_STRAIGHT, _SMOOTH, _NEARLY_ALL = 0.15, 10, 0.9
"""A plane is sky if what it leaves of the dark boxes is little of its slope, and either little more than their error
or the plane explains nearly all boxes: a planet that fills the frame is shaded like a plane, with more left."""

_PASSES = 15
_BRIGHT_WEIGHT = 0.05
MEDIAN_ERROR = 1.2533
"""Error of the median of n normal values, times sqrt(n) / sigma."""

_OUTSHINES = 2.0
_SMALLEST_SOURCE = 5


@dataclass(frozen=True, eq=False)
class Sky:
    """
    The sky of an image.

    Parameters
    ----------
    knots : `~numpy.ndarray` of float32, shape (m, n)
        Brightness at the middles of m x n equal parts of the image, in its unit; linear between and beyond them.
    sigma : float
        Noise of the sky per pixel, in the image's unit; 0 for an image without noise.
    """

    knots: np.ndarray
    sigma: float

    def on(self, shape):
        """
        Return the brightness of the sky at every pixel of a grid that covers the image.

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx) of the grid: that of the image measured, or any other.

        Returns
        -------
        level : `~numpy.ndarray` of float32, shape (ny, nx)
            Finite, in the unit of the image.
        """
        return self._at(shape, [slice(0, 1)] * 2)

    def within(self, part, sigma):
        """
        Return the sky of a part of the image.

        Parameters
        ----------
        part : sequence of two slice
            Rows and columns, as fractions of the image.
        sigma : float
            Noise per pixel there, which depends on how far the part is reduced.

        Returns
        -------
        sky : Sky
            Its own.
        """
        return Sky(self._at(self.knots.shape, part), sigma)

    def _at(self, shape, part):
        rows, columns = (_interpolation(*axis) for axis in zip(shape, self.knots.shape, part))
        return (rows @ self.knots @ columns.T).astype(np.float32)


@dataclass(frozen=True)
class Background:
    """
    How the sky is measured; call it with a reduced image.

    `photutils.background.Background2D` measures level and scatter of ``boxes`` along the longer side, twice: the
    second time without the sources that stand out from the first. A surface through the boxes would subtract any
    object as large as a box, so by default only what no object looks like is taken for sky: a level, or a tilted
    plane, beneath the darkest boxes.

    Parameters
    ----------
    boxes : int
        Boxes along the longer side.
    darkest : float
        Percentile of the boxes that is the level where no plane explains them, in [0, 100]. What chance alone
        makes of the darkest of so many boxes is allowed for.
    model : {'plane', 'constant', 'mesh'}
        ``plane``: a tilted plane where it explains the darkest boxes all over the image, as scattered light and
        twilight do and objects do not; else the level. ``constant``: the level. ``mesh``: a surface through all
        boxes, for fields of small sources under an uneven sky only.

    Raises
    ------
    ValueError
        If a parameter is none of these.
    """

    boxes: int = 8
    darkest: float = 5.0
    model: str = "plane"

    def __post_init__(self):
        if self.boxes < 1:
            msg = f"boxes must be at least 1; got {self.boxes!r}"
            raise ValueError(msg)
        if not 0 <= self.darkest <= 100:
            msg = f"darkest is a percentile, from 0 to 100; got {self.darkest!r}"
            raise ValueError(msg)
        if self.model not in _MODELS:
            msg = f"model must be one of {', '.join(_MODELS)}; got {self.model!r}"
            raise ValueError(msg)

    def __call__(self, data, mask):
        """
        Measure the sky of an image.

        Parameters
        ----------
        data : `~numpy.ndarray`, shape (ny, nx)
            The image; not modified.
        mask : `~numpy.ndarray` of bool, shape (ny, nx)
            True where a pixel is to be ignored; those that are not finite are ignored too. Where every box is mostly
            masked, the good pixels are one box.

        Returns
        -------
        sky : Sky
            Level and noise, finite everywhere; 0 where no pixel is good.
        """
        mask = mask | ~np.isfinite(data)
        first = self._measure(data, mask, Sky(np.zeros((1, 1), np.float32), 0.0))
        sources = find_sources(data - first.on(data.shape), mask, first.sigma)
        return self._measure(data, mask | sources, first)

    def _measure(self, data, mask, guess):
        """Return the sky of the pixels that are not masked; a guess of its slope keeps that out of the noise."""
        slope = guess.on(data.shape)
        level, scatter, count = _mesh(data - slope, mask, self.boxes)
        good = np.isfinite(level)
        if not good.any():
            return guess if guess.sigma else _one_box(data[~mask])
        level = level + guess.on(level.shape)
        sigma = float(np.percentile(scatter[good], _QUIET))
        error = MEDIAN_ERROR * sigma / np.sqrt(np.median(count[good]))
        return Sky(self._knots(level, good, error).astype(np.float32), sigma)

    def _knots(self, level, good, error):
        """Return the sky at the middles of the boxes."""
        plane = _plane(level, good, error) if self.model == "plane" else None
        if plane is not None:
            return plane
        if self.model == "mesh":
            return _filled(level, good)
        chance = error * _normal_quantile(self.darkest / 100, good.sum())
        return np.full(level.shape, np.percentile(level[good], self.darkest) - chance)


def find_sources(flat, mask, sigma):
    """
    Find the pixels that sources cover.

    They are those of `photutils.segmentation.detect_sources`, made without it: importing that package takes longer
    than reading, cleaning and rendering a frame.

    Parameters
    ----------
    flat : `~numpy.ndarray`, shape (ny, nx)
        The image, its sky at 0; not modified.
    mask : `~numpy.ndarray` of bool, shape (ny, nx)
        True where a pixel is to be ignored.
    sigma : float
        Noise per pixel; nothing is found where it is 0.

    Returns
    -------
    sources : `~numpy.ndarray` of bool, shape (ny, nx)
        True where at least five pixels together stand out from the sky by twice the noise, and beside them.
    """
    from scipy import ndimage

    beside = np.ones((3, 3), bool)
    regions, _ = ndimage.label((flat > _OUTSHINES * sigma) & ~mask & (sigma > 0), beside)
    large = np.bincount(regions.ravel()) >= _SMALLEST_SOURCE
    large[0] = False
    return ndimage.binary_dilation(large[regions], beside)


def _mesh(data, mask, boxes):
    """Return level, scatter and number of pixels of the boxes; NaN where a box is mostly masked, and where all are."""
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
            return np.full((3, 1, 1), np.nan)
    count = background.n_pixels_mesh
    excluded = count < 0.2 * np.prod(np.minimum(side, data.shape))
    measured = background.background_mesh, background.background_rms_mesh, count
    return (np.where(excluded, np.nan, values) for values in measured)


def _one_box(values):
    """Return the sky of these pixels, taken together."""
    _, level, scatter = sigma_clipped_stats(values if values.size else [0.0], maxiters=5, stdfunc=mad_std)
    return Sky(np.full((1, 1), level, np.float32), float(scatter))


def _plane(level, good, error):
    """Return the tilted plane beneath the boxes, or None where no plane explains the darkest of them."""
    if min(level.shape) < 3 or good.sum() < 0.5 * level.size:
        return None
    y, x = (axis.astype(float) for axis in np.indices(level.shape))
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    plane, dark = terms @ _fit(terms, level, good), good
    for _ in range(_PASSES):  # asymmetric least squares (Newey & Powell 1987): bright boxes hardly count
        plane = terms @ _fit(terms, level, good, np.where(level > plane, _BRIGHT_WEIGHT, 1))
    for _ in range(_PASSES):
        residual = level - plane
        below = -residual[dark & (residual < 0)]
        scatter = max(error, 1.4826 * np.median(below)) if below.size else error
        clipped = good & (residual < 2 * scatter)
        if (clipped == dark).all() or clipped.sum() < 3:
            break
        dark = clipped
        fit = _fit(terms, level, dark)
        plane = terms @ fit
    slope = plane - plane.mean()
    rest = np.std((level - plane)[dark])
    straight = np.ptp(slope) > 0 and rest <= _STRAIGHT * np.std(slope[dark])
    sky = rest <= _SMOOTH * error or dark.sum() >= _NEARLY_ALL * good.sum()
    return plane if straight and sky and _surrounds(dark) else None


def _fit(terms, level, good, weights=None):
    """Return the coefficients of the least-squares plane through the good boxes."""
    root = np.ones(good.sum()) if weights is None else np.sqrt(weights[good])
    return np.linalg.lstsq(terms[good] * root[:, None], level[good] * root, rcond=None)[0]


def _surrounds(dark):
    """Return whether some boxes lie in three quarters of the image at least, so that they hold a plane."""
    rows, columns = (-(-n // 2) for n in dark.shape)
    quarters = (dark[a, b] for a in (slice(rows), slice(-rows, None)) for b in (slice(columns), slice(-columns, None)))
    return sum(quarter.sum() >= 3 for quarter in quarters) >= 3


def _filled(level, good):
    """Return the boxes, those without a measurement like the nearest with one."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~good, return_distances=False, return_indices=True)
    return level[tuple(nearest)]


def _normal_quantile(share, count):
    """Return the expected quantile of ``count`` normal values of unit scatter."""
    from scipy.special import ndtri

    return float(ndtri(np.clip(share, 0.4 / count, 1 - 0.4 / count)))


def _interpolation(new, old, part):
    """Return the (new, old) matrix that interpolates along one axis, linearly beyond the ends too."""
    if old == 1:
        return np.ones((new, 1))
    fraction = part.start + (np.arange(new) + 0.5) * (part.stop - part.start) / new
    at = fraction * old - 0.5
    left = np.clip(np.floor(at), 0, old - 2).astype(int)
    weights, row = np.zeros((new, old)), np.arange(new)
    weights[row, left], weights[row, left + 1] = left + 1 - at, at - left
    return weights
