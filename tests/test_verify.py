# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of verify: every way in which tags can be wrong is told, and sound ones pass."""

import csv
import gzip
import io
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from astroclf import ModelError, read_frame, read_tags, remove_tags, verify_tags, write_label, write_tags
from astroclf.cli import main
from astroclf.frames.frame import Origin
from astroclf.model import load_record
from astroclf.model.record import BUNDLED
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags import Result, to_cards
from astroclf.tags.block import problems_of_values
from astroclf.tags.verify import Verifier
from astroclf.taxonomy import group_of, groups, labels

RECORD = load_record()


def prediction(*, probs=None, status=Status.OK, **changes):
    """Return a verdict of the bundled model that agrees with itself."""
    probs = probs or (0.9, 0.05, 0.02) + (0.03 / 11,) * 11
    sums = {group: sum(p for label, p in zip(labels(), probs) if group_of(label) == group) for group in groups()}
    ranked = sorted(sums.items(), key=lambda item: -item[1])
    provenance = Provenance(RECORD.name, RECORD.sha256, RECORD.preprocessor.digest)
    return Prediction(
        labels(), probs, tuple(g for g, _ in ranked), tuple(p for _, p in ranked), status, 0.01,
        **{"provenance": provenance, "agreement": 0.75, "novelty": 0.2, "n_set": 2, "coverage": 0.9} | changes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def verifier():
    """Return what checks files; the model is proved once."""
    return Verifier()


def make(path, *, compressed=False, checksum=True):
    """Write a frame with images, data quality and a table."""
    rng = np.random.default_rng(12345)
    images = [fits.ImageHDU(rng.normal(100, 9, (40, 50)).astype("f4"), name="SCI", ver=n) for n in (1, 2)]
    flags = [fits.ImageHDU(rng.integers(0, 9, (40, 50)).astype("i2"), name="DQ", ver=n) for n in (1, 2)]
    primary = fits.PrimaryHDU()
    if compressed:
        images = [fits.CompImageHDU(image.data, image.header, quantize_level=4.0) for image in images]
    fits.HDUList([primary, images[0], flags[0], images[1], flags[1]]).writeto(path, checksum=checksum)
    return path


def tag(path, **changes):
    """Tag a file with a verdict on its first image and data quality."""
    frame = read_frame(path)
    assert len(frame.origin.datasums) >= len(frame.origin.hdus) > 0
    write_tags(path, prediction(origin=frame.origin, **changes))
    return path


def told(verification):
    """Return what is wrong, check by check."""
    return {finding.check: finding.text for finding in verification.wrong}


@pytest.fixture
def tagged(tmp_path):
    """Return a tagged file."""
    return tag(make(tmp_path / "frame.fits"))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_sound_tags_pass(tmp_path, verifier, compressed, pack):
    """Right after the tagging nothing is wrong, in files of any kind, and nothing is changed."""
    path = make(tmp_path / "frame.fits", compressed=compressed)
    path.write_bytes(pack(path.read_bytes()))
    before = tag(path).read_bytes()
    verification = verifier(path)
    assert verification.ok, verification.findings
    assert [(f.check, f.result) for f in verification.findings] == [
        (check, Result.OK) for check in ("pixels", "name", "model", "preprocessing", "block")
    ]
    assert verification.to_row() == dict.fromkeys(("result", *told_checks()), "OK") | {"text": None}
    assert str(verification) == "OK"
    assert path.read_bytes() == before


def told_checks():
    """Return the names of the checks."""
    return "pixels", "name", "model", "preprocessing", "block"


def test_no_tags(tmp_path, verifier):
    """A file without a verdict is no sound one: MISSING, whether or not it has a person's label."""
    path = make(tmp_path / "frame.fits")
    assert (verifier(path).ok, verifier(path).tagged, str(verifier(path))) == (False, False, "MISSING")
    write_label(path, "star", by="Ann")
    assert (verifier(path).tagged, verifier(path).findings) == (False, ())
    assert verifier(path).to_row()["pixels"] is None


@pytest.mark.parametrize("name", ["SCI,1", "DQ,1"])
@pytest.mark.parametrize("checksum", [True, False])
def test_changed_pixels(tagged, verifier, name, checksum):
    """A changed pixel of the image or its data quality is told, whatever DATASUM cards say."""
    frame = read_frame(tagged)
    assert frame.origin.hdus == ("SCI,1",)
    with fits.open(tagged, mode="update", checksum=checksum) as hdus:
        hdus[name.split(",")[0], 1].data[3, 4] += 1
    verification = verifier(tagged)
    assert not verification.ok
    if len(frame.origin.datasums) == 1 and name == "DQ,1":
        pytest.fail("the frame was read without its data quality")
    assert set(told(verification)) == {"pixels"}
    assert "changed since the tagging" in told(verification)["pixels"]
    if name == "SCI,1":
        old = frame.origin.datasums[0]
        assert f"the data of SCI,1 changed since the tagging: DATASUM was {old}, is " in told(verification)["pixels"]


@pytest.mark.parametrize("name", ["SCI", "DQ"])
def test_pixels_that_were_not_read_may_change(tagged, verifier, name):
    """What was not classified does not matter."""
    with fits.open(tagged, mode="update") as hdus:
        hdus[name, 2].data[3, 4] += 1
    assert verifier(tagged).ok


def test_image_that_is_gone(tagged, verifier):
    """An image that is no longer in the file is told of."""
    with fits.open(tagged) as hdus:
        kept = fits.HDUList([hdus[0].copy(), hdus["SCI", 2].copy()])
        kept.writeto(tagged, overwrite=True)
    assert "no HDU has the DATASUM" in told(verifier(tagged))["pixels"]


def test_moved_hdus_are_found(tagged, verifier):
    """HDUs are found by name, wherever they are; names may have blanks."""
    with fits.open(tagged) as hdus:
        for hdu in hdus[1:]:
            hdu.header["EXTNAME"] = f"MY {hdu.name}"
        hdus[0].header["CLFHDU"] = "MY SCI,1"
        fits.HDUList([hdus[0], *hdus[:0:-1]]).writeto(tagged.with_name("moved.fits"))
    moved = tagged.with_name("moved.fits")
    with fits.open(moved, mode="update") as hdus:
        hdus[0].header["CLFFILE"] = "moved.fits"
    assert verifier(moved).ok, verifier(moved).findings
    with fits.open(moved, mode="update") as hdus:
        hdus["MY SCI", 1].data[0, 0] += 1
    assert "the data of MY SCI,1 changed" in told(verifier(moved))["pixels"]


def test_plane_of_a_cube(tmp_path, verifier):
    """The plane of a cube is part of the name, and is no part of the HDU's."""
    path = tmp_path / "cube.fits"
    fits.writeto(path, np.random.default_rng(1).normal(100, 9, (3, 40, 50)).astype("f4"))
    frame = read_frame(path, plane=2)
    write_tags(path, prediction(origin=frame.origin))
    assert read_tags(path)["CLFHDU"] == "0[*,*,2]"
    assert read_tags(path)["CLFOPTS"] == "hdu=0;plane=2"
    assert verifier(path).ok, verifier(path).findings
    with fits.open(path, mode="update") as hdus:
        hdus[0].data[0, 0, 0] += 1
    assert "the data of 0[*,*,2] changed" in told(verifier(path))["pixels"]


def test_no_datasums(tmp_path, verifier):
    """A verdict on pixels in memory leaves nothing to compare: told, and no fault."""
    path = make(tmp_path / "frame.fits")
    write_tags(path, prediction())
    verification = verifier(path)
    assert verification.ok
    assert [f.check for f in verification.findings if f.result is Result.UNKNOWN] == ["pixels"]
    assert "nobody can tell whether the pixels changed" in str(verification.findings[0])


def test_stale(tagged, verifier):
    """A block in a file of another name is told as STALE."""
    moved = tagged.rename(tagged.with_name("product.fits"))
    assert told(verifier(moved)) == {"name": "STALE: the tags are of frame.fits, this is product.fits; tag it anew"}


@pytest.mark.parametrize(
    ("changes", "check", "message"),
    [
        ({"sha256": "f" * 64}, "model", r"made with the model .* \(f{16}\), which is not at hand: there is resnet50"),
        ({"model": "other"}, "model", f"CLFMODEL = 'other', but the model of CLFSHA is {BUNDLED}"),
        ({"preprocessing": "0" * 12}, "preprocessing", "CLFPREP = '000000000000', but the settings of resnet50"),
    ],
)
def test_another_model(tmp_path, verifier, changes, check, message):
    """A model that is not at hand, and settings that are not its, are told."""
    path = make(tmp_path / "frame.fits")
    provenance = replace(prediction().provenance, **changes)
    write_tags(path, prediction(provenance=provenance, origin=read_frame(path).origin))
    verification = verifier(path)
    assert set(told(verification)) == {check}
    assert_matches(message, told(verification)[check])
    assert (verification.to_row()["preprocessing"] == "UNKNOWN") == ("sha256" in changes)


def assert_matches(message, text):
    """Assert that a text matches a pattern."""
    assert re.search(message, text), text


@pytest.mark.parametrize("altered", ["onnx", "novelty.npz", "colour.npz"])
def test_model_that_was_altered(tagged, tmp_path, altered):
    """A model file, or one beside it, that is not the one its record names is told of."""
    folder = shutil.copytree(RECORD.path.parent, tmp_path / "model", copy_function=os.symlink)
    fields = json.loads(RECORD.path.with_suffix(".json").read_text())
    (folder / "mine.json").write_text(json.dumps(fields | {"name": "mine"}))
    file = folder / f"{BUNDLED}.{altered}"
    file.unlink()
    file.write_bytes(b"not the model")
    provenance = replace(prediction().provenance, model="mine", sha256=RECORD.sha256)
    write_tags(tagged, prediction(provenance=provenance, origin=read_frame(tagged).origin))
    verification = verify_tags(tagged, model=folder / "mine.json")
    assert set(told(verification)) == {"model"}
    assert re.match(f"{re.escape(str(file))}: .* the file is damaged or was replaced", told(verification)["model"])
    with pytest.raises(ModelError, match="cannot be read"):
        verify_tags(tagged, model=folder / "none.json")


EDITS = {
    "CLFCLASS": ("star", "CLFCLASS = 'star'; with CLFSTAT = OK it is 'spiral_galaxy'"),
    "CLFSTAT": ("SURE", "CLFSTAT = 'SURE' is none of its values"),
    "CLFPROB": (0.5, "CLFPROB = 0.5; with CLFSTAT = OK it is 0.9"),
    "CLFPRB1": (1.5, r"CLFPRB1 = 1.5 is not in \[0, 1\]"),
    "CLFPRB2": (0.95, "CLFPRBn do not fall: 0.9, 0.95, 0.02"),
    "CLFPRB3": ("high", "CLFPRB3 = 'high' is no number"),
    "CLFLAB2": ("spiral_galaxy", "a class is ranked twice"),
    "CLFLAB3": ("black_hole", "black_hole is no class of astroclf-14/1"),
    "CLFGROUP": ("planets", "CLFGROUP = 'planets' is no group"),
    "CLFGPROB": (0.5, "CLFGPROB = 0.5 is less than its ranked classes have"),
    "CLFNSET": (2.5, "CLFNSET = 2.5 is no whole number"),
    "CLFCOVER": (None, "only one of CLFNSET and CLFCOVER has a value"),
    "CLFNOVEL": (-0.1, r"CLFNOVEL = -0.1 is not in \[0, 1\]"),
    "CLFQUAL": (None, "CLFQUAL has no value"),
    "CLFAGREE": (True, "CLFAGREE = True is no number"),
    "CLFUAT": (7, "CLFUAT = 7 and CLFAVM = E.5.1.1 are not those of spiral_galaxy"),
    "CLFDSUM": ("many", "CLFDSUM = 'many' is none of its values"),
    "CLFSHA": ("0123", "CLFSHA = '0123' is none of its values"),
    "CLFDATE": ("yesterday", "CLFDATE = 'yesterday' is none of its values"),
    "CLFOPTS": ("view=4", "CLFOPTS = 'view=4': 'view=4' is no setting"),
    "CLFIN1": ("b.fits", "CLFINn name 1 other frames; by CLFOPTS the verdict is on 1"),
    "CLFVERS": ("0.0", "HISTORY says 'astroclf .*', not 'astroclf 0.0 tagged"),
    "CLFLAB4": ("star", "CLFLABn and CLFPRBn do not come in pairs"),
}


@pytest.mark.parametrize("keyword", EDITS)
def test_edited_cards(tagged, verifier, keyword):
    """A card that was edited by hand is told, by what no longer agrees."""
    value, message = EDITS[keyword]
    with fits.open(tagged, mode="update") as hdus:
        if value is None:
            hdus[0].header[keyword] = fits.card.UNDEFINED
        else:
            hdus[0].header.set(keyword, value)
    assert_matches(message, "; ".join(f.text for f in verifier(tagged).wrong))


@pytest.mark.parametrize("keyword", [card.keyword for card in to_cards(prediction()) if card.keyword != "HISTORY"])
def test_missing_cards(tagged, verifier, keyword):
    """A card that is missing is told."""
    with fits.open(tagged, mode="update") as hdus:
        del hdus[0].header[keyword]
    if keyword == "CLFCLASS":
        assert str(verifier(tagged)) == "MISSING"
        return
    expected = "do not come in pairs" if keyword in ("CLFLAB3", "CLFPRB3") else f"{keyword} is missing"
    assert expected in told(verifier(tagged))["block"]


def test_history(tagged, verifier):
    """There must be one line in HISTORY."""
    with fits.open(tagged, mode="update") as hdus:
        line = str(hdus[0].header["HISTORY"])
        hdus[0].header.add_history(line)
    assert told(verifier(tagged))["block"] == "there are 2 lines of a tagging in HISTORY instead of one"
    with fits.open(tagged, mode="update") as hdus:
        del hdus[0].header["HISTORY"]
    assert told(verifier(tagged))["block"] == "there are 0 lines of a tagging in HISTORY instead of one"


def test_two_blocks(tagged, verifier):
    """Cards of a second block, in any HDU, and a card that comes twice are told."""
    with fits.open(tagged, mode="update") as hdus:
        hdus[0].header.append(("CLFSTAT", "OK"), end=True)
        hdus["DQ", 2].header["CLFCLASS"] = "star"
    text = "; ".join(finding.text for finding in verifier(tagged).wrong)
    assert "there are 2 blocks, in HDUs 0, 4" in text
    assert "CLFSTAT is there 2 times in HDU 0" in text


def test_keywords_of_others(tagged, verifier):
    """A keyword that only looks like ours is told, and is no fault."""
    with fits.open(tagged, mode="update") as hdus:
        hdus[0].header["CLFOO"] = 1
    verification = verifier(tagged)
    assert verification.ok
    assert [str(f) for f in verification.findings if f.result is Result.UNKNOWN] == [
        "block: CLFOO: no keyword of this astroclf; of a later one, or of another program"
    ]


PROBS = st.lists(st.floats(1e-6, 1), min_size=14, max_size=14).map(
    lambda weights: tuple(sorted((w / sum(weights) for w in weights), reverse=True))
)


@given(PROBS, st.sampled_from(Status), st.none() | st.integers(1, 14), st.none() | st.floats(0, 1))
def test_what_astroclf_writes_is_well_formed(probs, status, n_set, novelty):
    """No verdict that can be made is taken for a wrong one."""
    coverage = None if n_set is None else 0.9
    verdict = prediction(probs=probs, status=status, n_set=n_set, coverage=coverage, novelty=novelty)
    verification = problems_of_values(dict(read_tags(fits.Header(to_cards(verdict)))))
    assert verification == []


@pytest.mark.parametrize(
    "wrap", [lambda header: header, lambda header: CCDData(np.ones((4, 4)), unit="adu", meta=header)]
)
def test_headers_in_memory(verifier, wrap):
    """All but the pixels is checked of headers in memory."""
    source = wrap(fits.Header([("FILENAME", "a.fits")]))
    write_tags(source, prediction())
    assert verifier(source).ok
    assert verifier(source).to_row()["pixels"] == "UNKNOWN"
    getattr(source, "header", source)["CLFPRB1"] = 2
    assert "CLFPRB1 = 2 is not in [0, 1]" in told(verifier(source))["block"]


def test_hdulist(tagged, verifier):
    """Of an HDUList all headers are looked at."""
    with fits.open(tagged) as hdus:
        assert verifier(hdus).ok
        hdus[2].header["CLFCLASS"] = "star"
        assert told(verifier(hdus)) == {"block": "there are 2 blocks, in HDUs 0, 2"}


def test_picture(tmp_path, verifier):
    """The tags of a picture are checked as far as they can be."""
    picture = tmp_path / "m51.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 50), "u1")).save(picture)
    (tmp_path / "tagged").mkdir()
    write_tags(picture, prediction(status=Status.UNCERTAIN), output=tmp_path / "tagged")
    verification = verifier(tmp_path / "tagged" / "m51.png")
    assert verification.ok, verification.findings
    assert verification.to_row()["pixels"] == "UNKNOWN"
    moved = (tmp_path / "tagged" / "m51.png").rename(tmp_path / "ngc.png")
    assert set(told(verifier(moved))) == {"name"}


class TestCommandLine:
    """astroclf verify."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Work in a folder with a sound file, a changed one, one without tags, and one that is no FITS file."""
        monkeypatch.chdir(tmp_path)
        tag(make(tmp_path / "good.fits"))
        tag(make(tmp_path / "changed.fits"))
        with fits.open("changed.fits", mode="update") as hdus:
            hdus["SCI", 1].data[0, 0] += 1
        make(tmp_path / "bare.fits")
        Path("bad.fits").write_text("not FITS")

    def test_words(self, folder, capsys):
        """Every file has a line, and one more for each thing that is wrong."""
        assert main(["verify", "good.fits"]) == 0
        assert capsys.readouterr() == ("good.fits: OK\n", "")
        assert main(["verify", "good.fits", "bad.fits", "changed.fits", "bare.fits"]) == 1
        out, err = capsys.readouterr()
        assert [line.partition(": ")[0] for line in out.splitlines()] == [
            "good.fits", "changed.fits", "  pixels", "bare.fits",
        ]  # fmt: skip
        assert "bare.fits: no tags" in out
        assert err.startswith("astroclf: bad.fits: not a FITS file")

    def test_status(self, folder, capsys):
        """What is wrong fails, and so does a file without tags, unless that is to be ignored."""
        assert main(["verify", "changed.fits"]) == 1
        assert main(["verify", "bare.fits"]) == 1
        assert main(["verify", "bad.fits"]) == 1
        assert main(["verify", "--ignore-missing", "bare.fits", "good.fits"]) == 0
        assert main(["verify", "--ignore-missing", "bare.fits", "changed.fits"]) == 1

    def test_tables(self, folder, capsys):
        """A table has a row for each file; JSON the findings too."""
        files = ["good.fits", "bad.fits", "changed.fits", "bare.fits"]
        assert main(["verify", "-t", "csv", *files]) == 1
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert [(row["file"], row["result"], row["pixels"]) for row in rows] == [
            ("good.fits", "OK", "OK"), ("bad.fits", "ERROR", ""), ("changed.fits", "WRONG", "WRONG"),
            ("bare.fits", "MISSING", ""),
        ]  # fmt: skip
        main(["verify", "-t", "json", *files])
        rows = json.loads(capsys.readouterr().out)
        assert [len(row["findings"]) for row in rows] == [5, 0, 5, 0]
        assert rows[2]["findings"][0]["check"] == "pixels"
        assert rows[2]["text"] == rows[2]["findings"][0]["text"]

    def test_processes(self, folder, capsys):
        """Two processes say what one says."""
        files = ["good.fits", "changed.fits"]
        main(["verify", *files])
        one = capsys.readouterr()
        main(["verify", "-j", "2", *files])
        assert capsys.readouterr() == one


def test_combined_verdict(tmp_path, verifier):
    """The names of the other frames are as many as the settings say."""
    for name in ("a.fits", "b.fits"):
        make(tmp_path / name)
    provenance = replace(prediction().provenance, options="combine=2")
    together = prediction(provenance=provenance, origin=Origin(inputs=("a.fits", "b.fits")))
    for name in ("a.fits", "b.fits"):
        write_tags(tmp_path / name, together.written_to(read_frame(tmp_path / name).origin))
        assert verifier(tmp_path / name).ok
    write_tags(tmp_path / "a.fits", together)
    assert "CLFINn name 2 other frames; by CLFOPTS the verdict is on 2" in told(verifier(tmp_path / "a.fits"))["block"]


def test_untagged_again(tagged, verifier):
    """Once the block is removed there is nothing to check."""
    shutil.copy(tagged, tagged.with_name("copy.fits"))
    remove_tags(tagged)
    assert str(verifier(tagged)) == "MISSING"


ANY_VALUE = st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e30, 1e30) | st.text("aé;=,:1", max_size=20)
NAMES = [card.keyword for card in to_cards(prediction()) if card.keyword not in ("HISTORY", "CLFCLASS")]
FREE = {
    "CLFMODEL",
    "CLFFILE",
    "CLFHDU",
    "CLFAGREE",
    "CLFNOVEL",
    "CLFQUAL",
    "CLFCOVER",
    "CLFNSET",
    "CLFSIDE",
    "CLFGPROB",
}
"""Keywords whose values can be others without a contradiction; those of the last are only bounded."""


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([*NAMES, "CLFIN1", "CLFLAB4", "CLFSIDE"]), ANY_VALUE, min_size=1, max_size=5))
def test_any_value_is_judged(changes):
    """Whatever values a block has, they are judged, and are wrong unless they are what was written or are free."""
    values = dict(read_tags(fits.Header(to_cards(prediction()))))
    problems = problems_of_values(values | changes)
    assert all(isinstance(problem, str) for problem in problems)
    changed = {key for key, value in changes.items() if values.get(key) != value}
    assert problems or changed <= FREE | {"CLFTAXON", "CLFVERS"}


@pytest.mark.parametrize("changes", [{"CLFHDU": 1}, {"CLFHDU": 7.5}, {"CLFDSUM": 12}, {"CLFHDU": True}])
def test_values_of_another_type(tagged, verifier, changes):
    """Numbers where texts should be are told."""
    with fits.open(tagged, mode="update") as hdus:
        hdus[0].header.update(changes)
    assert any(f"{next(iter(changes))} = " in finding.text for finding in verifier(tagged).wrong)
