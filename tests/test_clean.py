# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of cleaning: the sky is found and objects survive, cosmic rays go and stars stay."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from astroclf.clean import CosmicRays
from astroclf.datasets import draw_scene
from astroclf.datasets.detector import cosmic_rays, noisy, saturate
from astroclf.render import reduce_image

SIDE = 224
LEVEL, SIGMA = 100.0, 3.0
SKY, READNOISE, FULL_WELL = 60.0, 5.0, 84700.0
SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60))


def noise(shape, seed=1):
    """Return Gaussian noise around the level."""
    return np.random.default_rng(seed).normal(LEVEL, SIGMA, shape).astype(np.float32)


def nothing(image):
    """Return a mask that masks nothing."""
    return np.zeros(image.shape, bool)


# ---------------------------------------------------------------------------------------- cosmic rays

# signal in electrons, and draws of the scene
EXPOSURES = {
    "star_field": (1000.0, (1, 4, 5)),
    "spiral_galaxy": (500.0, (1, 2, 3)),
    "diffuse_nebula": (500.0, (1, 2, 3)),
}


def exposed(scene, signal, seed, shape=(448, 448)):
    """Return light, exposure without cosmic rays and charge of the rays, in electrons, as in 1000 s of ACS."""
    rng = np.random.default_rng(seed)
    light = signal * draw_scene(scene, shape, rng, fwhm=2.0, spikes=0.02)
    clean, _ = saturate(noisy(light + SKY, rng, READNOISE), FULL_WELL)
    return light, clean, cosmic_rays(shape, rng, 250)


@pytest.fixture(scope="module", params=EXPOSURES)
def cleaned(request):
    """Return, for each draw of a scene, light, clean exposure, rays, what cleaning made of both, and what it struck."""
    signal, seeds = EXPOSURES[request.param]
    results = []
    for seed in seeds:
        light, clean, rays = exposed(request.param, signal, seed)
        ccd, struck = CosmicRays()(CCDData(clean + rays, unit="electron"))
        results.append((light, clean, rays, ccd.data, struck))
    return results


def test_rays_are_found(cleaned):
    """At least nine in ten pixels with five times the noise in charge are struck, and at most 4 in 1000 others."""
    for light, _, rays, _, struck in cleaned:
        sigma = np.sqrt(light + SKY + READNOISE**2)
        assert struck[rays > 5 * sigma].mean() >= 0.9
        assert (struck & (rays < 0.5 * sigma)).mean() <= 0.004


def test_rays_are_repaired(cleaned):
    """In 16 x 16 pixel means, as pictures show them, what rays add is cut at least five-fold."""
    for _, clean, rays, repaired, _ in cleaned:
        before, after = (np.abs(binned(image)).mean() for image in (rays, repaired - clean))
        assert before / after >= 5


def test_other_pixels_are_left(cleaned):
    """Pixels that were not struck are as they were, to the bit."""
    for _, clean, rays, repaired, struck in cleaned:
        assert_array_equal(repaired[~struck], (clean + rays)[~struck])
        assert repaired.dtype == np.float32


def binned(image):
    """Return means over 16 x 16 pixels."""
    return reduce_image(image.astype(np.float32), nothing(image), tuple(n // 16 for n in image.shape))[0]


def stars(fwhm, side=480, step=28):
    """Return positions and exposure of stars of 2500 to 400,000 electrons, near a grid."""
    rng = np.random.default_rng(8)
    grid = np.arange(step // 2, side - step // 2, step)
    x, y = (axis.ravel() + rng.uniform(-0.5, 0.5, axis.size) for axis in np.meshgrid(grid, grid))
    flux = np.exp(rng.uniform(np.log(2500), np.log(4e5), x.size))
    rows, columns = np.mgrid[:side, :side]
    light = np.zeros((side, side))
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / 3) - 1))
    for at, up, total in zip(x, y, flux):
        part = np.s_[int(up) - 12 : int(up) + 14, int(at) - 12 : int(at) + 14]
        radius2 = (columns[part] - at) ** 2 + (rows[part] - up) ** 2
        light[part] += total * 2 / (np.pi * alpha**2) * (1 + radius2 / alpha**2) ** -3
    return x, y, noisy(light + SKY, rng, READNOISE)


@pytest.mark.parametrize("fwhm", [1.8, 2.0, 3.0])
def test_stars_are_kept(fwhm):
    """Of stars as sharp as Hubble's, 99 in 100 keep 98 % of the flux of their cores."""
    x, y, image = stars(fwhm)
    clean, struck = CosmicRays()(CCDData(image, unit="electron"))
    cores = [np.s_[round(up) - 3 : round(up) + 4, round(at) - 3 : round(at) + 4] for at, up in zip(x, y)]
    kept = [(clean.data[core] - SKY).sum() / (image[core] - SKY).sum() for core in cores]
    assert np.mean(np.abs(np.array(kept) - 1) < 0.02) >= 0.99
    assert struck.mean() < 0.001


def test_frame_of_nothing_but_noise():
    """Hardly anything is struck where there is nothing: at most 1 pixel in 1000."""
    image = noisy(np.full((300, 300), SKY), np.random.default_rng(4), READNOISE)
    assert CosmicRays()(CCDData(image, unit="electron"))[1].mean() < 0.001


def test_settings_matter():
    """A higher contrast spares more, a higher threshold finds less, no pass finds nothing."""
    _, clean, rays = exposed("star_field", 1000.0, 1, (200, 200))
    ccd = CCDData(clean + rays, unit="electron")
    usual = CosmicRays()(ccd)[1].sum()
    assert CosmicRays(objlim=5)(ccd)[1].sum() < usual
    assert CosmicRays(sigclip=20)(ccd)[1].sum() < usual
    assert CosmicRays(iterations=1)(ccd)[1].sum() < usual
    assert not CosmicRays(iterations=0)(ccd)[1].any()


def test_same_every_time():
    """Cleaning is deterministic, and does not modify what it is given."""
    _, clean, rays = exposed("spiral_galaxy", 500.0, 1, (200, 200))
    ccd = CCDData(clean + rays, unit="electron", mask=rays > 3000)
    first, second = CosmicRays()(ccd), CosmicRays()(ccd)
    assert_array_equal(first[0].data, second[0].data)
    assert_array_equal(first[1], second[1])
    assert_array_equal(ccd.data, clean + rays)
    assert_array_equal(ccd.mask, rays > 3000)


def test_what_comes_along():
    """Mask, unit, header and WCS come along, and the header is a copy."""
    wcs = WCS(fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}))
    ccd = CCDData(noise((30, 30)), unit="electron", mask=np.eye(30, dtype=bool), meta={"OBJECT": "a"}, wcs=wcs)
    clean, _ = CosmicRays()(ccd)
    assert (clean.unit, clean.wcs) == (u.electron, wcs)
    assert_array_equal(clean.mask, ccd.mask)
    clean.meta["OBJECT"] = "b"
    assert ccd.meta["OBJECT"] == "a"


@pytest.mark.parametrize("dtype", [bool, np.int16])
def test_masked_and_nan_pixels(dtype):
    """Masked and NaN pixels are never struck, keep what they hold, and do not spread; integer masks do as well."""
    _, clean, rays = exposed("star_field", 1000.0, 1, (200, 200))
    mask = np.random.default_rng(5).random(clean.shape) < 0.05
    image = np.where(mask, 1e6, clean + rays).astype(np.float32)
    image[50:60, 50:60] = np.nan
    result, struck = CosmicRays()(CCDData(image, unit="electron", mask=mask.astype(dtype)))
    bad = mask | np.isnan(image)
    assert not (struck & bad).any()
    assert_array_equal(result.data[bad], image[bad])
    assert np.isfinite(result.data[~bad]).all()
    assert result.data[~bad].max() < 1e6
    found = struck[~bad & (rays > 100)].mean()
    assert found > 0.85


@pytest.mark.parametrize("where", [(0, 0), (0, 37), (63, 63), (20, 0), (63, 10)], ids=str)
def test_rays_at_the_border(where):
    """A ray in a corner or at an edge is found and repaired, and its neighbours are left."""
    image = noisy(np.full((64, 64), SKY), np.random.default_rng(6), READNOISE)
    image[where] += 2000
    clean, struck = CosmicRays()(CCDData(image, unit="electron"))
    assert struck[where]
    assert struck.sum() <= 3
    assert abs(clean.data[where] - SKY) < 40


@settings(max_examples=60, deadline=None)
@given(shape=SHAPES, masked=st.floats(0, 1), flat=st.booleans(), seed=st.integers(0, 99))
def test_any_image_can_be_cleaned(shape, masked, flat, seed):
    """Images of any size, with any mask, with NaN and without noise, are cleaned without a warning."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, SKY, np.float32) if flat else noisy(np.full(shape, SKY), rng, READNOISE)
    image[rng.random(shape) < 0.02] += 1000
    image[rng.random(shape) < 0.05] = np.nan
    mask = rng.random(shape) < masked
    clean, struck = CosmicRays()(CCDData(image, unit="electron", mask=mask))
    assert clean.data.shape == struck.shape == shape
    assert not (struck & (mask | np.isnan(image))).any()
    assert_array_equal(clean.data[~struck], image[~struck])
    assert np.isfinite(clean.data[struck]).all()
