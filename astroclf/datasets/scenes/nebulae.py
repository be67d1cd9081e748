# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Scenes of nebulae: diffuse, planetary, and remnants of supernovae."""

import numpy as np

from astroclf.datasets.scenes.drawing import blur, cloud, log_uniform, points, polar
from astroclf.datasets.scenes.stars import sprinkle

__all__ = ["diffuse_nebula", "planetary_nebula", "supernova_remnant"]


def _stars_over(shape, rng, image, count, brightest):
    return image + sprinkle(shape, rng, int(count), rng.uniform(0.5, 1.1), brightest * image.max())


def _ridges(shape, rng, slope=1.6, sharpness=6.0):
    """Return filaments: the zero crossings of a fractal cloud, in (0, 1]."""
    return np.exp(-sharpness * np.abs(cloud(shape, rng, slope)))


def diffuse_nebula(shape, rng):
    """Draw glowing gas with filaments and dark dust over more than a fifth of the frame, and stars in it."""
    glow = np.exp(rng.uniform(0.6, 1.6) * cloud(shape, rng, rng.uniform(1.5, 2.4)))
    glow *= 1 + rng.uniform(0, 2) * _ridges(shape, rng, rng.uniform(1.4, 2))
    dust = np.clip(cloud(shape, rng, rng.uniform(1.5, 2.3)) + rng.uniform(-1.5, 0.8), 0, None)
    image = glow * np.exp(-rng.uniform(0.5, 3.5) * dust)
    if rng.random() < 0.6:
        center = np.array(shape[::-1]) * rng.uniform(0.15, 0.85, 2)
        radius, _ = polar(shape, center, rng.uniform(0.4, 1), rng.uniform(0, np.pi))
        image *= np.exp(-((radius / (min(shape) * log_uniform(rng, 0.25, 1.5))) ** 2))
    return _stars_over(shape, rng, image, log_uniform(rng, 3, 800), log_uniform(rng, 2, 300))


def _shell(radius, where, width):
    """Return the projected emission of a thin spherical shell."""
    outside = np.exp(-np.maximum(radius - where, 0) / (0.3 * width))
    inside = 1 / np.sqrt(1 + np.maximum(where - radius, 0) / width)
    return outside * inside**2


def _ellipse(shape, rng, center, size, angle):
    radius, azimuth = polar(shape, center, rng.uniform(0.5, 1), angle)
    lumpy = 1 + rng.uniform(0, 0.5) * np.cos(2 * azimuth + rng.uniform(0, 6)) + rng.uniform(0, 0.3) * np.cos(azimuth)
    return _shell(radius, size, size * rng.uniform(0.08, 0.5)) * np.clip(lumpy, 0.1, None)


def _lobes(shape, rng, center, size, angle):
    """Return two opposite lobes pinched at the star, as in bipolar and pre-planetary nebulae."""
    axis = np.array([np.cos(angle), np.sin(angle)])
    image = np.zeros(shape, np.float32)
    q, reach = rng.uniform(0.25, 0.7), rng.uniform(0.7, 1)
    for sign, gain in ((-1, 1), (1, rng.uniform(0.3, 1))):
        radius, _ = polar(shape, center + sign * reach * size * axis, q, angle)
        image += gain * _shell(radius, size, size * rng.uniform(0.2, 0.9))
    return image


def planetary_nebula(shape, rng):
    """Draw rings, ellipses or lobes about a central star, with knots and a faint halo."""
    center, angle = np.array(shape[::-1]) * (0.5 + rng.normal(0, 0.06, 2)), rng.uniform(0, np.pi)
    size = min(shape) * log_uniform(rng, 0.025, 0.38)
    draw = _ellipse if rng.random() < 0.6 else _lobes
    image = draw(shape, rng, center, size * (1 if draw is _ellipse else 0.55), angle)
    for _ in range(rng.integers(0, 3)):
        inner = rng.choice([_ellipse, _lobes])
        image += rng.uniform(0.2, 2) * inner(
            shape, rng, center, size * rng.uniform(0.2, 0.7), angle + rng.normal(0, 0.3)
        )
    radius, _ = polar(shape, center)
    image *= np.exp(rng.uniform(0.05, 0.6) * cloud(shape, rng, 1.3, largest=0.3))
    image += rng.uniform(0, 0.15) * image.max() * np.exp(-radius / (size * rng.uniform(0.8, 1.8)))
    if rng.random() < 0.75:
        image += points(shape, center[:1], center[1:], np.array([image.max() * log_uniform(rng, 1, 60)]))
    return _stars_over(shape, rng, image, log_uniform(rng, 1, 150), log_uniform(rng, 0.5, 60))


def supernova_remnant(shape, rng):
    """Draw a broken shell of filaments, filled or not, or a part of one that crosses the frame."""
    partial = rng.random() < 0.35
    size = min(shape) * (rng.uniform(0.6, 1.6) if partial else log_uniform(rng, 0.12, 0.42))
    away = rng.uniform(0.5, 1) * size if partial else 0
    turn = rng.uniform(0, 2 * np.pi)
    center = np.array(shape[::-1]) * (0.5 + rng.normal(0, 0.05, 2)) + away * np.array([np.cos(turn), np.sin(turn)])
    radius, azimuth = polar(shape, center, rng.uniform(0.75, 1), rng.uniform(0, np.pi))
    radius = radius * (1 + rng.uniform(0.02, 0.12) * cloud(shape, rng, 1.8))
    shell = _shell(radius, size, size * rng.uniform(0.06, 0.4))
    fill = rng.uniform(0, 0.8) * np.exp(-((radius / size) ** 4))
    broken = np.exp(rng.uniform(0.3, 1.3) * (np.cos(azimuth - turn) + 0.5 * cloud(shape, rng, 2)))
    threads = sum(_ridges(shape, rng, rng.uniform(1.3, 1.8), rng.uniform(4, 14)) for _ in range(2))
    image = (shell * broken + fill) * (rng.uniform(0.02, 0.5) + threads)
    image = blur(image, rng.uniform(0, 1))
    return _stars_over(shape, rng, image, log_uniform(rng, 5, 800), log_uniform(rng, 1, 100))
