# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of STIS and FOC files: overscan, high-resolution and zoomed pixels, exposures of one file."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.frames import Exposure

FLUX = 4e5
PLACES = ((0.25, 0.3), (0.8, 0.45), (0.35, 0.9))
STIS_CCD = ("stis_ccd_raw", "stis_ccd_flt", "stis_ccd_crj")
COUNTERS = ("stis_mama_raw", "stis_mama_flt", "foc_d0f", "foc_c0f", "foc_zoom_d0f", "foc_zoom_c0f")


@pytest.fixture(scope="module", params=STIS_CCD + COUNTERS)
def exposure(request, round_source):
    """Return name, file, frame and places of the test sources of a layout."""
    name = request.param
    ny, nx = shape = LAYOUTS[name].plane
    places = [(round(x * nx), round(y * ny)) for x, y in PLACES]
    scene = sum(round_source(shape, x, y) for x, y in places)
    hdul = make_frame(name, scene, seed=6, signal=FLUX)
    return name, hdul, read_frame(hdul), places


def test_sources_are_where_they_were_put(exposure, measure):
    """Every product shows the sources in place, the right way up, with what arrived in the exposure that is read."""
    name, hdul, frame, places = exposure
    half = 2 if name in STIS_CCD[:2] else 1
    for x, y in places:
        flux, column, row = measure(frame, x, y, good=hot_free(hdul, frame))
        assert_allclose(flux * half, FLUX, rtol=0.03)
        assert_allclose((column, row), (x, y), atol=0.1)


def hot_free(hdul, frame):
    """Return where no ray has hit a lone raw exposure: pixels within a few times the noise of their neighbours."""
    if len(hdul) < 5 or frame.facts.product != "raw":
        return True
    other = hdul["SCI", 2].data[20:, 19:-19].astype(float) - 1500
    return np.abs(frame.ccd.data - other) < 6 * np.sqrt(np.maximum(other, 0) + 60)


def test_world_coordinates_stay_with_the_pixels(exposure):
    """The target is in the middle of the plane, at its scale, whatever was trimmed, summed or split."""
    name, hdul, frame, _ = exposure
    target = hdul[0].header["RA_TARG"], hdul[0].header["DEC_TARG"]
    ny, nx = frame.shape
    assert_allclose(frame.ccd.wcs.all_world2pix([target], 0), [((nx - 1) / 2, (ny - 1) / 2)], atol=0.01)
    assert_allclose(frame.ccd.wcs.wcs.crpix, ((nx + 1) / 2, (ny + 1) / 2), atol=1e-6)
    scale = proj_plane_pixel_scales(frame.ccd.wcs) * 3600
    assert_allclose(scale, np.diag(LAYOUTS[name].camera.linear), rtol=1e-6)


def test_what_is_said_of_the_products(exposure):
    """Layout, product, unit, filter and cosmic rays are those of the product."""
    name, _, frame, _ = exposure
    layout, product = name.partition("_")[0], name.rpartition("_")[2]
    rays = {"raw": Exposure.SINGLE, "flt": Exposure.SINGLE, "crj": Exposure.COMBINED}
    assert (frame.layout, frame.facts.product, frame.facts.filter) == (layout, product, LAYOUTS[name].filters[0])
    assert frame.exposure == (rays[product] if name in STIS_CCD else Exposure.COUNTER)
    assert frame.ccd.unit == (u.electron if name in STIS_CCD else u.adu)
    assert frame.shape == LAYOUTS[name].plane
    assert frame.facts.detector == {"ccd": "CCD", "mama": "NUV-MAMA"}.get(name.split("_")[1], "F96")


# ------------------------------------------------------------------------------------ the CCD of STIS


def test_other_exposures_are_named(exposure):
    """Of split exposures the first is read, with its own time, and a note names the other."""
    name, hdul, frame, _ = exposure
    if name not in STIS_CCD:
        assert frame.notes == ()
        return
    split = name != "stis_ccd_crj"
    assert frame.notes == (("read SCI,1 alone; choose another with hdu=: SCI,2",) if split else ())
    assert frame.facts.exptime == hdul[0].header["TEXPTIME"] / (1 + split)


def stis_file(data, dq=None, **cards):
    """Return a raw STIS file of one exposure with the CCD."""
    primary = fits.PrimaryHDU()
    cards = {"DETECTOR": "CCD", "CCDGAIN": 4, "BLEVCORR": "PERFORM", "OBSTYPE": "IMAGING"} | cards
    primary.header.update(TELESCOP="HST", INSTRUME="STIS", **cards)
    hdul = fits.HDUList([primary, fits.ImageHDU(data, name="SCI", ver=1)])
    hdul["SCI", 1].header["BUNIT"] = "COUNTS"
    hdul.append(fits.ImageHDU(np.zeros(data.shape, np.int16) if dq is None else dq, name="DQ", ver=1))
    return hdul


# amplifier, size (nx, ny), binning; columns trimmed left and right, rows below and above; columns of the bias level
READOUTS = [
    ("A", (1062, 1044), (1, 1), (19, 19, 0, 20), (1046, 1060)),
    ("B", (1062, 1044), (1, 1), (19, 19, 0, 20), (1, 15)),
    ("C", (1062, 1044), (1, 1), (19, 19, 20, 0), (1046, 1060)),
    ("D", (1062, 1044), (1, 1), (19, 19, 20, 0), (1, 15)),
    ("D", (1060, 256), (1, 1), (18, 18, 0, 0), (0, 13)),
    ("D", (532, 522), (2, 2), (11, 10, 10, 0), (1, 7)),
    ("A", (532, 522), (2, 2), (10, 11, 0, 10), (524, 530)),
]


@pytest.mark.parametrize(("amplifier", "size", "binning", "trimmed", "level"), READOUTS)
def test_overscan_of_the_ccd(amplifier, size, binning, trimmed, level):
    """The bias level comes from the trailing serial overscan of the amplifier that read; all overscan is trimmed."""
    nx, ny = size
    left, right, bottom, top = trimmed
    data = np.full((ny, nx), 9000, np.uint16)
    light = np.random.default_rng(1).integers(100, 900, (ny - bottom - top, nx - left - right))
    data[bottom : ny - top, left : nx - right] = 1500 + light
    data[bottom : ny - top, level[0] : level[1] + 1] = 1500
    frame = read_frame(stis_file(data, CCDAMP=amplifier, BINAXIS1=binning[0], BINAXIS2=binning[1]))
    assert_array_equal(frame.ccd.data, 4 * light)
    assert frame.notes == ()
    assert frame.steps == (
        "subtracted the level of the overscan: 1500.0 DN",
        f"trimmed {left} + {right} columns and {bottom + top} rows",
        "multiplied by the gain of 4 e-/DN",
    )


def test_a_readout_without_known_overscan():
    """What calstis knows no overscan of is left as it is, and the user is told that the bias is still in."""
    data = np.full((100, 100), 1510, np.uint16)
    data[50, 50] = 1500
    frame = read_frame(stis_file(data, CCDAMP="D"))
    assert (frame.shape, frame.ccd.data.max(), frame.ccd.unit) == ((100, 100), 1510, u.adu)
    assert frame.notes == ("100 x 100 pixels read by amplifier D: no overscan is known, the bias is still in",)


@pytest.mark.parametrize(
    ("cards", "product", "rays"),
    [
        ({}, "raw", Exposure.SINGLE),
        ({"FLATCORR": "COMPLETE"}, "flt", Exposure.SINGLE),
        ({"FLATCORR": "COMPLETE", "CRCORR": "COMPLETE"}, "crj", Exposure.COMBINED),
        ({"CRCORR": "COMPLETE", "GEOCORR": "COMPLETE"}, "sx2", Exposure.COMBINED),
        ({"FLATCORR": "COMPLETE", "GEOCORR": "COMPLETE"}, "x2d", Exposure.UNKNOWN),
        ({"FLATCORR": "COMPLETE", "RPTCORR": "COMPLETE"}, "sfl", Exposure.UNKNOWN),
    ],
)
def test_products_by_their_switches(cards, product, rays):
    """What a file is follows from calstis' switches, and with it what became of the cosmic rays."""
    frame = read_frame(stis_file(np.ones((64, 64), np.float32), CCDAMP="D", **cards))
    assert (frame.facts.product, frame.exposure) == (product, rays)


@pytest.mark.parametrize("product", ["raw", "flt", "crj"])
def test_beyond_a_small_filter_nothing_was_exposed(product):
    """What lies beyond a filter smaller than the CCD is masked, and does not count as unusable."""
    frame = read_frame(make_frame(f"stis_ccd_{product}", "no_source", seed=1, filter="F28X50LP", sky=0.5))
    rows, columns = frame.exposed
    assert (rows.stop - rows.start, columns.stop - columns.start) == (573, 1007)
    assert frame.facts.filter == "F28X50LP"
    assert frame.quality < 0.03
    lit = frame.ccd.data[300:724, 100:-100]
    assert np.median(frame.ccd.data[rows, columns]) > 0.9 * np.median(lit) > 5 * abs(np.median(frame.ccd.data[:200]))


def test_beyond_a_small_filter_of_a_rectified_frame():
    """Where a rectified frame has no calibrated size, the flags that touch its border say what was not exposed."""
    dq = np.zeros((64, 64), np.int16)
    dq[:20], dq[40, 40] = 4, 4
    frame = read_frame(stis_file(np.ones((64, 64), np.float32), dq, CRCORR="COMPLETE", GEOCORR="COMPLETE"))
    assert frame.exposed == (slice(20, 64), slice(0, 64))
    assert_allclose(frame.quality, 1 / (44 * 64))


def test_other_units_are_left_alone():
    """A rectified spectrum in flux units is not multiplied by the gain."""
    hdul = stis_file(np.ones((64, 64), np.float32), BLEVCORR="COMPLETE", X2DCORR="COMPLETE", ATODGAIN=4.0)
    hdul["SCI", 1].header["BUNIT"] = "erg/s/cm**2/angstrom/arcsec**2"
    frame = read_frame(hdul)
    assert (frame.ccd.data.max(), frame.steps) == (1, ())
    assert frame.ccd.unit == u.Unit("erg / (Angstrom s cm2 arcsec2)")


def test_a_spectrum_is_read_and_noted(headers_dir):
    """A raw spectrum of the archive is read, named by its grating, and the user is told what it is."""
    frame = read_frame(headers_dir / "o4sp040b0_raw.fits")
    assert (frame.layout, frame.facts.product, frame.facts.filter) == ("stis", "raw", "G750M")
    assert frame.facts.exptime == 30
    assert any("this is a spectrum" in note for note in frame.notes)
    assert frame.ccd.wcs is None


def test_projected_frames_are_none_of_stis(frames_dir):
    """An image that somebody projected, without errors or quality, is read as such."""
    (path,) = frames_dir.glob("*stis*")
    assert read_frame(path).layout == "science"


# ------------------------------------------------------------------------------------- photon counters


def test_high_resolution_pixels_are_summed():
    """A MAMA's raw pixels are summed by two each way, flags and all; other sizes are left as they are."""
    data = np.random.default_rng(2).poisson(3, (2048, 2048)).astype(np.uint16)
    dq = np.zeros(data.shape, np.int16)
    dq[100, 201] = 4
    hdul = stis_file(data, dq, DETECTOR="FUV-MAMA")
    hdul["SCI"].header.update(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=10.0, CRVAL2=20.0, CRPIX1=1025.0, CRPIX2=1025.0,
        CD1_1=-3.4e-6, CD1_2=1e-7, CD2_1=1e-7, CD2_2=3.4e-6,
    )  # fmt: skip
    frame = read_frame(hdul)
    pixels = np.array([[0.0, 0], [100, 900]])
    before = WCS(hdul["SCI"].header).all_pix2world(2 * pixels + 0.5, 0)
    assert_allclose(frame.ccd.wcs.all_pix2world(pixels, 0), before, atol=1e-9)
    assert_array_equal(frame.ccd.data[:2, 0], [data[:2, :2].sum(), data[2:4, :2].sum()])
    assert np.argwhere(frame.ccd.mask).tolist() == [[50, 100]]
    assert read_frame(stis_file(data[:512, :512], DETECTOR="FUV-MAMA")).shape == (512, 512)


def test_zoomed_pixels_are_split(round_source):
    """A zoomed raw frame of the FOC gets its shape back, no count is lost, and c0f frames are left as they are."""
    raw = make_frame("foc_zoom_d0f", "no_source", seed=1)
    frame = read_frame(raw)
    assert (raw[0].data.shape, frame.shape) == ((1024, 512), (1024, 1024))
    assert_allclose(frame.ccd.data.sum(), raw[0].data.sum())
    assert frame.steps == ("split zoomed pixels in two, half the counts each",)
    assert read_frame(make_frame("foc_zoom_c0f", "no_source", seed=1)).steps == ()


def test_edges_of_a_corrected_frame_were_never_exposed():
    """Where the geometric correction found nothing to put, a frame is masked, and its quality does not suffer."""
    frame = read_frame(make_frame("foc_c0f", "no_source", seed=1))
    assert frame.ccd.mask[:6].all()
    assert frame.ccd.mask[:, :6].all()
    assert (frame.ccd.mask[6:, 6:].sum(), frame.quality) == (0, 0)


def foc_file(**cards):
    """Return a FOC file without a table beside it."""
    primary = fits.PrimaryHDU(np.random.default_rng(1).poisson(2.0, (64, 64)).astype(np.float32))
    primary.header.update(TELESCOP="HST", INSTRUME="FOC", **cards)
    return fits.HDUList([primary])


@pytest.mark.parametrize(
    ("cards", "product"),
    [({}, "d0f"), ({"GEOCORR": "COMPLETE"}, "c0f"), ({"GEOCORR": "COMPLETE", "UNICORR": "COMPLETE"}, "c1f")],
)
def test_products_of_the_foc(cards, product):
    """Products follow from calfoc's switches."""
    frame = read_frame(foc_file(**cards))
    assert (frame.facts.product, frame.exposure, frame.ccd.wcs) == (product, Exposure.COUNTER, None)


def test_world_coordinates_of_the_header_come_first():
    """Where the header has world coordinates of its own, the table beside it does not change them."""
    hdul = make_frame("foc_d0f", "no_source", seed=1)
    hdul[0].header.update(CRVAL1=10.0, CRVAL2=20.0, CRPIX1=1.0, CRPIX2=2.0)
    assert_allclose(read_frame(hdul).ccd.wcs.wcs.crval, (10, 20))


def test_the_long_slit_of_the_foc_is_noted():
    """The spectrograph of f/48 in the beam makes a spectrum."""
    notes = read_frame(foc_file(OPTCRLY="F48", SMMMODE="INBEAM")).notes
    assert notes == ("SMMMODE = 'INBEAM': the header says this is a spectrum",)
    assert read_frame(foc_file(OPTCRLY="F96", SMMMODE="NOTUSED")).notes == ()
