# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``--combine``: one verdict for the files of one target."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from astroclf import Classifier, read_frame, read_tags
from astroclf.cli import main
from astroclf.datasets import make_frame

FILTERS = "f160w", "f105w"


@pytest.fixture(scope="session")
def visit(tmp_path_factory):
    """Return a folder with two filters of one target; not to be changed."""
    folder = tmp_path_factory.mktemp("visit")
    for name in FILTERS:
        frame = make_frame("wfc3_ir_sub256_flt", "planetary_nebula", seed=4, filter=name.upper())
        frame.writeto(folder / f"{name}.fits")
    return folder


@pytest.fixture
def folder(tmp_path, visit, monkeypatch):
    """Work in a folder with two filters of one target, a frame of another place, and a file that is none, bad.fits."""
    monkeypatch.chdir(tmp_path)
    for name in FILTERS:
        shutil.copy(visit / f"{name}.fits", f"{name}.fits")
    shutil.copy("f160w.fits", "other.fits")
    with fits.open("other.fits", mode="update") as hdus:
        hdus["SCI"].header["CRVAL2"] += 1
    Path("bad.fits").write_text("not FITS")
    return tmp_path


def rows_of(text):
    """Return the rows of a CSV table."""
    return list(csv.DictReader(io.StringIO(text)))


def verdict(*files):
    """Return the verdict on files together."""
    return Classifier().combine(read_frame(file) for file in files)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_classify(folder, capsys, jobs):
    """There is one row a target, in the order of the first files; a file that fails has its own."""
    files = ["f160w.fits", "bad.fits", "other.fits", "f105w.fits"]
    assert main(["classify", "--combine", "-t", "csv", "-j", jobs, *files]) == 1
    out, err = capsys.readouterr()
    rows = rows_of(out)
    assert [row["file"] for row in rows] == ["f160w.fits+f105w.fits", "bad.fits", "other.fits"]
    assert [row["status"] == "ERROR" for row in rows] == [False, True, False]
    together = verdict("f160w.fits", "f105w.fits")
    assert float(rows[0]["prob"]) == pytest.approx(together.probs[0], abs=2e-4)
    assert float(rows[2]["prob"]) == pytest.approx(verdict("f160w.fits").probs[0], abs=2e-4)
    assert err.startswith("astroclf: bad.fits: ")
    assert err.count("\n") == 1


def test_classify_refuses_imagenet(folder, capsys):
    """ImageNet's labels are not combined."""
    with pytest.raises(SystemExit) as stopped:
        main(["classify", "--combine", "--model", "imagenet", "other.fits"])
    assert stopped.value.code == 2
    assert "--combine is for the astro model" in capsys.readouterr().err


def test_tag(folder, capsys):
    """The same verdict goes into every file, with the names of the others; the first has a picture."""
    assert main(["tag", "--combine", "f160w.fits", "f105w.fits", "other.fits"]) == 0
    first, second, other = (read_tags(f"{name}.fits") for name in (*FILTERS, "other"))
    assert first.inputs == ("f105w.fits",)
    assert second.inputs == ("f160w.fits",)
    assert other.inputs == ()
    assert first["CLFOPTS"] == second["CLFOPTS"] == "combine=2"
    assert other["CLFOPTS"] == ""
    alike = {"CLFIN1", "CLFDSUM", "CLFFILE", "CLFDATE"}
    assert {k: v for k, v in first.items() if k not in alike} == {k: v for k, v in second.items() if k not in alike}
    assert first["CLFDSUM"] != second["CLFDSUM"]
    assert first.labels[0] == verdict("f160w.fits", "f105w.fits").label
    assert sorted(path.name for path in folder.glob("*.png")) == ["f160w_astroclf.png", "other_astroclf.png"]
    out = capsys.readouterr().out
    assert out.startswith("f160w.fits+f105w.fits: ")
    assert "-> f160w.fits, f105w.fits, f160w_astroclf.png" in out


def test_tag_again_alone(folder):
    """A later verdict on one frame alone takes the names of the others away."""
    assert main(["tag", "--combine", "--no-png", "f160w.fits", "f105w.fits"]) == 0
    assert main(["tag", "--no-png", "f160w.fits"]) == 0
    assert read_tags("f160w.fits").inputs == ()
    assert "CLFIN1" in fits.getheader("f105w.fits")


def test_tag_into_folder(folder):
    """With -o, copies are tagged and the files stay as they are."""
    before = [Path(f"{name}.fits").read_bytes() for name in FILTERS]
    assert main(["tag", "--combine", "-o", "out", "f160w.fits", "f105w.fits"]) == 0
    assert [Path(f"{name}.fits").read_bytes() for name in FILTERS] == before
    names = ["f105w.fits", "f160w.fits", "f160w_astroclf.png"]
    assert sorted(path.name for path in Path("out").iterdir()) == names


def test_tag_dry_run(folder, capsys):
    """A dry run prints the cards of each file and writes nothing."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["tag", "--combine", "--dry-run", "f160w.fits", "f105w.fits"]) == 0
    out = capsys.readouterr().out
    assert "+ CLFIN1  = 'f105w.fits'" in out
    assert "+ CLFIN1  = 'f160w.fits'" in out
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_tag_one_refused(folder, capsys):
    """A file that cannot be tagged is named, and the others of its group are."""
    with fits.open("f160w.fits", mode="update") as hdus:
        hdus[0].header["CHECKSUM"] = "0" * 16
    assert main(["tag", "--combine", "f160w.fits", "f105w.fits"]) == 1
    assert read_tags("f160w.fits") is None
    assert read_tags("f105w.fits").inputs == ("f160w.fits",)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "f160w.fits: wrong before any change" in err


def test_long_names(folder):
    """Names longer than a card are kept whole."""
    name = f"{'x' * 90}.fits"
    shutil.copy("f105w.fits", name)
    assert main(["tag", "--combine", "--no-png", "f160w.fits", name]) == 0
    assert read_tags("f160w.fits").inputs == (name,)
