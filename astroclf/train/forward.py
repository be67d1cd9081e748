# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The forward model: what a telescope's detector would have recorded of a picture or a drawn scene.

Pictures of the sky are stretched, cleaned, coloured and centred; users' frames are linear, noisy and taken
through one filter. So every training example is a frame, made here, and rendered by the user's own pipeline.
"""

from dataclasses import replace

import numpy as np
from astropy.nddata import CCDData
from scipy import ndimage

from astroclf.datasets import detector
from astroclf.datasets.scenes import draw_scene
from astroclf.datasets.scenes.drawing import cloud, convolve, diffraction, log_uniform, polar, psf, ramp, unit
from astroclf.datasets.scenes.stars import sprinkle
from astroclf.frames import Frame
from astroclf.frames.frame import Exposure

__all__ = ["expose", "frame_in_colour", "frame_of_picture", "light_from_picture", "simulate_frame", "tint"]

_SIDES = (140, 440)
_FAINTEST, _BRIGHTEST = 4.0, 1600.0
_SQUEEZE = 0.8
"""How much narrower a picture may become: galaxies are seen from all sides."""


def simulate_frame(label, rng, picture=None):
    """
    Make one training frame.

    Parameters
    ----------
    label : str
        Class of the scene; drawn by `astroclf.datasets.scenes.draw_scene` if there is no picture.
    rng : `~numpy.random.Generator`
        Chooses everything.
    picture : `~numpy.ndarray` of uint8, shape (ny, nx, 3), optional
        A picture of the class, row 0 at the bottom.

    Returns
    -------
    frame : `~astroclf.Frame`
        Between 100 and 440 pixels on a side, in arbitrary units, perhaps with masked gaps.
    """
    shape = _random_shape(rng)
    if label == "no_source" and rng.random() < 0.06:
        return _empty(shape, rng)
    fwhm = log_uniform(rng, 0.8, 4.5)
    if picture is None:
        spikes, space = rng.uniform(0.02, 0.12) if rng.random() < 0.35 else 0.0, rng.random() < 0.4
        light = draw_scene(label, shape, rng, fwhm=fwhm, spikes=spikes, space=space)
        light = _place(light, shape, rng) if rng.random() < 0.15 else light
    else:
        light = light_from_picture(picture, shape, rng)
        if rng.random() < 0.35:
            light = _place(light, shape, rng)
        light = unit(light + _veil(shape, rng, fwhm))
    return expose(light, log_uniform(rng, _FAINTEST, _BRIGHTEST), rng)


def _empty(shape, rng):
    """Return a frame of equal pixels, but for a few: a shutter that did not open, a reset, a fill value."""
    data = np.full(shape, rng.choice([0, 1, log_uniform(rng, 1, 65535)]), np.float32)
    odd = rng.integers(0, data.size, rng.choice([0, 0, 3, 30]))
    data.flat[odd] += rng.normal(0, data.flat[0] + 1, odd.size).astype(np.float32)
    return Frame(CCDData(data, unit="adu"))


def frame_of_picture(picture, rng):
    """
    Make a frame as `~astroclf.read_frame` makes one of a grey picture file: stretched and clean.

    Parameters
    ----------
    picture : `~numpy.ndarray` of uint8, shape (ny, nx, 3)
        Row 0 at the bottom.
    rng : `~numpy.random.Generator`
        Chooses the mix of colours, the crop (at least two thirds of each side), turns and contrast.

    Returns
    -------
    frame : `~astroclf.Frame`
        Whole numbers or not between 0 and 255, in adu.
    """
    mix = (1 / 3,) * 3 if rng.random() < 0.5 else rng.dirichlet((4, 4, 4))
    return _as_frame(_part(picture.astype(np.float32) @ np.float32(mix), rng))


def frame_in_colour(picture, rng):
    """
    Make a frame as `~astroclf.read_frame` makes one of a picture file in colour.

    Parameters
    ----------
    picture : `~numpy.ndarray`, shape (ny, nx, 3), range [0, 255]
        Row 0 at the bottom.
    rng : `~numpy.random.Generator`
        Chooses saturation and balance of the colours, the crop (at least two thirds of each side), turns and contrast.

    Returns
    -------
    frame : `~astroclf.Frame`
        With ``colours``.
    """
    grey = picture.mean(axis=2, dtype=np.float32, keepdims=True)
    vivid = grey + rng.uniform(0.5, 1.25) * (picture - grey)
    part = _part(np.clip(vivid * log_uniform(rng, 0.85, 1.18, 3), 0, 255).astype(np.float32), rng)
    colours = np.clip(np.round(part), 0, 255).astype(np.uint8)
    return replace(_as_frame(colours.mean(axis=2, dtype=np.float32)), colours=colours)


def _as_frame(data):
    return Frame(CCDData(data.astype(np.float32), unit="adu"), exposure=Exposure.PICTURE)


def _part(picture, rng):
    """Turn a picture, or mirror it, cut out a part, and change its contrast."""
    turned = np.rot90(picture, rng.integers(4))[:: rng.choice([-1, 1])]
    shape = turned.shape[:2]
    sides = [int(n * rng.uniform(0.67, 1)) for n in shape]
    start = [rng.integers(0, n - side + 1) for n, side in zip(shape, sides)]
    part = turned[start[0] : start[0] + sides[0], start[1] : start[1] + sides[1]]
    return 255 * (part / 255) ** log_uniform(rng, 0.7, 1.4)


def tint(grey, rng):
    """
    Give a drawn scene the colours of a photograph.

    Parameters
    ----------
    grey : `~numpy.ndarray`, shape (ny, nx), range [0, 1]
        A frame, stretched.
    rng : `~numpy.random.Generator`
        Chooses a cast, how the colours change over the frame, as from star to star, and the noise of each.

    Returns
    -------
    picture : `~numpy.ndarray` of float32, shape (ny, nx, 3), range [0, 255]
        Its mean is nearly the frame.
    """
    colours = np.empty((*grey.shape, 3), np.float32)
    reach, strength, noise = log_uniform(rng, 1.5, 40), log_uniform(rng, 0.02, 0.2), log_uniform(rng, 0.003, 0.06)
    for channel in range(3):
        smooth = ndimage.gaussian_filter(rng.standard_normal(grey.shape, dtype=np.float32), reach, mode="wrap")
        hue = np.exp(strength * (smooth - smooth.mean()) / smooth.std() + rng.normal(0, 0.1))
        colours[..., channel] = grey * hue + noise * rng.standard_normal(grey.shape, dtype=np.float32)
    return 255 * np.clip(colours, 0, 1)


def _random_shape(rng):
    """Return a square in three cases of five, else an oblong up to 2.2 times longer than wide."""
    side = log_uniform(rng, *_SIDES)
    ratio = 1 if rng.random() < 0.6 else log_uniform(rng, 1 / 2.2, 2.2)
    return tuple(int(np.clip(side * r, 100, _SIDES[1])) for r in (ratio**0.5, ratio**-0.5))


def light_from_picture(picture, shape, rng):
    """
    Turn a picture back into linear light.

    A random mix of its colours stands for one filter; a random crop, rotation and flip for the pointing;
    the inverse of an asinh stretch of random softening for linear light.

    Parameters
    ----------
    picture : `~numpy.ndarray` of uint8, shape (ny, nx, 3)
        Row 0 at the bottom.
    shape : tuple of int
        Shape of the result.
    rng : `~numpy.random.Generator`
        Chooses everything.

    Returns
    -------
    light : `~numpy.ndarray` of float32
        Never negative; its 99.8th percentile is 1.
    """
    grey = picture.astype(np.float32) @ rng.dirichlet((1.2, 1.2, 1.2)).astype(np.float32) / 255
    grey = _crop(_turn(grey, rng), shape, rng)
    floor = np.percentile(grey, rng.uniform(0.5, 20))
    grey = np.clip(grey - floor, 0, None) / max(1 - floor, 0.05)
    soft = log_uniform(rng, 0.03, 2)
    return unit(np.sinh(grey * np.arcsinh(1 / soft)) * soft)


def _turn(grey, rng):
    """Flip and rotate at random; a rotation that is not a right angle loses the corners."""
    grey = np.rot90(grey, rng.integers(4))[:: rng.choice([-1, 1])]
    if rng.random() < 0.3:
        angle = rng.uniform(-45, 45)
        grey = ndimage.rotate(grey, angle, reshape=False, order=1)
        keep = 1 / (abs(np.cos(np.radians(angle))) + abs(np.sin(np.radians(angle))))
        cut = [int(n * (1 - keep) / 2) for n in grey.shape]
        grey = grey[cut[0] : grey.shape[0] - cut[0], cut[1] : grey.shape[1] - cut[1]]
    return grey


def _fades(grey):
    """Return whether a picture fades to black at its border, as some collections do to all of theirs."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return np.percentile(border, 90) < 0.02


def _crop(grey, shape, rng):
    """Cut a random part of nearly the aspect of ``shape``, smaller where the picture fades, and resample it."""
    low, high = (0.42, 0.75) if _fades(grey) else (0.5, 1.0)
    scale = rng.uniform(low, high) * min(n / m for n, m in zip(grey.shape, shape))
    squeeze = log_uniform(rng, _SQUEEZE, 1)
    size = np.array([max(int(m * scale * by), 8) for m, by in zip(shape, rng.permutation([1, squeeze]))])
    room = np.array(grey.shape) - size
    start = np.round(room * np.clip(rng.normal(0.5, 0.2, 2), 0, 1)).astype(int)
    part = grey[start[0] : start[0] + size[0], start[1] : start[1] + size[1]]
    zoom = max(size[0] / shape[0], 1)
    part = ndimage.gaussian_filter(part, 0.4 * zoom) if zoom > 1.2 else part
    rows, columns = (np.linspace(0, n - 1, m) for n, m in zip(part.shape, shape))
    return ndimage.map_coordinates(part, np.meshgrid(rows, columns, indexing="ij"), order=1)


def _place(light, shape, rng):
    """Shrink a scene to a part of the frame, off-centre, with tapered borders."""
    scale = rng.uniform(0.3, 0.9)
    small = ndimage.zoom(ndimage.gaussian_filter(light, 0.35 / scale), scale, order=1)
    taper = np.minimum.outer(*(np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.12 * n) for n in small.shape))
    small = np.clip(small - np.percentile(small, 2), 0, None) * np.clip(taper, 0, 1)
    image = np.zeros(shape, np.float32)
    start = [rng.integers(0, n - m + 1) for n, m in zip(shape, small.shape)]
    image[start[0] : start[0] + small.shape[0], start[1] : start[1] + small.shape[1]] = small
    return image


def _veil(shape, rng, fwhm):
    """Return the stars in front of a picture's object: none in half of the frames, faint in most."""
    if rng.random() < 0.5:
        return np.zeros(shape, np.float32)
    kernel = diffraction(rng, fwhm) if rng.random() < 0.4 else psf(rng, fwhm, 0.05 * (rng.random() < 0.3))
    stars = sprinkle(shape, rng, int(log_uniform(rng, 2, 120)), 0.8, log_uniform(rng, 0.2, 8))
    return convolve(stars, kernel / kernel.max())


def expose(light, depth, rng):
    """
    Record light with a detector.

    Parameters
    ----------
    light : `~numpy.ndarray`, shape (ny, nx)
        Expected light in any unit; never negative.
    depth : float
        What one unit of ``light`` is, in units of the noise of the sky.
    rng : `~numpy.random.Generator`
        Chooses sky, gain, noise and defects.

    Returns
    -------
    frame : `~astroclf.Frame`
        In arbitrary units, with an arbitrary offset.
    """
    shape = light.shape
    readnoise, sky = log_uniform(rng, 1, 15), log_uniform(rng, 0.3, 3000)
    noise = np.hypot(readnoise, np.sqrt(sky))
    electrons = (light * (depth * noise) + sky * _illumination(shape, rng)) * _dust(shape, rng)
    electrons = detector.noisy(electrons, rng, readnoise) + _thin_coverage(shape, rng, noise)
    electrons += _defects(shape, rng, noise)
    if rng.random() < 0.2:
        full_well = np.percentile(electrons, 99.5) * log_uniform(rng, 1, 10)
        electrons, _ = detector.saturate(electrons, full_well, bleed=rng.random() < 0.6)
    electrons += _pattern(shape, rng, noise)
    data = _process(electrons, rng, noise)
    offset, gain = rng.choice([0, log_uniform(rng, 1, 3000)]), log_uniform(rng, 1e-4, 10)
    mask = _gaps(shape, rng)
    return Frame(CCDData((data * gain + offset).astype(np.float32), unit="adu", mask=mask))


def _illumination(shape, rng):
    """Return the sky's brightness over the frame: flat, tilted, vignetted or with amplifier glow."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    kind, strength = rng.random(), log_uniform(rng, 0.003, 0.6)
    if kind < 0.55:
        return 1.0
    if kind < 0.8:
        return 1 + 2 * strength * ramp(shape, rng)
    if kind < 0.92:
        return 1 - 0.5 * strength * (x**2 + y**2)
    corner = rng.choice([-1, 1], 2)
    return 1 + 4 * strength * np.exp(-np.hypot(x - corner[0], y - corner[1]) / rng.uniform(0.05, 0.4))


def _dust(shape, rng):
    """Return what specks of dust above the detector let through: 1, but for blurred rings in one frame of eight."""
    if rng.random() > 0.12:
        return 1.0
    shade, size = np.zeros(shape, np.float32), min(shape) * log_uniform(rng, 0.01, 0.08)
    for _ in range(int(log_uniform(rng, 1, 30))):
        radius, _ = polar(shape, rng.uniform(0, shape[::-1]))
        ring = np.clip((size - radius) / 2 + 0.5, 0, 1) * np.clip((radius - 0.4 * size) / 2 + 0.5, 0, 1)
        shade += ring * log_uniform(rng, 0.005, 0.15)
    return np.clip(1 - shade, 0.3, 1)


def _thin_coverage(shape, rng, noise):
    """Return the noise that fewer exposures add to a part of one combined frame in ten."""
    if rng.random() > 0.1:
        return 0.0
    thin = ramp(shape, rng) > rng.uniform(-0.4, 0.4)
    return thin * (noise * log_uniform(rng, 0.4, 3) * rng.standard_normal(shape, dtype=np.float32))


def _defects(shape, rng, noise):
    """Return the charge of cosmic rays, hot pixels and bad columns, in electrons."""
    extra = np.zeros(shape, np.float32)
    if rng.random() < 0.45:
        count, charge = int(log_uniform(rng, 1, 250)), noise * log_uniform(rng, 10, 500)
        rays = detector.cosmic_rays(shape, rng, count, charge=(0.3 * charge, charge), thickness=rng.uniform(0.5, 3))
        extra += ndimage.gaussian_filter(rays, rng.uniform(0.3, 0.8)) if rng.random() < 0.3 else rays
    if rng.random() < 0.35:
        threshold = noise * log_uniform(rng, 5, 200)
        extra += detector.hot_pixels(shape, rng, log_uniform(rng, 1e-5, 0.01), threshold=threshold)
    if rng.random() < 0.25:
        columns = detector.bad_columns(shape, rng, rng.integers(1, 6))
        extra += columns * (noise * rng.choice([-1, 1]) * log_uniform(rng, 1, 200))
    return extra


def _pattern(shape, rng, noise):
    """Return what does not average away: stripes, steps, what flat fields and scattered light leave."""
    pattern = np.zeros(shape, np.float32)
    if rng.random() < 0.2:
        pattern += noise * log_uniform(rng, 0.05, 1) * rng.standard_normal((shape[0], 1))
    if rng.random() < 0.1:
        pattern += noise * log_uniform(rng, 0.05, 1) * rng.standard_normal((1, shape[1]))
    if rng.random() < 0.08:
        pattern[:, shape[1] // 2 :] += noise * rng.normal(0, 1)
    if rng.random() < 0.12:
        uneven = cloud(shape, rng, rng.uniform(0.8, 2.2), largest=log_uniform(rng, 0.1, 1))
        pattern += noise * log_uniform(rng, 0.2, 5) * np.clip(uneven, -2, 2)
    return pattern


def _process(electrons, rng, noise):
    """Do what happens to data before users get them: resampling, plate response, whole numbers."""
    if rng.random() < 0.25:
        electrons = ndimage.gaussian_filter(electrons, rng.uniform(0.4, 1.1))
    if rng.random() < 0.16:
        scale = log_uniform(rng, 5, 100) * noise
        electrons = scale * _respond((electrons - np.median(electrons)) / scale, rng)
    if rng.random() < 0.15:
        step = noise * log_uniform(rng, 0.2, 2)
        electrons = np.round(electrons / step) * step
    return electrons


def _respond(light, rng):
    """Return the density of a plate: it grows ever slower with the light, or no more at all."""
    return np.arcsinh(light) if rng.random() < 0.4 else light / (1 + np.maximum(light, 0) / log_uniform(rng, 1, 10))


def _gaps(shape, rng):
    """Return a mask: mostly nothing, else a chip gap, lost borders or the corners of a turned mosaic."""
    mask, kind = np.zeros(shape, bool), rng.random()
    ny, nx = shape
    if kind < 0.06:
        at, width = rng.integers(ny // 4, 3 * ny // 4), rng.integers(2, max(ny // 40, 4))
        mask[at : at + width] = True
    elif kind < 0.1:
        edge = rng.integers(0, 12, 4)
        mask[: edge[0]] = mask[ny - edge[1] :] = mask[:, : edge[2]] = mask[:, nx - edge[3] :] = True
    elif kind < 0.18:
        y, x = np.ogrid[:ny, :nx]
        turn = rng.uniform(0, np.pi / 2)
        u = (x - nx / 2) * np.cos(turn) + (y - ny / 2) * np.sin(turn)
        v = (y - ny / 2) * np.cos(turn) - (x - nx / 2) * np.sin(turn)
        mask = np.maximum(np.abs(u), np.abs(v)) > rng.uniform(0.45, 0.65) * max(ny, nx)
    return mask if rng.random() < 0.5 else mask.T.copy() if ny == nx else mask
