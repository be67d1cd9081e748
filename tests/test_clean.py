# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the sky: it is found, and objects survive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.clean import estimate_sky
from astroclf.datasets import draw_scene

SIDE = 224
LEVEL, SIGMA = 100.0, 3.0
SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60))


def noise(shape, seed=1):
    """Return Gaussian noise around the level."""
    return np.random.default_rng(seed).normal(LEVEL, SIGMA, shape).astype(np.float32)


def nothing(image):
    """Return a mask that masks nothing."""
    return np.zeros(image.shape, bool)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, 120), (300, 40)], ids=str)
def test_flat_noise(shape, seed):
    """On noise alone the level is within a tenth of the noise, the noise within 7 %, and there is no slope."""
    sky = estimate_sky(image := noise(shape, seed), nothing(image))
    assert sky.level.dtype == np.float32
    assert sky.level.shape == shape
    assert np.ptp(sky.level) == 0
    assert_allclose(sky.level, LEVEL, atol=0.1 * SIGMA)
    assert_allclose(sky.sigma, SIGMA, rtol=0.07)


@pytest.mark.parametrize("slope", [(0.3, -0.2), (0.0, 1.0), (-0.1, 0.05)], ids=str)
def test_gradients(slope):
    """A tilted sky is found to a tenth of the noise, everywhere in the image."""
    y, x = np.mgrid[:SIDE, :SIDE]
    plane = slope[0] * x + slope[1] * y
    sky = estimate_sky(image := noise((SIDE, SIDE)) + plane, nothing(image))
    assert_allclose(sky.level, LEVEL + plane, atol=0.1 * SIGMA)


# least part of the object's flux that is left, in each of three draws
KEPT = {"diffuse_nebula": 0.6, "supernova_remnant": 0.9, "early_type_galaxy": 0.75, "spiral_galaxy": 0.95}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scene", KEPT)
def test_objects_survive(scene, seed):
    """Of nebulae and galaxies that fill the frame most of the flux is left, and no slope is taken out."""
    light = 300 * draw_scene(scene, (SIDE, SIDE), np.random.default_rng(seed))
    sky = estimate_sky(image := noise((SIDE, SIDE)) + light, nothing(image))
    assert np.ptp(sky.level) == 0
    assert KEPT[scene] < (image - sky.level).sum() / light.sum() < 1.05
    assert 0.9 * SIGMA < sky.sigma < 1.5 * SIGMA


def test_galaxy_beyond_the_frame():
    """A galaxy brighter than the noise up to the corners keeps its shape and over half of its flux."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    galaxy = 500 * np.exp(-np.hypot(x, 1.5 * y) / 60)
    sky = estimate_sky(image := noise((SIDE, SIDE)) + galaxy, nothing(image))
    assert np.ptp(sky.level) == 0
    assert 0.55 < (image - sky.level).sum() / galaxy.sum() < 1


def test_masked_pixels_do_not_count():
    """Level and noise are the same whatever the masked pixels hold, also NaN."""
    mask = np.random.default_rng(2).random((SIDE, SIDE)) < 0.3
    mask[:, :90] = True
    results = [estimate_sky(np.where(mask, np.float32(value), noise(mask.shape)), mask) for value in (0, 1e9, np.nan)]
    for sky in results:
        assert_array_equal(sky.level, results[0].level)
        assert sky.sigma == results[0].sigma
    assert_allclose(results[0].level, LEVEL, atol=0.2 * SIGMA)


def test_nan_is_as_good_as_masked():
    """Pixels that are not finite are left out without a mask."""
    image = noise((SIDE, SIDE))
    image[:, 100:150] = np.nan
    assert_allclose(estimate_sky(image, nothing(image)).level, LEVEL, atol=0.1 * SIGMA)


def test_constant():
    """A constant image has its own level and no noise."""
    image = np.full((50, 60), 7, np.float32)
    sky = estimate_sky(image, nothing(image))
    assert_array_equal(sky.level, image)
    assert sky.sigma == 0


@pytest.mark.parametrize("shape", [(1, 224), (5, 224), (224, 1), (3, 3), (1, 1)], ids=str)
def test_thin_and_tiny(shape):
    """A row, a column and a handful of pixels have a sky too."""
    image = noise(shape)
    sky = estimate_sky(image, nothing(image))
    assert_allclose(sky.level, LEVEL, atol=3 * SIGMA)
    assert sky.level.shape == shape


def test_few_good_pixels():
    """Where all boxes are mostly masked the good pixels are taken together; where none is good the sky is 0."""
    image = noise((SIDE, SIDE))
    mask = np.random.default_rng(3).random(image.shape) > 0.05
    sky = estimate_sky(image, mask)
    assert_allclose(sky.level, LEVEL, atol=0.1 * SIGMA)
    assert_allclose(sky.sigma, SIGMA, rtol=0.1)
    empty = estimate_sky(image, np.ones(image.shape, bool))
    assert (np.ptp(empty.level), empty.level[0, 0], empty.sigma) == (0, 0, 0)


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, masked=st.floats(0, 1), boxes=st.integers(1, 100), seed=st.integers(0, 99))
def test_sky_is_finite(shape, masked, boxes, seed):
    """Whatever the shape, the mask and the mesh, the sky is finite, and the image is not modified."""
    rng = np.random.default_rng(seed)
    image, mask = noise(shape, seed), rng.random(shape) < masked
    image[rng.random(shape) < 0.1] = np.nan
    before = image.copy()
    sky = estimate_sky(image, mask, boxes)
    assert np.isfinite(sky.level).all()
    assert np.isfinite(sky.sigma)
    assert sky.sigma >= 0
    assert_array_equal(image, before)


@pytest.mark.parametrize(("gain", "offset"), [(5.0, 0.0), (1e-6, 0.0), (1e6, 0.0), (1.0, -5000.0)])
def test_sky_scales_with_the_image(gain, offset):
    """Level and noise follow the unit and the bias of the image."""
    image = noise((SIDE, SIDE))
    plain, scaled = (
        estimate_sky(np.float32(a) * image + np.float32(b), nothing(image)) for a, b in ((1, 0), (gain, offset))
    )
    assert_allclose(scaled.level, gain * plain.level + offset, rtol=1e-4)
    assert_allclose(scaled.sigma, gain * plain.sigma, rtol=1e-3)
