# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Scenes of the solar system: planets, moons, small bodies, comets and the Sun."""

import numpy as np

from astroclf.datasets.scenes.drawing import blur, cloud, log_uniform, points, polar
from astroclf.datasets.scenes.stars import sprinkle

__all__ = ["solar_system"]


def _place(shape, rng, size):
    """Return a centre that keeps at least part of a body of this size in the frame."""
    middle = np.array(shape[::-1]) / 2
    return middle + rng.normal(0, 1, 2) * (0.05 * min(shape) + 0.25 * size)


def _sphere(shape, center, size, q=1.0, angle=0.0):
    """Return the disk of a sphere (softened over a pixel) and the cosine of the angle to its normal."""
    radius, _ = polar(shape, center, q, angle)
    return np.clip(size - radius + 0.5, 0, 1), np.sqrt(np.clip(1 - (radius / size) ** 2, 0, 1))


def _lit(shape, rng, center, size, cosine):
    """Return Lambert's law for a Sun that may stand far to the side: the phase."""
    phase = rng.choice([rng.uniform(0, 0.4), rng.uniform(0, 2.4)])
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[: shape[0], : shape[1]]
    u = ((x - center[0]) * np.cos(turn) + (y - center[1]) * np.sin(turn)) / size
    return np.clip(np.cos(phase) * cosine + np.sin(phase) * u, 0, None) ** rng.uniform(0.3, 1)


def _planet(shape, rng):
    """Return a planet with belts, storms and limb darkening; one in four has rings."""
    size, angle = min(shape) * log_uniform(rng, 0.06, 0.75), rng.uniform(0, np.pi)
    center = _place(shape, rng, size)
    disk, cosine = _sphere(shape, center, size, rng.uniform(0.9, 1), angle)
    y, x = np.ogrid[: shape[0], : shape[1]]
    latitude = ((y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)) / size
    waves = sum(rng.normal() / k * np.sin(k * np.pi * latitude + rng.uniform(0, 6)) for k in range(1, 9))
    swirl = cloud(shape, rng, rng.uniform(1.2, 2), largest=0.4)
    texture = np.exp(rng.uniform(0, 0.4) * (waves + 0.4 * swirl))
    image = disk * _lit(shape, rng, center, size, cosine) * texture
    if rng.random() < 0.25:
        radius, _ = polar(shape, center, rng.uniform(0.08, 0.5), angle)
        ring = (radius > 1.25 * size) & (radius < 2.25 * size) & (np.abs(radius / size - 1.95) > 0.05)
        image += rng.uniform(0.3, 1) * image.max() * ring * (disk == 0)
    return image


def _moon(shape, rng):
    """Return a rocky, cratered disk in sunlight."""
    size = min(shape) * log_uniform(rng, 0.06, 1.2)
    center = _place(shape, rng, size)
    disk, cosine = _sphere(shape, center, size)
    relief = cloud(shape, rng, rng.uniform(1.2, 1.7), largest=0.4)
    for _ in range(rng.integers(0, 60)):
        at, pit = center + rng.normal(0, 0.5, 2) * size, size * log_uniform(rng, 0.01, 0.15)
        radius, _ = polar(shape, at)
        relief += rng.uniform(0.5, 3) * (np.exp(-(((radius - pit) / (0.25 * pit + 0.5)) ** 2)) - (radius < pit))
    shade = np.gradient(blur(relief, 0.7), axis=rng.integers(0, 2))
    albedo = np.exp(rng.uniform(0.1, 0.5) * cloud(shape, rng, 1.8) + rng.uniform(0, 1) * shade)
    return disk * _lit(shape, rng, center, size, cosine) * albedo


def _asteroid(shape, rng):
    """Return a lumpy small body in sunlight, against the dark."""
    size = min(shape) * log_uniform(rng, 0.05, 0.45)
    center = _place(shape, rng, size)
    radius, _ = polar(shape, center, rng.uniform(0.45, 1), rng.uniform(0, np.pi))
    lumpy = radius * (1 + rng.uniform(0.05, 0.25) * cloud(shape, rng, 2.4, largest=0.5))
    body = np.clip(size - lumpy, 0, 1)
    cosine = np.sqrt(np.clip(1 - (lumpy / size) ** 2, 0, 1))
    texture = np.exp(rng.uniform(0.1, 0.5) * cloud(shape, rng, 1.3))
    return body * _lit(shape, rng, center, size, cosine) * texture


def _comet(shape, rng):
    """Return a 1/r coma with a nucleus and a tail, before trailed or sharp stars."""
    size, turn = min(shape) * log_uniform(rng, 0.02, 0.15), rng.uniform(-np.pi, np.pi)
    center = np.array(shape[::-1]) * rng.uniform(0.25, 0.75, 2)
    radius, azimuth = polar(shape, center)
    coma = size / (radius + rng.uniform(0.05, 0.5) * size) * np.exp(-radius / (rng.uniform(3, 12) * size))
    along = np.abs(np.angle(np.exp(1j * (azimuth - turn))))
    tail = np.exp(-((along / rng.uniform(0.08, 0.5)) ** 2)) * np.exp(-radius / (min(shape) * rng.uniform(0.15, 0.8)))
    image = coma + rng.uniform(0, 1.2) * tail * (1 + 0.3 * _stripes(azimuth, rng))
    nucleus = points(shape, center[:1], center[1:], np.array([image.max() * log_uniform(rng, 0.5, 20)]))
    return (
        image
        + nucleus
        + sprinkle(shape, rng, int(log_uniform(rng, 1, 120)), 0.8, image.max() * log_uniform(rng, 0.3, 20))
    )


def _stripes(azimuth, rng):
    return np.sin(rng.uniform(20, 80) * azimuth + rng.uniform(0, 6))


def _sun(shape, rng):
    """Return the Sun's disk, or a part of it: in visible light, or the corona and active regions of the ultraviolet."""
    whole = rng.random() < 0.75
    size = min(shape) * (rng.uniform(0.25, 0.5) if whole else rng.uniform(0.6, 1.5))
    away = rng.normal(0, 0.03, 2) if whole else size / min(shape) * rng.choice([-1, 1], 2) * rng.uniform(0, 0.8, 2)
    center = np.array(shape[::-1]) * 0.5 + min(shape) * away
    spots = np.clip(cloud(shape, rng, rng.uniform(1.2, 1.8), largest=0.2) - rng.uniform(1, 2.5), 0, None)
    grain = np.exp(rng.uniform(0.02, 0.3) * cloud(shape, rng, 0.8))
    draw = _photosphere if rng.random() < 0.35 else _corona
    return draw(shape, rng, center, size, spots) * grain


def _photosphere(shape, rng, center, size, spots):
    """Return a limb-darkened disk with spots; half of the time amid plage, as in the lines of the chromosphere."""
    disk, cosine = _sphere(shape, center, size)
    plage = rng.choice([0, rng.uniform(0.5, 3)]) * blur(spots, 3)
    return disk * (1 - rng.uniform(0.4, 0.8) * (1 - cosine)) * np.exp(-3 * spots) * (1 + plage)


def _corona(shape, rng, center, size, spots):
    """Return gas of a million degrees: brighter at and above the limb, active regions, dark coronal holes."""
    radius, azimuth = polar(shape, center)
    _, cosine = _sphere(shape, center, size)
    network = np.exp(rng.uniform(0.3, 1.2) * cloud(shape, rng, rng.uniform(1, 1.8), largest=0.4))
    holes = np.exp(-rng.uniform(0, 2.5) * np.clip(cloud(shape, rng, 2, largest=0.5) - 0.5, 0, None))
    height = size * log_uniform(rng, 0.03, 0.4)
    streamers = 1 + rng.uniform(0, 0.8) * np.cos(rng.integers(2, 9) * azimuth + rng.uniform(0, 6))
    thickness = np.where(radius < size, 1 / (rng.uniform(0.25, 0.7) + cosine), 3 * np.exp(-(radius - size) / height))
    thickness = blur(thickness, 0.01 * size) * np.where(radius < size, holes, np.clip(streamers, 0.1, None))
    regions = blur(spots, rng.uniform(1, 3)) * log_uniform(rng, 3, 40)
    return 0.3 * thickness * network + regions * (radius < 1.1 * size)


def solar_system(shape, rng):
    """Draw a planet, a moon, an asteroid, a comet or the Sun."""
    draw = rng.choice([_planet, _moon, _asteroid, _comet, _sun], p=[0.3, 0.2, 0.12, 0.13, 0.25])
    return draw(shape, rng)
