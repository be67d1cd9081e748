# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What detectors record that is no image of the sky: spectra, fringes, spots of wavefront sensors."""

import numpy as np
from scipy import ndimage

from astroclf.datasets.scenes.drawing import cloud, log_uniform, points, power_law

__all__ = [
    "draw_arc_lamp",
    "draw_echelle",
    "draw_fibres",
    "draw_grism",
    "draw_interferogram",
    "draw_long_slit",
    "draw_spectrogram",
    "draw_spot_grid",
]


def _either_way(image, rng):
    """Turn an image at random, so that light is dispersed along rows or columns, either way."""
    return np.ascontiguousarray(np.rot90(image, 2 * rng.integers(2))[:, :: rng.choice([-1, 1])])


def _dispersed(draw, shape, rng):
    """Draw along the rows of a frame or of a turned one."""
    if rng.random() < 0.5:
        return _either_way(draw(shape, rng), rng)
    return _either_way(draw(shape[::-1], rng).T, rng)


def _lines(x, rng, count, width):
    """Return emission lines of ``count`` random places and fluxes, 1 where the brightest peaks."""
    at, flux = rng.uniform(x.min(), x.max(), count), power_law(rng, count, 0.8, 100)
    spectrum = sum(f * np.exp(-0.5 * ((x - a) / width) ** 2) for a, f in zip(at, flux))
    return spectrum / max(spectrum.max(), 1e-6)


def _continuum(x, rng):
    """Return a smooth spectrum with absorption lines, about 1."""
    phase = (x - x.min()) / np.ptp(x)
    smooth = 1 + rng.uniform(-0.6, 0.6) * (phase - 0.5) - rng.uniform(0, 1.2) * (phase - rng.uniform(0.2, 0.8)) ** 2
    dips = rng.uniform(0, 0.7) * _lines(x, rng, rng.integers(2, 25), log_uniform(rng, 0.8, 3))
    return np.clip(smooth - dips, 0.02, None)


def draw_long_slit(shape, rng):
    """Draw the spectrum behind a long slit: sky lines across it, one to three traces along it."""
    return _dispersed(_long_slit, shape, rng)


def _long_slit(shape, rng):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    middle = (y - shape[0] / 2) / shape[0]
    bent = x + rng.normal(0, 4) * middle + rng.normal(0, 12) * middle**2
    image = log_uniform(rng, 0.05, 1) * _lines(bent, rng, rng.integers(6, 40), log_uniform(rng, 0.8, 2.5))
    image += rng.uniform(0, 0.1) * _continuum(x, rng)
    for _ in range(rng.integers(1, 4)):
        at = shape[0] * rng.uniform(0.15, 0.85) + rng.normal(0, 3) * (x / shape[1] - 0.5)
        profile = np.exp(-0.5 * ((y - at) / log_uniform(rng, 1, 5)) ** 2)
        light = rng.uniform(0.2, 1) * _continuum(x[:1], rng)
        light += rng.uniform(0, 2) * _lines(x[:1], rng, rng.integers(1, 10), log_uniform(rng, 0.8, 3))
        image += log_uniform(rng, 0.2, 1.5) * profile * light
    slit = (y > rng.uniform(0, 0.12) * shape[0]) & (y < rng.uniform(0.88, 1) * shape[0])
    return image * slit


def draw_echelle(shape, rng):
    """Draw the many curved, tilted orders of an echelle spectrum, with a blaze and lines."""
    return _dispersed(_echelle, shape, rng)


def _echelle(shape, rng):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    u = x / shape[1] - 0.5
    orders = rng.integers(8, 30)
    bend = rng.normal(0, 20) * u + rng.normal(0, 25) * u**2
    image, width = np.zeros(shape, np.float32), log_uniform(rng, 0.9, 2.2)
    for k in range(-3, orders + 3):
        at = (k + 0.5) / orders + rng.uniform(-0.05, 0.05) * (k / orders) ** 2
        blaze = np.exp(-((u[:1] / rng.uniform(0.35, 0.7)) ** 2))
        emission = rng.uniform(0, 1) * _lines(x[:1], rng, rng.integers(2, 30), log_uniform(rng, 0.7, 1.5))
        profile = np.exp(-0.5 * ((y - at * shape[0] - bend) / width) ** 2)
        image += profile * blaze * (_continuum(x[:1], rng) + emission) * (0.4 + 0.6 * k / orders)
    return np.clip(image, 0, None)


def draw_grism(shape, rng):
    """Draw a slitless frame: each source a short streak of light, with its zeroth order beside it."""
    return _dispersed(_grism, shape, rng)


def _grism(shape, rng):
    image, count = np.zeros(shape, np.float32), int(log_uniform(rng, 8, 60))
    length, apart = int(shape[1] * rng.uniform(0.15, 0.45)), shape[1] * rng.uniform(0.1, 0.25)
    x, y = rng.uniform(-length, shape[1], count), rng.uniform(1, shape[0] - 2, count)
    flux = power_law(rng, count, 0.7, 200) + 0.02
    for x0, y0, f in zip(x, y, flux):
        pixels = np.arange(length)
        light = f * _continuum(pixels, rng) * np.hanning(length) ** 0.3
        light += rng.choice([0, f]) * rng.uniform(0, 3) * _lines(pixels, rng, rng.integers(1, 4), 1.5)
        image += points(shape, x0 + pixels, np.full(length, y0), light)
    image += points(shape, x - apart, y, flux * rng.uniform(2, 12))
    return np.clip(ndimage.gaussian_filter(image, log_uniform(rng, 0.7, 1.8)), 0, None)


def draw_arc_lamp(shape, rng):
    """Draw an arc lamp behind a slit: many lines across the frame, tilted and bent, nothing else."""
    return _dispersed(_arc_lamp, shape, rng)


def _arc_lamp(shape, rng):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    v = y / shape[0] - 0.5
    image = _lines(
        x + rng.normal(0, 8) * v + rng.normal(0, 20) * v**2, rng, rng.integers(10, 60), log_uniform(rng, 0.8, 3)
    )
    return image + rng.uniform(0, 0.05)


def draw_fibres(shape, rng):
    """Draw the spectra of many fibres, side by side, some of them dead."""
    return _dispersed(_fibres, shape, rng)


def _fibres(shape, rng):
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    count = rng.integers(12, min(60, shape[0] // 5))
    u = x / shape[1] - 0.5
    place = (y + rng.normal(0, 6) * u**2) / shape[0] * count
    nearest = np.clip(place.astype(int), 0, count - 1)
    profile = np.exp(-0.5 * ((place - nearest - 0.5) / rng.uniform(0.12, 0.22)) ** 2)
    through = rng.uniform(0.5, 1, count) * (rng.random(count) > 0.06)
    own = np.stack([_continuum(x[0], rng) for _ in range(count)])
    sky = rng.uniform(0, 1.5) * _lines(x[0], rng, rng.integers(5, 40), log_uniform(rng, 0.8, 2))
    light = through[:, None] * (own * rng.uniform(0.1, 1, (count, 1)) + sky)
    return profile * light[nearest, x.astype(int)]


def draw_interferogram(shape, rng):
    """Draw fringes: straight and warped, or the rings of an etalon."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / max(shape)
    if rng.random() < 0.5:
        turn, waves = rng.uniform(0, np.pi), log_uniform(rng, 6, 40)
        phase = waves * (x * np.cos(turn) + y * np.sin(turn)) + rng.uniform(0, 2) * cloud(shape, rng, 2.5)
    else:
        radius = (x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.2, 0.8)) ** 2
        phase = log_uniform(rng, 15, 80) * radius + rng.random()
    finesse = log_uniform(rng, 0.3, 30)
    return 1 / (1 + finesse * np.sin(np.pi * phase) ** 2)


def draw_spot_grid(shape, rng):
    """Draw the regular grid of spots of a wavefront sensor or a pinhole mask, inside a pupil or a square."""
    pitch, turn = rng.uniform(9, 28), rng.uniform(-0.2, 0.2)
    n = int(max(shape) / pitch)
    u, v = (pitch * side.ravel() for side in np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1)))
    x = shape[1] / 2 + u * np.cos(turn) - v * np.sin(turn) + rng.normal(0, 0.04 * pitch, u.size)
    y = shape[0] / 2 + u * np.sin(turn) + v * np.cos(turn) + rng.normal(0, 0.04 * pitch, u.size)
    radius, size = np.hypot(u, v), rng.uniform(0.35, 0.6) * min(shape)
    lit = (radius < size) & (radius > 0.25 * size * rng.integers(2)) if rng.random() < 0.6 else radius < np.inf
    image = points(shape, x, y, lit * rng.uniform(0.6, 1, u.size))
    return np.clip(ndimage.gaussian_filter(image, rng.uniform(0.08, 0.16) * pitch), 0, None).astype(np.float32)


def draw_spectrogram(shape, rng):
    """Draw power against time and frequency: steady tones, sweeps, bursts, and a band's response."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    image = rng.uniform(0.2, 0.6) * _continuum(y[:, :1], rng) * rng.gamma(8, 1 / 8, shape)
    for _ in range(rng.integers(3, 15)):
        image += rng.uniform(0.2, 1) * np.exp(-0.5 * ((y - rng.uniform(0, shape[0])) / log_uniform(rng, 0.5, 3)) ** 2)
    for _ in range(rng.integers(1, 8)):
        delay = log_uniform(rng, 0.05, 1) * shape[1] * ((1 + y / shape[0]) ** -2 - 0.25)
        image += np.exp(-0.5 * ((x - rng.uniform(0, shape[1]) - delay) / log_uniform(rng, 1, 5)) ** 2)
    for _ in range(rng.integers(0, 6)):
        start, length = rng.integers(shape[1]), rng.integers(2, shape[1] // 4)
        image[:, start : start + length] *= rng.uniform(0.2, 2)
    return image.astype(np.float32)
