# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of rendering: reduction keeps light where it is, stretches keep noise dark and end in [0, 1]."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.render import choose_scales, fit_inside, reduce_image, to_rgb

SCALES = {"black": 1.0, "white": 15.0, "percentile": (99.5, 99.7, 99.9), "softening": (2.0, 8.0, -0.15)}
NUMBERS = st.floats(-1e4, 1e4, width=32)
HUGE = 2.0**100


def nothing(shape):
    """Return a mask that masks nothing."""
    return np.zeros(shape, bool)


def noise(shape=(100, 120), sigma=1.0):
    """Return Gaussian noise around 0."""
    return np.random.default_rng(1).normal(0, sigma, shape).astype(np.float32)


# ------------------------------------------------------------------------------------------ reduction


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((100, 200), 50, (25, 50)), ((200, 100), 50, (50, 25)), ((30, 30), 224, (224, 224)), ((16, 10000), 224, (1, 224)),
     ((4146, 4096), 224, (224, 221)), ((1, 1), 7, (7, 7))],
)  # fmt: skip
def test_fit_inside(shape, size, expected):
    """The longer side becomes the size, the other keeps the aspect ratio and never vanishes."""
    assert fit_inside(shape, size) == expected


@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.integers(1, 512))
def test_fit_inside_keeps_the_aspect_ratio(shape, size):
    """The aspect ratio is kept to half a pixel."""
    fitted = fit_inside(shape, size)
    assert max(fitted) == size
    assert all(abs(n - max(1, old * size / max(shape))) <= 0.5 for n, old in zip(fitted, shape))


@given(st.data())
def test_block_means(data):
    """By a whole factor, reduction is the mean of blocks, and the total flux is kept."""
    (ny, nx), (fy, fx) = (data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8))) for _ in range(2))
    image = data.draw(arrays(np.float32, (ny * fy, nx * fx), elements=NUMBERS))
    reduced, empty = reduce_image(image, nothing(image.shape), (ny, nx))
    blocks = image.reshape(ny, fy, nx, fx).astype(float).mean(axis=(1, 3))
    assert_allclose(reduced, blocks, rtol=1e-5, atol=1e-2)
    assert_allclose(reduced.sum() * fy * fx, image.sum(dtype=float), rtol=1e-4, atol=5)
    assert reduced.dtype == np.float32
    assert not empty.any()


@given(st.tuples(st.integers(1, 60), st.integers(1, 60)), st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_surface_brightness(old, new):
    """An even image keeps its brightness in any shape, larger or smaller."""
    reduced, _ = reduce_image(np.full(old, 7.25, np.float32), nothing(old), new)
    assert reduced.shape == new
    assert_allclose(reduced, 7.25, rtol=1e-5)


@settings(max_examples=50)
@given(st.tuples(st.integers(2, 60), st.integers(2, 60)), st.data())
def test_total_flux(old, data):
    """Shrinking by any factor, fractions of pixels counted, keeps the total flux."""
    new = tuple(data.draw(st.integers(1, n)) for n in old)
    image = noise(old, 100) + 50
    reduced, _ = reduce_image(image, nothing(old), new)
    area = np.prod(old) / np.prod(new)
    assert_allclose(reduced.sum(dtype=float) * area, image.sum(dtype=float), rtol=1e-4)


def test_fractions_of_pixels():
    """A pixel across an edge is shared by length: 3 pixels become 2 with weights 2/3 and 1/3."""
    reduced, _ = reduce_image(np.float32([[0, 3, 30]]), nothing((1, 3)), (1, 2))
    assert_allclose(reduced, [[1, 21]])


def test_position_is_kept():
    """A source stays where it was, in units of the frame."""
    y, x = np.mgrid[:300, :200]
    image = np.exp(-((x - 60) ** 2 + (y - 210) ** 2) / 200).astype(np.float32)
    reduced, _ = reduce_image(image, nothing(image.shape), (45, 30))
    rows, columns = np.indices(reduced.shape) + 0.5
    center = [np.average(axis, weights=reduced) for axis in (rows, columns)]
    assert_allclose(center, [210.5 * 45 / 300, 60.5 * 30 / 200], atol=0.01)


def test_growing_is_linear():
    """An image that grows is interpolated linearly between pixel centres and constant beyond them."""
    reduced, _ = reduce_image(np.float32([[0, 1, 2, 3]]), nothing((1, 4)), (1, 16))
    assert_allclose(reduced[0], np.clip((np.arange(16) + 0.5) / 4 - 0.5, 0, 3), atol=1e-6)


@pytest.mark.parametrize(("old", "new"), [((1, 8), (1, 4)), ((8, 1), (4, 1)), ((1, 1), (5, 7)), ((1, 8), (3, 2))])
def test_axis_of_one_pixel(old, new):
    """An axis of one pixel is repeated."""
    image = np.arange(np.prod(old), dtype=np.float32).reshape(old)
    reduced, _ = reduce_image(image, nothing(old), new)
    assert reduced.shape == new
    assert_allclose(reduced.mean(), image.mean())


@pytest.mark.parametrize("value", [0.0, 1e30, np.nan, np.inf])
def test_masked_pixels_do_not_spread(value):
    """What a masked pixel holds changes nothing; its block is the mean of the others."""
    image, mask = noise((40, 40)), nothing((40, 40))
    mask[10:13, 20:22] = True
    expected = np.where(mask, np.nan, image).reshape(10, 4, 10, 4)
    image[mask] = value
    reduced, empty = reduce_image(image, mask, (10, 10))
    assert_allclose(reduced, np.nanmean(expected, axis=(1, 3)), atol=1e-6)
    assert not empty.any()


def test_empty_pixels():
    """A new pixel with fewer good old ones than a tenth of its area is empty, and 0; the next ones are not."""
    mask = nothing((30, 30))
    mask[:10, :10] = True
    mask[9, :9] = False
    mask[10:20, :10] = True
    mask[15, :] = False
    reduced, empty = reduce_image(np.ones((30, 30), np.float32), mask, (3, 3))
    assert np.argwhere(empty).tolist() == [[0, 0]]
    assert_allclose(reduced, ~empty)


def test_reduction_does_not_modify():
    """Image and mask are as they were."""
    image, mask = noise((20, 20)), noise((20, 20)) > 1
    before = image.copy(), mask.copy()
    reduce_image(image, mask, (7, 9))
    assert_array_equal(image, before[0])
    assert_array_equal(mask, before[1])


# ---------------------------------------------------------------------------------------- stretching


def render(data, sigma):
    """Return the picture of an image with the usual settings."""
    return to_rgb(data, choose_scales(data, sigma, **SCALES))


@settings(max_examples=100)
@given(arrays(np.float32, (9, 11), elements=st.floats(-HUGE, HUGE, width=32)), st.floats(0, HUGE))
def test_pictures_are_in_range(data, sigma):
    """Whatever the image and its noise, the picture is finite, float32 and in [0, 1]."""
    before = data.copy()
    rgb = render(data, sigma)
    assert (rgb.shape, rgb.dtype) == ((9, 11, 3), np.float32)
    assert np.isfinite(rgb).all()
    assert 0 <= rgb.min() <= rgb.max() <= 1
    assert_array_equal(data, before)


@pytest.mark.parametrize("sigma", [0.0, 1e-20, 1.0])
def test_image_without_anything(sigma):
    """An image of nothing but sky, with or without noise, is evenly dark, not black."""
    rgb = render(np.zeros((20, 30), np.float32), sigma)
    assert np.ptp(rgb, axis=(0, 1)).max() == 0
    assert 0 < rgb.max() < 0.3


def test_noise_stays_dark():
    """In an image of noise alone the least white level holds: hardly a pixel gets to half of white."""
    rgb = render(noise(), 1.0)
    assert np.median(rgb) < 0.25
    assert np.mean(rgb > 0.5) < 0.01


def test_image_without_noise():
    """A noise-free image shows its faint parts: a ramp over three decades rises all along."""
    ramp = np.geomspace(1, 1000, 400, dtype=np.float32).reshape(20, 20)
    rgb = render(ramp, 0.0).reshape(400, 3)
    below = ramp.ravel() < np.percentile(ramp, 99.5)
    assert (np.diff(rgb[below], axis=0) > 0).all()
    assert rgb[-1].min() == 1


@given(st.lists(st.floats(-100, 1e5, width=32), min_size=50, max_size=80), st.floats(0.01, 100))
def test_brighter_is_never_darker(values, sigma):
    """The order of brightness is kept in every channel."""
    rgb = render(np.sort(np.float32(values))[None], sigma)[0]
    assert (np.diff(rgb, axis=0) >= -1e-6).all()


def test_hot_pixel_does_not_set_white():
    """One pixel a million times brighter changes no other."""
    image = noise() + 40 * np.exp(-np.hypot(*np.mgrid[-50:50, -60:60]) / 8).astype(np.float32)
    hot = image.copy()
    hot[3, 4] = 1e6
    cold = np.delete(render(image, 1.0).reshape(-1, 3), 3 * 120 + 4, axis=0)
    assert_allclose(np.delete(render(hot, 1.0).reshape(-1, 3), 3 * 120 + 4, axis=0), cold, atol=0.03)
    assert render(hot, 1.0)[3, 4].min() == 1


def test_limits_of_the_interval():
    """Black is a sigma below the sky and white the percentile, or the least white where that is brighter."""
    faint, bright = noise(), noise() + np.float32(0)
    bright[:10] = 500
    for image, white in ((faint, 15), (bright, 500)):
        for scale in choose_scales(image, 1.0, **SCALES):
            assert_allclose(scale(np.float32([-1, white])), [0, 1], atol=1e-6)


def test_softening():
    """A channel of larger softening is darker in between: red shows faint light, blue only bright light."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    rgb = render(image, 1.0)
    middle = (image > 20) & (image < 200)
    red, green, blue = rgb[middle].mean(axis=0)
    assert red > green > blue


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e12])
def test_unit_does_not_matter(factor):
    """The picture is the same in any unit."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    assert_allclose(render(image * np.float32(factor), factor), render(image, 1.0), atol=1e-5)
