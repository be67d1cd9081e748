# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Scenes of galaxies: spiral, early-type, edge-on, irregular, and fields of them."""

import numpy as np

from astroclf.datasets.scenes.drawing import add_stamp, blur, cloud, log_uniform, points, polar, sersic
from astroclf.datasets.scenes.stars import sprinkle

__all__ = ["early_type_galaxy", "edge_on_galaxy", "galaxy_field", "irregular_galaxy", "spiral_galaxy"]


def _center(shape, rng, scatter=0.08):
    return np.array(shape[::-1]) * (0.5 + rng.normal(0, scatter, 2))


def _foreground(shape, rng, image, most=40):
    """Add foreground stars, some brighter than the galaxy's nucleus."""
    brightest = image.max() * log_uniform(rng, 1, 300)
    return image + sprinkle(shape, rng, int(log_uniform(rng, 1, most)), rng.uniform(0.5, 1.1), brightest)


def _spiral(shape, rng, center, r_d, q, angle):
    """Return a disk of scale length ``r_d`` with logarithmic arms, bulge, perhaps a bar, knots and dust."""
    radius, azimuth = polar(shape, center, q, angle)
    pitch = np.tan(np.radians(rng.uniform(9, 32))) * rng.choice([-1, 1])
    phase = np.log(np.maximum(radius, 1) / r_d) / pitch
    wobble = blur(cloud(shape, rng, 1.6), 1) * rng.uniform(0.1, 0.8)
    count, sharp = rng.choice([2, 2, 2, 3, 4, 5]), rng.uniform(1.2, 5)
    arms = np.exp(sharp * (np.cos(count * (azimuth - phase + wobble / count)) - 1))
    onset = 1 - np.exp(-((radius / (rng.uniform(0.3, 1) * r_d)) ** 2))
    disk = np.exp(-radius / r_d) * (1 + rng.uniform(1, 6) * arms * onset)
    texture = np.exp(rng.uniform(0.1, 0.7) * cloud(shape, rng, rng.uniform(0.9, 1.5)))
    dust = 1 - rng.uniform(0, 0.7) * onset * np.clip(np.roll(arms, rng.integers(-2, 3), axis=1) - 0.5, 0, 1)
    r_b = r_d * rng.uniform(0.08, 0.35)
    bulge = rng.uniform(0.2, 4) * sersic(polar(shape, center, max(q, 0.7), angle)[0], r_b, rng.uniform(1, 3))
    image = disk * (1 + (texture - 1) * onset) * dust + bulge
    if rng.random() < 0.4:
        bar_radius, _ = polar(shape, center, 0.3 * q, angle + rng.uniform(-0.5, 0.5))
        image += rng.uniform(1, 4) * np.exp(-((bar_radius / (0.8 * r_d)) ** 2))
    return image


def spiral_galaxy(shape, rng):
    """Draw a disk with spiral arms at an inclination that shows them, from small to frame-filling."""
    r_d = min(shape) * log_uniform(rng, 0.025, 0.3)
    image = _spiral(shape, rng, _center(shape, rng), r_d, rng.uniform(0.35, 1), rng.uniform(0, np.pi))
    return _foreground(shape, rng, image)


def _companions(shape, rng, center, r_e, level):
    """Return the globular clusters and small neighbours around an early-type galaxy."""
    count = int(log_uniform(rng, 1, 120))
    radius, angle = r_e * rng.gamma(1.5, 1.2, count), rng.uniform(0, 2 * np.pi, count)
    x, y = center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)
    return points(shape, x, y, level * log_uniform(rng, 0.01, 1, count))


def early_type_galaxy(shape, rng):
    """Draw an elliptical or a lenticular, from small to frame-filling; one in seven has dust or shells."""
    center, angle = _center(shape, rng), rng.uniform(0, np.pi)
    r_e = min(shape) * log_uniform(rng, 0.02, 0.35)
    radius, azimuth = polar(shape, center, rng.uniform(0.38, 1), angle)
    image = sersic(radius * (1 + rng.normal(0, 0.01) * np.cos(4 * azimuth)), r_e, rng.uniform(1.8, 6))
    if rng.random() < 0.3:
        disk_radius, _ = polar(shape, center, rng.uniform(0.3, 0.8), angle)
        image += rng.uniform(0.3, 2) * np.exp(-disk_radius / (rng.uniform(0.5, 1.2) * r_e))
    if rng.random() < 0.15:
        depth = np.clip(cloud(shape, rng, 1.5), 0, 2) * np.exp(-radius / r_e)
        image *= np.exp(-rng.uniform(0.3, 1.2) * depth)
    image += _companions(shape, rng, center, r_e, rng.uniform(0.2, 4))
    return _foreground(shape, rng, image)


def edge_on_galaxy(shape, rng):
    """Draw a disk seen edge-on, with a bulge and, in two of three, a dust lane."""
    center, angle = _center(shape, rng), rng.uniform(0, np.pi)
    r_d = min(shape) * log_uniform(rng, 0.04, 0.28)
    thickness = rng.uniform(0.06, 0.2)
    radius, _ = polar(shape, center, thickness, angle)
    image = np.exp(-radius / r_d)
    bulge_radius, _ = polar(shape, center, rng.uniform(0.5, 0.95), angle)
    image += rng.uniform(0, 1.5) * sersic(bulge_radius, r_d * rng.uniform(0.08, 0.35), rng.uniform(1, 3.5))
    image *= np.exp(rng.uniform(0.05, 0.4) * cloud(shape, rng, 1.2))
    if rng.random() < 0.67:
        offset = r_d * thickness * rng.uniform(-0.6, 0.6) * np.array([-np.sin(angle), np.cos(angle)])
        lane, _ = polar(shape, center + offset, rng.uniform(0.02, 0.05), angle)
        ragged = 1 + 0.4 * cloud(shape, rng, 1.2)
        image *= np.exp(-rng.uniform(0.5, 2.5) * np.exp(-lane / (1.3 * r_d)) * np.clip(ragged, 0.2, 2))
    return _foreground(shape, rng, image)


def _dwarf(shape, rng, center, size):
    """Return an irregular galaxy: star-forming clumps in a ragged, off-centre envelope."""
    radius, _ = polar(shape, center, rng.uniform(0.35, 1), rng.uniform(0, np.pi))
    envelope = np.exp(-radius / size)
    ragged = np.exp(rng.uniform(0.5, 1.3) * cloud(shape, rng, rng.uniform(1.2, 2), largest=0.3))
    image = envelope * ragged
    count = int(log_uniform(rng, 8, 200))
    x, y = (c + size * rng.normal(0, rng.uniform(0.6, 1.5), count) for c in center)
    knots = points(shape, x, y, log_uniform(rng, 0.3, 30, count))
    return image + blur(knots, rng.uniform(0.3, 2)) * np.exp(0.5 * rng.normal())


def _merger(shape, rng, center, size):
    """Return two galaxies close together, joined and followed by tidal tails."""
    angle, separation = rng.uniform(0, 2 * np.pi), size * rng.uniform(0.8, 3.5)
    offset = separation / 2 * np.array([np.cos(angle), np.sin(angle)])
    image = np.zeros(shape, np.float32)
    for sign in (-1, 1):
        scale = size * rng.uniform(0.4, 1)
        image += _spiral(shape, rng, center + sign * offset, scale, rng.uniform(0.3, 1), rng.uniform(0, np.pi))
        radius, azimuth = polar(shape, center + sign * offset, rng.uniform(0.4, 1), angle)
        turn = np.mod(azimuth * sign - angle, 2 * np.pi)
        ridge = size * rng.uniform(1.2, 2.5) * np.exp(rng.uniform(0.15, 0.5) * turn)
        fade = np.exp(-turn / rng.uniform(0.6, 1.5)) * (1 - np.exp(-turn / 0.4))
        width = size * rng.uniform(0.15, 0.5)
        image += rng.uniform(0.05, 0.5) * np.exp(-(((radius - ridge) / width) ** 2)) * fade
    return image * np.exp(rng.uniform(0.1, 0.5) * cloud(shape, rng, 1.5))


def irregular_galaxy(shape, rng):
    """Draw an irregular dwarf or a pair of galaxies in collision."""
    draw = _dwarf if rng.random() < 0.5 else _merger
    image = draw(shape, rng, _center(shape, rng), min(shape) * log_uniform(rng, 0.03, 0.2))
    return _foreground(shape, rng, image)


def _add_galaxy(image, rng, center, r_e, flux):
    """Add one small galaxy: Sersic, a third of the larger ones with arms."""
    q, angle, n = rng.uniform(0.2, 1), rng.uniform(0, np.pi), rng.choice([1, 1, 2.5, 4])
    spiral = r_e > 5 and rng.random() < 0.35

    def draw(shape, middle):
        if spiral:
            stamp = _spiral(shape, rng, middle, r_e / 1.7, max(q, 0.35), angle)
        else:
            stamp = sersic(polar(shape, middle, q, angle)[0], r_e, n)
        return stamp * (flux / max(stamp.sum(), 1e-9))

    add_stamp(image, center, max(8 * r_e, 6), draw)


def _arc(shape, rng, center):
    """Return one gravitationally lensed arc around a cluster's centre."""
    radius, azimuth = polar(shape, center, rng.uniform(0.7, 1), rng.uniform(0, np.pi))
    where = rng.uniform(0.08, 0.3) * min(shape)
    along = np.angle(np.exp(1j * (azimuth - rng.uniform(-np.pi, np.pi))))
    return np.exp(-(((radius - where) / 1.3) ** 2) - (along / rng.uniform(0.15, 0.7)) ** 2).astype(np.float32)


def galaxy_field(shape, rng):
    """Draw a deep field, a cluster (some with lensed arcs) or a compact group of galaxies."""
    ny, nx = shape
    kind = rng.choice(["field", "cluster", "group"], p=[0.4, 0.35, 0.25])
    count = rng.integers(3, 8) if kind == "group" else int(log_uniform(rng, 8, 250))
    size = min(shape) * (log_uniform(rng, 0.015, 0.07) if kind == "group" else log_uniform(rng, 0.004, 0.022))
    flux = log_uniform(rng, 0.2, 1, count) if kind == "group" else rng.pareto(1.1, count) + 0.05
    flux = np.minimum(flux, 40)
    center = _center(shape, rng)
    spread = {"field": None, "cluster": rng.uniform(0.12, 0.35), "group": rng.uniform(0.1, 0.28)}[kind]
    image = np.zeros(shape, np.float32)
    for f in flux:
        at = rng.uniform(0, (nx, ny)) if spread is None else center + spread * min(shape) * rng.normal(0, 1, 2)
        _add_galaxy(image, rng, at, max(size * f**0.4 * rng.uniform(0.6, 1.6), 0.6), f)
    if kind == "cluster":
        _add_galaxy(image, rng, center, 4 * size, 2 * flux.max())
        for _ in range(rng.integers(0, 5)):
            image += image.max() * rng.uniform(0.01, 0.1) * _arc(shape, rng, center)
    stars = sprinkle(shape, rng, int(log_uniform(rng, 1, 30)), rng.uniform(0.5, 1), flux.max() * rng.uniform(0.1, 3))
    return image + stars
