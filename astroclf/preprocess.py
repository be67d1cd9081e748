# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""From a frame to the picture that people and the network see, with every setting on record."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

from astroclf.clean import Background, CosmicRays, Pattern, Sky
from astroclf.frames import Exposure, Frame
from astroclf.render import (
    VIEWS,
    Stretch,
    View,
    fill_empty,
    fit_inside,
    keep_points,
    parts_of,
    reduce_colours,
    reduce_image,
    to_rgb,
)

__all__ = ["Preprocessor", "Stages"]


@dataclass(frozen=True, eq=False)
class Stages:
    """
    A frame on its way to a picture: what each step made of it.

    Images are float32, row 0 at the bottom; reduced ones have the shape (my, mx), in the unit of the frame.

    Parameters
    ----------
    frame : `~astroclf.Frame`
        As read.
    clean : `~astroclf.Frame`
        Without cosmic rays; ``frame`` itself where none were looked for.
    part : tuple of slice
        Rows and columns of the exposed part: all that follows shows it alone.
    reduced : `~numpy.ndarray`
        Area averages; 0 where ``empty``.
    empty : `~numpy.ndarray` of bool
        True where hardly any good pixel is.
    sky : `~astroclf.clean.Sky`
        Level and noise of the sky.
    pattern : `~numpy.ndarray`
        Stripes and steps of the electronics.
    flat : `~numpy.ndarray`
        The reduced image less sky and pattern, gaps filled.
    picture : `~numpy.ndarray`
        ``flat``, small stars kept: what is stretched.
    scales : sequence of 3 callable
        Interval and stretch of each channel.
    rgb : `~numpy.ndarray`, shape (my, mx, 3), range [0, 1]
        The picture.
    """

    frame: Frame
    clean: Frame
    part: tuple[slice, slice]
    reduced: np.ndarray
    empty: np.ndarray
    sky: Sky
    pattern: np.ndarray
    flat: np.ndarray
    picture: np.ndarray
    scales: list
    rgb: np.ndarray

    @property
    def struck(self):
        """Where a cosmic ray was replaced: array of bool, of the shape of the frame."""
        return self.frame.good & (self.clean.ccd.data != self.frame.ccd.data)

    @property
    def sky_model(self):
        """Brightness of the sky at every pixel of the frame; NaN outside the exposed part."""
        model = np.full(self.frame.shape, np.nan, np.float32)
        model[self.part] = self.sky.on(model[self.part].shape)
        return model


@dataclass(frozen=True)
class Preprocessor:
    """
    Settings that turn a frame into a picture; call it with a frame.

    The steps, in order: replace cosmic rays in a single exposure, crop to the exposed part, reduce to
    ``size`` pixels, subtract the sky and the pattern of the electronics, fill gaps, keep small stars, stretch, and pad
    to a square. All is float32 inside; no step modifies its input; the same frame gives the same picture, to the bit.

    Parameters
    ----------
    size : int
        Side of the network's picture in pixels.
    cosmic_rays : `~astroclf.clean.CosmicRays`
        Search for cosmic rays.
    background : `~astroclf.clean.Background`
        Measure of the sky.
    pattern : `~astroclf.clean.Pattern` or None
        Measure of stripes and of steps between amplifiers; None to leave them.
    points : tuple of 2 float, or None
        Where a full image has a star that its reduction would lose, the reduced one is lifted: the least height of
        such a star in units of the noise of the full image, and how far it is lifted at most, in units of that of the
        reduced one. None to leave it. See `astroclf.render.keep_points`.
    stretch : `~astroclf.render.Stretch`
        Interval and stretch of the three channels.

    Examples
    --------
    >>> from astroclf import Preprocessor
    >>> from astroclf.clean import Background
    >>> Preprocessor(background=Background(model="constant")).size
    224
    """

    size: int = 224
    cosmic_rays: CosmicRays = field(default_factory=CosmicRays)
    background: Background = field(default_factory=Background)
    pattern: Pattern | None = field(default_factory=Pattern)
    points: tuple[float, float] | None = (8.0, 10.0)
    stretch: Stretch = field(default_factory=Stretch)

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

    def stages(self, frame, *, size=None, scales=None):
        """
        Take a frame through all steps but the last, and keep what each made of it.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified. Masked pixels are filled from their neighbours, larger gaps with sky.
        size : int, optional
            Longer side of the picture in pixels; by default that of the settings.
        scales : callable or sequence of 3 callable, optional
            Instead of the settings' stretch: `~astropy.visualization.BaseTransform`, for all channels or for each, as
            ``AsinhStretch(0.1) + PercentileInterval(99.5)``.

        Returns
        -------
        stages : Stages
            The last of them is the picture.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        part, clean = frame.exposed, self.clean(frame)
        data, mask = _pixels(clean, part)
        reduced, empty = reduce_image(data, mask, fit_inside(data.shape, size or self.size))
        sky = self.background(reduced, empty)
        pattern = self._pattern(reduced - sky.on(reduced.shape), empty, sky.sigma)
        if pattern.any():
            sky = self.background(reduced - pattern, empty)
        flat = fill_empty(reduced - pattern - sky.on(reduced.shape), empty)
        picture = self._keep_points(flat, data, mask, sky)
        scales = self._scales(picture, sky.sigma, scales)
        rgb = to_rgb(picture, scales)
        return Stages(frame, clean, part, reduced, empty, sky, pattern, flat, picture, scales, rgb)

    def views(self, frame, kinds=VIEWS, *, tiles=2, sources=4):
        """
        Look at parts of a frame, each as the network sees it.

        Cosmic rays are looked for, and the sky is measured, once, in the whole frame: a part that an object fills has
        no sky of its own.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.
        kinds : sequence of {'whole', 'centre', 'tiles', 'sources'}, optional
            What to look at: the exposed part, the middle half of its rows and columns, its tiles, squares around its
            brightest sources, which photutils finds.
        tiles : int, optional
            Number of tiles along either axis.
        sources : int, optional
            Number of sources at most.

        Returns
        -------
        views : list of `~astroclf.render.View`
            In the order of ``kinds``; parts without a good pixel are left out.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        ValueError
            If a kind is not known or a number is less than 1.
        """
        whole = self.stages(frame)
        parts = parts_of(whole.part, whole.flat, whole.sky.sigma, kinds, tiles=tiles, sources=sources)
        return [
            View(name, part, self._see(whole, part)) for name, part in parts.items() if whole.clean.good[part].any()
        ]

    def _see(self, whole, part):
        """Return the picture of a part of a frame under the sky of the whole."""
        data, mask = _pixels(whole.clean, part)
        reduced, empty = reduce_image(data, mask, fit_inside(data.shape, self.size))
        sky = whole.sky.within([_fraction(inner, outer) for inner, outer in zip(part, whole.part)], 0.0)
        flat = reduced - sky.on(reduced.shape)
        sky = replace(sky, sigma=self.background(flat, empty).sigma)
        flat = fill_empty(flat - self._pattern(flat, empty, sky.sigma), empty)
        picture = self._keep_points(flat, data, mask, sky)
        return to_rgb(_pad_to_square(picture, self.size), self._scales(picture, sky.sigma))

    def render(self, frame, size=None, *, scales=None):
        """
        Render a frame as a picture of the same aspect ratio; a picture in colour becomes grey.

        Parameters
        ----------
        frame, size, scales
            As for `stages`.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
            Row 0 is the bottom of the sky image, as in FITS.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        return self.stages(frame, size=size, scales=scales).rgb

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
        return self.stretched(frame, (1.0,))[0]

    def stretched(self, frame, factors):
        """
        Render a frame as the network sees it, in several stretches: all else is done once.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.
        factors : sequence of float
            How much softer each is than that of the settings, see `astroclf.render.Stretch.softened`; 1 is that.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (len(factors), size, size, 3), range [0, 1]
            Pictures, in the order of ``factors``.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        stages = self.stages(frame)
        square = _pad_to_square(stages.picture, self.size)
        stretches = [self.stretch.softened(factor) for factor in factors]
        return np.stack([to_rgb(square, stretch.scales(stages.picture, stages.sky.sigma)) for stretch in stretches])

    def in_colour(self, frame):
        """
        Show a picture in colour as the network sees it besides its grey rendering: as it is, but reduced.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (size, size, 3), range [0, 1], or None
            The picture in the middle of a square; black around it, and where it is transparent. None if the frame
            has no ``colours``.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        if frame.colours is None:
            return None
        part = frame.exposed
        mask = ~frame.good[part]
        rgb = reduce_colours(frame.colours[part], mask, fit_inside(mask.shape, self.size))
        return _pad_to_square(rgb, self.size)

    def looks(self, frame):
        """
        Return all that the network sees of a frame: its rendering, and the picture in colour if it is one.

        Parameters
        ----------
        frame : `~astroclf.Frame`
            The frame; not modified.

        Returns
        -------
        rgb : `~numpy.ndarray` of float32, shape (1 or 2, size, size, 3), range [0, 1]
            What calling the settings returns, and `in_colour`.

        Raises
        ------
        EmptyFrameError
            If no pixel is finite and unmasked.
        """
        rendered, coloured = self(frame), self.in_colour(frame)
        return np.stack([rendered] if coloured is None else [rendered, coloured])

    def part_to_picture(self, part):
        """
        Return where the pixels of a part of a frame are in the picture that the network sees of it.

        Parameters
        ----------
        part : tuple of slice
            Rows and columns of the frame; of the picture of the whole, `astroclf.Frame.exposed`.

        Returns
        -------
        rows, columns : `~numpy.ndarray`, shapes (ny,) and (nx,)
            Rows and columns of the picture, not rounded; 0 is the middle of its first pixel.
        """
        shape = tuple(side.stop - side.start for side in part)
        return tuple(
            _margin(new, self.size) + (np.arange(old) + 0.5) * (new / old) - 0.5
            for old, new in zip(shape, fit_inside(shape, self.size))
        )

    def _pattern(self, flat, empty, sigma):
        return np.zeros_like(flat) if self.pattern is None else self.pattern(flat, empty, sigma)

    def _keep_points(self, flat, data, mask, sky):
        if self.points is None:
            return flat
        least, most = self.points
        return keep_points(flat, sky.sigma, data, mask, sky=sky, least=least, most=most)

    def _scales(self, picture, sigma, scales=None):
        if scales is None:
            return self.stretch.scales(picture, sigma)
        return [scales] * 3 if callable(scales) else scales

    @property
    def digest(self):
        """First 12 hexadecimal digits of the SHA-256 of the settings, as written to ``CLFPREP``."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self):
        """Return the settings as a dictionary that JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, settings):
        """
        Return the preprocessor of `to_dict`'s settings.

        Parameters
        ----------
        settings : dict
            All of them, or some: the others have their defaults.

        Returns
        -------
        preprocessor : Preprocessor
            Equal to the one they were taken from.

        Raises
        ------
        TypeError, ValueError
            If a setting is not known or its value is not allowed.
        """
        return cls(**{name: _setting(name, value) for name, value in settings.items()})


def _setting(name, value):
    """Return the value of a setting, from what JSON makes of it."""
    if isinstance(value, dict):
        return _STEPS[name](**{key: _setting(key, item) for key, item in value.items()})
    return tuple(value) if isinstance(value, list) else value


def _pixels(frame, part):
    """Return the pixels of a part of a frame, and which of them are bad."""
    return np.asarray(frame.ccd.data[part], np.float32), ~frame.good[part]


def _fraction(inner, outer):
    """Return a slice as a share of another."""
    length = outer.stop - outer.start
    return slice((inner.start - outer.start) / length, (inner.stop - outer.start) / length)


def _pad_to_square(data, size):
    """Put an image, or a picture in colour, in the middle of a square of zeros."""
    before = [_margin(n, size) for n in data.shape[:2]]
    around = [(b, size - n - b) for b, n in zip(before, data.shape)]
    return np.pad(data, [*around, *[(0, 0)] * (data.ndim - 2)])


def _margin(length, size):
    """Return how many pixels of sky are before an image in a square."""
    return (size - length) // 2


_STEPS = {
    step.name: step.default_factory
    for step in fields(Preprocessor)
    if callable(step.default_factory)
}  # fmt: skip
