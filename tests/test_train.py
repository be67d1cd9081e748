# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of how the model is made: forward model, examples, calibration, evaluation, fit and export."""

import csv
import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.special import softmax

from astroclf import AstroclfError, Classifier, Preprocessor, read_frame
from astroclf.frames.frame import Exposure
from astroclf.model import load_record
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.taxonomy import labels
from astroclf.train.calibrate import calibrate, group_matrix, view_outputs
from astroclf.train.evaluate import read_cases, run_cases
from astroclf.train.examples import check_pictures, make_examples, read_manifest, split_of
from astroclf.train.forward import frame_in_colour, frame_of_picture, light_from_picture, simulate_frame, tint
from astroclf.train.predictions import Predictions
from astroclf.train.report import measure


@pytest.fixture
def manifest(tmp_path):
    """Return the path of a manifest of six spirals and one nebula, pictures of noise beside it."""
    rng = np.random.default_rng(0)
    rows = [("spiral_galaxy", f"NGC{i}") for i in range(6)] + [("diffuse_nebula", "M42")]
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "object_key", "redistributable"])
        for label, key in rows:
            Image.fromarray(rng.integers(0, 256, (120, 100, 3), dtype=np.uint8)).save(tmp_path / f"{key}.png")
            writer.writerow([f"{key}.png", label, key, "yes"])
    return tmp_path / "labels.csv"


def test_check_pictures(manifest, tmp_path):
    """A collection is told from one with a picture changed or lost."""
    checksums, names = tmp_path / "sums.csv", [f"NGC{i}.png" for i in range(6)]
    sums = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names]
    checksums.write_text("path,sha256\n" + "".join(f"{name},{sum_}\n" for name, sum_ in zip(names, sums)))
    assert check_pictures(checksums, tmp_path) == 6
    (tmp_path / "NGC3.png").write_bytes(b"other")
    (tmp_path / "NGC4.png").unlink()
    with pytest.raises(AstroclfError, match=r"of 6 pictures 1 are missing and 1 differ, as NGC4.png, NGC3.png"):
        check_pictures(checksums, tmp_path)


@pytest.mark.parametrize("label", labels())
def test_simulated_frames(label):
    """Frames of every class are finite, reproducible, different from each other, and can be rendered."""
    first, again, other = (simulate_frame(label, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.ccd.data, again.ccd.data)
    assert first.shape != other.shape or not np.array_equal(first.ccd.data, other.ccd.data)
    assert first.ccd.data.dtype == np.float32
    assert np.isfinite(first.ccd.data).all()
    assert Preprocessor()(first).shape == (224, 224, 3)


@given(st.integers(0, 2**32 - 1), st.integers(40, 300), st.integers(40, 300))
def test_light_from_picture(seed, ny, nx):
    """Light made of a picture is never negative, has the wanted shape, and its bright end is at 1."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (rng.integers(60, 200), rng.integers(60, 200), 3), dtype=np.uint8)
    light = light_from_picture(picture, (ny, nx), rng)
    assert light.shape == (ny, nx)
    assert light.min() >= 0
    assert np.percentile(light, 99.8) == pytest.approx(1, rel=1e-3)


def test_black_picture():
    """A black picture gives no light, and no division by zero."""
    light = light_from_picture(np.zeros((80, 80, 3), np.uint8), (100, 100), np.random.default_rng(0))
    assert not light.any()


@given(st.integers(0, 2**32 - 1))
def test_frame_of_picture(seed):
    """A picture as it is keeps two thirds of its sides and its grey levels."""
    picture = np.random.default_rng(seed).integers(0, 256, (90, 130, 3), dtype=np.uint8)
    frame = frame_of_picture(picture, np.random.default_rng(seed))
    assert min(frame.shape) >= 60
    assert max(frame.shape) >= 87
    assert frame.exposure is Exposure.PICTURE
    assert 0 <= frame.ccd.data.min() <= frame.ccd.data.max() <= 255


@given(st.integers(0, 2**32 - 1))
def test_frame_in_colour(seed):
    """A picture in colour keeps two thirds of its sides, and its frame is the mean of its colours."""
    picture = np.random.default_rng(seed).integers(0, 256, (90, 130, 3), dtype=np.uint8)
    frame, again = (frame_in_colour(picture, np.random.default_rng(seed)) for _ in range(2))
    assert min(frame.shape) >= 60
    assert max(frame.shape) >= 87
    assert frame.exposure is Exposure.PICTURE
    assert (frame.colours.shape, frame.colours.dtype) == ((*frame.shape, 3), np.uint8)
    np.testing.assert_allclose(frame.ccd.data, frame.colours.mean(axis=2), rtol=1e-6)
    np.testing.assert_array_equal(frame.colours, again.colours)


@given(st.integers(0, 2**32 - 1))
def test_tint(seed):
    """A tinted scene has three different channels, its light where it was, and the range of a picture."""
    grey = np.zeros((60, 80), np.float32)
    grey[20:30, 40:50] = 0.6
    picture = tint(grey, np.random.default_rng(seed))
    assert picture.shape == (60, 80, 3)
    assert 0 <= picture.min() <= picture.max() <= 255
    assert np.ptp(picture, axis=2).max() > 0
    bright = picture.mean(axis=2)
    assert bright[20:30, 40:50].mean() > 4 * bright[:15].mean()


def test_splits_are_by_object_and_stay():
    """An object has one split for ever; the shares are those stated; these three never change."""
    assert [split_of(key) for key in ("M51", "M13", "NGC7293")] == [split_of(key) for key in ("M51", "M13", "NGC7293")]
    splits = [split_of(f"object {i}") for i in range(4000)]
    assert splits.count("test") / 4000 == pytest.approx(0.25, abs=0.03)
    assert splits.count("calibration") / 4000 == pytest.approx(0.15, abs=0.03)


def test_manifest_errors(tmp_path):
    """A manifest without its columns, or with an unknown label, is a clear error."""
    path = tmp_path / "labels.csv"
    path.write_text("path,label\na.png,star\n")
    with pytest.raises(AstroclfError, match=r"lacks the columns object_key, redistributable"):
        read_manifest(path)
    path.write_text("path,label,object_key,redistributable\na.png,kitten,K,yes\n")
    with pytest.raises(AstroclfError, match="unknown labels kitten"):
        read_manifest(path)


def test_examples(manifest, tmp_path):
    """Examples are balanced, made of the given pictures or drawn, and depend on seed and number only."""
    pictures, settings = read_manifest(manifest), Preprocessor()
    truth, sources = make_examples(28, pictures, settings, seed=7, path=tmp_path / "a.npy")
    fewer, _ = make_examples(14, pictures, settings, seed=7, path=tmp_path / "b.npy")
    assert np.bincount(truth).tolist() == [2] * 14
    np.testing.assert_array_equal(fewer, truth[:14])
    images = np.load(tmp_path / "a.npy")
    assert images.shape == (28, 224, 224, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), images[:14])
    used = {source.object_key for source in sources if source}
    assert used
    assert used <= {f"NGC{i}" for i in range(6)}, "one nebula is too few objects"


def test_examples_in_colour(manifest, tmp_path):
    """Examples in colour are balanced, too, every one has colours, and none is bright where the square is padded."""
    path = tmp_path / "a.npy"
    truth, sources = make_examples(28, read_manifest(manifest), Preprocessor(), seed=7, path=path, in_colour=True)
    images = np.load(path)
    assert np.bincount(truth).tolist() == [2] * 14
    assert 0 < sum(source is not None for source in sources) < 28
    assert (np.ptp(images.astype(int), axis=3).max(axis=(1, 2)) > 8).all()
    oblong = images[(images[:, 112] == 0).all(axis=2).any(axis=1)]
    assert len(oblong) > 0


def test_calibration_recovers_temperature():
    """Logits twice too sure get the temperature 2, thresholds that keep 19 of 20 right, and covering sets."""
    rng = np.random.default_rng(7)
    logits = rng.normal(0, 2, (20000, 14))
    truth = np.array([rng.choice(14, p=p) for p in softmax(logits, axis=1)])
    found = calibrate(2 * logits, truth, labels())
    assert found.temperature == pytest.approx(2, abs=0.1)
    probs = softmax(2 * logits / found.temperature, axis=1)
    right = probs.argmax(axis=1) == truth
    sure = probs.max(axis=1) >= found.sure_class
    assert right[sure].mean() == pytest.approx(0.95, abs=0.01)
    covered = probs[np.arange(len(truth)), truth] >= found.conformal
    assert covered.mean() == pytest.approx(0.9, abs=0.01)


def test_calibration_of_a_guesser():
    """A network that is never right is never sure."""
    logits = np.zeros((100, 14))
    logits[:, 0] = 1
    found = calibrate(logits, np.full(100, 1), labels())
    assert found.sure_class == 1.0


def test_group_matrix():
    """Each class belongs to one group."""
    matrix = group_matrix(labels())
    assert matrix.shape == (14, 7)
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)


class _Oracle:
    """A classifier that says what it is told."""

    def __init__(self, answers):
        self.answers = iter(answers)

    def __call__(self, frame):
        template = self._template
        label = next(self.answers)
        order = sorted(template.labels, key=lambda name: name != label)
        from dataclasses import replace

        return replace(template, labels=tuple(order))


def test_summary_counts_objects_once(manifest):
    """Several files of one object count as one in the interval; unreadable files count as wrong."""
    rows = manifest.read_text().replace("NGC1,yes", "NGC0,yes").replace("NGC5.png", "missing.fits")
    manifest.write_text(rows)
    cases = read_cases(manifest)
    oracle = _Oracle(["spiral_galaxy", "star", "spiral_galaxy", "spiral_galaxy", "spiral_galaxy", "diffuse_nebula"])
    oracle._template = Classifier(views=1)(np.random.default_rng(0).normal(size=(64, 64)))
    outcomes = list(run_cases(cases, oracle))
    assert "missing.fits" in outcomes[5].error
    section = measure(Predictions.from_outcomes(outcomes))["picture"]
    label = section["shares"]["label"]
    assert (label["files"], label["objects"], section["unread"]) == (6, 5, 0)


def test_evaluation_manifest_errors(tmp_path):
    """A manifest that is missing, has no object_key or an unknown label is a clear error; empty accept is left out."""
    with pytest.raises(AstroclfError, match="cannot be read"):
        read_cases(tmp_path / "none.csv")
    path = tmp_path / "cases.csv"
    path.write_text("file,label\na.fits,star\n")
    with pytest.raises(AstroclfError, match="needs the columns"):
        read_cases(path)
    path.write_text("file,label,object_key,accept\na.fits,star,A,kitten\n")
    with pytest.raises(AstroclfError, match="unknown label kitten"):
        read_cases(path)
    path.write_text("file,label,object_key,accept\na.fits,star,A,\nb.fits,star,B,star star_field\n")
    assert [case.path.name for case in read_cases(path)] == ["b.fits"]


@pytest.mark.slow
def test_bundled_model_on_drawn_frames(tmp_path):
    """On new drawn frames the bundled model is right far more often than chance, as the model card says."""
    truth, _ = make_examples(140, [], Preprocessor(), seed=99, path=tmp_path / "new.npy")
    backend = OnnxBackend(load_record().read_bytes())
    (logits,) = view_outputs(backend, np.load(tmp_path / "new.npy"), 1, "logits")
    assert (logits.argmax(axis=1) == truth).mean() > 0.6


@pytest.mark.slow
def test_bundled_model_on_real_frames(frames_dir):
    """On the real frames at least three groups of four are right: a floor, not the claim of the model card."""
    outcomes = list(run_cases(read_cases(frames_dir / "manifest.csv"), Classifier()))
    assert all(outcome.prediction is not None for outcome in outcomes)
    assert np.mean([outcome.right_group for outcome in outcomes]) >= 0.75


@pytest.mark.slow
def test_fit_and_export(manifest, tmp_path, need, monkeypatch):
    """The recipe runs from pictures to a model that classifies; its two runtimes agree."""
    try:
        import tensorflow  # noqa: F401

        from astroclf.train.network import build_classifier
    except ImportError as error:
        need(f"{error.name} is not installed")
    from astroclf.train.recipe import (
        calibrate_model,
        export_model,
        fit_colour,
        fit_model,
        load_examples,
        write_examples,
    )

    network = build_classifier(14)
    arrays = {f"{layer.name}/{v.name}": v.numpy() for layer in network.layers for v in layer.weights}
    np.savez(tmp_path / "start.npz", **arrays)
    write_examples(manifest, tmp_path / "work", counts={"train": 28, "calibration": 28, "colour": 28})
    fit_model(tmp_path / "work", tmp_path / "start.npz", epochs=2)  # the first step is of rate 0
    network.load_weights(tmp_path / "work" / "fitted.weights.h5")
    fitted = {f"{layer.name}/{v.name}": v.numpy() for layer in network.layers for v in layer.weights}
    changed = {name for name, array in fitted.items() if not np.array_equal(array, arrays[name])}
    assert {name.split("_")[0] for name in changed} == {"conv4", "conv5", "head/kernel", "head/bias"}
    assert not any("_bn/" in name for name in changed)
    export_model(tmp_path / "work", tmp_path, measured=28)
    record = next(tmp_path.glob("*.json"))
    assert json.loads(record.read_text())["schema"] == 1
    exported = json.loads(record.read_text())
    again = calibrate_model(tmp_path / "work", tmp_path, measured=28)
    assert json.loads(record.read_text()) == again
    assert {key: again[key] for key in exported} == exported
    image = np.random.default_rng(3).normal(size=(100, 100))
    assert_runtimes_agree(record, image)
    written = fit_colour(tmp_path / "work", tmp_path)
    assert {key: value for key, value in written.items() if key != "colour"} == again
    assert load_record(record).colour.read(14).kernel.any()
    colours = load_examples(tmp_path / "work", "colour")[0][0]
    assert_runtimes_agree(record, replace(read_frame(colours.mean(axis=2)), colours=colours))


def assert_runtimes_agree(record, image):
    """Check that ONNX Runtime and TensorFlow give the same verdict."""
    first, second = (Classifier(record, backend=backend)(image) for backend in ("onnx", "tensorflow"))
    assert first.labels[0] == second.labels[0]
    np.testing.assert_allclose(first.probs, second.probs, atol=1e-3)
