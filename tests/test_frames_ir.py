# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of infrared ramps: the light that arrived is read, in its place, from raw, ima, flt and cal files."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import read_frame
from astroclf.datasets import make_frame
from astroclf.frames import Exposure

FLUX = 2e5
SPOTS = ((60.4, 70.0), (200.0, 110.3), (90.0, 220.6))


@pytest.fixture(scope="module")
def spots(round_source):
    """Return a scene of round sources of flux 1, in no symmetric pattern."""
    return sum(round_source((256, 256), x, y) for x, y in SPOTS)


@pytest.fixture(scope="module", params=["raw", "ima", "flt"])
def exposure(request, spots):
    """Return product, file and frame of one exposure of the test sources with the SUB256 subarray of WFC3/IR."""
    product = request.param
    hdul = subarray(product, spots)
    return product, hdul, read_frame(hdul)


def subarray(product, scene, signal=FLUX, cosmic_rays=False):
    """Return a simulated file of the SUB256 subarray of WFC3/IR."""
    return make_frame(f"wfc3_ir_sub256_{product}", scene, seed=4, signal=signal, cosmic_rays=cosmic_rays)


@pytest.fixture(scope="module")
def fitted(spots):
    """Return the frame fitted to the same exposure."""
    return read_frame(subarray("flt", spots))


@pytest.fixture(scope="module")
def good(fitted):
    """Return the good pixels of the detector, which a raw file says nothing of."""
    return fitted.good


def test_sources_are_where_they_were_put(exposure, good, measure):
    """Every product shows the sources in place, the right way up, with the flux that arrived."""
    product, hdul, frame = exposure
    seconds = 1 if product == "raw" else hdul[0].header["EXPTIME"]
    for x, y in SPOTS:
        flux, column, row = measure(frame, round(x), round(y), good)
        assert_allclose(flux * seconds, FLUX, rtol=0.03)
        assert_allclose((column, row), (x, y), atol=0.1)


def test_sky_level(exposure):
    """The drift of the reference pixels between reads is gone: the sky has the level it had."""
    product, hdul, frame = exposure
    seconds = 1 if product == "raw" else hdul[0].header["EXPTIME"]
    dark = 0.048 * hdul[0].header["EXPTIME"] if product == "raw" else 0
    assert_allclose(np.median(frame.ccd.data) * seconds, 1.6 * hdul[0].header["EXPTIME"] + dark, rtol=0.03)


def test_world_coordinates_stay_with_the_pixels(exposure, fitted):
    """The target is in the middle of the trimmed array, and the corners are where those of the fitted frame are."""
    _, hdul, frame = exposure
    target = SkyCoord(hdul[0].header["RA_TARG"], hdul[0].header["DEC_TARG"], unit="deg")
    assert frame.shape == (256, 256)
    assert_allclose(frame.ccd.wcs.world_to_pixel(target), (127.5, 127.5), atol=0.01)
    corners = [(0, 0), (255, 0), (0, 255), (255, 255)]
    sky = fitted.ccd.wcs.all_pix2world(corners, 0)
    assert_allclose(frame.ccd.wcs.all_world2pix(sky, 0), corners, atol=0.01)


def test_what_is_said_of_the_products(exposure):
    """Product, unit, cosmic rays and what was done are those of the product."""
    product, hdul, frame = exposure
    rays = {"raw": Exposure.READS, "ima": Exposure.FLAGGED, "flt": Exposure.RAMP}[product]
    assert (frame.layout, frame.facts.product, frame.exposure) == ("wfc3_ir", product, rays)
    assert not frame.cosmic_rays
    assert frame.ccd.unit == (u.electron if product == "raw" else u.electron / u.s)
    assert frame.facts.gain == (2.34, 2.37, 2.31, 2.38)
    assert frame.facts.readnoise == (20.2, 19.8, 19.9, 20.1)
    assert (frame.facts.filter, frame.facts.exptime, frame.notes) == ("F110W", hdul[0].header["EXPTIME"], ())
    last = f"SCI,{hdul[0].header['NSAMP']}"
    assert frame.origin.hdus == (("SCI,1", last) if product == "raw" else ("SCI,1",))
    words = " / ".join(frame.steps)
    assert ("zeroth read" in words, "border of 5" in words) == (product == "raw", product != "flt")


def test_products_are_of_one_exposure(spots):
    """Frames of one seed show the same photons: raw and ima differ from the fit by read noise only."""
    frames = {product: read_frame(subarray(product, spots, cosmic_rays=True)) for product in ("raw", "ima", "flt")}
    seconds = frames["flt"].facts.exptime
    bright = frames["flt"].good & frames["ima"].good & (frames["flt"].ccd.data * seconds > 2000)
    fitted = frames["flt"].ccd.data[bright] * seconds
    assert_allclose(np.median(frames["ima"].ccd.data[bright] * seconds / fitted), 1, atol=0.005)
    scatter = np.std(frames["ima"].ccd.data[bright] * seconds - fitted)
    assert scatter < 30 < np.sqrt(fitted.mean())
    assert_allclose(np.median(frames["raw"].ccd.data[bright] / fitted), 1, atol=0.03)


def test_saturated_stars_are_no_rings(spots):
    """A star full in the zeroth read already is as bright as the full well in the difference of reads."""
    for product, well in (("raw", 77900), ("ima", 77900 / 275)):
        frame = read_frame(subarray(product, 1e7 * spots, signal=1.0))
        for x, y in SPOTS:
            core = np.s_[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3]
            assert frame.ccd.data[core].min() >= well * 0.999
        assert any("full well of 77900 e-" in step for step in frame.steps)
        assert 0 < frame.quality < 0.05


def test_cosmic_rays_of_an_ima_are_masked():
    """What the pipeline flags as struck in a read is masked, and does not count as unusable."""
    with_rays, without = (read_frame(subarray("ima", "no_source", cosmic_rays=rays)) for rays in (True, False))
    struck = with_rays.ccd.mask & ~without.ccd.mask
    assert 100 < struck.sum() < 0.02 * struck.size
    assert with_rays.quality == without.quality
    assert np.median((with_rays.ccd.data - without.ccd.data)[struck]) * 275 > 100


# ------------------------------------------------------------------------------- reads made by hand


def reads(side=266, border=5, drift=40, **cards):
    """Return a WFC3/IR file of four reads, the last first, whose level drifts, and the counts a read."""
    rate = np.random.default_rng(1).integers(20, 120, (side - 2 * border, side - 2 * border)).astype(np.float32)
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="HST", INSTRUME="WFC3", DETECTOR="IR", OBSMODE="MULTIACCUM", NSAMP=4, **cards)
    hdul = fits.HDUList([primary])
    for version, number in enumerate((3, 2, 1, 0), 1):
        read = np.pad(number * rate, border) + 11000 + drift * number
        for edge in (read[0], read[-1], read[:, 0], read[:, -1]):
            edge[:] = 500 * number
        hdul.append(fits.ImageHDU(read.astype(np.uint16), name="SCI", ver=version))
        hdul[-1].header.update(BUNIT="COUNTS", SAMPTIME=25.0 * number)
    return hdul, rate


@pytest.mark.parametrize("side", [74, 138, 266, 522])
def test_difference_of_reads(side):
    """The zeroth read and the drift of all but the outermost reference pixels are subtracted, the gain applied."""
    hdul, rate = reads(side)
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, 3 * rate * np.float32(2.35), rtol=1e-5)
    assert frame.steps == (
        "subtracted the zeroth read from the last",
        "subtracted the drift of the reference pixels: 120.00 DN",
        "trimmed the border of 5 reference pixels",
        "multiplied by the gain of 2.35 e-/DN",
    )


def test_gain_of_the_header_comes_first():
    """Where the pipeline wrote gains, their mean is used and they are what the facts say."""
    hdul, rate = reads(ATODGNA=2.0, ATODGNB=2.0, ATODGNC=3.0, ATODGND=3.0, CCDGAIN=2.5)
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, 3 * rate * 2.5, rtol=1e-5)
    assert frame.facts.gain == (2, 2, 3, 3)


def test_another_commanded_gain():
    """The table of gains is that of CCDGAIN = 2.5; of another the commanded gain is all that is known."""
    hdul, rate = reads(CCDGAIN=4.0)
    frame = read_frame(hdul)
    assert_allclose(frame.ccd.data, 3 * rate * 4, rtol=1e-5)
    assert (frame.facts.gain, frame.facts.readnoise) == ((4,), ())


@pytest.mark.parametrize(("side", "trimmed"), [(1024, 1014), (522, 512), (74, 64), (1014, 1014), (128, 128)])
def test_only_known_borders_are_trimmed(side, trimmed):
    """Reads with their border are trimmed, reads without are not."""
    data = np.random.default_rng(2).normal(10, 1, (side, side)).astype(np.float32)
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="HST", INSTRUME="WFC3", DETECTOR="IR", ZOFFCORR="COMPLETE", CRCORR="COMPLETE")
    frame = read_frame(fits.HDUList([primary, fits.ImageHDU(data, name="SCI", ver=1)]))
    cut = (side - trimmed) // 2
    assert_array_equal(frame.ccd.data, data[cut : side - cut, cut : side - cut] * np.float32(2.35))
    assert frame.notes == ()


def test_an_unknown_size_is_left_as_it_is_and_noted():
    """A cut-out is no readout: nothing is trimmed, and the user is told."""
    hdul, _ = reads(100, border=5)
    frame = read_frame(hdul)
    assert frame.shape == (100, 100)
    assert any("100 x 100 pixels is no size of this camera" in note for note in frame.notes)


def test_a_lone_raw_read_is_noted():
    """Without a zeroth read the bias cannot be taken off, and the user is told."""
    hdul, _ = reads()
    frame = read_frame(hdul[:2])
    assert (frame.facts.product, frame.shape) == ("raw", (256, 256))
    assert any("no zeroth read" in note for note in frame.notes)


def test_constant_reads():
    """A zeroth read of an ima that is the same everywhere is stored as one number, and does no harm."""
    hdul, _ = reads(ZOFFCORR="COMPLETE", CRCORR="COMPLETE")
    hdul[4] = fits.ImageHDU(name="SCI", ver=4)
    hdul[4].header.update(NPIX1=266, NPIX2=266, PIXVALUE=0.0)
    frame = read_frame(hdul)
    assert (frame.layout, frame.shape, frame.origin.hdus) == ("wfc3_ir", (256, 256), ("SCI,1",))


@pytest.mark.parametrize(
    ("cards", "count", "product", "rays"),
    [
        ({}, 4, "raw", Exposure.READS),
        ({"ZOFFCORR": "COMPLETE"}, 4, "ima", Exposure.READS),
        ({"ZOFFCORR": "COMPLETE", "CRCORR": "COMPLETE"}, 4, "ima", Exposure.FLAGGED),
        ({"ZOFFCORR": "COMPLETE", "CRCORR": "COMPLETE"}, 1, "flt", Exposure.RAMP),
        ({"ZOFFCORR": "COMPLETE", "CRCORR": "OMIT"}, 1, "flt", Exposure.READS),
        ({"CRCORR": "COMPLETE", "RPTCORR": "COMPLETE"}, 1, "crj", Exposure.COMBINED),
    ],
)
def test_products_by_their_switches(cards, count, product, rays):
    """What a file is follows from its switches and reads, and with it what became of the cosmic rays."""
    hdul, _ = reads(**cards)
    frame = read_frame(hdul[: 1 + count])
    assert (frame.facts.product, frame.exposure) == (product, rays)


# ------------------------------------------------------------------------------------------- NICMOS


@pytest.fixture(scope="module")
def nicmos(spots):
    """Return frames of one exposure of the test sources with NICMOS by product."""
    return {
        product: read_frame(make_frame(f"nicmos_{product}", spots, seed=4, signal=FLUX)) for product in ("raw", "cal")
    }


def test_sources_seen_by_nicmos(nicmos, measure):
    """Raw and cal show the sources in place with the counts that arrived, in the units of the pipeline."""
    for product, frame in nicmos.items():
        seconds = frame.facts.exptime if product == "cal" else 1
        for x, y in SPOTS:
            flux, column, row = measure(frame, round(x), round(y), nicmos["cal"].good)
            assert_allclose(flux * seconds * 5.4, FLUX, rtol=0.03)
            assert_allclose((column, row), (x, y), atol=0.1)
        target = SkyCoord(frame.ccd.header["RA_TARG"], frame.ccd.header["DEC_TARG"], unit="deg")
        assert_allclose(frame.ccd.wcs.world_to_pixel(target), (127.5, 127.5), atol=0.01)


def test_what_is_said_of_nicmos(nicmos):
    """Product, unit, camera, gain and cosmic rays are those of the product."""
    raw, cal = nicmos["raw"], nicmos["cal"]
    assert [frame.layout for frame in (raw, cal)] == ["nicmos", "nicmos"]
    assert (raw.facts.product, raw.ccd.unit, raw.exposure) == ("raw", u.adu, Exposure.READS)
    assert (cal.facts.product, cal.ccd.unit, cal.exposure) == ("cal", u.adu / u.s, Exposure.RAMP)
    assert raw.origin.hdus == ("SCI,1", "SCI,26")
    assert (raw.facts.detector, raw.facts.filter, raw.facts.gain) == ("NIC2", "F160W", (5.4,))
    assert raw.steps == ("subtracted the zeroth read from the last",)
    assert raw.shape == cal.shape == (256, 256)


def nicmos_file(data, dq=None, **cards):
    """Return a NICMOS file of one image."""
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="HST", INSTRUME="NICMOS", CAMERA=1, ADCGAIN=5.4, **cards)
    hdul = fits.HDUList([primary, fits.ImageHDU(data, name="SCI", ver=1)])
    if dq is not None:
        hdul.append(fits.ImageHDU(dq, name="DQ", ver=1))
    return hdul


def test_wrapped_differences():
    """Of an ACCUM exposure, subtracted aboard in 16 bits, what had wrapped around is put right; of others not."""
    data = np.random.default_rng(3).integers(0, 90, (256, 256)).astype(np.int16)
    data[100, 100:103] = (-23501, -32768, -23500)
    frame = read_frame(nicmos_file(data, OBSMODE="ACCUM"))
    assert frame.ccd.data[100, 100:103].tolist() == [65536 - 23501, 32768, -23500]
    assert frame.steps == ("added 65536 DN to 2 pixels below -23500, which had wrapped around",)
    assert (frame.facts.product, frame.exposure) == ("raw", Exposure.READS)
    for cards in ({"OBSMODE": "ACCUM", "BIASDONE": "PERFORMED"}, {"OBSMODE": "MULTIACCUM"}):
        assert_array_equal(read_frame(nicmos_file(data, **cards)).ccd.data, data)


@pytest.mark.parametrize(
    ("cards", "product", "rays"),
    [
        ({"OBSMODE": "MULTIACCUM", "CRIDDONE": "PERFORMED"}, "cal", Exposure.RAMP),
        ({"OBSMODE": "ACCUM", "CRIDDONE": "PERFORMED"}, "cal", Exposure.READS),
        ({"CALSTAGE": "CALNICB", "CRIDDONE": "PERFORMED"}, "mos", Exposure.COMBINED),
    ],
)
def test_products_of_nicmos(cards, product, rays):
    """Products follow from calnica's indicators; a mosaic has any size."""
    frame = read_frame(nicmos_file(np.random.default_rng(4).normal(1, 1, (263, 270)), **cards))
    assert (frame.facts.product, frame.exposure, frame.shape) == (product, rays, (263, 270))


def test_bits_of_nicmos():
    """Sources and signal in the zeroth read are no defects; saturated pixels count, bad ones are masked."""
    dq = np.zeros((256, 256), np.int16)
    dq[5, :15] = [1 << bit for bit in range(15)]
    frame = read_frame(nicmos_file(np.ones((256, 256)), dq, CRIDDONE="PERFORMED"))
    masked = {1, 2, 4, 8, 16, 32, 128, 256}
    assert {int(dq[5, x]) for x in np.flatnonzero(frame.ccd.mask[5])} == masked | {4096}
    assert_allclose(frame.quality * dq.size, len(masked) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("product", ["raw", "ima"])
def test_full_array(product, spots, measure):
    """The full array is read like its subarrays."""
    scene = np.zeros((1014, 1014), np.float32)
    scene[600:856, 300:556] = spots
    frame = read_frame(make_frame(f"wfc3_ir_{product}", scene, signal=FLUX, cosmic_rays=False))
    assert frame.shape == (1014, 1014)
    seconds = 1 if product == "raw" else frame.facts.exptime
    x, y = SPOTS[0]
    flux, column, row = measure(frame, 300 + round(x), 600 + round(y))
    assert_allclose(flux * seconds, FLUX, rtol=0.03)
    assert_allclose((column, row), (300 + x, 600 + y), atol=0.1)
