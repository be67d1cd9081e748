# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of rendering: reduction keeps light where it is, stretches keep noise dark and end in [0, 1]."""

import numpy as np
import pytest
from astropy.visualization import PercentileInterval, ZScaleInterval
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from astroclf.clean import Sky
from astroclf.render import (
    Stretch,
    fill_empty,
    fit_inside,
    keep_points,
    parts_of,
    reduce_colours,
    reduce_image,
    to_rgb,
)

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


def test_pictures_in_colour_are_reduced():
    """Each channel is averaged for itself, from 0 to 1; what is transparent is black, and spreads no colour."""
    small = np.random.default_rng(0).integers(0, 256, (10, 15, 3), dtype=np.uint8)
    colours, mask = np.repeat(np.repeat(small, 3, axis=0), 3, axis=1), nothing((30, 45))
    mask[3:6, 6:9] = mask[0, 0] = True
    colours[mask] = 255
    rgb = reduce_colours(colours, mask, (10, 15))
    small[1, 2] = 0
    assert rgb.dtype == np.float32
    assert_allclose(rgb, small / 255, atol=1e-6)
    assert reduce_colours(np.full((30, 45, 3), 255, np.uint8), nothing((30, 45)), (7, 11)).max() <= 1


def test_reduction_does_not_modify():
    """Image and mask are as they were."""
    image, mask = noise((20, 20)), noise((20, 20)) > 1
    before = image.copy(), mask.copy()
    reduce_image(image, mask, (7, 9))
    assert_array_equal(image, before[0])
    assert_array_equal(mask, before[1])


@pytest.mark.parametrize("factor", [1, 2.5, 7, 18.3])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", ">f4"])
def test_any_type(factor, dtype):
    """Images of any type and byte order are reduced alike, to float32."""
    image = np.rint(noise((110, 130), 50)).astype(dtype)
    shape = tuple(int(n / factor) for n in image.shape)
    reduced, _ = reduce_image(image, nothing(image.shape), shape)
    assert reduced.dtype == np.float32
    assert_allclose(reduced, reduce_image(image.astype(np.float32), nothing(image.shape), shape)[0], atol=1e-4)


# ----------------------------------------------------------------------------------------------- gaps


def test_nothing_to_fill():
    """An image without gaps is handed back."""
    image = noise()
    assert fill_empty(image, nothing(image.shape)) is image


@pytest.mark.parametrize("width", [1, 2, 4])
def test_gaps_have_no_edges(width):
    """A gap in a slope is filled so that nobody sees it: no step is larger than a few of those of the slope."""
    slope = np.repeat(np.arange(60, dtype=np.float32)[:, None], 50, axis=1)
    empty = nothing(slope.shape)
    empty[30 : 30 + width] = True
    filled = fill_empty(np.where(empty, 1e6, slope).astype(np.float32), empty)
    assert_array_equal(filled[~empty], slope[~empty])
    assert np.abs(np.diff(filled, axis=0)).max() < 3


def test_holes_are_sky():
    """Far from anything a hole is sky."""
    image, empty = np.full((60, 60), 9, np.float32), nothing((60, 60))
    empty[10:50, 10:50] = True
    filled = fill_empty(image, empty)
    assert filled[30, 30] == 0
    assert_allclose(filled[10, 30], 9, rtol=1e-5)


# ---------------------------------------------------------------------------------------- small stars

FULL, REDUCED = (1800, 1600), (90, 80)
SKY = Sky(np.full((1, 1), 50, np.float32), 0.05)


def starry(peak, fwhm=2.0, count=40, seed=4):
    """Return a full image with stars of one height above a noise of 1, its sky at 50, and where they are."""
    rng = np.random.default_rng(seed)
    image = rng.normal(50, 1, FULL).astype(np.float32)
    places = rng.uniform(20, np.array(FULL) - 20, (count, 2))
    y, x = np.mgrid[-6:7, -6:7]
    for row, column in places:
        r, c = round(row), round(column)
        square = ((y + r - row) ** 2 + (x + c - column) ** 2) * (4 * np.log(2) / fwhm**2)
        image[r - 6 : r + 7, c - 6 : c + 7] += peak * np.exp(-square)
    return image, places


def lift(image, mask=None, **settings):
    """Return the reduced image, before and after stars are kept."""
    mask = nothing(image.shape) if mask is None else mask
    flat = reduce_image(image, mask, REDUCED)[0] - 50
    return flat, keep_points(flat, SKY.sigma, image, mask, sky=SKY, **{"least": 8.0, "most": 10.0} | settings)


@pytest.mark.parametrize(("fwhm", "peak"), [(1.7, 20), (2.0, 15), (3.0, 12)])
def test_no_star_vanishes(fwhm, peak):
    """Stars over ten times the noise high, of which the area average keeps next to nothing, are plain to see."""
    image, places = starry(peak, fwhm)
    flat, lifted = lift(image)
    at = tuple((places / 20).astype(int).T)
    before, after = ((values / SKY.sigma) for values in (flat, lifted))
    seen = [
        np.mean([values[r - 1 : r + 2, c - 1 : c + 2].max() > 8 for r, c in zip(*at)]) for values in (before, after)
    ]
    assert seen[0] < 0.6
    assert seen[1] > 0.95
    assert after.max() <= max(10.001, before.max())


def test_noise_is_not_lifted():
    """In noise alone nothing is a star, nor is a hot pixel, nor a bad column, nor a thin track."""
    image, _ = starry(0)
    image[300, 400] = image[1000:1030, 700] = 5000
    image[np.arange(500, 520), np.arange(500, 520)] = 5000
    flat, lifted = lift(image)
    assert_array_equal(lifted, flat)


def test_masked_stars_are_not_kept():
    """What is masked is no star, and what masked pixels hold does not matter."""
    image, places = starry(20)
    mask = nothing(FULL)
    for row, column in places:
        mask[round(row) - 3 : round(row) + 4, round(column) - 3 : round(column) + 4] = True
    for value in (20, np.nan, np.inf):
        flat, lifted = lift(np.where(mask, np.float32(value), image), mask)
        assert_array_equal(lifted, flat)


def test_bright_stars_keep_their_flux():
    """Only what would vanish is lifted: of bright stars the reduced image has all the flux, and no more."""
    image, _ = starry(5000, count=5)
    flat, lifted = lift(image)
    assert_array_equal(lifted[flat > 10 * SKY.sigma], flat[flat > 10 * SKY.sigma])


def test_little_reduced():
    """An image that is hardly reduced loses no star, and is handed back."""
    image, _ = starry(20)
    flat = image[:160, :160] - 50
    assert keep_points(flat, 1.0, image[:320, :320], nothing((320, 320)), sky=SKY, least=8, most=10) is flat


# ----------------------------------------------------------------------------------------------- views

PART = (slice(10, 1010), slice(0, 600))


def test_parts():
    """The whole, its middle and its tiles are where they should be; tiles cover it once."""
    parts = parts_of(PART, np.zeros((100, 60), np.float32), 1.0, ("whole", "centre", "tiles"), tiles=3)
    assert parts["whole"] == PART
    assert parts["centre"] == (slice(260, 760), slice(150, 450))
    covered = np.zeros((1010, 600), int)
    for name in (name for name in parts if name.startswith("tile")):
        covered[parts[name]] += 1
    assert (covered[10:] == 1).all()
    assert parts["tile 1,3"] == (slice(10, 343), slice(400, 600))


def test_parts_around_sources():
    """Squares lie around the brightest sources, brightest first, within the part."""
    y, x = np.mgrid[:100, :60]
    flat = noise((100, 60))
    for (row, column), height in {(20, 30): 400, (70, 10): 900, (95, 55): 100}.items():
        flat += height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 8)
    parts = parts_of(PART, flat.astype(np.float32), 1.0, ("sources",), sources=3)
    assert list(parts) == ["source 1", "source 2", "source 3"]
    for (rows, columns), (row, column) in zip(parts.values(), [(70, 10), (20, 30), (95, 55)]):
        assert rows.start <= 10 + 10 * row + 5 < rows.stop
        assert columns.start <= 10 * column + 5 < columns.stop
        assert rows.start >= 10
        assert rows.stop <= 1010
        assert columns.stop <= 600


def test_no_sources():
    """Noise, and an image without noise, have no sources."""
    assert parts_of(PART, noise((100, 60)), 1.0, ("sources",)) == {}
    assert parts_of(PART, np.zeros((100, 60), np.float32), 0.0, ("sources",)) == {}


@settings(max_examples=50)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_parts_of_tiny_frames(ny, nx, tiles):
    """Parts of the smallest frames are never empty and never outside."""
    parts = parts_of(
        (slice(0, ny), slice(0, nx)), np.zeros((ny, nx), np.float32), 1.0, ("whole", "centre", "tiles"), tiles=tiles
    )
    for rows, columns in parts.values():
        assert 0 <= rows.start < rows.stop <= ny
        assert 0 <= columns.start < columns.stop <= nx


def test_unknown_views():
    """Unknown kinds and numbers of views are refused by name."""
    with pytest.raises(ValueError, match="kinds must be among whole, centre, tiles, sources; got 'corner'"):
        parts_of(PART, noise((100, 60)), 1.0, ("whole", "corner"))
    with pytest.raises(ValueError, match="tiles and sources must be at least 1; got tiles=0, sources=4"):
        parts_of(PART, noise((100, 60)), 1.0, tiles=0)


# ---------------------------------------------------------------------------------------- stretching


def render(data, sigma, **settings):
    """Return the picture of an image, with the usual settings but for some."""
    return to_rgb(data, Stretch(**settings).scales(data, sigma))


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


def test_hot_pixels_do_not_set_white():
    """Some hot pixels in a thousand leave a galaxy as bright as it is without them."""
    image = noise() + 40 * np.exp(-np.hypot(*np.mgrid[-50:50, -60:60]) / 8).astype(np.float32)
    hot = np.random.default_rng(3).random(image.shape) < 0.004
    cold, struck = render(image, 1.0), render(np.where(hot, 3000, image).astype(np.float32), 1.0)
    assert_allclose(struck[~hot], cold[~hot], atol=0.1)
    assert cold[50, 60].min() > 0.7


def test_saturated_stars_do_not_set_white():
    """Saturated stars with bleeding columns, a thousandth of the pixels, leave a galaxy visible."""
    image = noise((400, 400)) + 40 * np.exp(-np.hypot(*np.mgrid[-200:200, -200:200]) / 30).astype(np.float32)
    saturated = image.copy()
    for row, column in ((40, 50), (300, 90)):
        saturated[row - 25 : row + 25, column] = 1e5
    rest = saturated == image
    assert_allclose(render(saturated, 1.0)[rest], render(image, 1.0)[rest], atol=0.15)


@pytest.mark.parametrize("curve", ["asinh", "log", "sqrt", "linear"])
@pytest.mark.parametrize("interval", ["noise", "zscale", "percentile", "minmax"])
def test_every_stretch(curve, interval):
    """Every curve with every interval gives a picture in [0, 1] that keeps the order of brightness."""
    image = np.sort(noise() + 40 * np.exp(-np.hypot(*np.mgrid[-50:50, -60:60]) / 8).astype(np.float32), axis=None)
    rgb = render(image[None], 1.0, curve=curve, interval=interval)[0]
    assert np.isfinite(rgb).all()
    assert (np.diff(rgb, axis=0) >= 0).all()
    assert rgb[0].max() < 0.05
    assert rgb[-1].min() > 0.95


@pytest.mark.parametrize("interval", ["zscale", "percentile", "minmax"])
def test_every_interval_of_an_even_image(interval):
    """An even image is evenly dark whatever the interval: there is nothing to stretch."""
    rgb = render(np.full((30, 30), 7, np.float32), 0.0, interval=interval)
    assert np.ptp(rgb, axis=(0, 1)).max() == 0
    assert np.isfinite(rgb).all()


def test_intervals_are_those_of_astropy():
    """The intervals zscale and percentile are astropy's, to the number."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    low, high = ZScaleInterval().get_limits(image)
    assert_allclose(
        render(image, 1.0, curve="linear", interval="zscale")[..., 0],
        np.clip((image - low) / (high - low), 0, 1),
        atol=1e-6,
    )
    low, high = PercentileInterval(99.0).get_limits(image)
    scale = Stretch(curve="linear", interval="percentile", percentile=(99.0, 99.5, 99.9)).scales(image, 1.0)[0]
    assert_allclose(scale(np.float32([low, high])), [0, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("settings_of", "message"),
    [({"curve": "cubic"}, "curve must be one of asinh, log, sqrt, linear; got 'cubic'"),
     ({"interval": "all"}, "interval must be one of noise, zscale, percentile, minmax; got 'all'"),
     ({"percentile": (99.0, 99.0, 101.0)}, "percentile holds shares from 0 to 100; got")],
)  # fmt: skip
def test_unknown_stretch(settings_of, message):
    """A stretch that is not there is refused by name."""
    with pytest.raises(ValueError, match=message):
        Stretch(**settings_of)


def test_grey():
    """The stretch for people is one and the same in all channels."""
    rgb = to_rgb(noise(), Stretch.grey().scales(noise(), 1.0))
    assert np.ptp(rgb, axis=2).max() == 0


def test_limits_of_the_interval():
    """Black is a sigma below the sky and white the percentile, or the least white where that is brighter."""
    faint, bright = noise(), noise() + np.float32(0)
    bright[:10] = 500
    for image, white in ((faint, 15), (bright, 500)):
        for scale in Stretch().scales(image, 1.0):
            assert_allclose(scale(np.float32([-1, white])), [0, 1], atol=1e-6)


def test_softening():
    """A channel of larger softening is darker in between: red shows faint light, blue only bright light."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    rgb = render(image, 1.0)
    middle = (image > 20) & (image < 200)
    red, green, blue = rgb[middle].mean(axis=0)
    assert red > green > blue


def test_softer_and_harder():
    """What is between black and white is darker the softer the stretch; black, white and the channels stay."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    softer, same, harder = (to_rgb(image, Stretch().softened(f).scales(image, 1.0)) for f in (2, 1, 0.5))
    assert_array_equal(same, render(image, 1.0))
    between, beyond = (same > 0.01) & (same < 0.99), (same == 0) | (same == 1)
    assert (softer[between] < same[between]).all()
    assert (same[between] < harder[between]).all()
    for other in (softer, harder):
        assert_array_equal(other[beyond], same[beyond])


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e12])
def test_unit_does_not_matter(factor):
    """The picture is the same in any unit."""
    image = noise() + np.geomspace(1, 1000, 120, dtype=np.float32)
    assert_allclose(render(image * np.float32(factor), factor), render(image, 1.0), atol=1e-5)
