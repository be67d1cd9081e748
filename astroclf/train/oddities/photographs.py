# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Things that are not the sky, as cameras show them."""

from functools import cache
from importlib.resources import files

import numpy as np
from scipy import ndimage

from astroclf.datasets.scenes.drawing import cloud, log_uniform, ramp
from astroclf.exceptions import MissingDependencyError
from astroclf.train.examples import open_picture

__all__ = ["crop", "crop_photograph", "draw_collage", "draw_still_life", "draw_ultrasound", "read_photograph"]

_PHOTOGRAPHS = (
    "astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png",
    "grass.png", "gravel.png", "ihc.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
"""Those of scikit-image that show nothing of the sky."""


def draw_collage(shape, rng):
    """
    Draw things in front of things, each shaded and textured: dead leaves, whose statistics are those of photographs.

    Sizes follow an inverse cube (Lee, Mumford & Huang 2001); the last leaf hides what is behind it.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    image = np.full(shape, rng.random(), np.float32)
    texture, least = cloud(shape, rng, rng.uniform(0.6, 1.6)), rng.uniform(4, 15)
    for _ in range(int(log_uniform(rng, 30, 250))):
        size = min(least / np.sqrt(rng.random()), 0.5 * min(shape))
        dy, dx, turn = y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1]), rng.uniform(0, np.pi)
        u, v = dx * np.cos(turn) + dy * np.sin(turn), (dy * np.cos(turn) - dx * np.sin(turn)) / rng.uniform(0.3, 1)
        leaf = (np.hypot(u, v) if rng.random() < 0.5 else np.maximum(np.abs(u), np.abs(v))) < size
        shading = rng.random() + rng.normal(0, 0.2) * u / size + rng.uniform(0, 0.15) * np.roll(texture, int(size))
        image[leaf] = shading[leaf]
    return ndimage.gaussian_filter(image, rng.uniform(0.3, 1.2)).clip(0, 1)


def draw_still_life(shape, rng):
    """
    Draw barrels and blocks before a ground out of focus, with grain and shadow.

    There are no balls among them, which would speak against planets.
    """
    ground = rng.random() + rng.normal(0, 0.4) * ramp(shape, rng) + rng.uniform(0.02, 0.2) * cloud(shape, rng, 2.2)
    image, light = ndimage.gaussian_filter(ground, rng.uniform(2, 12)), rng.normal(size=2)
    light = np.append(light, rng.uniform(0.5, 2))
    light /= np.linalg.norm(light)
    for _ in range(int(log_uniform(rng, 4, 20))):
        _put_solid(image, light, rng)
    image = ndimage.gaussian_filter(image, rng.uniform(0.4, 1.5)) * (1 - rng.uniform(0, 0.5) * ramp(shape, rng) ** 2)
    return np.clip(image, 0, 1) ** log_uniform(rng, 0.7, 1.5)


def _put_solid(image, light, rng):
    """Put one thing into a picture, lit from where ``light`` points, (x, y, to the camera)."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    size, turn = log_uniform(rng, 0.08, 0.5) * min(image.shape), rng.uniform(0, np.pi)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    place = [x - rng.uniform(0, image.shape[1]), y - rng.uniform(0, image.shape[0])]
    u, v = np.tensordot(turned, place, axes=1) / size
    v, (a, b) = v / rng.uniform(0.4, 1), turned @ light[:2]
    inside, bulge = np.maximum(np.abs(u), np.abs(v)) < 1, rng.choice([1, 0.2])
    lit = a * bulge * u + light[2] * np.sqrt(np.clip(1 - (bulge * u) ** 2, 0, 1))
    grain = cloud(image.shape, rng, rng.uniform(0.4, 1.8))
    if rng.random() < 0.4:
        grain = ndimage.gaussian_filter1d(grain, rng.uniform(2, 8), axis=rng.integers(2))
        grain /= grain.std()
    albedo = rng.uniform(0.2, 1) * (1 + rng.uniform(0, 0.25) * grain)
    shade = albedo * (0.25 + 0.75 * np.clip(lit, 0, 1)) + rng.uniform(0, 0.5) * np.clip(lit, 0, 1) ** 30
    image *= 1 - rng.uniform(0, 0.5) * np.exp(-((u + a / 2) ** 2) - (v + b / 2) ** 2)
    image[inside] = shade[inside]


def draw_ultrasound(shape, rng):
    """Draw echoes as an ultrasound scanner shows them: layers and hollows in speckle, in a sector on black."""
    depth, beams = 300, 200
    tissue = np.exp(rng.uniform(0.3, 0.8) * cloud((depth, beams), rng, 2) + 0.5 * cloud((depth, 1), rng, 1.2))
    tissue *= cloud((depth, beams), rng, 2.2) > -rng.uniform(0.8, 2)
    waves = ndimage.gaussian_filter(rng.normal(size=(2, depth, beams)), (0, 1.0, 2.0))
    echoes = np.hypot(*waves) * tissue
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    radius, half = np.hypot(y[::-1] + 0.15 * shape[0], x - shape[1] / 2), rng.uniform(0.5, 0.8)
    angle = np.arctan2(x - shape[1] / 2, y[::-1] + 0.15 * shape[0])
    place = [(radius / shape[0] - 0.25) * depth, (angle / half + 1) / 2 * beams]
    image = np.log1p(20 * ndimage.map_coordinates(echoes, place, order=1, cval=0))
    return image / image.max()


def read_photograph(file):
    """Read a photograph, a path or an open file, in grey: float32 in [0, 1], row 0 at the bottom."""
    return open_picture(file).mean(axis=2, dtype=np.float32) / 255


@cache
def _photographs():
    try:
        folder = files("skimage.data")
    except ImportError as error:
        msg = f"photographs come from scikit-image, which cannot be imported ({error}); run: pip install scikit-image"
        raise MissingDependencyError(msg) from error
    loaded = []
    for name in _PHOTOGRAPHS:
        with folder.joinpath(name).open("rb") as stream:
            loaded.append(read_photograph(stream))
    return tuple(loaded)


def crop_photograph(shape, rng):
    """Cut a part out of one of scikit-image's photographs; see `crop`."""
    photographs = _photographs()
    return crop(photographs[rng.integers(len(photographs))], shape, rng)


def crop(whole, shape, rng):
    """Cut a part out of a photograph, at least half of its shorter side, and bring it to the shape."""
    scale = rng.uniform(0.5, 1) * min(n / m for n, m in zip(whole.shape, shape))
    size = [int(m * scale) for m in shape]
    start = [rng.integers(0, n - m + 1) for n, m in zip(whole.shape, size)]
    part = whole[start[0] : start[0] + size[0], start[1] : start[1] + size[1]]
    part = ndimage.gaussian_filter(part, 0.4 * scale) if scale > 1.2 else part
    rows, columns = (np.linspace(0, n - 1, m) for n, m in zip(part.shape, shape))
    return ndimage.map_coordinates(part, np.meshgrid(rows, columns, indexing="ij"), order=1).clip(0, 1)
