# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of CCD frames of ACS and WFC3/UVIS: overscan, amplifiers and gain of every readout, and what is refused."""

import re
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from astroclf import read_frame
from astroclf.frames import Exposure
from astroclf.frames.layouts.acs import WFC
from astroclf.frames.layouts.overscan import UnknownGeometryError
from astroclf.frames.layouts.wfc3_uvis import UVIS

BIAS = {"A": 2000, "B": 2100, "C": 2200, "D": 2300}
GAIN = {"A": 2.0, "B": 0.5, "C": 3.0, "D": 1.5}
NOISE = {"A": 4.0, "B": 5.0, "C": 6.0, "D": 7.0}


@dataclass(frozen=True)
class Readout:
    """A chip or a part of it as one amplifier reads it: first lit column and row, lit size, columns and rows beyond."""

    detector: str
    chip: int
    amplifier: str
    column: int
    row: int
    width: int
    height: int
    left: int = 0
    right: int = 0
    below: int = 0
    above: int = 0

    @property
    def electrons(self):
        """What saw light, different in every row and column."""
        y, x = np.mgrid[self.row : self.row + self.height, self.column : self.column + self.width]
        return GAIN[self.amplifier] * (50.0 * (y % 89) + x % 97)

    @property
    def image(self):
        """Counts, with the level of the amplifier and a few odd pixels in columns beyond, and nonsense in rows."""
        borders = (self.below, self.above), (self.left, self.right)
        lit = self.electrons / GAIN[self.amplifier] + BIAS[self.amplifier]
        image = np.pad(lit, ((0, 0), borders[1]), constant_values=BIAS[self.amplifier])
        image[::7, : self.left // 3] += 9
        image[::90, : self.left] += 900
        image[::9, self.left + self.width + 1 : -5] -= 30
        return np.pad(image, (borders[0], (0, 0)), constant_values=65535).astype(np.uint16)

    def hdul(self, **cards):
        """Return the raw file."""
        primary = fits.PrimaryHDU()
        instrument = "WFC3" if self.detector == "UVIS" else "ACS"
        switches = {"DQICORR": "PERFORM", "BLEVCORR": "PERFORM", "DARKCORR": "PERFORM", "CRCORR": "OMIT"}
        primary.header.update(TELESCOP="HST", INSTRUME=instrument, DETECTOR=self.detector, SUBARRAY=True, **switches)
        primary.header.update(CCDAMP=self.amplifier, CCDGAIN=GAIN[self.amplifier])
        for name in "ABCD":
            primary.header.update({f"ATODGN{name}": GAIN[name], f"READNSE{name}": NOISE[name]})
        image = fits.ImageHDU(self.image, name="SCI", ver=1)
        image.header.update(CCDCHIP=self.chip, BUNIT="COUNTS", BINAXIS1=1, BINAXIS2=1)
        image.header.update(SIZAXIS1=image.shape[1], SIZAXIS2=image.shape[0])
        image.header.update(LTV1=float(self.left - self.column), LTV2=float(self.below - self.row))
        image.header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRVAL1=10.0, CRVAL2=20.0, CRPIX1=100.0, CRPIX2=90.0)
        for hdu in (primary, image):
            hdu.header.update({key: value for key, value in cards.items() if key in hdu.header or hdu is primary})
        return fits.HDUList([primary, image])


READOUTS = {
    "WFC1A-2K": Readout("WFC", 1, "A", 0, 0, 2048, 2048, left=24, below=20),
    "WFC2D-2K": Readout("WFC", 2, "D", 2048, 0, 2048, 2048, right=24, above=20),
    "WFC1B-512": Readout("WFC", 1, "B", 2048, 1536, 2048, 512, right=24),
    "WFC2C-1K": Readout("WFC", 2, "C", 0, 0, 2048, 1024, left=24),
    "WFC1-1K of 2005": Readout("WFC", 1, "B", 3072, 1023, 1024, 1024, right=22),
    "WFC2 by C alone": Readout("WFC", 2, "C", 0, 0, 4096, 2048, left=24, right=24, above=20),
    "HRC": Readout("HRC", 1, "C", 0, 0, 1024, 1024, left=19, right=19, above=20),
    "HRC by B": Readout("HRC", 1, "B", 0, 0, 1024, 1024, left=19, right=19, below=20),
    "HRC-512": Readout("HRC", 1, "C", 0, 0, 512, 512, left=19),
    "UVIS2-C512C": Readout("UVIS", 2, "C", 0, 0, 513, 512, left=25),
    "UVIS2-C1K1D": Readout("UVIS", 2, "D", 3071, 0, 1025, 1024, right=25),
    "UVIS1-C512A": Readout("UVIS", 1, "A", 0, 1539, 513, 512, left=25),
    "UVIS1-2K4": Readout("UVIS", 1, "A", 0, 1, 4096, 2050, left=25, right=25),
}


@pytest.mark.parametrize("readout", READOUTS.values(), ids=READOUTS.keys())
def test_readouts(readout):
    """What saw light is there, all of it and nothing else, in electrons, and its WCS is where it was."""
    frame = read_frame(readout.hdul())
    assert_allclose(frame.ccd.data, readout.electrons, rtol=1e-6, atol=1e-3)
    assert frame.ccd.unit == u.electron
    assert (frame.facts.product, frame.exposure, frame.notes) == ("raw", Exposure.SINGLE, ())
    assert (frame.facts.gain, frame.facts.readnoise) == ((GAIN[readout.amplifier],), (NOISE[readout.amplifier],))
    assert f"{readout.amplifier} {BIAS[readout.amplifier]}.0 DN" in frame.steps[0]
    trimmed = f"trimmed {readout.left} + {readout.right} columns and {readout.below + readout.above} rows"
    assert frame.steps[-1] == trimmed
    assert_allclose(frame.ccd.wcs.wcs.crpix, (100 - readout.left, 90 - readout.below))
    assert not frame.ccd.mask.any()


CENTRE = Readout("UVIS", 1, "A", 700, 300, 512, 512)


def test_without_overscan():
    """A subarray without overscan keeps its counts, and the user is told."""
    frame = read_frame(CENTRE.hdul())
    assert_array_equal(frame.ccd.data, CENTRE.image)
    assert frame.ccd.unit == u.adu
    assert frame.steps == ()
    assert frame.notes == ("it has no overscan that shows its bias level: that is still in",)


CORNER = READOUTS["UVIS2-C512C"]
UNKNOWN = {
    "binned": (CORNER, {"BINAXIS1": 2, "BINAXIS2": 2}, "its pixels are binned 2 x 2"),
    "cut": (CORNER, {"SIZAXIS1": 600}, r"600 x 512 pixels were read \(SIZAXIS1, SIZAXIS2\), 538 x 512 are here"),
    "too wide": (CORNER, {"LTV1": 26.0}, "border of 26 . 0 columns"),
    "rows where the amplifier is": (CORNER, {"LTV2": 19.0}, r"0 . 0 rows|19 . 0 rows"),
    "LTV1 missing": (CORNER, {"LTV1": "none"}, "LTV1 and LTV2 do not say"),
    "four amplifiers": (READOUTS["HRC"], {"CCDAMP": "ABCD"}, "amplifiers A and B and C and D read one chip"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_readouts_are_left_alone(case):
    """Where the overscan is not known for sure nothing is trimmed or subtracted, and the user is told why."""
    readout, cards, why = UNKNOWN[case]
    frame = read_frame(readout.hdul(**cards))
    assert_array_equal(frame.ccd.data, readout.image)
    assert (frame.ccd.unit, frame.steps, len(frame.notes)) == (u.adu, (), 1)
    assert re.search(f"its overscan, if any, is neither used nor trimmed: .*{why}", frame.notes[0])


def full_frame(instrument="WFC3", detector="UVIS", shape=(2051, 4096), chips=(2, 1), **cards):
    """Return a calibrated file of two chips of constant numbers, those of CCDCHIP."""
    hdul = CENTRE.hdul(INSTRUME=instrument, DETECTOR=detector, CCDAMP="ABCD", SUBARRAY=False, **cards)[:1]
    for version, chip in enumerate(chips, 1):
        image = fits.ImageHDU(np.full(shape, chip, np.float32), name="SCI", ver=version)
        image.header.update(CCDCHIP=chip, BUNIT="ELECTRONS", LTV1=0.0, LTV2=0.0)
        hdul.append(image)
        hdul.append(fits.ImageHDU(np.zeros(shape, np.int16), name="DQ", ver=version))
    return hdul


DONE = {"DQICORR": "COMPLETE", "BLEVCORR": "COMPLETE", "DARKCORR": "COMPLETE", "FLATCORR": "COMPLETE"}
STAGES = [
    ("ACS", {"DRIZCORR": "COMPLETE"}, "flt", Exposure.SINGLE),
    ("ACS", {"PCTECORR": "COMPLETE", "CRCORR": "PERFORM"}, "flc", Exposure.SINGLE),
    ("ACS", {"CRCORR": "COMPLETE"}, "crj", Exposure.COMBINED),
    ("WFC3", {"CRCORR": "COMPLETE", "PCTECORR": "COMPLETE"}, "crc", Exposure.COMBINED),
    ("WFC3", {"RPTCORR": "COMPLETE"}, "crj", Exposure.COMBINED),
    ("ACS", {"RPTCORR": "COMPLETE"}, "sfl", Exposure.UNKNOWN),
]


@pytest.mark.parametrize(("instrument", "switches", "product", "exposure"), STAGES, ids=str)
def test_products(instrument, switches, product, exposure):
    """The switches say which product it is and whether rays were rejected; DRIZCORR is COMPLETE in single ones too."""
    detector = "WFC" if instrument == "ACS" else "UVIS"
    frame = read_frame(full_frame(instrument, detector, (20, 30), **DONE, **switches))
    assert (frame.facts.product, frame.exposure, frame.ccd.unit) == (product, exposure, u.electron)
    assert frame.facts.gain == tuple(GAIN.values())


def test_without_switches():
    """A file without switches has no product name."""
    hdul = full_frame(shape=(20, 30))
    for keyword in ("DQICORR", "BLEVCORR", "DARKCORR"):
        del hdul[0].header[keyword]
    assert read_frame(hdul).facts.product == ""


def test_the_lower_chip_is_that_of_number_2():
    """Chips lie as CCDCHIP says, whatever their EXTVER."""
    for chips, hdus in (((2, 1), ("SCI,1", "SCI,2")), ((1, 2), ("SCI,2", "SCI,1"))):
        frame = read_frame(full_frame(chips=chips, **DONE))
        assert (frame.ccd.data[0, 0], frame.ccd.data[-1, 0]) == (2, 1)
        assert frame.origin.hdus == hdus
        assert (frame.shape, frame.notes) == ((2 * 2051 + 31, 4096), ())
        assert frame.steps == ("put 2 chips together with a gap of 31 rows",)


def test_pieces_of_chips():
    """Two images that are no whole chips may not lie as they are put together, and the user is told."""
    (note,) = read_frame(full_frame(shape=(20, 30), **DONE)).notes
    assert note.startswith("SCI,1 and SCI,2 are no whole chips of 4096 x 2051 pixels")


def test_binned_chips():
    """The gap of a calibrated frame of binned pixels is as much smaller."""
    hdul = full_frame(shape=(1025, 2048), **DONE)
    for hdu in hdul:
        hdu.header.update(BINAXIS1=2, BINAXIS2=2)
    frame = read_frame(hdul)
    assert (frame.shape, frame.notes) == ((2 * 1025 + 16, 2048), ())


def test_gain_of_the_header_then_of_the_table_then_as_commanded():
    """Zeros in ATODGNx and READNSEx stand for nothing; the table of the camera or CCDGAIN does."""
    zeros = {f"{prefix}{name}": 0.0 for prefix in ("ATODGN", "READNSE") for name in "ABCD"}
    tabled = read_frame(CORNER.hdul(**zeros, CCDGAIN=1.5))
    assert (tabled.facts.gain, tabled.facts.readnoise) == ((1.56,), (3.08,))
    assert_allclose(tabled.ccd.data, CORNER.electrons / GAIN["C"] * 1.56, rtol=1e-5, atol=1e-3)
    commanded = read_frame(CORNER.hdul(**zeros, CCDGAIN=4))
    assert (commanded.facts.gain, commanded.facts.readnoise) == ((4,), ())
    assert_allclose(commanded.ccd.data, CORNER.electrons / GAIN["C"] * 4, rtol=1e-5, atol=1e-3)
    none = read_frame(CORNER.hdul(**zeros, CCDGAIN=0))
    assert none.notes == ("neither ATODGNx nor CCDGAIN says its gain: it is left in DN",)
    assert none.ccd.unit == u.adu
    assert_allclose(none.ccd.data, CORNER.electrons / GAIN["C"], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(("start", "gain"), [(53436.0, (1.0107,)), (57700.0, (1,)), ("?", (1.0107,))])
def test_the_table_of_acs_ends_with_its_electronics(start, gain):
    """The gains measured before the repair of May 2009 are not those of later frames."""
    zeros = {f"ATODGN{name}": 0.0 for name in "ABCD"}
    frame = read_frame(READOUTS["WFC2C-1K"].hdul(**zeros, CCDGAIN=1, EXPSTART=start))
    assert frame.facts.gain == gain
    assert ("nominal" in frame.steps[1]) is (gain == (1,))


HEADER_VALUES = st.one_of(st.integers(-5000, 5000), st.floats(-3000, 3000), st.sampled_from(["", "x", None, True]))


@given(
    shape=st.tuples(st.integers(16, 2200), st.integers(16, 4300)),
    cards=st.fixed_dictionaries({}, optional={key: HEADER_VALUES for key in ("LTV1", "LTV2", "SIZAXIS1", "BINAXIS2")}),
    amplifiers=st.sampled_from(["A", "B", "C", "D", "AB", "CD", "AD", "ABCD"]),
)
@settings(max_examples=300)
def test_no_header_leads_to_wrong_cuts(shape, cards, amplifiers):
    """Whatever a header says, either the readout is refused or its parts make up one rectangle beside the overscan."""
    for chip in (WFC.chip, UVIS.chip):
        try:
            parts = chip.parts(shape, fits.Header(cards), amplifiers)
        except UnknownGeometryError:
            continue
        seen = np.zeros(shape, int)
        for part in parts:
            seen[part.rows, part.columns] += 1
            if part.level:
                seen[part.level] += 10
                assert seen[part.level].size
        assert set(np.unique(seen)) <= {0, 1, 10, 20}
        ny, nx = (int((seen == 1).any(axis=axis).sum()) for axis in (1, 0))
        assert ny <= chip.shape[0]
        assert nx <= chip.shape[1]
        assert (seen == 1).sum() == nx * ny


def test_level_between_two_counts():
    """The level of the overscan is known to a small fraction of a count."""
    hdul = CORNER.hdul()
    rng = np.random.default_rng(8)
    hdul["SCI"].data[:, :25] = np.rint(2200.4 + 2 * rng.standard_normal((512, 25)))
    assert_allclose(read_frame(hdul).ccd.data, CORNER.electrons - 0.4 * GAIN["C"], atol=0.1 * GAIN["C"])


def test_pixels_too_bright_for_the_converter():
    """Raw pixels at the last number of 16 bits are saturated: counted, not masked, in their place."""
    hdul = CORNER.hdul()
    hdul["SCI"].data[10, 25 + 7] = hdul["SCI"].data[500, 25 + 512] = 65535
    frame = read_frame(hdul)
    assert frame.quality == frame.saturated == pytest.approx(2 / (512 * 513))
    assert not frame.ccd.mask.any()


def test_overscan_survives_rays():
    """Cosmic rays and a hot column in the overscan do not move the level."""
    hdul = CORNER.hdul()
    hdul["SCI"].data[::10, :25] += 3000
    hdul["SCI"].data[:, 3] += 500
    assert_allclose(read_frame(hdul).ccd.data, CORNER.electrons, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(
    ("cards", "note"),
    [
        ({"IMAGETYP": "DARK"}, "IMAGETYP = 'DARK': the header says this is no picture of the sky"),
        ({"OBSTYPE": "SPECTROSCOPIC"}, "OBSTYPE = 'SPECTROSCOPIC': the header says this is a spectrum"),
        ({"OBSTYPE": "IMAGING", "FILTER": "G280"}, "filter G280: the header says this shows spectra"),
        ({"FILTER1": "G800L", "FILTER2": "CLEAR2L"}, "filter G800L: the header says this shows spectra"),
        ({"FILTER1": "PR130L", "FILTER2": "N/A"}, "filter PR130L: the header says this shows spectra"),
    ],
)
def test_what_is_no_picture(cards, note):
    """Darks, spectra, grisms and prisms are read like any other frame, with a note."""
    frame = read_frame(CORNER.hdul(**cards))
    assert frame.notes == (note,)
    assert_allclose(frame.ccd.data, CORNER.electrons, rtol=1e-6, atol=1e-3)


def test_filters_are_no_spectra():
    """Filters, of Hubble or not, that look like grisms get no note."""
    for cards in ({"FILTER": "F280N"}, {"FILTER": "G280", "TELESCOP": "VLT"}, {"FILTER": "G"}):
        assert read_frame(CORNER.hdul(**cards)).notes == ()


def test_memory(tmp_path):
    """A full calibrated frame is read in not much more than twice the memory of its images."""
    path = tmp_path / "flt.fits"
    hdul = full_frame("ACS", "WFC", (2048, 4096), **DONE)
    for version in (1, 2):
        hdul["DQ", version].data[::50, ::3] = 16 | 256 | 8192
    hdul.writeto(path)
    size = 2 * hdul["SCI", 1].data.nbytes
    del hdul
    with fits.open(path, memmap=False) as opened:
        tracemalloc.start()
        try:
            frame = read_frame(opened)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert frame.ccd.mask[0, 0]
    assert peak < 2.2 * size
