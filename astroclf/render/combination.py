# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Several filters of one target: the colour picture, and the one image of all light."""

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from astropy import units as u
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.visualization import (
    AsinhStretch,
    LinearStretch,
    LuptonAsinhStretch,
    ManualInterval,
    make_lupton_rgb,
    make_rgb,
)
from scipy import ndimage

from astroclf.frames import Exposure, Facts, Frame, Origin
from astroclf.frames.filters import pivot_wavelength
from astroclf.render.alignment import align

__all__ = ["by_wavelength", "color_image", "combine_frames", "portray"]

_STRETCHES = "asinh", "linear", "lupton"
_BLACK, _WHITE, _PERCENTILE = 1.0, 15.0, 99.7
_SOFTENING = 8.0
_UNKNOWN_ORDER = "the wavelength of its filter is not known: the filters are in the order given"


@dataclass(frozen=True, eq=False)
class _Plane:
    """
    All light of one filter.

    Parameters
    ----------
    name : str
        The filter.
    data : `~numpy.ndarray`, shape (ny, nx)
        Less the sky; NaN where no frame reaches.
    sigma : float
        Its noise per pixel.
    """

    name: str
    data: np.ndarray
    sigma: float


def by_wavelength(frames):
    """
    Sort frames by the wavelength of their filters, the bluest first.

    Parameters
    ----------
    frames : sequence of `~astroclf.Frame`
        The frames.

    Returns
    -------
    frames : list of `~astroclf.Frame`
        Sorted; in the order given, with a note on those whose filter has no known wavelength, if there is such a one
        among several filters.
    """
    waves = [pivot_wavelength(frame.facts) for frame in frames]
    if len({_filter_of(frame) for frame in frames}) == 1:
        return list(frames)
    if None in waves:
        return [
            frame if wave else replace(frame, notes=(*frame.notes, _UNKNOWN_ORDER))
            for frame, wave in zip(frames, waves)
        ]
    return [frames[index] for index in np.argsort(waves, kind="stable")]


def color_image(frames, *, size=1024, linked=False, stretch="asinh"):
    """
    Make a colour picture of several frames of one target.

    The frames are aligned, their skies subtracted, and sorted by wavelength: the reddest filter is red. Frames of one
    filter are averaged. One filter is grey; of two, green is the mean; more than three are spread over the channels,
    each over the two nearest. White is the 99.7th percentile of each channel, at least 15 sigma above its sky; black is
    about one sigma below the sky, the same share of white in all channels, so that the sky has no hue, or the sky
    itself where colours are to be true. Bad pixels are filled from their neighbours.

    Parameters
    ----------
    frames : sequence of `~astroclf.Frame` or anything `~astroclf.read_frame` takes
        The frames; not modified.
    size : int, optional
        Most pixels along the longer side.
    linked : bool, optional
        Whether all channels share one scale: then equal numbers in the files are grey, and the files should have the
        same unit. By default each filter is divided by its noise and has its own scale, so that a source as far
        above the noise in all filters is grey.
    stretch : {'asinh', 'linear', 'lupton'}, optional
        The first two stretch each channel by itself; ``lupton`` stretches the intensity and keeps the ratio of the
        channels at all brightnesses (Lupton et al. 2004, PASP 116, 133).

    Returns
    -------
    rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
        Row 0 is the bottom, as in FITS; a channel is black where none of its frames reaches.

    Raises
    ------
    FrameError
        If the frames cannot be aligned; see `~astroclf.render.alignment.align`.
    ValueError
        If ``stretch`` is none of those.
    """
    if stretch not in _STRETCHES:
        msg = f"stretch must be one of {', '.join(_STRETCHES)}; got {stretch!r}"
        raise ValueError(msg)
    return _color(by_wavelength(align(frames, size=size)), linked, stretch)


def _color(aligned, linked=False, stretch=_STRETCHES[0]):
    planes = [replace(plane, data=_mended(plane.data)) for plane in _planes(aligned, in_noise=not linked)]
    channels = [_mean(planes, weights) for weights in _shares(len(planes))]
    tops = [max(np.nanpercentile(c.data, _PERCENTILE), _WHITE * c.sigma) for c in channels]
    if linked:
        tops = [max(tops)] * 3
    noise = float(np.median([c.sigma / top for c, top in zip(channels, tops)]))
    black = 0.0 if linked or stretch == "lupton" else _BLACK * noise  # as a share of white: the sky has no hue
    intervals = [ManualInterval(-black * top, top) for top in tops]
    knee = np.clip(_SOFTENING * noise / (1 + black), 1e-4, 1)
    return _render([c.data for c in channels], intervals, stretch, float(knee))


def _mended(image):
    """Fill what is narrower than 5 pixels from its neighbours: bad pixels and columns, but not what lies outside."""
    lost = np.isnan(image)
    outside = ndimage.binary_propagation(ndimage.binary_opening(lost, np.ones((5, 5))), mask=lost)
    holes = lost & ~outside
    if not holes.any():
        return image
    near = interpolate_replace_nans(image, Gaussian2DKernel(1.5, x_size=9))
    return np.where(holes, near, image)


def _render(images, intervals, stretch, knee):
    """Return a picture in [0, 1]; NaN is black."""
    if stretch == "lupton":
        spans = [interval.vmax for interval in intervals]
        images = [np.nan_to_num(image / span, nan=0.0) for image, span in zip(images, spans)]
        rgb = make_lupton_rgb(
            *images, interval=ManualInterval(0, 1), stretch_object=_lupton(knee), output_dtype=np.float64
        )
    else:
        images = [np.where(np.isfinite(i), i, interval.vmin) for i, interval in zip(images, intervals)]
        scale = AsinhStretch(knee) if stretch == "asinh" else LinearStretch()
        rgb = make_rgb(*images, interval=intervals, stretch=scale, output_dtype=np.float64)
    return np.clip(np.nan_to_num(rgb), 0, 1).astype(np.float32)


def _lupton(knee):
    """Return Lupton's stretch with this softening that makes 1 of 1."""
    q = 10 * np.sinh(0.1 * np.arcsinh(1 / knee))
    return LuptonAsinhStretch(stretch=q * knee, Q=q)


def combine_frames(frames, *, size=1024):
    """
    Make one image of several frames of one target, with the light of all.

    The frames are aligned, cleaned of cosmic rays and less their skies; those of one filter are averaged, weighted by
    inverse variance; then each filter is divided by its noise, and the mean is taken: a detection image that is deep
    wherever any filter is. (Unlike the chi-square image of Szalay, Connolly & Szokoly 1999 it is linear in the
    light, as the exposures are that the network knows.)

    Parameters
    ----------
    frames : sequence of `~astroclf.Frame` or anything `~astroclf.read_frame` takes
        The frames; not modified.
    size : int, optional
        Most pixels along the longer side.

    Returns
    -------
    frame : `~astroclf.Frame`
        In units of the noise; masked where no frame reaches. Its facts are those of all, its quality is the mean.

    Raises
    ------
    FrameError
        If the frames cannot be aligned; see `~astroclf.render.alignment.align`.
    """
    return _combine(by_wavelength(align(frames, size=size)))


def portray(frames, *, size=1024):
    """
    Make both the combined frame and its colour picture, for `astroclf.annotate`.

    Parameters
    ----------
    frames, size
        As for `combine_frames`.

    Returns
    -------
    frame : `~astroclf.Frame`
        As `combine_frames` returns it.
    rgb : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 1]
        As `color_image` returns it, of the exposed part of ``frame``.
    """
    aligned = by_wavelength(align(frames, size=size))
    frame = _combine(aligned)
    return frame, _color(aligned)[frame.exposed]


def _combine(aligned):
    planes = _planes(aligned, in_noise=True)
    data = _mean(planes, np.ones(len(planes))).data.astype(np.float32)
    lost = ~np.isfinite(data)
    first, names = aligned[0], [frame.origin.name for frame in aligned]
    kinds = f"{len(planes)} filters" if len(planes) > 1 else "1 filter"
    return Frame(
        CCDData(data, unit=u.dimensionless_unscaled, mask=lost, meta=fits.Header(), wcs=first.ccd.wcs),
        quality=float(np.mean([frame.quality for frame in aligned])),
        facts=_merged([frame.facts for frame in aligned], [plane.name for plane in planes]),
        origin=Origin(inputs=tuple(names)),
        layout="combined",
        exposure=Exposure.COMBINED,
        steps=(
            f"aligned {len(aligned)} frames on {data.shape[1]} x {data.shape[0]} pixels",
            "subtracted the sky of each and divided by its noise",
            f"averaged {kinds}: {', '.join(names)}",
        ),
        notes=tuple(dict.fromkeys(note for frame in aligned for note in frame.notes)),
        parts=tuple(_facts_of_filter(aligned, plane.name) for plane in planes),
    )


def _planes(frames, *, in_noise):
    """Return the light of each filter, in the order of the frames: in units of the noise, or in theirs."""
    flat = [_without_sky(frame) for frame in frames]
    groups = groupby(sorted(flat, key=_first_place(flat)), key=lambda plane: plane.name)
    planes = [_averaged(list(group), in_noise) for _, group in groups]
    return [replace(p, data=p.data / p.sigma, sigma=1.0) for p in planes] if in_noise else planes


def _first_place(planes):
    """Return a key that sorts planes of one name to where the first of them is."""
    names = [plane.name for plane in planes]
    return lambda plane: names.index(plane.name)


def _without_sky(frame):
    from astroclf.preprocess import Preprocessor

    part = frame.exposed
    data, good = frame.ccd.data[part], frame.good[part]
    sky = Preprocessor().background(np.where(good, data, 0), ~good)
    image = np.full(frame.shape, np.nan)
    image[part] = np.where(good, data - sky.on(data.shape), np.nan)
    least = np.finfo(np.float32).eps * max(np.nanmax(np.abs(image)), np.finfo(np.float32).tiny)
    return _Plane(_filter_of(frame), image, max(sky.sigma, float(least)))


def _filter_of(frame):
    """Return what tells filters apart; of a frame that names none, the frame itself."""
    return frame.facts.filter or f"({frame.origin.name})"


def _averaged(planes, in_noise):
    """Return the mean of planes of one filter, weighted by inverse variance."""
    if in_noise:
        planes = [replace(plane, data=plane.data / plane.sigma, sigma=1.0) for plane in planes]
    return _mean(planes, [plane.sigma**-2 for plane in planes])


def _mean(planes, weights):
    """Return the weighted mean of planes, at each pixel of those that reach it."""
    if len(planes) == 1:
        return planes[0]
    data = np.stack([plane.data for plane in planes])
    reached = np.isfinite(data)
    total = np.tensordot(weights, np.where(reached, data, 0), 1)
    weight = np.tensordot(weights, reached.astype(float), 1)
    mean = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
    sigma = np.sqrt(sum((w * plane.sigma) ** 2 for w, plane in zip(weights, planes))) / np.sum(weights)
    return _Plane(planes[0].name, mean, float(sigma))


def _shares(count):
    """Return the weights of filters, the bluest first, in R, G and B: each goes to the two nearest channels."""
    place = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    red, blue = np.clip(2 * place - 1, 0, None), np.clip(1 - 2 * place, 0, None)
    if count < 3:
        return [np.ones(1)] * 3 if count == 1 else [red, np.ones(2), blue]
    return [red, 1 - red - blue, blue]


def _facts_of_filter(frames, name):
    """Return the facts of all frames of one filter."""
    facts = [frame.facts for frame in frames if _filter_of(frame) == name]
    return replace(_merged(facts, [name]), pivot=next((fact.pivot for fact in facts if fact.pivot), None))


def _merged(facts, filters):
    """Return the facts of frames that became one."""
    times = [fact.exptime for fact in facts if fact.exptime is not None]
    joined = {
        name: "+".join(dict.fromkeys(value for value in (getattr(fact, name) for fact in facts) if value))
        for name in ("telescope", "instrument", "detector")
    }
    return Facts(
        **joined,
        filter="+".join(name for name in filters if not name.startswith("(")),
        target=next((fact.target for fact in facts if fact.target), ""),
        date=min((fact.date for fact in facts if fact.date), default=""),
        exptime=sum(times) if times else None,
    )
