# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of sidecars: files that must not be touched are not, and their tags are found."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from astroclf import TagError, read_frame, read_tags, remove_label, remove_tags, verify_tags, write_label, write_tags
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.model import load_record
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import labelled_files, plan_tags
from astroclf.tags.sidecar import sidecar_path
from astroclf.tags.verify import Verifier
from astroclf.taxonomy import groups, labels

RECORD = load_record()
PREDICTION = Prediction(
    labels(), (0.9, 0.05, 0.02) + (0.03 / 11,) * 11, groups(), (0.98,) + (0.02 / 6,) * 6, Status.OK, 0.01,
    Provenance(RECORD.name, RECORD.sha256, RECORD.preprocessor.digest), agreement=0.75, n_set=2, coverage=0.9,
)  # fmt: skip


@pytest.fixture(scope="module")
def verifier():
    """Return what checks files; the model is proved once."""
    return Verifier()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Work in a folder with a folder archive/ that has one file, m51.fits."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "archive").mkdir()
    data = np.random.default_rng(12345).normal(100, 9, (40, 50)).astype("f4")
    fits.writeto("archive/m51.fits", data, fits.Header([("OBJECT", "M51")]))
    return tmp_path / "archive"


def tag(path, output=None):
    """Write a sidecar of a file."""
    return write_tags(path, replace(PREDICTION, origin=read_frame(path).origin), sidecar=True, output=output)


def contents(folder):
    """Return name, bytes and times of all files of a folder."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in folder.iterdir() if p.is_file()}


@pytest.mark.parametrize(
    ("name", "sidecar"),
    [
        ("m51.fits", "m51_astroclf.fits"), ("m51.FIT.gz", "m51_astroclf.fits"), ("m51.fits.fz", "m51_astroclf.fits"),
        ("m51.jpg", "m51.jpg_astroclf.fits"), ("m51", "m51_astroclf.fits"), (".fits", ".fits_astroclf.fits"),
    ],
)  # fmt: skip
def test_name(name, sidecar):
    """A sidecar has the name of the file, without its ending."""
    assert sidecar_path(Path("a") / name) == Path("a", sidecar)
    assert sidecar_path(Path("a") / name, "b") == Path("b", sidecar)


def test_file_is_not_touched(archive, verifier):
    """Beside the file comes another one that is but a header, with all tags; all verbs find it."""
    before = contents(archive)
    tags = tag("archive/m51.fits")
    after = contents(archive)
    assert set(after) - set(before) == {"m51_astroclf.fits"}
    assert after["m51.fits"] == before["m51.fits"]
    assert tags == read_tags("archive/m51.fits") == read_tags("archive/m51_astroclf.fits")
    assert (tags["CLFSIDE"], tags["CLFFILE"], tags.stale) == ("m51.fits", "m51.fits", False)
    assert tags["CLFDSUM"] == read_frame("archive/m51.fits").origin.datasums[0]
    assert verifier("archive/m51.fits").ok, verifier("archive/m51.fits").findings
    assert verifier("archive/m51_astroclf.fits").ok
    with fits.open("archive/m51_astroclf.fits") as hdus:
        hdus.verify("exception")
        assert [hdu.data for hdu in hdus] == [None]
        assert hdus[0].header["CLFCLASS"] == "spiral_galaxy"
    assert remove_tags("archive/m51.fits") == tags
    assert contents(archive) == before
    assert read_tags("archive/m51.fits") is None


def test_other_folder(archive, tmp_path, verifier):
    """In another folder a sidecar still knows its file, and so it does by way of links."""
    (tmp_path / "tags").mkdir()
    (tmp_path / "links").symlink_to("tags")
    tags = tag("archive/m51.fits", output="links")
    assert os.listdir("tags") == ["m51_astroclf.fits"]
    assert tags["CLFSIDE"] == "../archive/m51.fits"
    assert read_tags("archive/m51.fits") is None
    assert not read_tags("links/m51_astroclf.fits").stale
    assert verifier("tags/m51_astroclf.fits").ok, verifier("tags/m51_astroclf.fits").findings
    with fits.open("archive/m51.fits", mode="update") as hdus:
        hdus[0].data[0, 0] += 1
    assert [finding.check for finding in verifier("tags/m51_astroclf.fits").wrong] == ["pixels"]
    remove_tags("links/m51_astroclf.fits")
    assert os.listdir("tags") == []
    assert os.listdir("archive") == ["m51.fits"]


def test_file_that_is_gone(archive, verifier):
    """A sidecar whose file is not there says so, and its tags can be read and removed."""
    tag("archive/m51.fits")
    Path("archive/m51.fits").unlink()
    sidecar = "archive/m51_astroclf.fits"
    assert read_tags(sidecar).verdict == "spiral_galaxy"
    (finding,) = verifier(sidecar).wrong
    assert finding.check == "pixels"
    assert "the file that this sidecar is of, m51.fits, is not there" in finding.text
    remove_tags(sidecar)
    assert os.listdir("archive") == []


def test_renamed_together(archive, verifier):
    """A file and a sidecar that were renamed together belong together, and the tags are stale."""
    tag("archive/m51.fits")
    Path("archive/m51.fits").rename("archive/ngc.fits")
    Path("archive/m51_astroclf.fits").rename("archive/ngc_astroclf.fits")
    assert read_tags("archive/ngc.fits").stale
    assert [finding.check for finding in verifier("archive/ngc.fits").wrong] == ["name"]


def test_name_in_the_header(archive):
    """CLFFILE is FILENAME where there is one, as for tags in the file."""
    fits.setval("archive/m51.fits", "FILENAME", value="x_flt.fits")
    assert tag("archive/m51.fits")["CLFFILE"] == "x_flt.fits"
    assert not read_tags("archive/m51.fits").stale
    assert not read_tags("archive/m51_astroclf.fits").stale


@pytest.mark.parametrize("name", ["fü.fits", "a b's.fits", "x" * 120 + ".fits", r"back\slash.fits"])
def test_odd_names(archive, verifier, name):
    """A file is found whatever its name."""
    path = Path("archive/m51.fits").rename(f"archive/{name}")
    tag(path)
    sidecar = sidecar_path(path)
    assert verifier(sidecar).ok, verifier(sidecar).findings
    assert verifier(path).ok
    remove_tags(path)
    assert not sidecar.exists()


def test_block_in_the_file_goes_first(archive, verifier):
    """Where both have tags, those in the file count; that there are two is told, and untag removes both."""
    before = Path("archive/m51.fits").read_bytes()
    tag("archive/m51.fits")
    write_tags("archive/m51.fits", replace(PREDICTION, status=Status.GROUP))
    assert read_tags("archive/m51.fits").status == "GROUP"
    assert "there is a sidecar, too" in "; ".join(finding.text for finding in verifier("archive/m51.fits").wrong)
    with pytest.raises(TagError, match="has tags of its own, which go before those of a sidecar; untag it first"):
        tag("archive/m51.fits")
    remove_tags("archive/m51.fits")
    assert os.listdir("archive") == ["m51.fits"]
    assert Path("archive/m51.fits").read_bytes() == before


def test_labels(archive):
    """A label in the file goes before one in the sidecar; untag leaves it, and a sidecar that has one, unless --all."""
    tag("archive/m51.fits")
    write_label("archive/m51.fits", "star", by="Ann")
    tags = read_tags("archive/m51.fits")
    assert (tags.verdict, tags.human_label) == ("spiral_galaxy", "star")
    remove_label("archive/m51.fits")
    remove_tags("archive/m51.fits", all=True)
    tag("archive/m51.fits")
    write_label("archive/m51_astroclf.fits", "nebula" if "nebula" in labels() else labels()[1], by="Ann")
    tag("archive/m51.fits")
    assert read_tags("archive/m51.fits").human_label == labels()[1]
    assert [labelled.path.name for labelled in labelled_files("archive")] == ["m51.fits"]
    remove_tags("archive/m51.fits")
    assert (read_tags("archive/m51.fits").verdict, read_tags("archive/m51.fits").human_label) == (None, labels()[1])
    remove_tags("archive/m51.fits", all=True)
    assert os.listdir("archive") == ["m51.fits"]


def test_two_files_of_one_name(archive):
    """A file whose sidecar would have the name of another's is refused, and does not take that for its own."""
    tag("archive/m51.fits")
    shutil.copy("archive/m51.fits", "archive/m51.fit")
    before = contents(archive)
    assert read_tags("archive/m51.fit") is None
    with pytest.raises(TagError, match=r"m51_astroclf.fits: is the sidecar of m51.fits; move it away"):
        tag("archive/m51.fit")
    assert remove_tags("archive/m51.fit") is None
    assert contents(archive) == before


@pytest.mark.parametrize("foreign", ["text", "frame", "tagged frame", "folder"])
def test_files_of_others_stay(archive, foreign):
    """What is no sidecar is never overwritten, taken for one, or removed."""
    other = Path("archive/m51_astroclf.fits")
    if foreign == "text":
        other.write_text("hello")
    elif foreign == "folder":
        other.mkdir()
    else:
        shutil.copy("archive/m51.fits", other)
    if foreign == "tagged frame":
        write_tags(other, PREDICTION)
    before = contents(archive)
    with pytest.raises(TagError, match=r"m51_astroclf.fits: exists and is no sidecar that astroclf made"):
        tag("archive/m51.fits")
    assert read_tags("archive/m51.fits") is None
    remove_tags("archive/m51.fits")
    assert contents(archive) == before


def test_cards_of_others_stay(archive):
    """A sidecar that others wrote to keeps their cards, and is not removed with them."""
    tag("archive/m51.fits")
    fits.setval("archive/m51_astroclf.fits", "OBSERVER", value="Ann")
    tag("archive/m51.fits")
    assert fits.getval("archive/m51_astroclf.fits", "OBSERVER") == "Ann"
    with pytest.raises(TagError, match="has cards that are not of astroclf: OBSERVER; remove the file yourself"):
        remove_tags("archive/m51.fits")
    assert read_tags("archive/m51.fits").verdict == "spiral_galaxy"


def test_sidecar_does_not_make_a_file_ours(archive, tmp_path):
    """A copy does not overwrite a file only because that has a sidecar."""
    tag("archive/m51.fits")
    shutil.copy("archive/m51.fits", "new.fits")
    with pytest.raises(TagError, match=r"m51.fits: exists and has no tag block"):
        write_tags("new.fits", PREDICTION, output="archive/m51.fits")


def test_plan(archive):
    """A plan shows the cards and writes nothing; of an earlier sidecar only what changes."""
    verdict = replace(PREDICTION, origin=read_frame("archive/m51.fits").origin)
    changes = plan_tags("archive/m51.fits", verdict, sidecar=True)
    assert os.listdir("archive") == ["m51.fits"]
    assert str(changes[0]).startswith("+ SIMPLE  =")
    assert any(change.new.startswith("CLFSIDE = 'm51.fits'") for change in changes)
    tag("archive/m51.fits")
    changes = plan_tags("archive/m51.fits", replace(verdict, novelty=0.25), sidecar=True)
    assert {change.new[:8].strip() for change in changes} <= {"CLFNOVEL", "CLFDATE", "HISTORY"}
    assert len(changes) >= 1


def test_what_is_refused(archive):
    """An object in memory, another name, and a file that changed have no sidecar."""
    with pytest.raises(TagError, match=r"sidecar=True needs a path, not an object in memory \(Header\)"):
        write_tags(fits.Header(), PREDICTION, sidecar=True)
    with pytest.raises(TagError, match=r"tags.fits: the name of a sidecar ends in _astroclf.fits"):
        tag("archive/m51.fits", output="tags.fits")
    verdict = replace(PREDICTION, origin=read_frame("archive/m51.fits").origin)
    os.utime("archive/m51.fits", ns=(0, 0))
    with pytest.raises(TagError, match="has changed since it was classified"):
        write_tags("archive/m51.fits", verdict, sidecar=True)
    assert os.listdir("archive") == ["m51.fits"]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_pictures(tmp_path, verifier, kind):
    """A picture, even one whose metadata cannot be tagged, can have a sidecar."""
    path = tmp_path / f"m51.{kind.lower()}"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 50), "u1")).save(path)
    before = path.read_bytes()
    tag(path)
    assert path.read_bytes() == before
    assert read_tags(path)["CLFFILE"] == path.name
    assert verifier(path).ok, verifier(path).findings
    remove_tags(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_command_line(tmp_path, monkeypatch, capsys):
    """All verbs work with a sidecar as with tags in the file."""
    monkeypatch.chdir(tmp_path)
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto("a_flt.fits")
    before = contents(tmp_path)
    assert main(["tag", "--sidecar", "--dry-run", "a_flt.fits"]) == 0
    assert contents(tmp_path) == before
    assert main(["tag", "--sidecar", "a_flt.fits"]) == 0
    assert sorted(os.listdir()) == ["a_flt.fits", "a_flt_astroclf.fits", "a_flt_astroclf.png"]
    capsys.readouterr()
    assert main(["tag", "--sidecar", "-o", "tags", "a_flt.fits", "a_flt_astroclf.fits"]) == 0
    assert "a_flt_astroclf.fits: warning: passed over: a sidecar has no pixels" in capsys.readouterr().err
    assert sorted(os.listdir("tags")) == ["a_flt_astroclf.fits", "a_flt_astroclf.png"]
    files = ["a_flt.fits", "a_flt_astroclf.fits", "tags/a_flt_astroclf.fits"]
    assert main(["verify", *files]) == 0
    assert main(["replay", *files]) == 0
    capsys.readouterr()
    assert main(["show", "-t", "json", *files]) == 0
    shown = [row | {"file": ""} for row in json.loads(capsys.readouterr().out)]
    assert len({row["verdict"] for row in shown}) == 1
    assert [row["stale"] for row in shown] == [False] * 3
    assert main(["classify", "a_flt_astroclf.fits"]) == 1
    assert "is the sidecar of a_flt.fits" in capsys.readouterr().err
    assert main(["untag", "a_flt.fits", "tags/a_flt_astroclf.fits"]) == 0
    assert contents(tmp_path)["a_flt.fits"] == before["a_flt.fits"]
    assert sorted(os.listdir()) == ["a_flt.fits", "a_flt_astroclf.png", "tags"]
    assert verify_tags("a_flt.fits").tagged is False
