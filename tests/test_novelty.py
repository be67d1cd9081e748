# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the novelty score: oddities, fit, file, and what the classifier makes of it."""

import hashlib
import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from astroclf import Classifier, ModelError, Preprocessor, read_frame, read_tags, write_tags
from astroclf.datasets import make_frame
from astroclf.exceptions import AstroclfError, MissingDependencyError
from astroclf.model import load_record
from astroclf.model.novelty import NOVEL, NoveltyScore
from astroclf.prediction import Status
from astroclf.taxonomy import labels
from astroclf.train.calibrate import view_outputs
from astroclf.train.examples import make_examples, split_of
from astroclf.train.head import deal_folds
from astroclf.train.novelty import (
    fit_novelty,
    fit_score,
    flag_table,
    measure_novelty,
    render_exposures,
    render_oddities,
    render_photographs,
    render_pictures,
)
from astroclf.train.oddities import FITTED, KINDS, make_oddity

_WIDTH = 300


@pytest.mark.parametrize("kind", KINDS)
def test_oddities(kind, need):
    """Every kind gives frames that are finite, reproducible, different from each other, and can be rendered."""
    try:
        first, again, other = (make_oddity(kind, np.random.default_rng(seed)) for seed in (1, 1, 2))
    except MissingDependencyError as error:
        need(str(error))
    np.testing.assert_array_equal(first.ccd.data, again.ccd.data)
    assert first.shape != other.shape or not np.array_equal(first.ccd.data, other.ccd.data)
    assert first.ccd.data.dtype == np.float32
    for frame in (first, other):
        assert np.isfinite(frame.ccd.data).all()
        assert np.ptp(Preprocessor()(frame)) > 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_fill_their_shape(kind, need):
    """Drawings of any shape have that shape, are never negative, and are not blank."""
    rng = np.random.default_rng(3)
    for shape in ((160, 160), (160, 420), (420, 161), (233, 307)):
        try:
            image = KINDS[kind].draw(shape, rng)
        except MissingDependencyError as error:
            need(str(error))
        assert image.shape == shape
        assert image.min() >= 0
        assert np.ptp(image) > 0


def test_half_of_the_kinds_only_test():
    """With photographs, half of the kinds are fitted on, and half of those that detectors record; others only test."""
    assert {*FITTED, "photograph"} < set(KINDS)
    assert len({*FITTED, "photograph"}) == len(KINDS) // 2
    assert sum(KINDS[kind].detected for kind in FITTED) == sum(kind.detected for kind in KINDS.values()) / 2


def test_oddities_depend_on_seed_and_index():
    """A frame depends on seed, kind and index only, not on how many are made, nor by how many processes."""
    few, many = (render_oddities("logo", count, Preprocessor(), seed=7, workers=count // 2) for count in (2, 4))
    np.testing.assert_array_equal(few, many[:2])
    assert not np.array_equal(few, render_oddities("logo", 2, Preprocessor(), seed=8))


@pytest.fixture
def photographs(tmp_path):
    """Return a folder of six photographs, beside something else."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for i, name in enumerate(("a.PNG", "b.jpeg", "c.JPG", "d.jpg", "e.png", "f.png")):
        noise = np.random.default_rng(i).integers(0, 256, (200, 150 + 50 * i, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name)
    (folder / "README.md").write_text("not a photograph")
    return folder


def test_photographs(photographs):
    """Every fourth photograph in a folder, by name, gives a frame that depends on the seed."""
    images = render_photographs(photographs, 0, Preprocessor(), seed=1, workers=2)
    assert images.shape == (2, 224, 224, 3)
    assert not np.array_equal(images, render_photographs(photographs, 0, Preprocessor(), seed=2))
    assert not np.array_equal(images, render_photographs(photographs, 1, Preprocessor(), seed=1))
    for name in "bcdf":
        next(photographs.glob(f"{name}.*")).unlink()
    (photographs / "e.png").rename(photographs / "z.png")
    np.testing.assert_array_equal(images[0], render_photographs(photographs, 0, Preprocessor(), seed=1)[0])
    with pytest.raises(AstroclfError, match=r"photographs: 2 photographs .* at least 3 are needed"):
        render_photographs(photographs, 2, Preprocessor(), seed=1)


def _outputs(rng, count, shift=0.0):
    """Return logits and means of maps as a network could give, of 14 classes in turn, and the classes."""
    truth = np.arange(count) % 14
    middle = rng.gamma(2, 0.2, (count, _WIDTH)) + shift * (np.arange(_WIDTH) % 2)
    middle[np.arange(count), 10 * truth] += 3
    logits = rng.normal(0, 1, (count, 14)) + 8 * (np.arange(14) == truth[:, None])
    return (logits, middle), truth


@pytest.fixture(scope="module")
def score():
    """Return a score fitted on outputs that a shift tells apart."""
    rng = np.random.default_rng(12345)
    usual, truth = _outputs(rng, 700)
    return fit_score(usual, truth, _outputs(rng, 100, shift=0.3)[0])


def test_fit_tells_odd_from_usual(score):
    """What is shifted is novel, what is not is not, but for the share of false alarms that was asked for."""
    rng = np.random.default_rng(2)
    usual, odd = (score(*_outputs(rng, 700, shift)[0]) for shift in (0.0, 0.3))
    assert usual.shape == (700,)
    assert usual.min() >= 0
    assert odd.max() <= 1
    assert 0.005 <= np.mean(usual >= NOVEL) <= 0.05
    assert np.mean(odd >= NOVEL) > 0.9


def test_classes_count_alike():
    """Frames of one class that are there twenty times as often do not decide where the threshold is."""
    rng = np.random.default_rng(5)
    usual, truth = _outputs(rng, 700)
    more = rng.choice(np.flatnonzero(truth == 3), 1000)
    outputs = [np.concatenate([output, output[more]]) for output in usual]
    outputs[1][700:] += rng.gamma(2, 0.02, (1000, _WIDTH))
    often = fit_score(outputs, np.append(truth, truth[more]), _outputs(rng, 100, shift=0.3)[0])
    alarms = often(*_outputs(rng, 1400)[0]) >= NOVEL
    assert 0.005 <= np.mean(alarms) <= 0.05


def test_objects_stay_in_one_fold():
    """All frames of an object are in one fold, and the objects of every class are in all folds."""
    truth = np.repeat(np.arange(14), 30)
    objects = np.array([f"{label}.{i % 10}" for i, label in enumerate(truth)])
    folds = deal_folds(truth, objects, labels())
    assert all(len(set(folds[objects == key])) == 1 for key in objects)
    assert all(set(folds[truth == label]) == set(range(5)) for label in range(14))


def test_pictures_are_usual_frames(tmp_path):
    """Pictures of a split are rendered whole, and in parts that depend on the seed; each keeps class and object."""
    rng = np.random.default_rng(4)
    rows = ["path,label,object_key,redistributable"]
    for i in range(12):
        Image.fromarray(rng.integers(0, 256, (90, 120), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,star,S{i},yes")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    mine = [f"S{i}" for i in range(12) if split_of(f"S{i}") == "train"]
    whole, _, keys = render_pictures(tmp_path / "labels.csv", "train", Preprocessor())
    images, truth, objects = render_pictures(tmp_path / "labels.csv", "train", Preprocessor(), parts=2, seed=1)
    assert keys == mine
    assert objects == [key for key in mine for _ in range(3)]
    assert (truth == labels().index("star")).all()
    np.testing.assert_array_equal(images[::3], whole)
    assert not np.array_equal(images[1], images[2])


@pytest.mark.slow
def test_exposures_are_of_all_classes():
    """Exposures go through instruments and classes in turn; each depends on the seed and its index only."""
    images, truth = render_exposures(25, Preprocessor(), seed=3, workers=2)
    assert truth.tolist() == [0] * 20 + [1] * 5
    np.testing.assert_array_equal(images[:2], render_exposures(2, Preprocessor(), seed=3)[0])
    assert not np.array_equal(images[:2], render_exposures(2, Preprocessor(), seed=4)[0])
    assert len(np.unique(images.reshape(25, -1), axis=0)) == 25


def test_flag_table():
    """Rates, counts and intervals, and a row for all."""
    table = flag_table({"text": np.array([True, True, False, True]), "logo": np.array([False])})
    assert list(table["of"]) == ["text", "logo", "all"]
    assert list(table["count"]) == [4, 1, 5]
    assert list(table["flagged"]) == [0.75, 0.0, 0.6]
    assert all(row["low"] <= row["flagged"] <= row["high"] for row in table)
    assert flag_table({"none": np.array([], bool)})["high"][0] == 1


def test_views_are_averaged():
    """Outputs are means over the rotations, batch by batch."""

    class Corner:
        def outputs(self, images, *names):
            return images[:, 0, 0, :2], images[:, 0, -1]

    images = np.random.default_rng(1).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=1) / 255
    logits, middle = view_outputs(Corner(), images, 4, "logits", "middle", batch=2)
    np.testing.assert_allclose(middle, corners, rtol=1e-5)
    np.testing.assert_allclose(logits, corners[:, :2], rtol=1e-5)


def _constant(novelty):
    """Return a score that gives all frames this novelty."""
    return NoveltyScore(
        mean=np.zeros(1024, np.float32), axes=np.eye(1024, 2, dtype=np.float16), whitening=np.eye(2, dtype=np.float32),
        centres=np.zeros((14, 2), np.float32), weights=np.zeros(6, np.float32), threshold=np.log(1 / novelty - 1),
    )  # fmt: skip


@pytest.fixture
def model_with(tmp_path):
    """Return a function that gives the path of a copy of the bundled record with another score."""

    def make(score, content=None):
        record = load_record()
        for file in (record, record.colour):
            shutil.copy(file.path, tmp_path)
        content = score.to_bytes() if content is None else content
        (tmp_path / "score.novelty.npz").write_bytes(content)
        fields = json.loads(record.path.with_suffix(".json").read_text())
        fields["novelty"] = {
            "file": "elsewhere/score.novelty.npz", "sha256": hashlib.sha256(content).hexdigest(),
            "threshold": score.threshold, "method": "constant",
        }  # fmt: skip
        path = tmp_path / "model.json"
        path.write_text(json.dumps(fields))
        load_record.cache_clear()
        return path

    return make


@pytest.fixture(scope="module")
def sim():
    """Return a small simulated frame."""
    return make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2)


def test_score_survives_its_file(score, model_with):
    """A score that was written and read gives the same novelties; its file is small and lies beside the record."""
    path = model_with(score)
    file = load_record(path).novelty
    assert file.path.parent == path.parent
    assert file.path.stat().st_size < 1e6
    outputs, _ = _outputs(np.random.default_rng(3), 20)
    np.testing.assert_array_equal(NoveltyScore.from_file(file, 14)(*outputs), score(*outputs))


@pytest.mark.parametrize(("novelty", "status"), [(0.9, Status.NOVEL), (0.5, Status.NOVEL), (0.1, Status.OK)])
def test_status(model_with, sim, novelty, status):
    """From a novelty of one half on, the status is NOVEL and the verdict unknown, however sure the network is."""
    prediction = Classifier(model_with(_constant(novelty)))(sim)
    assert prediction.novelty == pytest.approx(novelty)
    assert prediction.status == status
    assert prediction.label == "globular_cluster"
    assert prediction.verdict == ("unknown" if status == Status.NOVEL else "globular_cluster")


def test_bad_pixels_come_first(model_with, sim):
    """Of a frame most of whose pixels are unusable, that is said, not its novelty."""
    prediction = Classifier(model_with(_constant(0.9)))(replace(read_frame(sim), quality=0.8))
    assert prediction.status == Status.LOWQUAL
    assert prediction.novelty == pytest.approx(0.9)


def test_combined_frames(model_with, sim, monkeypatch):
    """The novelty of frames that are judged together is the mean of theirs."""
    classifier = Classifier(model_with(_constant(0.9)))
    assert classifier.combine([sim, sim]).novelty == pytest.approx(0.9)
    answers = iter([0.2, 0.9])
    monkeypatch.setattr(classifier, "_novelty", lambda logits, middle: np.array([next(answers)]))
    prediction = classifier.combine([sim, sim])
    assert prediction.novelty == pytest.approx(0.55)
    assert prediction.status == Status.NOVEL


def test_novelty_is_written(model_with, sim, tmp_path):
    """The novelty is in the card CLFNOVEL, and undefined for a model without a score."""
    path = tmp_path / "sim_flt.fits"
    sim.writeto(path)
    write_tags(path, Classifier(model_with(_constant(0.9)))(path))
    tags = read_tags(path)
    assert tags["CLFNOVEL"] == pytest.approx(0.9, abs=1e-4)
    assert (tags["CLFSTAT"], tags["CLFCLASS"]) == ("NOVEL", "unknown")


def test_record_without_novelty(model_with, sim):
    """A record that says nothing of novelty gives none."""
    path = model_with(_constant(0.9))
    fields = json.loads(path.read_text())
    del fields["novelty"]
    path.write_text(json.dumps(fields))
    load_record.cache_clear()
    assert load_record(path).novelty is None
    prediction = Classifier(path)(sim)
    assert prediction.novelty is None
    assert prediction.status == Status.OK


def test_altered_file_is_refused(model_with):
    """A changed or missing novelty file is a clear error."""
    path = model_with(_constant(0.9))
    file = load_record(path).novelty.path
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"SHA-256 is \w{64}, the record says \w{64}"):
        Classifier(path)
    file.unlink()
    with pytest.raises(ModelError, match="novelty file cannot be read"):
        Classifier(path)


def _npz(**changes):
    stored = dict(np.load(io.BytesIO(_constant(0.9).to_bytes()))) | changes
    stream = io.BytesIO()
    np.savez(stream, **{name: array for name, array in stored.items() if array is not None})
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        _npz()[:-100],
        _npz(mean=None),
        _npz(mean=np.zeros(1024)),
        _npz(mean=np.zeros(5, np.float32)),
        _npz(axes=np.zeros(1024, np.float16)),
        _npz(centres=np.zeros((13, 2), np.float32)),
        _npz(weights=np.full(6, np.nan, np.float32)),
        _npz(weights=np.array([None])),
    ],
)
def test_broken_file_is_refused(model_with, content):
    """A file that the record names but that holds no score is a clear error; nothing is ever unpickled."""
    with pytest.raises(ModelError, match="not a novelty file of this model"):
        Classifier(model_with(_constant(0.9), content))


@pytest.mark.parametrize("section", ["x", {}, {"file": "a", "sha256": "b", "threshold": "high", "method": ""}])
def test_broken_section_is_refused(model_with, section):
    """A section of the record that is none is a clear error."""
    path = model_with(_constant(0.9))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"novelty": section}))
    load_record.cache_clear()
    with pytest.raises(ModelError, match="not a model record"):
        load_record(path)


@pytest.mark.slow
def test_fit_and_measure(tmp_path, photographs, need):
    """The recipe runs from examples to a model with a score, and its measure has a row for every kind and class."""
    record = load_record()
    for path in (record.path, record.path.with_suffix(".json"), record.colour.path):
        shutil.copy(path, tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    for split, seed in (("calibration", 2), ("test", 3)):
        truth, _ = make_examples(42, [], Preprocessor(), seed=seed, path=work / f"{split}.npy")
        (work / f"{split}.json").write_text(json.dumps({"truth": truth.tolist(), "objects": [""] * 42}))
    described = fit_novelty(work, tmp_path, photographs=photographs, examples=42, oddities=1)
    path = tmp_path / f"{record.name}.json"
    assert json.loads(path.read_text())["novelty"] == described
    assert described["fitted_on"] == {"usual": 168, **dict.fromkeys(FITTED, 1), "photograph": 2}
    record = load_record(path)
    assert 0 <= Classifier(path)(np.random.default_rng(3).normal(size=(100, 100))).novelty <= 1
    try:
        oddities, alarms = measure_novelty(work, record, photographs=photographs, examples=14, oddities=1)
    except MissingDependencyError as error:
        need(str(error))
    assert list(oddities["of"]) == [*KINDS, "all", "photographs"]
    assert oddities["count"][-1] == 2
    assert set(oddities["of"][oddities["fitted"]]) == {*FITTED, "photograph"}
    assert list(alarms["of"]) == [*labels(), "all", "exposures"]
