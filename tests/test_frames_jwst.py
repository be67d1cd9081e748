# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""JWST: simulated products have its layouts, and are read as what they are."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import FrameError, read_frame
from astroclf.datasets import LAYOUTS, make_frame
from astroclf.frames import Exposure

SMALL = ("jwst_nircam_sub160_rate", "jwst_nircam_sub160_cal", "jwst_nircam_sub160_i2d", "jwst_miri_sub256_cal")
FLUX, SIGMA, HALF = 2e6, 3.0, 15
SPOTS = ((0.3, 0.35), (0.72, 0.6))
DNU, SATURATED, NON_SCIENCE, HOT, REFERENCE = 1, 2, 1 << 9, 1 << 11, 1 << 31
EXTENSIONS = {
    "rate": ["PRIMARY", "SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE", "ASDF"],
    "cal": ["PRIMARY", "SCI", "ERR", "DQ", "AREA", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "ASDF"],
    "i2d": ["PRIMARY", "SCI", "ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "ASDF"],
}


def scene(plane):
    """Return a dark scene with round sources of flux 1 at `SPOTS`."""
    rows, columns = np.ogrid[: plane[0], : plane[1]]
    image = np.zeros(plane, np.float32)
    for x, y in SPOTS:
        radius2 = (columns - x * plane[1]) ** 2 + (rows - y * plane[0]) ** 2
        image += (np.exp(-radius2 / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2)).astype(np.float32)
    return image


def measured(frame, x, y):
    """Return the centroid and the flux of a source near a position, over what is not masked."""
    x0, y0 = round(x) - HALF, round(y) - HALF
    box = np.s_[y0 : y0 + 2 * HALF + 1, x0 : x0 + 2 * HALF + 1]
    rows, columns = np.mgrid[box]
    level = np.median(frame.ccd.data[frame.good])
    model = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SIGMA**2))
    data = np.where(frame.good[box], frame.ccd.data[box] - level, 0)
    model = np.where(frame.good[box], model, 0)
    flux = (data * model).sum() / (model**2).sum() * 2 * np.pi * SIGMA**2
    weight = data * model
    return ((columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()), flux


def jwst(array, dq=None, **cards):
    """Return a file of JWST with this SCI array; cards go to the primary header."""
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", INSTRUME="NIRCAM", DETECTOR="NRCA1", **cards)
    hdul = fits.HDUList([primary, fits.ImageHDU(array, name="SCI")])
    if dq is not None:
        hdul.append(fits.ImageHDU(dq, name="DQ"))
    return hdul


def picture(*shape):
    """Return an array of numbers no two of which are alike."""
    return np.random.default_rng(3).random(shape, np.float32)


# ----------------------------------------------------------------------------------------- simulated


@pytest.mark.parametrize("name", SMALL)
def test_layouts_are_those_of_the_pipeline(name, tmp_path):
    """Extensions come in the pipeline's order and types, valid on disk; equal seeds give equal bytes."""
    for copy in ("a", "b"):
        make_frame(name, "globular_cluster", seed=4).writeto(tmp_path / copy)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with fits.open(tmp_path / "a") as hdul:
        hdul.verify("exception")
        assert [hdu.name for hdu in hdul] == EXTENSIONS[LAYOUTS[name].product]
        assert hdul["SCI"].data.dtype.name == "float32"
        if "DQ" in hdul:
            assert hdul["DQ"].data.dtype.name == "uint32"
        text = hdul["ASDF"].data["ASDF_METADATA"].tobytes()
        assert text.startswith(b"#ASDF 1.0.0\n")
        assert b"source: 'fits:SCI,1'" in text


def test_keywords_are_those_of_the_archive(headers_dir):
    """Keywords common to all products have the archive's types in its HDUs."""
    (path,) = headers_dir.glob("jw*_uncal.fits")
    own = make_frame("jwst_nircam_sub160_cal", "no_source")
    steps = {key for key in own[0].header if key.startswith("S_")}
    with fits.open(path) as real:
        surplus = set(own[0].header) - set(real[0].header) - steps - {"SIMULATD", "HISTORY"}
        assert not surplus
        photometry = {"PHOTMJSR", "PIXAR_SR", "PIXAR_A2"}
        assert not set(own["SCI"].header) - set(real["SCI"].header) - photometry - {"NAXIS1", "NAXIS2"}
        for key in ("EXPOSURE", "EFFEXPTM", "DATE-OBS", "TIME-OBS", "FILTER"):
            assert type(own[0].header[key]) is type(real[0].header[key]), key


@pytest.mark.parametrize("name", SMALL)
def test_sources_keep_place_flux_and_sky(name):
    """Sources are read where they were put, with their flux, and the WCS knows them."""
    camera = LAYOUTS[name].camera
    element = camera.filters[0]
    hdul = make_frame(name, scene(camera.plane), seed=6, signal=FLUX, sky=0, exptime=100)
    frame = read_frame(hdul)
    per_electron = 1 / (camera.amplifiers[0].gain * 100)
    if not name.endswith("rate"):
        per_electron *= camera.conversion(element)
    for x, y in SPOTS:
        place, flux = measured(frame, x * camera.plane[1], y * camera.plane[0])
        assert_allclose(place, (x * camera.plane[1], y * camera.plane[0]), atol=0.3)
        assert_allclose(flux, FLUX * per_electron, rtol=0.03)
    middle = (np.array(camera.plane[::-1]) - 1) / 2
    target = SkyCoord(hdul[0].header["TARG_RA"], hdul[0].header["TARG_DEC"], unit="deg")
    assert_allclose(frame.ccd.wcs.world_to_pixel(target), middle, atol=0.01)
    scales = [scale.to_value(u.arcsec) for scale in frame.ccd.wcs.proj_plane_pixel_scales()]
    assert_allclose(scales, camera.scale, rtol=0.01)


@pytest.mark.parametrize("name", SMALL)
def test_what_a_product_is(name):
    """Product, unit, exposure and facts are those of the headers; gain and read noise are not in them."""
    frame = read_frame(make_frame(name, "no_source", seed=1, exptime=100))
    product = LAYOUTS[name].product
    assert (frame.layout, frame.facts.product) == ("jwst", product)
    assert frame.ccd.unit == (u.adu / u.s if product == "rate" else u.Unit("MJy/sr"))
    assert frame.exposure is (Exposure.COMBINED if product == "i2d" else Exposure.RAMP)
    assert frame.facts.exptime == 100
    assert frame.facts.filter == LAYOUTS[name].filters[0]
    assert frame.facts.target == "SIM-NO-SOURCE"
    assert "T" in frame.facts.date
    assert (frame.facts.gain, frame.facts.readnoise, frame.facts.pivot) == ((), (), None)
    assert frame.notes == ()


def test_borders_of_combined_images():
    """Where no exposure fell is outside: masked and not counted."""
    hdul = make_frame("jwst_nircam_sub160_i2d", "no_source", seed=1)
    frame = read_frame(hdul)
    assert_array_equal(frame.ccd.mask, hdul["WHT"].data == 0)
    assert frame.quality == 0
    hdul["SCI"].data[:] = 1
    assert_array_equal(read_frame(hdul).ccd.mask, hdul["WHT"].data == 0)


def test_coronagraphs_of_miri_are_outside():
    """What MIRI's imager does not use is masked and no sign of a bad image, as are reference pixels."""
    frame = read_frame(make_frame("jwst_miri_cal", "no_source", seed=1))
    assert frame.shape == (1024, 1032)
    assert frame.exposed == (slice(0, 1024), slice(355, 1028))
    assert frame.quality < 0.01


@pytest.mark.slow
def test_reference_pixels_of_a_full_detector():
    """The four reference pixels at every edge are outside, and the image keeps the pixels of the file."""
    for name in ("jwst_nircam_rate", "jwst_nircam_cal"):
        frame = read_frame(make_frame(name, "no_source", seed=1))
        assert frame.shape == (2048, 2048)
        assert frame.exposed == (slice(4, 2044), slice(4, 2044))
        assert 0.003 < frame.quality < 0.01


# ---------------------------------------------------------------------------------------- made by hand


def test_choice_of_bits():
    """DO_NOT_USE is bad, SATURATED counts, NON_SCIENCE and REFERENCE_PIXEL are outside; the others are kept."""
    dq = np.zeros((20, 24), np.uint32)
    dq[10, :7] = DNU, SATURATED, NON_SCIENCE | DNU, REFERENCE | DNU, NON_SCIENCE, REFERENCE, HOT
    frame = read_frame(jwst(picture(20, 24), dq))
    assert np.flatnonzero(frame.ccd.mask[10]).tolist() == [0, 2, 3, 4, 5]
    assert frame.ccd.mask.sum() == 5
    assert frame.quality == pytest.approx(2 / (20 * 24 - 4))


def test_pixels_that_are_no_number_inside():
    """NaN inside the image is masked and counted."""
    image = picture(20, 24)
    image[8, 9] = np.nan
    frame = read_frame(jwst(image, np.zeros((20, 24), np.uint32)))
    assert np.argwhere(frame.ccd.mask).tolist() == [[8, 9]]
    assert frame.quality == pytest.approx(1 / (20 * 24))


@pytest.mark.parametrize(
    ("cards", "product"),
    [({}, ""), ({"S_RAMP": "COMPLETE"}, "rate"), ({"S_RAMP": "COMPLETE", "S_FLAT": "COMPLETE"}, "cal"),
     ({"S_RAMP": "COMPLETE", "S_FLAT": "SKIPPED", "S_PHOTOM": "COMPLETE"}, "cal"),
     ({"S_PHOTOM": "COMPLETE", "S_OUTLIR": "COMPLETE"}, "crf"),
     ({"S_OUTLIR": "COMPLETE", "S_RESAMP": "COMPLETE"}, "i2d"),
     ({"S_RESAMP": "COMPLETE", "DATAMODL": "SlitModel"}, "s2d")],
)  # fmt: skip
def test_products_by_steps(cards, product):
    """The product is told by the last step that is complete, not by the file's name."""
    assert read_frame(jwst(picture(20, 24), **cards)).facts.product == product


@pytest.mark.parametrize(
    ("shape", "cards", "words"),
    [((1, 5, 20, 24), {"DATAMODL": "Level1bModel"}, "5 groups of a ramp .uncal.* rate or cal .* plane=, from 1 to 5"),
     ((2, 5, 20, 24), {"DATAMODL": "Level1bModel"}, "holds 5 groups of a ramp .*read the rate or cal"),
     ((2, 5, 20, 24), {"DATAMODL": "RampModel"}, "of a ramp .ramp., .*read the rate or cal product of the exposure$"),
     ((3, 20, 24), {"S_RAMP": "COMPLETE"}, "3 integrations .rateints.* read the rate product .* from 1 to 3"),
     ((3, 20, 24), {"S_FLAT": "COMPLETE"}, "3 integrations .calints.* read the cal product"),
     ((9, 20, 24), {"DATAMODL": "IFUCubeModel"}, "9 planes .s3d.* choose one of them with plane=, from 1 to 9")],
)  # fmt: skip
def test_cubes_say_what_to_read_instead(shape, cards, words):
    """Ramps, integrations and spectral cubes are refused, and the message names the product to read."""
    with pytest.raises(FrameError, match=words):
        read_frame(jwst(picture(*shape), **cards))


def test_a_plane_by_name():
    """One group of a ramp can be had by its number."""
    ramp = picture(1, 5, 20, 24)
    assert_array_equal(read_frame(jwst(ramp, DATAMODL="Level1bModel"), plane=3).ccd.data, ramp[0, 2])


def test_one_integration_is_an_image():
    """Integrations that are only one are that image."""
    cube = picture(1, 20, 24)
    frame = read_frame(jwst(cube, np.zeros(cube.shape, np.uint32), S_RAMP="COMPLETE"))
    assert_array_equal(frame.ccd.data, cube[0])


def test_further_slits_are_named():
    """Of several SCI the first is read and the others are named; spectra are called so."""
    hdul = jwst(picture(20, 24), EXP_TYPE="NRC_WFSS")
    hdul.append(fits.ImageHDU(picture(20, 24), name="SCI", ver=2))
    notes = read_frame(hdul).notes
    assert notes[0] == "read SCI,1 alone; choose another with hdu=: SCI,2"
    assert notes[1] == "EXP_TYPE = 'NRC_WFSS': the header says this is a spectrum"


@pytest.mark.parametrize(
    ("kind", "word"),
    [("NRC_IMAGE", ""), ("MIR_IMAGE", ""), ("NIS_IMAGE", ""), ("NRC_CORON", ""), ("NRS_TACQ", ""), ("MIR_TACQ", ""),
     ("NRS_MSATA", ""), ("MIR_LYOT", ""), ("FGS_FOCUS", ""), ("MIR_MRS", "spectrum"), ("NIS_SOSS", "spectrum"),
     ("MIR_LRS-FIXEDSLIT", "spectrum"), ("NRS_IFU", "spectrum"), ("NRC_TSGRISM", "spectrum"),
     ("NRS_MSASPEC", "spectrum"), ("NRS_BRIGHTOBJ", "spectrum"), ("NRC_DARK", "no picture"),
     ("MIR_FLATIMAGE-EXT", "no picture"),
     ("NRS_AUTOFLAT", "no picture"), ("NIS_LAMP", "no picture"), ("NRC_LED", "no picture")],
)  # fmt: skip
def test_types_of_exposure(kind, word):
    """Spectra and calibrations earn a note, images and target acquisitions do not."""
    notes = read_frame(jwst(picture(20, 24), EXP_TYPE=kind)).notes
    assert [word in note for note in notes] == ([True] if word else [])


@pytest.mark.parametrize(
    ("cards", "expected"),
    [({"FILTER": "CLEAR", "PUPIL": "F200W"}, "F200W"), ({"FILTER": "F444W", "PUPIL": "CLEARP"}, "F444W"),
     ({"FILTER": "F210M", "PUPIL": "MASKRND"}, "F210M+MASKRND"), ({"FILTER": "F770W"}, "F770W")],
)  # fmt: skip
def test_filters_in_two_wheels(cards, expected):
    """The filter is in either wheel; what is clear is left out."""
    assert read_frame(jwst(picture(20, 24), **cards)).facts.filter == expected


def test_number_of_the_exposure_is_no_time():
    """EXPOSURE of JWST is the number of a request; the time is EFFEXPTM."""
    facts = read_frame(jwst(picture(20, 24), EXPOSURE="9", EFFEXPTM=107.4, TARGNAME="", TARGPROP="M-51")).facts
    assert (facts.exptime, facts.target) == (107.4, "M-51")
