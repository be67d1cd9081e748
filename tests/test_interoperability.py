# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What tools of others say of tagged files: astropy's commands, CFITSIO's fitsverify, ccdproc.

Over simulated frames of every camera, with checksums.
"""

import re
import shutil
import subprocess
import sysconfig
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from ccdproc import ImageFileCollection

from astroclf import read_frame, remove_tags, write_tags
from astroclf.datasets import make_frame
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import to_cards
from astroclf.taxonomy import groups, labels

PREDICTION = Prediction(
    labels(), (0.9, 0.05, 0.02) + (0.03 / 11,) * 11, groups(), (0.98,) + (0.02 / 6,) * 6, Status.OK, 0.01,
    Provenance("model", "ab" * 32, "0123456789ab", "prior=galaxy:0.7"), agreement=0.75, n_set=2, coverage=0.9,
)  # fmt: skip

SMALL = ("acs_sbc_flt", "wfc3_ir_sub256_flt", "wfpc2_area_c0f", "jwst_nircam_sub160_cal", "ground_ccd_reduced")
LARGER = ("acs_wfc_512a_flc", "wfc3_uvis_c512c_flc", "wfc3_ir_raw", "nicmos_raw", "stis_ccd_raw", "foc_d0f",
          "wfpc2_c0m", "jwst_miri_rate", "ground_mosaic_raw")  # fmt: skip
"""Layouts of other makes, in the slow part."""

CAMERAS = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGER)]


def command(name, *args):
    """Run a command of the environment; return its exit status and all it says."""
    program = shutil.which(name, path=sysconfig.get_path("scripts")) or name
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def tag(path, **changes):
    """Tag a file with a verdict on its frame."""
    return write_tags(path, replace(PREDICTION, **{"origin": read_frame(path).origin} | changes))


@pytest.fixture(scope="module", params=CAMERAS)
def pair(request, tmp_path_factory):
    """Return a simulated frame with checksums, and a tagged copy of the same name; not to be changed."""
    folder = tmp_path_factory.mktemp(request.param)
    before, after = folder / "before" / "frame.fits", folder / "after" / "frame.fits"
    for path in (before, after):
        path.parent.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cards of true headers that astropy has remarks on
        make_frame(request.param, "globular_cluster", seed=1).writeto(before, checksum=True)
    shutil.copy(before, after)
    tag(after)
    yield before, after
    shutil.rmtree(folder)


def test_fitscheck(pair):
    """Checksums that were right are right."""
    assert command("fitscheck", pair[1]) == (0, "")


def test_fitscheck_notices(pair, tmp_path):
    """The command would notice if one were wrong."""
    broken = shutil.copy(pair[1], tmp_path / "broken.fits")
    with open(broken, "r+b") as stream:
        content = stream.read(2880 * 50)
        stream.seek(content.index(b"CLFCLASS= '") + 11)
        stream.write(b"X")
    status, said = command("fitscheck", broken)
    assert status != 0
    assert "checksum" in said.lower()


def test_fitsheader(pair):
    """The header is printed with all our cards, as they are."""
    status, said = command("fitsheader", "-e", "0", pair[1])
    assert status == 0
    assert "CLFCLASS= 'spiral_galaxy'      / verdict: class, group or unknown" in said
    shown = [line[:8].strip() for line in said.splitlines() if line.startswith("CLF")]
    assert shown == [card.keyword for card in to_cards(PREDICTION) if card.keyword != "HISTORY"]


def test_fitsheader_keyword(pair):
    """One keyword can be asked for."""
    status, said = command("fitsheader", "-k", "CLFSTAT", pair[1])
    assert status == 0
    assert "CLFSTAT = 'OK      '" in said


def test_fitsdiff(pair):
    """Two files differ in our cards, one line of HISTORY and the checksum of one header, and in nothing else."""
    status, said = command("fitsdiff", *pair)
    names = set(re.findall(r"[Kk]eyword '?(\w+)'?[ :]", said))
    assert status == 1
    assert "CLFCLASS" in names
    assert {name for name in names if not name.startswith("CLF")} == {"HISTORY", "CHECKSUM"}
    assert len(re.findall(r"^(?:Primary|Extension) HDU", said, re.MULTILINE)) == 1
    assert "Data contains differences" not in said


def test_fitsdiff_of_a_second_tagging(pair, tmp_path):
    """A file that is tagged again differs in dates and the checksum only."""
    again = Path(shutil.copy(pair[1], tmp_path / "frame.fits"))
    tag(again)
    assert command("fitsdiff", "-q", "-k", "CLFDATE,HISTORY,CHECKSUM", pair[1], again)[0] == 0


def test_getheader(pair):
    """Header and values are what a script gets with one call; data and scaling are as before."""
    header = fits.getheader(pair[1])
    assert (header["CLFCLASS"], header["CLFPROB"], header["CLFLAB2"]) == ("spiral_galaxy", 0.9, labels()[1])
    assert header["CLFNOVEL"] is None or isinstance(header["CLFNOVEL"], fits.card.Undefined)
    assert header.comments["CLFSTAT"] == "status of the verdict"
    with fits.open(pair[0]) as before, fits.open(pair[1]) as after:
        assert len(before) == len(after)
        for old, new in zip(before, after):
            if old.is_image and old.data is not None:
                np.testing.assert_array_equal(old.data, new.data)


def test_astropy_has_no_remarks(pair):
    """The verification of astropy has nothing to say of our cards."""
    with fits.open(pair[1]) as hdus:
        for hdu in hdus:
            for card in hdu.header.cards:
                if card.keyword.startswith("CLF"):
                    card.verify("exception")


@pytest.fixture(scope="session")
def fitsverify():
    """Return the name of CFITSIO's fitsverify; Debian has a package of it."""
    program = shutil.which("fitsverify")
    return program or pytest.skip("fitsverify is not installed (Debian: fitsverify)")


NO_VALUE = "*** Warning: CLFNOVEL has a null value."
LONG = "*** Warning: The OGIP long string keyword convention is used without the"


def complaints(fitsverify, path):
    """Return what fitsverify has to say of a file, without places."""
    _, said = command(fitsverify, path)
    assert "HDU 1" in said
    found = [line for line in said.splitlines() if line.startswith("*** ")]
    return [re.sub(r"Keyword #\d+, |\d+", "", line) for line in found]


def test_fitsverify(pair, fitsverify):
    """CFITSIO says of a tagged file what it said before, and that unknown numbers have no value."""
    before, after = (complaints(fitsverify, path) for path in pair)
    assert NO_VALUE in after
    assert [line for line in after if line not in (NO_VALUE, LONG)] == [line for line in before if line != LONG]


@pytest.mark.parametrize(("inputs", "remarks"), [((), []), (("long" * 40 + ".fits", "b's.fits"), [LONG])])
def test_fitsverify_of_a_clean_file(tmp_path, fitsverify, inputs, remarks):
    """A file in order is so after tagging, and its sidecar is; long text it wants announced, as HEASARC does."""
    path = tmp_path / "frame.fits"
    fits.writeto(path, np.random.default_rng(1).normal(100, 9, (40, 50)).astype("f4"), checksum=True)
    origin = replace(read_frame(path).origin, inputs=inputs)
    prediction = replace(PREDICTION, origin=origin, novelty=0.2)
    write_tags(path, prediction, sidecar=True)
    write_tags(path, prediction)
    for name in ("frame.fits", "frame_astroclf.fits"):
        assert complaints(fitsverify, tmp_path / name) == remarks
        assert (command(fitsverify, "-q", tmp_path / name)[0] == 0) == (not remarks)


def test_fitsverify_notices(tmp_path, fitsverify):
    """The command would notice a card that is not as it should be."""
    path = tmp_path / "frame.fits"
    fits.writeto(path, np.zeros((40, 50), "f4"), checksum=True)
    tag(path, origin=PREDICTION.origin)
    path.write_bytes(path.read_bytes().replace(b"CLFSTAT = 'OK ", b"CLFSTAT = 'O\n "))
    assert complaints(fitsverify, path) != []
    assert command(fitsverify, "-q", path)[0] != 0


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_image_file_collection(tmp_path, ending):
    """An ImageFileCollection finds files by their class, where other files have no tags, or by their sidecars."""
    for number, status in enumerate([Status.OK, Status.GROUP, Status.NOVEL, None]):
        path = tmp_path / f"frame{number}.fits{ending}"
        fits.writeto(path, np.random.default_rng(number).normal(100, 9, (40, 50)).astype("f4"))
        if status:
            tag(path, status=status)
    collection = ImageFileCollection(tmp_path, keywords=["clfclass", "clfstat", "clfprob"])
    assert list(collection.files_filtered(clfclass="spiral_galaxy")) == [f"frame0.fits{ending}"]
    assert list(collection.files_filtered(clfclass="galaxy", clfstat="GROUP")) == [f"frame1.fits{ending}"]
    assert [ccd.header["CLFCLASS"] for ccd in collection.ccds(clfclass="unknown", ccd_kwargs={"unit": "adu"})] == [
        "unknown"
    ]
    assert collection.summary["clfprob"].tolist() == [0.9, 0.98, None, None]


def test_collection_of_sidecars(tmp_path):
    """A collection of sidecars says which file each is of."""
    (tmp_path / "archive").mkdir()
    for number, status in enumerate([Status.OK, Status.GROUP]):
        path = tmp_path / "archive" / f"frame{number}.fits"
        fits.writeto(path, np.random.default_rng(number).normal(100, 9, (40, 50)).astype("f4"))
        write_tags(path, replace(PREDICTION, status=status), sidecar=True, output=tmp_path)
    collection = ImageFileCollection(tmp_path, keywords=["clfclass", "clfside"])
    found = collection.files_filtered(clfclass="galaxy")
    assert list(found) == ["frame1_astroclf.fits"]
    assert collection.values("clfside", unique=False) == ["archive/frame0.fits", "archive/frame1.fits"]


def test_removed_tags_leave_nothing(pair, tmp_path):
    """After untag there is no difference, by any means."""
    copy = Path(shutil.copy(pair[1], tmp_path / "frame.fits"))
    remove_tags(copy)
    assert command("fitsdiff", pair[0], copy)[0] == 0
    assert copy.read_bytes() == pair[0].read_bytes()
