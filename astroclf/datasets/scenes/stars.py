# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Scenes of stars: fields, single stars, open and globular clusters."""

import numpy as np

from astroclf.datasets.scenes.drawing import cloud, log_uniform, points, polar, power_law, ramp

__all__ = ["globular_cluster", "open_cluster", "sprinkle", "star", "star_field"]


def sprinkle(shape, rng, count, slope=0.7, brightest=1.0):
    """Return ``count`` stars at random places, with power-law fluxes up to ``brightest``."""
    ny, nx = shape
    x, y = rng.uniform(-1, nx, count), rng.uniform(-1, ny, count)
    return points(shape, x, y, brightest * power_law(rng, count, slope))


def star_field(shape, rng):
    """Draw 5 to 30,000 stars; half of the rich fields over unresolved ones, one in three behind clouds of dust."""
    count = int(log_uniform(rng, 5, 30000))
    image = sprinkle(shape, rng, count, rng.uniform(0.45, 1.4))
    unresolved = count > 300 and rng.random() < 0.5
    if unresolved:
        image += image.mean() * log_uniform(rng, 0.1, 2) * np.exp(ramp(shape, rng) * rng.uniform(0, 2))
    if rng.random() < (0.5 if unresolved else 0.35):
        dust = np.maximum(cloud(shape, rng, rng.uniform(1.3, 2.2)) + rng.uniform(-0.5, 0.8), 0)
        image *= np.exp(-log_uniform(rng, 0.3, 4) * dust)
    return image


def star(shape, rng):
    """Draw one star that outshines everything else in the frame; one in three with scattered light around it."""
    ny, nx = shape
    x, y = rng.uniform(0.2, 0.8) * nx, rng.uniform(0.2, 0.8) * ny
    if rng.random() < 0.6:
        x, y = nx / 2 + rng.normal(0, 0.03) * nx, ny / 2 + rng.normal(0, 0.03) * ny
    image = points(shape, np.array([x]), np.array([y]), np.ones(1))
    others = sprinkle(shape, rng, int(log_uniform(rng, 1, 60)), rng.uniform(0.6, 1.2))
    image += others * (rng.uniform(0.01, 0.5) / max(others.sum(), 1e-9))
    return image + _halo(shape, rng, (x, y)) if rng.random() < 0.35 else image


def _halo(shape, rng, center):
    """Return light scattered in a telescope or a plate: an aureole, and a faint disk with a brighter rim."""
    size = min(shape) * log_uniform(rng, 0.02, 0.25)
    radius, _ = polar(shape, center)
    aureole = 1 / (1 + (radius / (size * rng.uniform(0.1, 0.6))) ** 2) ** rng.uniform(0.9, 1.6)
    disk = np.clip((size - radius) / (0.06 * size + 1) + 0.5, 0, 1)
    rim = np.exp(-(((radius - size) / (0.08 * size + 1)) ** 2))
    ghost = rng.uniform(0, 1) * (disk + rng.uniform(0, 1) * rim)
    return sum(log_uniform(rng, 0.01, 1) * part / part.sum() for part in (aureole, ghost))


def _king_radii(rng, count, core, tidal):
    """Return radii drawn from the projected King (1962) profile."""
    grid = np.geomspace(1e-3 * core, tidal, 400)
    density = (1 / np.sqrt(1 + (grid / core) ** 2) - 1 / np.sqrt(1 + (tidal / core) ** 2)) ** 2
    mass = np.cumsum(density * grid * np.gradient(grid))
    return np.interp(rng.random(count), mass / mass[-1], grid)


def globular_cluster(shape, rng):
    """Draw a King (1962) cluster of 200 to 30,000 stars on its unresolved light, over a few field stars."""
    size = min(shape)
    tidal = size * log_uniform(rng, 0.12, 1.6)
    core = tidal / 10 ** rng.uniform(0.5, 1.7)
    count = int(log_uniform(rng, 200, 30000))
    center = np.array(shape[::-1]) * (0.5 + rng.normal(0, 0.06, 2))
    radius, angle = _king_radii(rng, count, core, tidal), rng.uniform(0, 2 * np.pi, count)
    flux = power_law(rng, count, rng.uniform(0.7, 1.4), span=1e3)
    image = points(shape, center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle), flux)
    smooth = 1 / (1 + (polar(shape, center)[0] / core) ** 2) ** rng.uniform(1, 1.5)
    image += smooth * (rng.uniform(0, 1.5) * flux.sum() / smooth.sum())
    return image + sprinkle(shape, rng, int(log_uniform(rng, 3, 150)), 0.8, flux.max())


def open_cluster(shape, rng):
    """Draw a loose group of 12 to 400 stars, with bright members, over a fainter field."""
    count = int(log_uniform(rng, 12, 400))
    spread = min(shape) * rng.uniform(0.07, 0.3)
    center = np.array(shape[::-1]) * (0.5 + rng.normal(0, 0.08, 2))
    radius = spread * rng.gamma(2.0, 0.6, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    flux = power_law(rng, count, rng.uniform(0.4, 0.8), span=3e3)
    image = points(shape, center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle), flux)
    field = int(count * log_uniform(rng, 0.2, 6))
    return image + sprinkle(shape, rng, field, rng.uniform(0.7, 1.2), rng.uniform(0.05, 0.5))
