# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""From a frame to the picture that people and the network see, with every setting on record."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from astroclf.clean import CosmicRays, estimate_sky
from astroclf.frames import Exposure
from astroclf.render import choose_scales, fit_inside, reduce_image, to_rgb

__all__ = ["Preprocessor"]

_REACH = 2.0


@dataclass(frozen=True)
class Preprocessor:
    """
    Settings that turn a frame into a picture; call it with a frame.

    The steps, in order: replace cosmic rays in a single exposure, crop to the exposed part, reduce to
    ``size`` pixels, measure and subtract the sky, stretch, and pad to a square.

    Parameters
    ----------
    size : int
        Side of the network's picture in pixels.
    boxes : int
        Boxes along the longer side of the mesh on which the sky is measured.
    black, white : float
        Black level below, and least white level above the sky, in units of the noise.
    percentile : tuple of 3 float
        Percentile of the pixels that is white in R, G and B.
    softening : tuple of 3 float
        Softening of the asinh stretch in R, G and B; see `astroclf.render.choose_scales`.
    cosmic_rays : `~astroclf.clean.CosmicRays`
        Search for cosmic rays.
    """

    size: int = 224
    boxes: int = 8
    black: float = 1.0
    white: float = 15.0
    percentile: tuple[float, float, float] = (99.5, 99.7, 99.9)
    softening: tuple[float, float, float] = (2.0, 8.0, -0.15)
    cosmic_rays: CosmicRays = field(default_factory=CosmicRays)

    def clean(self, frame):
        """
        Replace the cosmic rays of a frame, once: to render it several times, clean it first.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.

        Returns
        -------
        clean : `~astroclf.Frame`
            A frame in which none are to be expected; ``frame`` itself if that is one.
        """
        if not frame.cosmic_rays:
            return frame
        return replace(frame, ccd=self.cosmic_rays(frame.ccd)[0], exposure=Exposure.CLEANED)

    def render(self, frame, size=None):
        """
        Render a frame as a picture of the same aspect ratio.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified. Masked pixels are filled from their neighbours, larger gaps
            with sky.
        size : int, optional
            Longer side of the picture in pixels; by default that of the settings.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
            Row 0 is the bottom of the sky image, as in FITS.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        data, scales = self._flatten(frame, size or self.size)
        return to_rgb(data, scales)

    def __call__(self, frame):
        """
        Render a frame as the network sees it: `render`, padded with sky to a square.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (size, size, 3), range [0, 1]
            The frame in the middle of a square.
        """
        data, scales = self._flatten(frame, self.size)
        return to_rgb(_pad_to_square(data, self.size), scales)

    def sky(self, frame):
        """
        Measure the sky of a frame as it will be subtracted, but for its cosmic rays: these stay.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.

        Returns
        -------
        sky : `~astroclf.clean.background.Sky`
            Of the exposed part, reduced to ``size`` pixels; in the unit of the frame.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        return self._reduce(frame, self.size)[2]

    def _reduce(self, frame, size):
        """Return the reduced image, where it is empty, and its sky."""
        part = frame.exposed
        data, mask = np.asarray(frame.ccd.data[part], np.float32), ~frame.good[part]
        reduced, empty = reduce_image(data, mask, fit_inside(data.shape, size))
        return reduced, empty, estimate_sky(reduced, empty, self.boxes)

    def _flatten(self, frame, size):
        """Return the reduced, sky-subtracted image and the scales of its channels."""
        reduced, empty, sky = self._reduce(self.clean(frame), size)
        flat = _fill(reduced - sky.level, empty)
        return flat, choose_scales(
            flat, sky.sigma, black=self.black, white=self.white, percentile=self.percentile, softening=self.softening
        )

    @property
    def digest(self):
        """First 12 hexadecimal digits of the SHA-256 of the settings, as written to ``CLFPREP``."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self):
        """Return the settings as a dictionary that JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, settings):
        """Return the preprocessor of `to_dict`'s settings."""
        settings = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        return cls(**(settings | {"cosmic_rays": CosmicRays(**settings["cosmic_rays"])}))


def _fill(data, empty):
    """Fill empty pixels from their neighbours, and with sky (0) where there is none within 4 pixels."""
    if not empty.any():
        return data
    weight = gaussian_filter((~empty).astype(np.float32), _REACH, truncate=2)
    near = gaussian_filter(np.where(empty, 0, data), _REACH, truncate=2) / np.maximum(weight, 1e-6)
    return np.where(empty, np.where(weight > 1e-3, near, 0), data).astype(np.float32)


def _pad_to_square(data, size):
    """Put an image in the middle of a square of sky."""
    before = [(size - n) // 2 for n in data.shape]
    return np.pad(data, [(b, size - n - b) for b, n in zip(before, data.shape)])
