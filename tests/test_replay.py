# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of replay: a verdict is made again from what its tags say, with every setting there is."""

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from astroclf import Classifier, FrameError, ModelError, TagError, read_frame, read_tags, replay_tags, write_tags
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.model import load_record
from astroclf.model.head import FEATURES, Head
from astroclf.model.record import BUNDLED
from astroclf.model.userfile import save_user_model
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags.replay import Replayer


@pytest.fixture(scope="session")
def frame(tmp_path_factory):
    """Return the path of a small simulated frame; not to be changed."""
    path = tmp_path_factory.mktemp("frame") / "sim_flt.fits"
    make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2).writeto(path)
    return path


@pytest.fixture(scope="session")
def tagged_once(frame, tmp_path_factory):
    """Return the path of that frame tagged with the defaults; not to be changed."""
    path = shutil.copy(frame, tmp_path_factory.mktemp("tagged") / "sim_flt.fits")
    write_tags(path, Classifier()(path))
    return path


@pytest.fixture
def folder(tmp_path, frame, tagged_once, monkeypatch):
    """Work in a folder with a tagged frame, tagged.fits, and an untagged one, bare.fits."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(tagged_once, "tagged.fits")
    shutil.copy(frame, "bare.fits")
    return tmp_path


@pytest.fixture(scope="module")
def replayer():
    """Return what makes verdicts again; the network is loaded once."""
    return Replayer()


def own_model(path, seed=0):
    """Write a model of two classes of one's own, with random weights."""
    rng = np.random.default_rng(seed)
    record = load_record()
    fields = {
        "name": "mine", "taxonomy": "mine/1", "licence": "", "credits": "", "made_by": "", "made_on": "2026-11-28",
        "labels": ["ring", "spiral_galaxy"], "preprocessing": record.preprocessor.to_dict(), "views": 4,
        "calibration": vars(record.calibration), "base": {"name": record.name, "sha256": record.sha256},
        "scores": {}, "examples": [],
    }  # fmt: skip
    save_user_model(path, fields, Head(rng.normal(0, 0.1, (FEATURES, 2)).astype("f4"), np.zeros(2, "f4")))
    return path


def model_of_same_network(folder, name):
    """Write another model on the bundled network: its probabilities are nearly even."""
    bundled = load_record().path
    fields = json.loads(bundled.with_suffix(".json").read_text())
    fields |= {"name": name, "novelty": None, "colour": None}
    fields["calibration"]["temperature"] *= 50
    folder.mkdir()
    (folder / bundled.name).symlink_to(bundled)
    (folder / f"{name}.json").write_text(json.dumps(fields))
    return folder / f"{name}.json"


def edit(path, **cards):
    """Change cards of the primary header."""
    with fits.open(path, mode="update") as hdus:
        hdus[0].header.update(cards)


def test_same(folder, replayer):
    """The same verdict comes out again, and the file is not touched."""
    before = Path("tagged.fits").read_bytes()
    replay = replayer("tagged.fits")
    assert (replay.same, str(replay), replay.differences, replay.notes) == (True, "SAME", (), ())
    assert replay.prediction.verdict == replay.tags.verdict == read_tags("tagged.fits").verdict
    assert replay.to_row() == {
        "result": "SAME", "status": replay.tags.status, "verdict": replay.tags.verdict, "prob": replay.tags.prob,
        "new_status": replay.tags.status, "new_verdict": replay.tags.verdict,
        "new_prob": pytest.approx(replay.tags.prob, abs=1e-6), "text": None,
    }  # fmt: skip
    assert Path("tagged.fits").read_bytes() == before


@pytest.mark.parametrize(
    ("cards", "difference"),
    [
        ({"CLFCLASS": "star"}, "CLFCLASS was star, is "),
        ({"CLFSTAT": "LOWQUAL"}, "CLFSTAT was LOWQUAL, is "),
        ({"CLFLAB3": "star"}, "CLFLAB3 was star, is "),
        ({"CLFPRB1": 0.123456}, "CLFPRB1 was 0.123456, is "),
        ({"CLFNOVEL": 0.99}, "CLFNOVEL was 0.99, is "),
        ({"CLFQUAL": 0.5}, "CLFQUAL was 0.5, is "),
    ],
)
def test_another_verdict(folder, replayer, cards, difference):
    """Each part of the verdict that differs is told."""
    edit("tagged.fits", **cards)
    replay = replayer("tagged.fits")
    assert not replay.same
    assert any(text.startswith(difference) for text in replay.differences)
    assert len(replay.differences) == 1


def test_rounding_is_no_difference(folder, replayer):
    """The last digit of a probability may differ."""
    prob = read_tags("tagged.fits")["CLFPRB1"]
    edit("tagged.fits", CLFPRB1=prob + 1e-6)
    assert replayer("tagged.fits").same
    edit("tagged.fits", CLFPRB1=prob + 3e-5)
    assert not replayer("tagged.fits").same


def test_other_pixels(folder, replayer):
    """Where pixels have changed the verdict is another one, and why is told."""
    with fits.open("tagged.fits", mode="update") as hdus:
        hdus["SCI"].data[...] = hdus["SCI"].data.mean()
        hdus["SCI"].data[100:150] *= 5
        hdus[0].header["CLFVERS"] = "0.0"
    replay = replayer("tagged.fits")
    assert not replay.same
    assert "the pixels are not those of the tagging: CLFDSUM differs" in replay.notes
    assert any(note.startswith("tagged by astroclf 0.0, this is ") for note in replay.notes)


SETTINGS = {
    "hdu": ["--hdu", "SCI,1"],
    "another hdu": ["--hdu", "ERR,1"],
    "prior": ["--prior", "galaxy=0.7,spiral_galaxy=0.0000123456789,no_source=1e-7"],
    "model": ["--model", "my.astroclf"],
    "model and prior": ["--model", "my.astroclf", "--prior", "ring=0.03"],
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_command_line(folder, setting, capsys):
    """Whatever was set for the tagging is set again."""
    own_model("my.astroclf")
    assert main(["tag", "--no-png", *SETTINGS[setting], "bare.fits"]) == 0
    model = SETTINGS[setting][:2] if "model" in setting else []
    capsys.readouterr()
    assert main(["replay", *model, "bare.fits"]) == 0, capsys.readouterr()
    out, err = capsys.readouterr()
    assert out.startswith("bare.fits: SAME: ")
    assert err == ""
    tags = read_tags("bare.fits")
    assert replay_tags("bare.fits", model=model[1] if model else None).prediction.options == tags["CLFOPTS"]
    assert ("hdu=" in tags["CLFOPTS"]) == ("hdu" in setting)


def test_setting_that_matters(folder, replayer):
    """The settings do make a difference, so that to replay them is no accident."""
    edit("tagged.fits", CLFOPTS="prior=galaxy:0.99")
    assert not replayer("tagged.fits").same
    edit("tagged.fits", CLFOPTS="hdu=2")
    assert not replayer("tagged.fits").same


def test_views_stretches_and_plane(folder):
    """Settings that only Python can set, and planes of cubes, are set again, too."""
    cube = np.stack([read_frame("bare.fits").ccd.data, np.random.default_rng(1).normal(9, 1, (256, 256))])
    fits.writeto("cube.fits", cube.astype("f4"))
    write_tags("cube.fits", Classifier(views=2, stretches=3)(read_frame("cube.fits", plane=2)))
    assert read_tags("cube.fits")["CLFOPTS"] == "views=2;stretches=3;hdu=0;plane=2"
    assert replay_tags("cube.fits").same
    edit("cube.fits", CLFOPTS="views=2;stretches=3;hdu=0;plane=1")
    assert not replay_tags("cube.fits").same


@pytest.mark.slow
def test_backend(folder):
    """A verdict of TensorFlow is made again in TensorFlow."""
    write_tags("bare.fits", Classifier(backend="tensorflow")("bare.fits"))
    replay = replay_tags("bare.fits")
    assert replay.prediction.provenance.options == "backend=tensorflow"
    assert replay.same


@pytest.fixture(scope="session")
def visit(tmp_path_factory):
    """Return a folder with two filters of one target, tagged together; not to be changed."""
    folder = tmp_path_factory.mktemp("visit")
    files = [str(folder / f"{name}.fits") for name in ("F105W", "F160W")]
    for file in files:
        make_frame("wfc3_ir_sub256_flt", "planetary_nebula", seed=4, filter=Path(file).stem).writeto(file)
    assert main(["tag", "--combine", "--no-png", "--hdu", "SCI", *files]) == 0
    return folder


def test_model_of_the_same_network(folder, replayer):
    """Of two models on one network the one that was named in the tags is taken; that it is another is told."""
    model = model_of_same_network(folder / "other", "blunt")
    write_tags("bare.fits", Classifier(model)("bare.fits"))
    for path in ("bare.fits", "tagged.fits"):
        replay = replay_tags(path, model=model)
        assert (replay.same, replay.notes) == (True, ())
    replay = replayer("bare.fits")
    assert not replay.same
    assert replay.notes == (f"the model was blunt, this is {BUNDLED}, of the same network",)


class TestCombined:
    """Verdicts on several frames."""

    @pytest.fixture
    def pair(self, tmp_path, visit, monkeypatch):
        """Work in a copy of that folder."""
        monkeypatch.chdir(tmp_path)
        for path in visit.iterdir():
            shutil.copy(path, tmp_path)

    def test_same(self, pair, capsys):
        """Either file gives the verdict on both again."""
        assert read_tags("F105W.fits")["CLFOPTS"] == "combine=2;hdu=1"
        assert main(["replay", "F105W.fits", "F160W.fits"]) == 0
        assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == ["SAME", "SAME"]

    def test_frame_elsewhere(self, pair, capsys):
        """The other frame is looked for among the files given; without it, that is told."""
        Path("elsewhere").mkdir()
        moved = Path("F160W.fits").rename("elsewhere/F160W.fits")
        assert main(["replay", "F105W.fits"]) == 1
        assert "F105W.fits: the verdict is also on F160W.fits, which is not beside it" in capsys.readouterr().err
        assert replay_tags("F105W.fits", inputs=[moved]).same

    def test_frame_of_odd_name(self, pair, replayer):
        """Names that a header cannot hold are found as they were escaped."""
        Path("F160W.fits").rename("fü.fits")
        edit("F105W.fits", CLFIN1=r"f\xfc.fits")
        assert replayer("F105W.fits").same


@pytest.mark.parametrize(
    ("cards", "error", "message"),
    [
        ({"CLFSHA": "f" * 16}, ModelError, rf"made with the model {BUNDLED} \(f{{16}}\), which is not at hand"),
        ({"CLFOPTS": "view=4"}, TagError, "CLFOPTS = 'view=4' cannot be repeated: 'view=4' is no setting"),
        ({"CLFOPTS": "views=3"}, TagError, "CLFOPTS = 'views=3' cannot be repeated: views must be 1, 2, 4 or 8"),
        ({"CLFOPTS": "stretches=2"}, TagError, "CLFOPTS = 'stretches=2' cannot be repeated: stretches must be 1 or 3"),
        ({"CLFOPTS": "prior=comet:0.5"}, TagError, "CLFOPTS = .* cannot be repeated: prior names 'comet'"),
        ({"CLFOPTS": "backend=torch"}, TagError, "CLFOPTS = .* cannot be repeated: backend must be 'onnx' or"),
        ({"CLFOPTS": "hdu=99"}, FrameError, "hdu=99 is not in the file"),
    ],
)
def test_what_cannot_be_repeated(folder, replayer, cards, error, message):
    """Why a verdict cannot be made again is told."""
    edit("tagged.fits", **cards)
    with pytest.raises(error, match=message):
        replayer("tagged.fits")


def test_no_verdict(folder, replayer):
    """A file without a verdict, and one that is not there, are told of."""
    with pytest.raises(TagError, match=r"bare.fits: has no verdict that could be made again; astroclf tag writes one"):
        replayer("bare.fits")
    with pytest.raises(TagError, match=r"none.fits: No such file"):
        replayer("none.fits")


def test_tables(folder, capsys):
    """A table has a row for each file, JSON lists what differs; the others are done where one fails."""
    edit(shutil.copy("tagged.fits", "other.fits"), CLFSTAT="NOVEL")
    files = ["tagged.fits", "bare.fits", "other.fits"]
    assert main(["replay", "-t", "csv", *files]) == 1
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["file"], row["result"]) for row in rows] == list(zip(files, ("SAME", "ERROR", "DIFFERENT")))
    assert rows[2]["status"] == "NOVEL"
    assert rows[2]["new_status"] == rows[0]["status"] == rows[0]["new_status"]
    assert err.count("\n") == 1
    assert main(["replay", "-t", "json", "other.fits"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert [text[:16] for text in row["differences"]] == ["CLFSTAT was NOVE"]
    assert row["notes"] == []


def test_last_network_is_kept(folder, replayer):
    """Files of the same settings share one network, others get their own."""
    first = replayer._classifier("tagged.fits", read_tags("tagged.fits"))
    assert replayer._classifier("tagged.fits", read_tags("tagged.fits")) is first
    edit("tagged.fits", CLFOPTS="views=2")
    assert replayer._classifier("tagged.fits", read_tags("tagged.fits")).views == 2
    edit("tagged.fits", CLFOPTS="views=2;stretches=3")
    assert replayer._classifier("tagged.fits", read_tags("tagged.fits")).stretches == 3


def test_same_verdict_of_another_block(tmp_path):
    """Two verdicts that differ in what a header does not hold are the same."""
    origin = read_frame(np.ones((20, 20)) + np.eye(20)).origin
    verdict = Prediction(
        ("ring", "star"), (0.9, 0.1), ("ring", "stellar"), (0.9, 0.1), Status.OK, 0.0,
        Provenance("m", "0" * 64, "1" * 12), origin=origin, taxonomy="mine/1",
    )  # fmt: skip
    from astroclf.tags.replay import _differences

    tags = write_tags(fits.Header(), verdict)
    assert _differences(tags, replace(verdict, probs=(0.9 + 1e-8, 0.1 - 1e-8))) == ()
    assert _differences(tags, replace(verdict, labels=("star", "ring")))
