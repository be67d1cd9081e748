# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Only pixels count: names, coordinates, dates and file names that say otherwise change no card of the verdict."""

import pytest
from astropy.io import fits

from astroclf import Classifier, read_frame, write_tags
from astroclf.datasets import make_frame

LIES = {
    "OBJECT": "spiral galaxy", "TARGNAME": "M51", "TARGPROP": "M-51", "TARGDESC": "GALAXY;SPIRAL", "TARGCAT": "GALAXY",
    "TITLE": "The spiral arms of M51", "RA": 202.47, "DEC": 47.2, "RA_TARG": 202.47, "DEC_TARG": 47.2,
    "TARG_RA": 202.47, "TARG_DEC": 47.2, "CRVAL1": 202.47, "CRVAL2": 47.2, "FILENAME": "m51_spiral_galaxy.fits",
    "ROOTNAME": "m51", "PROPOSID": 10452, "PROGRAM": "10452", "DATE-OBS": "2005-01-20",
}  # fmt: skip
"""What the headers are made to say."""

OF_THE_FILE = ("CLFFILE", "CLFDATE")
"""Cards that name the file and the time of tagging."""


@pytest.fixture(scope="module")
def classifier():
    """Return the bundled classifier."""
    return Classifier()


def lie(hdul):
    """Make all headers say that the frame shows a spiral galaxy, in the keywords they have and two more."""
    for hdu in hdul:
        there = {key: value for key, value in LIES.items() if key in hdu.header}
        hdu.header.update(there)
    hdul[0].header.update({key: LIES[key] for key in ("OBJECT", "TARGNAME")})


def verdict(path, classifier):
    """Return the cards of the verdict that a tagged file has, bar those of the file."""
    write_tags(path, classifier(read_frame(path)))
    header = fits.getheader(path)
    return {key: header[key] for key in header if key.startswith("CLF") and key not in OF_THE_FILE}


@pytest.mark.parametrize("scene", ["no_source", "globular_cluster"])
@pytest.mark.parametrize(
    "layout", ["wfc3_ir_sub256_flt", "acs_wfc_512a_flc", "ground_ccd_reduced", "jwst_nircam_sub160_cal"]
)
def test_only_pixels_count(layout, scene, classifier, tmp_path):
    """The cards are the same to the last digit."""
    honest, lying = tmp_path / "empty_sky.fits", tmp_path / LIES["FILENAME"]
    frame = make_frame(layout, scene, seed=3)
    frame.writeto(honest)
    lie(frame)
    frame.writeto(lying)
    assert fits.getheader(honest) != fits.getheader(lying)
    expected = verdict(honest, classifier)
    assert "CLFCLASS" in expected
    assert verdict(lying, classifier) == expected
