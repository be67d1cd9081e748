# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of drizzled products of Hubble: which image, what was exposed, its unit, and what became of cosmic rays."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from numpy.testing import assert_array_equal

from astroclf import read_frame
from astroclf.datasets import make_frame
from astroclf.frames import Exposure

SHAPE = (60, 70)


def image():
    """Return a noisy image that is 0 where nothing was drizzled: a border, a hole, and one pixel by chance."""
    data = np.random.default_rng(4).normal(1, 0.1, SHAPE).astype(np.float32)
    data[~exposed()] = 0
    data[30, 30] = 0
    return data


def exposed():
    """Return which pixels had weight."""
    rows, columns = np.indices(SHAPE)
    return (columns > 8) & (rows + columns < 110)


def inputs(*names):
    """Return AstroDrizzle's cards for these inputs."""
    cards = {"NDRIZIM": len(names), "DRIZCORR": "COMPLETE", "D001OUUN": "cps"}
    return cards | {f"D{number:03d}DATA": name for number, name in enumerate(names, 1)}


TWO = inputs("ja_flc.fits[sci,1]", "ja_flc.fits[sci,2]", "jb_flc.fits[sci,1]", "jb_flc.fits[sci,2]")
ONE = inputs("ja_flc.fits[sci,1]", "ja_flc.fits[sci,2]")


def product(instrument="ACS", detector="WFC", weight=None, cards=TWO, **science):
    """Return a drizzled product of SCI, WHT, CTX and HDRTAB."""
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="HST", INSTRUME=instrument, DETECTOR=detector, **cards)
    weight = np.where(exposed(), 500, 0).astype(np.float32) if weight is None else weight
    arrays = {"SCI": image(), "WHT": weight, "CTX": exposed().astype(np.int32)}
    hdul = fits.HDUList([primary, *(fits.ImageHDU(array, name=name) for name, array in arrays.items())])
    hdul["SCI"].header.update(BUNIT="ELECTRONS/S", **science)
    hdul.append(fits.BinTableHDU.from_columns([fits.Column("ROOTNAME", "9A", array=["ja"])], name="HDRTAB"))
    return hdul


def alone(compressed=False, cards=TWO):
    """Return a drizzled image alone in a file, as AstroDrizzle writes it with build=False."""
    whole = product(cards=cards)
    header = whole[0].header
    header["BUNIT"] = "ELECTRONS/S"
    if compressed:
        return fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image(), header, quantize_level=0)])
    return fits.HDUList([fits.PrimaryHDU(image(), header)])


def test_extensions():
    """SCI is read; what has no weight is outside; zeros that have weight are pixels like any other."""
    frame = read_frame(product())
    assert (frame.layout, frame.facts.product, frame.origin.hdus) == ("hst_drizzled", "drz", ("SCI,1",))
    assert_array_equal(frame.ccd.data, image())
    assert_array_equal(frame.ccd.mask, ~exposed())
    assert (frame.quality, frame.ccd.unit, frame.notes) == (0, u.electron / u.s, ())
    assert frame.steps == (f"left out what has no weight, {100 * np.mean(~exposed()):.0f} % of the grid",)


@pytest.mark.parametrize("compressed", [False, True])
def test_image_alone(compressed):
    """Without WHT, zeros connected to the border are outside; one inside is not."""
    frame = read_frame(alone(compressed))
    assert (frame.layout, frame.exposure) == ("hst_drizzled", Exposure.COMBINED)
    assert_array_equal(frame.ccd.mask, ~exposed())
    assert frame.ccd.unit == u.electron / u.s


def test_weights_that_are_no_numbers():
    """A weight not above 0, NaN too, is none; NaN in the image is outside, or unusable where there is weight."""
    weight = np.where(exposed(), 500, np.nan).astype(np.float32)
    weight[40, 40] = -1
    hdul = product(weight=weight)
    hdul["SCI"].data[~exposed()] = np.nan
    hdul["SCI"].data[20, 20] = np.nan
    frame = read_frame(hdul)
    expected = ~exposed()
    expected[40, 40] = expected[20, 20] = True
    assert_array_equal(frame.ccd.mask, expected)
    assert frame.quality == pytest.approx(1 / (exposed().sum() - 1))


RAYS = [
    (("ACS", "WFC"), TWO, {}, Exposure.COMBINED),
    (("ACS", "WFC"), ONE, {}, Exposure.DRIZZLED),
    (("ACS", "WFC"), {"NDRIZIM": 8}, {"NCOMBINE": 4}, Exposure.COMBINED),
    (("ACS", "HRC"), {"NDRIZIM": 1}, {}, Exposure.DRIZZLED),
    (("WFC3", "UVIS"), {}, {}, Exposure.UNKNOWN),
    (("WFC3", "IR"), inputs("ia_flt.fits[sci,1]"), {}, Exposure.RAMP),
    (("ACS", "SBC"), inputs("ja_flt.fits[sci,1]"), {}, Exposure.COUNTER),
    (("STIS", "NUV-MAMA"), {}, {}, Exposure.COUNTER),
]


@pytest.mark.parametrize(("camera", "cards", "science", "exposure"), RAYS, ids=str)
def test_what_became_of_rays(camera, cards, science, exposure):
    """Rays were rejected if two exposures or more went in, not two chips of one; then the user is told."""
    frame = read_frame(product(*camera, cards=cards, **science))
    assert frame.exposure is exposure
    assert not frame.cosmic_rays
    note = "it was drizzled from a single exposure: its cosmic rays are still there"
    assert frame.notes == ((note,) if exposure is Exposure.DRIZZLED else ())


def test_corrected_for_losses_of_charge():
    """PCTECORR = COMPLETE makes a drc."""
    assert read_frame(product(cards=TWO | {"PCTECORR": "COMPLETE"})).facts.product == "drc"


def test_unit_of_drizzle():
    """Without BUNIT, AstroDrizzle's own keyword says what the unit is."""
    for written, unit in (("cps", u.electron / u.s), ("counts", u.electron)):
        hdul = product(cards=TWO | {"D001OUUN": written})
        del hdul["SCI"].header["BUNIT"]
        assert read_frame(hdul).ccd.unit == unit


@pytest.mark.parametrize("change", ["telescope", "no sign of drizzle", "two images"])
def test_what_is_not_drizzled(change):
    """Other telescopes' mosaics, exposures, and files of several images are none of these products."""
    hdul = product(cards={})
    if change == "telescope":
        hdul[0].header["TELESCOP"] = "Euclid"
    elif change == "no sign of drizzle":
        del hdul["WHT"]
    else:
        hdul.append(fits.ImageHDU(image(), name="SCI", ver=2))
    assert read_frame(hdul).layout != "hst_drizzled"


def test_true_sizes_and_order():
    """A simulated product has the archive's HDUs and types, weight where the rotated chips were, and a row an input."""
    hdul = make_frame("acs_wfc_512a_drz", "no_source", seed=5)
    assert [hdu.name for hdu in hdul] == ["PRIMARY", "SCI", "WHT", "CTX", "HDRTAB"]
    assert [hdu.data.dtype.name for hdu in hdul[1:4]] == ["float32", "float32", "int32"]
    header = hdul[0].header
    assert (header["NDRIZIM"], header["DRIZCORR"], header["NEXTEND"], len(hdul["HDRTAB"].data)) == (2, "COMPLETE", 4, 2)
    assert (header["EXPTIME"], header["TEXPTIME"], hdul["HDRTAB"].data["EXPTIME"].sum()) == (500, 500, 500)
    assert header["FILENAME"].endswith("_drz.fits")
    weight, area = hdul["WHT"].data, 512 * 2048 * 0.0495 * 0.0494 / 0.05**2
    assert np.count_nonzero(weight) == pytest.approx(area, rel=0.03)
    assert not np.concatenate([weight[0], weight[-1], weight[:, 0], weight[:, -1]]).any()
    assert weight.max() == pytest.approx(500, rel=1e-5)
    assert_array_equal(hdul["CTX"].data > 0, weight > 0)
    assert set(np.unique(hdul["CTX"].data)) <= {0, 1, 2, 3}


def test_combined_members():
    """A crj has the exposure time, the count and the switch of what went in, and flags what no exposure could see."""
    hdul = make_frame("wfc3_uvis_c512c_crc", "no_source", seed=5, exptime=3000)
    header = hdul[0].header
    assert (header["CRCORR"], header["PCTECORR"], header["EXPTIME"], header["CRSPLIT"]) == (
        "COMPLETE",
        "COMPLETE",
        3000,
        2,
    )
    assert hdul["SCI"].header["NCOMBINE"] == 2
    assert [hdu.name for hdu in hdul] == ["PRIMARY", "SCI", "ERR", "DQ"]
    assert hdul["DQ"].data.dtype.name == "int16"
    assert np.median(hdul["SCI"].data) == pytest.approx(3000 * 0.04, rel=0.1)
