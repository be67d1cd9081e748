# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the pattern of the electronics: stripes and steps go, objects stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.clean import Pattern
from astroclf.datasets import draw_scene
from astroclf.taxonomy import labels

SHAPE = (224, 200)
SCENES = [label for label in labels() if label != "no_source"]


def noise(shape=SHAPE, seed=1):
    """Return Gaussian noise of unit scatter around 0."""
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def nothing(shape=SHAPE):
    """Return a mask that masks nothing."""
    return np.zeros(shape, bool)


def pattern(image, mask=None, sigma=1.0):
    """Return the pattern of an image."""
    return Pattern()(image, nothing(image.shape) if mask is None else mask, sigma)


def left(found, true):
    """Return the scatter of a pattern before and after what was found of it is taken out."""
    return np.std(true), np.std(true - found)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_pattern(seed):
    """In noise alone nothing is found."""
    assert not pattern(noise(seed=seed)).any()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("strength", [0.4, 1.0, 4.0])
def test_stripes(axis, strength):
    """Stripes along rows or columns, as strong as the noise or stronger, lose most of their scatter; weak ones half."""
    rng = np.random.default_rng(2)
    stripes = np.broadcast_to(np.expand_dims(strength * rng.normal(size=SHAPE[1 - axis]), axis), SHAPE)
    before, after = left(pattern(noise() + stripes.astype(np.float32)), stripes)
    assert after < before * (0.65 if strength < 1 else 0.5)


@pytest.mark.parametrize("height", [-60, -2, 2, 60])
def test_bad_lines(height):
    """A bad row and a bad column are found to a few tenths of the noise, and nothing else is."""
    true = np.zeros(SHAPE, np.float32)
    true[70] = height
    true[:, 150] = height
    found = pattern(noise() + true)
    assert_allclose(found[70, :140], height, atol=0.4)
    assert_allclose(found[:60, 150], height, atol=0.4)
    assert np.count_nonzero(np.delete(np.delete(found, 70, axis=0), 150, axis=1)) == 0


@pytest.mark.parametrize("scene", ["no_source", "galaxy_field", "star_field"])
def test_steps(scene):
    """The four quarters of an image are levelled."""
    true = np.zeros(SHAPE, np.float32)
    true[112:, :100], true[:112, 100:], true[112:, 100:] = 2, -1.5, 3
    image = noise() + 60 * draw_scene(scene, SHAPE, np.random.default_rng(3)).astype(np.float32) + true
    rest = true - pattern(image)
    quarters = [rest[a, b].mean() for a in (slice(112), slice(112, None)) for b in (slice(100), slice(100, None))]
    assert np.ptp(quarters) < 0.5


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("brightness", [30, 1000])
def test_objects_are_no_pattern(scene, brightness):
    """Of objects, faint or bright, no more is taken for a pattern than two per cent of their light."""
    for seed in range(3):
        light = brightness * draw_scene(scene, SHAPE, np.random.default_rng(seed))
        found = pattern(noise(seed=seed) + light.astype(np.float32))
        assert np.abs(found).sum() < 0.02 * light.sum() + 0.05 * light.size


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("thickness", [1.0, 3.0, 8.0])
def test_edge_on_galaxies_along_lines(axis, thickness):
    """An edge-on galaxy along a row or a column keeps its light, however thin."""
    y, x = np.mgrid[-112:112, -100:100]
    along, across = (x, y) if axis else (y, x)
    galaxy = (80 * np.exp(-np.abs(along) / 25 - np.abs(across) / thickness)).astype(np.float32)
    found = pattern(noise() + galaxy)
    assert np.abs((found * galaxy).sum()) < 0.02 * (galaxy**2).sum()


def test_lines_between_sources():
    """A line that alone is seen between lines that sources cover is no stripe, though the sky there is not at 0."""
    image = noise() + np.float32(1.5)
    image[20:200, 60:] += 30
    image[99:102, 60:] -= 30  # one line is left of three, for sources count as a pixel larger
    found = pattern(image)
    assert not found[100].any()


def test_masked_pixels_do_not_count():
    """What masked pixels hold changes nothing."""
    mask = np.random.default_rng(4).random(SHAPE) < 0.2
    image = noise() + np.random.default_rng(5).normal(0, 1, (SHAPE[0], 1)).astype(np.float32)
    results = [pattern(np.where(mask, np.float32(value), image), mask) for value in (0, 1e9, np.nan)]
    assert results[0].any()
    for found in results[1:]:
        assert_array_equal(found, results[0])


@settings(max_examples=40)
@given(st.tuples(st.integers(1, 120), st.integers(1, 120)), st.floats(0, 1), st.sampled_from([0.0, 1.0]))
def test_any_image(shape, masked, sigma):
    """Whatever the shape, the mask and the noise, the pattern is finite, and the image is not modified."""
    image, mask = noise(shape), np.random.default_rng(6).random(shape) < masked
    before = image.copy()
    found = pattern(image, mask, sigma)
    assert (found.shape, found.dtype) == (shape, np.float32)
    assert np.isfinite(found).all()
    assert_array_equal(image, before)
