# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of odd values in the keywords by which Hubble's ramps, STIS and FOC are read: a frame or a `FrameError`."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from astroclf import Frame, FrameError, read_frame

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "28x50", "0X1.2.", "x" * 60]),
    st.sampled_from("COMPLETE PERFORM PERFORMED MULTIACCUM ACCUM IMAGING ZOOM A D ABCD".split()),
)
KEYWORDS = {
    ("WFC3", 2): ["ATODGNA", "ATODGNB", "READNSEA", "ZOFFCORR", "CRCORR", "RPTCORR", "OBSMODE", "SAMPTIME", "BUNIT"],
    ("NICMOS", 2): ["ADCGAIN", "ZOFFDONE", "CRIDDONE", "BIASDONE", "OBSMODE", "CALSTAGE", "CAMERA", "BUNIT"],
    ("STIS", 1): (
        "CCDAMP CCDGAIN ATODGAIN READNSE BINAXIS1 BINAXIS2 BLEVCORR CRCORR BUNIT APER_FOV OBSTYPE CD1_1 CD2_2".split()
    ),
    ("FOC", 0): ["PXFORMT", "PXLCORR", "GEOCORR", "GEODEFV", "OPTCRLY", "SMMMODE", "CRPIX1", "CD1_1", "CTYPE1"],
}
DETECTORS = {"WFC3": "IR", "STIS": "CCD"}


def odd_file(instrument, sets, cards):
    """Return a small file of an instrument with these cards in all headers."""
    image = np.random.default_rng(1).integers(10, 60, (74, 74)).astype(np.float32)
    primary = fits.PrimaryHDU(None if sets else image)
    primary.header.update(TELESCOP="HST", INSTRUME=instrument, DETECTOR=DETECTORS.get(instrument, ""))
    hdul = fits.HDUList([primary])
    for version in range(1, sets + 1):
        hdul.append(fits.ImageHDU(image * (sets + 1 - version), name="SCI", ver=version))
        hdul.append(fits.ImageHDU(np.zeros(image.shape, np.int16), name="DQ", ver=version))
    for hdu in hdul:
        hdu.header.update(cards)
    return hdul


@pytest.mark.parametrize(("instrument", "sets"), KEYWORDS, ids=lambda value: str(value))
@settings(max_examples=60)
@given(data=st.data())
def test_odd_keywords(instrument, sets, data):
    """Whatever its keywords hold, a file becomes a frame or is refused by name."""
    keywords = KEYWORDS[instrument, sets]
    cards = data.draw(st.dictionaries(st.sampled_from(keywords), ODD, max_size=4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        hdul = odd_file(instrument, sets, cards)
    try:
        frame = read_frame(hdul)
    except FrameError:
        return
    assert isinstance(frame, Frame)
    assert frame.layout in ("wfc3_ir", "nicmos", "stis", "foc")
    assert frame.ccd.data.dtype == np.float32
