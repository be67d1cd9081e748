# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Stretches tied to the noise of the sky, so that noise stays dark and faint things still show."""

from dataclasses import dataclass, replace

import numpy as np
from astropy.visualization import (
    AsinhStretch,
    LinearStretch,
    LogStretch,
    ManualInterval,
    PercentileInterval,
    SqrtStretch,
    ZScaleInterval,
)
from scipy.ndimage import maximum_filter

__all__ = ["STRETCHES", "Stretch", "to_rgb"]

STRETCHES = {1: (1.0,), 3: (1.0, 2.0, 0.5)}
"""Numbers of stretches, and how much softer than the model's they are, as of `Stretch.softened`."""

_FAINTEST_NOISE = 1e-4
"""Noise assumed in an image that has none, as a fraction of its white level."""

_LONELY = 5.0
"""A pixel counts as no brighter than this many times the brightest of the eight beside it."""

_INTERVALS = {
    "noise": None,
    "zscale": lambda percentile: ZScaleInterval(),
    "percentile": PercentileInterval,
    "minmax": lambda percentile: PercentileInterval(100),
}
_CURVES = {
    "asinh": lambda knee: AsinhStretch(min(knee, 1)),
    "log": lambda knee: LogStretch(1 / min(knee, 1)),
    "sqrt": lambda knee: SqrtStretch(),
    "linear": lambda knee: LinearStretch(),
}


@dataclass(frozen=True)
class Stretch:
    """
    Settings of interval and stretch of the three channels of an RGB image of one filter.

    Parameters
    ----------
    curve : {'asinh', 'log', 'sqrt', 'linear'}
        The stretch of `astropy.visualization`.
    interval : {'noise', 'zscale', 'percentile', 'minmax'}
        What is black and white. ``noise``: black is tied to the sky and its noise, white to a percentile of the
        pixels. The others are those of `astropy.visualization`; they do not know the sky, and stretch noise to white.
    black : float
        Black level of the interval ``noise``, in units of the noise below the sky.
    white : float
        Least white level of the interval ``noise``, in units of the noise above the sky: an image without anything
        brighter stays dark.
    percentile : tuple of 3 float
        Percentile of the pixels that is white in R, G and B, where brighter than ``white``; the share of the
        pixels in the interval ``percentile``. In [0, 100]. A pixel without a bright neighbour counts as no brighter
        than five times its brightest, so hot pixels do not set what is white; nor do saturated stars, as long as they
        cover less than what is above the percentile.
    softening : tuple of 3 float
        Level where the curve turns from linear to logarithmic in R, G and B: in units of the noise where
        positive, minus the fraction of the white level where negative.

    Raises
    ------
    ValueError
        If a name is not known or a percentile is none.
    """

    curve: str = "asinh"
    interval: str = "noise"
    black: float = 1.0
    white: float = 15.0
    percentile: tuple[float, float, float] = (99.5, 99.7, 99.9)
    softening: tuple[float, float, float] = (2.0, 8.0, -0.15)

    def __post_init__(self):
        for name, known in (("curve", _CURVES), ("interval", _INTERVALS)):
            if getattr(self, name) not in known:
                msg = f"{name} must be one of {', '.join(known)}; got {getattr(self, name)!r}"
                raise ValueError(msg)
        if not all(0 <= value <= 100 for value in self.percentile):
            msg = f"percentile holds shares from 0 to 100; got {self.percentile!r}"
            raise ValueError(msg)

    @classmethod
    def grey(cls, **settings):
        """Return the stretch that is the same in all three channels, for people: a single filter has no colours."""
        return cls(percentile=(99.7,) * 3, softening=(8.0,) * 3, **settings)

    def softened(self, factor):
        """
        Return a stretch whose curves stay linear up to another level.

        Parameters
        ----------
        factor : float
            By how much each ``softening`` is multiplied: above 1 for a softer stretch, where what is faint is fainter,
            below 1 for a harder one.

        Returns
        -------
        stretch : Stretch
            Interval and curve are the same; the curves ``sqrt`` and ``linear`` have no softening.
        """
        return replace(self, softening=tuple(factor * level for level in self.softening))

    def scales(self, data, sigma):
        """
        Choose interval and stretch of each channel.

        Parameters
        ----------
        data : `~numpy.ndarray` of float32, shape (ny, nx)
            The image, finite, its sky at 0; not modified.
        sigma : float
            Noise of the sky per pixel; 0 for an image without noise.

        Returns
        -------
        scales : list of 3 `~astropy.visualization.CompositeTransform`
            Each maps the image to [0, 1].
        """
        tops = np.percentile(_without_lonely(data, sigma), self.percentile)
        least = np.finfo(np.float32).tiny * max(np.abs(data).max(), 1)
        sigma = max(sigma, _FAINTEST_NOISE * tops.max(), least)
        return [self._scale(data, sigma, *channel) for channel in zip(tops, self.percentile, self.softening)]

    def _scale(self, data, sigma, top, percentile, soft):
        if self.interval == "noise":
            low, high = -self.black * sigma, max(top, self.white * sigma)
        else:
            low, high = _INTERVALS[self.interval](percentile).get_limits(data)
            high = max(high, low + sigma)
        knee = soft * sigma / (high - low) if soft > 0 else -soft
        return _CURVES[self.curve](knee) + ManualInterval(low, high)


def _without_lonely(data, sigma):
    """Return an image whose pixels are no brighter than a few times the brightest of their neighbours, or the noise."""
    around = np.ones((3, 3), bool)
    around[1, 1] = False
    return np.minimum(data, _LONELY * np.maximum(maximum_filter(data, footprint=around), 3 * sigma))


def to_rgb(data, scales):
    """
    Render an image through one scale a channel.

    Parameters
    ----------
    data : `~numpy.ndarray`, shape (ny, nx)
        The image, finite; not modified.
    scales : sequence of 3 callable
        What `Stretch.scales` returns.

    Returns
    -------
    rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
        The picture.
    """
    return np.clip([scale(data) for scale in scales], 0, 1).astype(np.float32).transpose(1, 2, 0)
