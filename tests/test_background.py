# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the sky: level, slope and noise are found, and objects survive, whatever part of the frame they fill."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.clean import Background, Sky, find_sources
from astroclf.datasets import draw_scene
from astroclf.render import reduce_image
from astroclf.taxonomy import labels

SIDE = 224
LEVEL, SIGMA = 100.0, 3.0
SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60))
SCENES = [label for label in labels() if label != "no_source"]


def noise(shape=(SIDE, SIDE), seed=1):
    """Return Gaussian noise around the level."""
    return np.random.default_rng(seed).normal(LEVEL, SIGMA, shape).astype(np.float32)


def nothing(image):
    """Return a mask that masks nothing."""
    return np.zeros(image.shape, bool)


def measure(image, mask=None, **settings_of):
    """Return level of the sky at every pixel, and its noise."""
    sky = Background(**settings_of)(image, nothing(image) if mask is None else mask)
    return sky.on(image.shape), sky.sigma


# -------------------------------------------------------------------------------------------- sky alone


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (SIDE, 120), (300, 40)], ids=str)
def test_flat_noise(shape, seed):
    """On noise alone the level is within a tenth of the noise, the noise within 7 %, and there is no slope."""
    level, sigma = measure(noise(shape, seed))
    assert level.dtype == np.float32
    assert level.shape == shape
    assert np.ptp(level) == 0
    assert_allclose(level, LEVEL, atol=0.1 * SIGMA)
    assert_allclose(sigma, SIGMA, rtol=0.07)


@pytest.mark.parametrize("slope", [(0.3, -0.2), (0.0, 1.0), (-0.1, 0.05)], ids=str)
def test_gradients(slope):
    """A tilted sky is found to a tenth of the noise, everywhere in the image, and is no noise."""
    y, x = np.mgrid[:SIDE, :SIDE]
    plane = slope[0] * x + slope[1] * y
    level, sigma = measure(noise() + plane)
    assert_allclose(level, LEVEL + plane, atol=0.1 * SIGMA)
    assert_allclose(sigma, SIGMA, rtol=0.12)


def test_mesh():
    """A sky that is no plane is followed if asked for, sources left out, and left alone if not."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    bowl = 60 * (x**2 + y**2)
    stars = 3000 * draw_scene("open_cluster", (SIDE, SIDE), np.random.default_rng(5))
    image = (noise() + bowl + stars).astype(np.float32)
    followed, _ = measure(image, model="mesh", boxes=16)
    assert np.abs(followed - bowl - LEVEL)[8:-8, 8:-8].mean() < 0.5 * SIGMA
    assert np.ptp(measure(image)[0]) == 0


def test_constant_model():
    """A slope is left alone if only a level is asked for."""
    x = np.arange(SIDE)
    assert np.ptp(measure(noise() + 0.3 * x, model="constant")[0]) == 0


# ---------------------------------------------------------------------------------------------- objects

# least part of the light that is left: of bright scenes (some hundred times the noise) and of faint ones (ten times)
KEPT = {300: 0.7, 30: 0.6}


@pytest.mark.parametrize("brightness", KEPT)
@pytest.mark.parametrize("scene", SCENES)
def test_objects_survive(scene, brightness):
    """Of objects that fill the frame most of the light is left, in each of four draws, and no slope is taken out."""
    for seed in range(4):
        light = brightness * draw_scene(scene, (SIDE, SIDE), np.random.default_rng(seed))
        image = (noise() + light).astype(np.float32)
        level, sigma = measure(image)
        assert np.ptp(level) == 0
        assert KEPT[brightness] < (image - level).sum() / light.sum() < 1.15
        assert 0.9 * SIGMA < sigma < 1.2 * SIGMA


def test_most_light_of_most_objects():
    """Of bright scenes of all classes, half keep 95 per cent of their light or more."""
    kept = []
    for scene in SCENES:
        for seed in range(3):
            light = 300 * draw_scene(scene, (SIDE, SIDE), np.random.default_rng(seed))
            level, _ = measure((noise() + light).astype(np.float32))
            kept.append(1 - (level - LEVEL).sum() / light.sum())
    assert np.median(kept) > 0.95
    assert np.percentile(kept, 10) > 0.85


@pytest.mark.parametrize("scene", ["irregular_galaxy", "edge_on_galaxy", "open_cluster", "globular_cluster"])
def test_slopes_beneath_objects(scene):
    """A slope is found beneath an object too, and the object keeps its light."""
    y, x = np.mgrid[:SIDE, :SIDE]
    plane, light = 0.2 * x - 0.1 * y, 300 * draw_scene(scene, (SIDE, SIDE), np.random.default_rng(1))
    image = (noise() + plane + light).astype(np.float32)
    level, sigma = measure(image)
    assert np.ptp(level - plane) < SIGMA
    assert 0.85 < (image - level).sum() / light.sum() < 1.05
    assert_allclose(sigma, SIGMA, rtol=0.12)


def test_galaxy_beyond_the_frame():
    """A galaxy brighter than the noise up to the corners keeps its shape and most of its flux."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    galaxy = 500 * np.exp(-np.hypot(x, 1.5 * y) / 60)
    level, _ = measure(image := noise() + galaxy)
    assert np.ptp(level) == 0
    assert 0.7 < (image - level).sum() / galaxy.sum() < 1


def test_nebula_on_one_side():
    """A nebula over half of the frame is not taken for a slope of the sky."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    nebula = 200 / (1 + np.exp(-(x - 0.5) / 0.06)) * (1 + 0.3 * np.sin(9 * y))
    level, _ = measure(noise() + nebula)
    assert_allclose(level, LEVEL, atol=SIGMA)


def test_sources():
    """Stars and their surroundings are sources; noise, single pixels and what is masked are not."""
    y, x = np.mgrid[-30:30, -30:30]
    star = 50 * np.exp(-(x**2 + y**2) / 8)
    flat = (noise((60, 60)) - LEVEL + star).astype(np.float32)
    flat[5, 5] = 1000
    found = find_sources(flat, nothing(flat), SIGMA)
    assert found[star > 3 * SIGMA].all()
    assert not found[5, 5]
    assert found[np.hypot(x, y) > 15].mean() < 0.02
    assert not find_sources(flat, ~nothing(flat), SIGMA).any()
    assert not find_sources(flat, nothing(flat), 0.0).any()


# -------------------------------------------------------------------------------------- reduced or not


def test_reduced_image_is_enough():
    """The sky of a reduced image is that of the full one: to a hundredth of the noise of a full pixel."""
    shape = (1344, 1120)
    x = np.arange(shape[1])
    light = 40 * draw_scene("galaxy_field", shape, np.random.default_rng(3))
    image = (noise(shape) + 0.004 * x + light).astype(np.float32)
    full = Background()(image, nothing(image))
    reduced, empty = reduce_image(image, nothing(image), (224, 187))
    small = Background()(reduced, empty)
    assert_allclose(small.on((60, 50)), full.on((60, 50)), atol=0.1 * SIGMA)
    assert_allclose(small.sigma * 6, full.sigma, rtol=0.1)


def test_sky_on_any_grid():
    """The sky can be had on any grid and of any part; a plane stays one."""
    sky = Sky(np.add.outer(np.arange(4.0), 10 * np.arange(5.0)).astype(np.float32), 1.0)
    fine = sky.on((400, 500))
    assert_allclose(np.diff(fine, axis=0), 0.01, rtol=1e-2)
    assert_allclose(np.diff(fine, axis=1), 0.1, rtol=1e-2)
    assert_allclose(sky.on((4, 5)), sky.knots, atol=1e-5)
    part = sky.within((slice(0.25, 0.5), slice(0.2, 0.8)), 2.0)
    assert part.sigma == 2
    assert_allclose(part.on((100, 300)), fine[100:200, 100:400], atol=1e-4)


# ------------------------------------------------------------------------------------- masks and extremes


def test_masked_pixels_do_not_count():
    """Level and noise are the same whatever the masked pixels hold, also NaN."""
    mask = np.random.default_rng(2).random((SIDE, SIDE)) < 0.3
    mask[:, :90] = True
    results = [measure(np.where(mask, np.float32(value), noise()), mask) for value in (0, 1e9, np.nan)]
    for level, sigma in results:
        assert_array_equal(level, results[0][0])
        assert sigma == results[0][1]
    assert_allclose(results[0][0], LEVEL, atol=0.2 * SIGMA)


def test_nan_is_as_good_as_masked():
    """Pixels that are not finite are left out without a mask."""
    image = noise()
    image[:, 100:150] = np.nan
    assert_allclose(measure(image)[0], LEVEL, atol=0.1 * SIGMA)


def test_constant():
    """A constant image has its own level and no noise."""
    image = np.full((50, 60), 7, np.float32)
    level, sigma = measure(image)
    assert_array_equal(level, image)
    assert sigma == 0


@pytest.mark.parametrize("shape", [(1, 224), (5, 224), (224, 1), (3, 3), (1, 1)], ids=str)
def test_thin_and_tiny(shape):
    """A row, a column and a handful of pixels have a sky too."""
    level, _ = measure(noise(shape))
    assert_allclose(level, LEVEL, atol=3 * SIGMA)
    assert level.shape == shape


def test_few_good_pixels():
    """Where all boxes are mostly masked the good pixels are taken together; where none is good the sky is 0."""
    image = noise()
    mask = np.random.default_rng(3).random(image.shape) > 0.05
    level, sigma = measure(image, mask)
    assert_allclose(level, LEVEL, atol=0.1 * SIGMA)
    assert_allclose(sigma, SIGMA, rtol=0.1)
    level, sigma = measure(image, ~nothing(image))
    assert (np.ptp(level), level[0, 0], sigma) == (0, 0, 0)


@pytest.mark.parametrize("model", ["plane", "constant", "mesh"])
@settings(max_examples=40)
@given(shape=SHAPES, masked=st.floats(0, 1), boxes=st.integers(1, 100), seed=st.integers(0, 99))
def test_sky_is_finite(model, shape, masked, boxes, seed):
    """Whatever the shape, the mask and the mesh, the sky is finite, and the image is not modified."""
    rng = np.random.default_rng(seed)
    image, mask = noise(shape, seed), rng.random(shape) < masked
    image[rng.random(shape) < 0.1] = np.nan
    before = image.copy()
    level, sigma = measure(image, mask, boxes=boxes, model=model)
    assert np.isfinite(level).all()
    assert np.isfinite(sigma)
    assert sigma >= 0
    assert_array_equal(image, before)


@pytest.mark.parametrize(("gain", "offset"), [(5.0, 0.0), (1e-6, 0.0), (1e6, 0.0), (1.0, -5000.0)])
def test_sky_scales_with_the_image(gain, offset):
    """Level and noise follow the unit and the bias of the image."""
    image = noise() + 300 * draw_scene("spiral_galaxy", (SIDE, SIDE), np.random.default_rng(2)).astype(np.float32)
    (level, sigma), (scaled, scaled_sigma) = measure(image), measure(image * np.float32(gain) + np.float32(offset))
    assert_allclose(scaled, gain * level + offset, rtol=1e-3, atol=1e-3 * gain * SIGMA)
    assert_allclose(scaled_sigma, gain * sigma, rtol=1e-2)


@pytest.mark.parametrize(
    ("settings_of", "message"),
    [({"boxes": 0}, "boxes must be at least 1; got 0"),
     ({"darkest": 101}, "darkest is a percentile, from 0 to 100; got 101"),
     ({"model": "spline"}, "model must be one of plane, constant, mesh; got 'spline'")],
)  # fmt: skip
def test_wrong_settings(settings_of, message):
    """Settings that make no sense are refused by name."""
    with pytest.raises(ValueError, match=message):
        Background(**settings_of)
