# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the search for cosmic rays: they go, stars and nuclei stay."""

import json
from dataclasses import asdict

import astroscrappy
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from astroclf import threads as threads_module
from astroclf.clean import CosmicRays, neighbours
from astroclf.clean.noise import Noise
from astroclf.datasets import draw_scene
from astroclf.datasets.detector import cosmic_rays, noisy, saturate
from astroclf.render import reduce_image

SKY, READNOISE, FULL_WELL = 60.0, 5.0, 84700.0
REFERENCE = "astroscrappy"
SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 60))


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
    return reduce_image(image.astype(np.float32), np.zeros(image.shape, bool), tuple(n // 16 for n in image.shape))[0]


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


def kept(x, y, image, clean, half=3):
    """Return which part of the light within some pixels of each place cleaning leaves."""
    cores = [
        np.s_[round(up) - half : round(up) + half + 1, round(at) - half : round(at) + half + 1] for at, up in zip(x, y)
    ]
    return np.array([(clean[core] - SKY).sum() / (image[core] - SKY).sum() for core in cores])


@pytest.mark.parametrize("fwhm", [1.6, 1.7, 1.8, 2.0, 3.0])
def test_stars_are_kept(fwhm):
    """Of stars as sharp as Hubble's and sharper, 99 in 100 keep 98 % of the flux of their cores."""
    x, y, image = stars(fwhm)
    clean, struck = CosmicRays()(CCDData(image, unit="electron"))
    assert np.mean(np.abs(kept(x, y, image, clean.data) - 1) < 0.02) >= 0.99
    assert struck.mean() < 0.001


def test_sharpest_stars_are_kept():
    """Of stars of 1.5 pixels, 9 in 10 keep 95 % of their light; the reference strikes them all."""
    x, y, image = stars(1.5)
    ccd = CCDData(image, unit="electron")
    ours, theirs = (
        kept(x, y, image, settings_(ccd)[0].data)
        for settings_ in (CosmicRays(), CosmicRays(objlim=5, method=REFERENCE))
    )
    assert np.mean(ours > 0.95) >= 0.9
    assert np.mean(theirs > 0.95) < 0.3


def test_fwhm_matters():
    """Told that stars are wide, the search finds more rays and does not spare sharp stars."""
    _, _, image = stars(1.5)
    _, clean, rays = exposed("star_field", 1000.0, 1, (200, 200))
    for exposure in (image, clean + rays):
        wide, sharp = (CosmicRays(fwhm=fwhm)(CCDData(exposure, unit="electron"))[1].sum() for fwhm in (2.0, 1.3))
        assert wide > sharp


@pytest.mark.parametrize("brightness", [1e3, 1e4, 5e4])
@pytest.mark.parametrize("cusp", [0.25, 1.0])
def test_nuclei_are_kept(cusp, brightness):
    """Bright nuclei of galaxies lose nothing, be they cusps seen at 2 pixels' resolution."""
    rows, columns = np.mgrid[:96, :96]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        up, at = 48 + rng.uniform(-0.5, 0.5, 2)
        galaxy = np.exp(-3 * (np.hypot(columns - at, 1.4 * (rows - up)) / 20) ** cusp)
        light = gaussian_filter(galaxy, 2.0 / 2.3548)
        image = noisy(light / light.max() * brightness + SKY, rng, READNOISE)
        clean, _ = CosmicRays()(CCDData(image, unit="electron"))
        assert abs(kept([at], [up], image, clean.data, 5)[0] - 1) < 0.001


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
    ccd = CCDData(
        noisy(np.full((30, 30), SKY), np.random.default_rng(1)),
        unit="electron",
        mask=np.eye(30, dtype=bool),
        meta={"OBJECT": "a"},
        wcs=wcs,
    )
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


@settings(max_examples=60)
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


def test_any_number_of_threads(monkeypatch):
    """What is found, and what replaces it, does not depend on the number of threads."""
    _, clean, rays = exposed("spiral_galaxy", 500.0, 1, (700, 300))
    ccd = CCDData(clean + rays, unit="electron")
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(threads_module, "COUNT", threads)
        results.append(CosmicRays()(ccd))
    for result, struck in results[1:]:
        assert_array_equal(result.data, results[0][0].data)
        assert_array_equal(struck, results[0][1])


def test_any_size_of_bands(monkeypatch):
    """Nor does it depend on how many rows and pixels are worked on at a time."""
    _, clean, rays = exposed("spiral_galaxy", 500.0, 1, (300, 200))
    ccd = CCDData(clean + rays, unit="electron")
    whole, struck = CosmicRays()(ccd)
    for name, value in (("_BAND", 7), ("_TILE", 300), ("_FEW", 5), ("_SPARSE", 1), ("_SPARSE", 10**9)):
        monkeypatch.setattr(neighbours, name, value)
        result, found = CosmicRays()(ccd)
        assert_array_equal(result.data, whole.data)
        assert_array_equal(found, struck)


# ------------------------------------------------------------------------------------------ reference


def test_reference_finds_the_same_rays():
    """Of what either method finds with its own settings, more than nine in ten bright pixels are found by the other."""
    _, clean, rays = exposed("star_field", 1000.0, 1, (200, 200))
    ccd = CCDData(clean + rays, unit="electron")
    ours, theirs = (search(ccd)[1] for search in (CosmicRays(), CosmicRays(objlim=5, method=REFERENCE)))
    assert ours[theirs & (rays > 100)].mean() > 0.9
    assert theirs[ours & (rays > 100)].mean() > 0.9


def test_reference_is_astroscrappy():
    """The reference is astroscrappy's own result, to the pixel, with a read noise measured to a tenth."""
    image = noisy(np.full((200, 200), SKY), np.random.default_rng(4), READNOISE) + cosmic_rays(
        (200, 200), np.random.default_rng(5), 60
    )
    clean, struck = CosmicRays(sigclip=6, sigfrac=0.4, objlim=4, iterations=2, method=REFERENCE)(
        CCDData(image, unit="electron")
    )
    expected, repaired = astroscrappy.detect_cosmics(
        image, gain=1, readnoise=READNOISE, sigclip=6, sigfrac=0.4, objlim=4, niter=2
    )
    assert (struck != expected).mean() < 0.001
    both = struck & expected
    assert_allclose(clean.data[both], repaired[both], atol=5)


def test_reference_leaves_bad_pixels():
    """Nor does the reference strike bad pixels, or change what is not struck; near them it finds less."""
    _, clean, rays = exposed("star_field", 1000.0, 1, (200, 200))
    mask = np.random.default_rng(5).random(clean.shape) < 0.05
    image = np.where(mask, 1e6, clean + rays).astype(np.float32)
    image[50:60, 50:60] = np.nan
    before = image.copy()
    result, struck = CosmicRays(objlim=5, method=REFERENCE)(CCDData(image, unit="adu", mask=mask))
    assert not (struck & (mask | np.isnan(image))).any()
    assert_array_equal(result.data[~struck], image[~struck])
    assert_array_equal(image, before)
    assert (result.unit, result.data.dtype) == (u.adu, np.float32)
    assert_array_equal(result.mask, mask)
    assert struck[~mask & (rays > 100)].mean() > 0.4


def test_unknown_method():
    """A method that there is not is an error, and the message names the argument."""
    with pytest.raises(ValueError, match="method must be one of sparse, astroscrappy; got 'median'"):
        CosmicRays(method="median")


def test_settings_survive_json():
    """Settings are plain values, and go through JSON and back; those stored before there was a choice still do."""
    changed = CosmicRays(fwhm=2.0, method=REFERENCE)
    assert CosmicRays(**json.loads(json.dumps(asdict(changed)))) == changed
    assert CosmicRays(**{"sigclip": 4.5, "sigfrac": 0.3, "objlim": 2.0, "iterations": 4}).method == "sparse"


def test_noise():
    """The noise of a sky full of stars and rays is measured to 3 %, and follows Poisson's law."""
    for fwhm in (1.5, 3.0):
        image = stars(fwhm)[2] + cosmic_rays((480, 480), np.random.default_rng(1), 300)
        noise = Noise.measured(image)
        for level in (SKY, 400.0, 1e4):
            assert_allclose(noise.at(level), np.sqrt(level + READNOISE**2), rtol=0.03)
