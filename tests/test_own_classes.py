# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of models of one's own: the fit, the file, and the verbs that make and use it."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from astroclf import AstroclfError, Classifier, ModelError, read_frame, read_tags, write_label
from astroclf.annotation import is_annotated
from astroclf.cli import main
from astroclf.exceptions import AstroclfWarning
from astroclf.model import load_record, load_user_model
from astroclf.model.head import FEATURES, Head
from astroclf.model.userfile import TunedRecord, check_label, save_user_model
from astroclf.model.weights import read_stage, replace_stage
from astroclf.taxonomy import UNKNOWN
from astroclf.train import tune
from astroclf.train.calibrate import calibrate, fit_temperature
from astroclf.train.evaluate import Case, find_tagged, read_examples
from astroclf.train.head import cross_validate, deal_folds, doubt, fit_head, scores
from astroclf.train.own import find_cases, train_classes
from astroclf.train.predictions import read_predictions

LABELS = ("ring", "spiral_galaxy", "blank")


def draw(kind, seed):
    """Return a small image: a ring, a round source, or nothing but noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] - rng.uniform(28, 36, 2)[:, None, None]
    radius = np.hypot(x, y)
    light = {"ring": np.exp(-((radius - 16) ** 2) / 8), "spiral_galaxy": np.exp(-radius / 6), "blank": 0 * radius}
    return (300 * light[kind] + rng.normal(100, 3, (64, 64))).astype(np.float32)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Return a folder with one folder of six FITS files for each of three classes; not to be changed."""
    root = tmp_path_factory.mktemp("own") / "examples"
    for n, label in enumerate(LABELS):
        (root / label).mkdir(parents=True)
        for i in range(6):
            fits.writeto(root / label / f"{i}.fits", draw(label, 100 * n + i))
    return root


@pytest.fixture(scope="session")
def model(folder):
    """Return the path of a model of these; not to be changed."""
    path = folder.parent / "rings.astroclf"
    train_classes(find_cases(folder), path, licence="CC0-1.0")
    return path


@pytest.fixture(scope="session")
def record_fields():
    """Return the record of a small made-up model and its last layer, as save_user_model takes them."""
    base = load_record()
    calibration = {
        "temperature": 1.0, "sure_class": 0.9, "sure_group": 0.9, "conformal": 0.2, "coverage": 0.9,
        "worst_quality": 0.5,
    }  # fmt: skip
    fields = {
        "name": "mine", "taxonomy": "mine/1", "labels": ["a", "b"], "licence": "", "credits": "", "made_by": "",
        "made_on": "2026-11-24", "views": 1, "base": {"name": base.name, "sha256": base.sha256},
        "preprocessing": base.preprocessor.to_dict(), "calibration": calibration, "scores": {}, "examples": [],
    }  # fmt: skip
    return fields, Head(np.zeros((FEATURES, 2), np.float32), np.zeros(2, np.float32))


@pytest.fixture(scope="session")
def made_up(record_fields, tmp_path_factory):
    """Return the path of that model; not to be changed."""
    path = tmp_path_factory.mktemp("made_up") / "mine.astroclf"
    save_user_model(path, *record_fields)
    return path


@pytest.fixture(scope="session")
def stage():
    """Return the last stage of the bundled network, as a file of a fine-tuned model holds one."""
    return read_stage(load_record().read_bytes())


@pytest.fixture(scope="session")
def tuned(record_fields, stage, tmp_path_factory):
    """Return the path of the made-up model with a last stage that sees nothing; not to be changed."""
    path = tmp_path_factory.mktemp("tuned") / "mine.astroclf"
    fields, _ = record_fields
    head = Head(np.ones((FEATURES, 2), np.float32), np.float32([0, 1]))
    save_user_model(path, fields, head, bytes(len(stage)))
    return path


def blobs(apart, counts=(15, 15, 15), seed=1):
    """Return features of classes that lie so far apart, and the classes."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(range(len(counts)), counts)
    centres = rng.normal(size=(len(counts), 40))
    return rng.normal(size=(len(truth), 40)) + apart * centres[truth], truth


def test_fit_is_the_optimum():
    """The gradient of the penalised likelihood vanishes, in features as they are; classes weigh the same."""
    features, truth = blobs(0.5, (20, 10, 15))
    strength = 0.01
    head = fit_head(features, truth, 3, strength)
    logits = head(features)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weights = 1 / (3 * np.bincount(truth)[truth])
    error = weights[:, None] * (probs - np.eye(3)[truth])
    spread = features.std(axis=0) * np.sqrt(features.shape[1])
    points = (features - features.mean(axis=0)) / spread
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(points.T @ error, -strength * head.kernel * spread[:, None], atol=1e-5)


def test_more_features_than_examples():
    """With more features than examples the fit is that in the space they span: repeated features change nothing."""
    features, truth = blobs(1, (8, 8, 8))
    narrow, wide = fit_head(features[:, :10], truth, 3, 0.01), fit_head(np.tile(features[:, :10], 10), truth, 3, 0.01)
    np.testing.assert_allclose(wide(np.tile(features[:, :10], 10)), narrow(features[:, :10]), atol=1e-3)


def test_cross_validation_is_honest():
    """What cannot be told apart is right as often as chance, and never sure; what can be is nearly always right."""
    for apart, low, high in ((0, 0.0, 0.6), (3, 0.95, 1.0)):
        features, truth = blobs(apart)
        keys = [str(i) for i in range(len(truth))]
        held_out = cross_validate(features, truth, deal_folds(truth, keys, "abc"), 3)
        calibration = calibrate(held_out.logits, truth, "abc", doubt(len(truth)))
        found = scores(held_out, truth, keys, "abc", calibration.temperature)
        assert low <= found["accuracy"] <= high
        assert found["low"] < found["accuracy"] <= found["high"]
        assert (calibration.sure_class == 1.0) == (apart == 0)
        assert [row["files"] for row in found["classes"]] == [15, 15, 15]


def test_right_answers_do_not_make_certain():
    """Where every answer was right, as sure as the count of examples allows, and no surer."""
    logits = np.eye(3)[np.repeat([0, 1, 2], 10)] * 4
    truth = np.repeat([0, 1, 2], 10)
    temperature, _ = fit_temperature(logits, truth, doubt(30))
    probs = np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=1, keepdims=True)
    assert probs.max() == pytest.approx(31 / 32, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=15, max_size=60), st.randoms())
def test_folds_keep_objects_together(drawn, random):
    """No object is in two folds, every class is in several, and the order of the examples changes nothing."""
    drawn += [(c, 100 + 10 * c + i) for c in range(3) for i in range(4)]
    truth, keys = np.array([c for c, _ in drawn]), [str(key) for _, key in drawn]  # the first may show two classes
    folds = deal_folds(truth, keys, "abc")
    assert all(len({f for f, key in zip(folds, keys) if key == mine}) == 1 for mine in keys)
    assert all(len(set(folds[truth == c])) > 1 for c in range(3))
    order = random.sample(range(len(keys)), len(keys))
    np.testing.assert_array_equal(deal_folds(truth[order], [keys[i] for i in order], "abc"), folds[order])


def test_map_is_the_logit_of_the_new_head(model):
    """The map of a class of one's own is made with the last layer of the model: its mean is the logit."""
    classifier, frame = Classifier(model), read_frame(draw("ring", 77))
    logits = classifier._look(frame)[0].mean(axis=0)
    found = [classifier.explain(frame, label).logit for label in classifier.record.labels]
    np.testing.assert_allclose(found, logits, atol=2e-5)


def test_stage_takes_the_place_of_the_bundled_one(tuned, made_up, stage):
    """The network of a fine-tuned model is the bundled one but for its last stage; other models stay small."""
    base, record = load_record(), load_user_model(tuned)
    assert type(record.base) is TunedRecord
    content = record.base.read_bytes()
    assert read_stage(content) == bytes(len(stage))
    assert replace_stage(content, stage) == base.read_bytes()
    assert load_user_model(made_up).base is base
    assert made_up.stat().st_size < 30_000
    prediction = Classifier(tuned)(draw("ring", 7))
    assert prediction.probs[0] == pytest.approx(1 / (1 + np.exp(-1)))
    explanation = Classifier(tuned).explain(draw("ring", 7), "b")
    assert (explanation.logit, np.abs(explanation.grid).max()) == (1, 0)


def test_views_to_learn_from():
    """A picture is seen in eight ways, the first those that classification uses; small classes as often as large."""
    pictures = np.random.default_rng(1).integers(0, 256, (3, 6, 6, 3), dtype=np.uint8)
    views = tune._turned(pictures)
    assert views.shape == (24, 6, 6, 3)
    assert len({view.tobytes() for view in views}) == 24
    for k in range(4):
        np.testing.assert_array_equal(views[3 * k], np.rot90(pictures[0], k))
    rows = tune.even_rows(np.array([1, 2, 5, 6]), np.array([0, 0, 1, 0, 0, 1, 1, 0]))
    assert rows.tolist() == [1, 1, 1, 2, 5, 6]


def test_one_object_a_class():
    """A class whose examples all show one object cannot be tested."""
    with pytest.raises(AstroclfError, match=r"class b: .*too few objects"):
        deal_folds(np.array([0, 0, 0, 1, 1]), ["p", "q", "r", "s", "s"], "ab")


def test_model_says_what_it_learned(model):
    """The model names its classes, is right on new frames, and says of what and how well it was made."""
    classifier = Classifier(model)
    record = classifier.record
    assert record.labels == tuple(sorted(LABELS))
    assert (record.name, record.taxonomy, record.licence) == ("rings", "rings/1", "CC0-1.0")
    assert record.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert record.read_bytes() == model.read_bytes()
    assert len(record.examples) == 18
    first = record.examples[0]
    assert hashlib.sha256((model.parent / "examples" / first["file"]).read_bytes()).hexdigest() == first["sha256"]
    assert record.scores["accuracy"] > 0.8
    right = [classifier(draw(label, 1000 + i)).label == label for label in LABELS for i in range(3)]
    assert np.mean(right) > 0.8
    prediction = classifier(draw("ring", 7))
    assert sum(prediction.probs) == pytest.approx(1)
    assert set(prediction.groups) == {"ring", "galaxy", "blank"}
    assert prediction.provenance.model == "rings"


@pytest.mark.slow
def test_same_examples_same_file(folder, model, tmp_path):
    """The same examples give the same bytes, bar the date."""
    again = tmp_path / "rings.astroclf"
    train_classes(find_cases(folder), again, licence="CC0-1.0")
    first, second = (_members(path) for path in (model, again))
    for members in (first, second):
        members["record.json"] = re.sub(rb'"made_on": "[^"]*"', b"", members["record.json"])
    assert first == second


def test_runtimes_agree(model, need):
    """The last layer is the same on TensorFlow."""
    try:
        import onnx  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        need(f"{error.name} is not installed")
    first, second = (Classifier(model, backend=backend)(draw("ring", 5)) for backend in ("onnx", "tensorflow"))
    assert second.provenance.options == "backend=tensorflow"
    np.testing.assert_allclose(second.probs, first.probs, atol=1e-3)


def test_too_little_to_learn_from(folder, tmp_path):
    """One class, few examples, a bad label, a copy, a bad name or output: each a clear error, and no file."""
    cases = find_cases(folder)
    ring = [case for case in cases if case.label == "ring"]
    output = tmp_path / "m.astroclf"
    with pytest.raises(AstroclfError, match="at least 2 classes; got ring"):
        train_classes(ring, output)
    with pytest.raises(AstroclfError, match="at least 5 examples that can be read; ring has 4"):
        train_classes([*ring[:4], *(case for case in cases if case.label != "ring")], output)
    renamed = [replace(case, label="Ring Galaxy") for case in ring]
    with pytest.raises(AstroclfError, match=r"label 'Ring Galaxy' must have 1 to 18 characters"):
        train_classes([*cases, *renamed], output)
    copied = shutil.copy(ring[0].path, tmp_path / "copy.fits")
    with pytest.raises(AstroclfError, match=r"copy\.fits \(blank\) is the same file as .*0\.fits \(ring\)"):
        train_classes([*cases, Case.alone(Path(copied), "blank", tmp_path)], output)
    with pytest.raises(AstroclfError, match="name 'a b' must have 1 to 40 characters"):
        train_classes(cases, output, name="a b")
    with pytest.raises(AstroclfError, match=r"must end in \.astroclf; write to m\.astroclf"):
        train_classes(cases, tmp_path / "m.onnx")
    with pytest.raises(AstroclfError, match="does not exist; make it first"):
        train_classes(cases, tmp_path / "none" / "m.astroclf")
    assert not list(tmp_path.glob("*.astroclf"))


@pytest.mark.slow
def test_unreadable_examples_are_left_out(folder, tmp_path):
    """A file that is none, and one that is missing, are named; too few are left of its class."""
    bad = tmp_path / "bad.fits"
    bad.write_text("not FITS")
    cases = [case for case in find_cases(folder) if case.label != "blank" or case.path.stem < "3"]
    cases += [Case.alone(path, "blank", tmp_path) for path in (bad, tmp_path / "missing.fits")]
    with (
        pytest.warns(AstroclfWarning, match=r"missing\.fits: left out: No such file"),
        pytest.warns(AstroclfWarning, match=r"bad\.fits: left out"),
        pytest.raises(AstroclfError, match="blank has 3"),
    ):
        train_classes(cases, tmp_path / "m.astroclf")


def test_finding_examples(tmp_path):
    """Folders are classes; hidden files and pictures astroclf drew are none of them; a manifest may lack object_key."""
    with pytest.raises(AstroclfError, match="make one folder a class"):
        find_cases(tmp_path)
    (tmp_path / "ring").mkdir()
    for name in ("b.png", "a.png", ".hidden.png", "c_astroclf.png"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "ring" / name)
    (tmp_path / "loose.txt").touch()
    assert [case.object_key for case in find_cases(tmp_path)] == ["ring/a.png", "ring/b.png", "ring/c_astroclf.png"]
    manifest = tmp_path / "labels.csv"
    manifest.write_text("path,label\nring/a.png,ring\n")
    assert facts(find_cases(manifest)) == [(tmp_path / "ring/a.png", "ring", ("ring",), "ring/a.png", "picture")]
    manifest.write_text("path,kind\nring/a.png,ring\n")
    with pytest.raises(AstroclfError, match=r"needs the columns file \(or path\) and label; got path, kind"):
        read_examples(manifest)


def test_finding_tagged_files(folder, tmp_path):
    """Files with a person's label are examples; others are not; none is an error."""
    for name in ("a", "b"):
        shutil.copy(folder / "ring" / "0.fits", tmp_path / f"{name}.fits")
    with pytest.raises(AstroclfError, match="CLFHLAB"):
        find_tagged(tmp_path)
    fits.setval(tmp_path / "a.fits", "CLFHLAB", value="ring")
    assert facts(find_tagged(tmp_path)) == [(tmp_path / "a.fits", "ring", ("ring",), "a.fits", "frame")]


def facts(cases):
    """Return what cases say, without their signal to noise, which is unknown and so equals nothing."""
    return [(case.path, case.label, case.accept, case.object_key, case.kind) for case in cases]


@given(st.text(max_size=22))
def test_labels(label):
    """A label is taken if and only if a header can hold it and it is not that of an unsure verdict."""
    fine = re.fullmatch(r"[a-z0-9_]{1,18}", label, re.ASCII) and "\n" not in label and label != UNKNOWN
    if fine:
        assert check_label(label) == label
    else:
        with pytest.raises(ValueError, match="rename the class"):
            check_label(label)


def _members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _object_array(members):
    stream = io.BytesIO()
    np.save(stream, np.array([{}], object), allow_pickle=True)
    return _signed(members, stream.getvalue())


def _huge_array(members):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2048, 1000000000000), }"
    return _signed(members, b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def _signed(members, content, name="kernel.npy"):
    fields = json.loads(members["record.json"])
    fields["arrays"][name] = hashlib.sha256(content).hexdigest()
    return members | {name: content, "record.json": json.dumps(fields).encode()}


def _with(**changes):
    def change(members):
        fields = json.loads(members["record.json"]) | changes
        return members | {"record.json": json.dumps(fields).encode()}

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m | {"kernel.npy": m["kernel.npy"][:-1] + b"\x01"}, r"kernel\.npy: its SHA-256 is not the one"),
        (_object_array, r"kernel\.npy: not an array of float32"),
        (_huge_array, r"kernel\.npy: not an array of float32"),
        (lambda m: _signed(m, m["bias.npy"]), r"kernel\.npy: not an array of float32 of shape"),
        (lambda m: m | {"../evil.npy": b""}, "it must hold bias"),
        (lambda m: {"record.json": m["record.json"]}, "it must hold bias"),
        (lambda m: m | {"record.json": b"[1]"}, "not a model of schema 1"),
        (lambda m: m | {"record.json": b"[" * 100000}, "not a model of schema 1"),
        (lambda m: m | {"record.json": b" " * (17 << 20)}, r"record\.json has \d+ bytes, more than"),
        (_with(schema=2), "schema is 2; this astroclf reads 1"),
        (_with(labels=["a", "a", "b"]), "all different"),
        (_with(labels=["unknown", "a", "b"]), "rename the class"),
        (_with(labels=["a"]), "2 to 1000 labels"),
        (_with(labels=7), "not a model"),
        (_with(taxonomy="a b/1"), "choose another name"),
        (_with(licence=3), "licence is 3, not a text"),
        (_with(views=3), "views is 3"),
        (_with(calibration={"temperature": 1}), "not a model"),
        (_with(preprocessing=7), "not a model"),
        (_with(base={"name": "other-1", "sha256": "0" * 64}), r"made for the network other-1 \(SHA-256 0{16}\.\.\.\)"),
        (_with(base={}), "'sha256' is missing"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_tampered_files(made_up, tmp_path, change, match):
    """Each alteration of the file is refused with what is wrong, and no array of it is used."""
    path = _write(tmp_path / "evil.astroclf", change(_members(made_up)))
    with pytest.raises(ModelError, match=match) as caught:
        Classifier(path)
    assert "evil.astroclf" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m | {"stage.bin": b"\x01" + m["stage.bin"][1:]}, r"stage\.bin: its SHA-256 is not the one"),
        (lambda m: _signed(m, m["stage.bin"][1:], "stage.bin"), "15032320 bytes of weights; got 15032319"),
        (lambda m: _signed(m, b"\xff" * len(m["stage.bin"]), "stage.bin"), "weights of the last stage are not finite"),
        (lambda m: _signed(m, bytes(17 << 20), "stage.bin"), r"stage\.bin has \d+ bytes, more than"),
        (lambda m: {name: m[name] for name in m if name != "stage.bin"}, r"'stage\.bin' is missing"),
        (lambda m: {name: m[name] for name in m if name != "bias.npy"}, "it must hold bias"),
        (lambda m: m | {"network.onnx": b""}, "it must hold bias"),
        (lambda m: _with(arrays=[])(m), "not a model of schema 1"),
    ],
)
def test_tampered_stages(tuned, tmp_path, change, match):
    """Each alteration of the last stage is refused, its absence, too: the model would be another one."""
    path = _write(tmp_path / "evil.astroclf", change(_members(tuned)))
    with pytest.raises(ModelError, match=match):
        load_user_model(path)


def test_unannounced_stage(made_up, stage, tmp_path):
    """A last stage of which the record does not speak is refused; so is one that is compressed."""
    members = _members(made_up) | {"stage.bin": stage}
    with pytest.raises(ModelError, match=r"'stage\.bin' is missing"):
        load_user_model(_write(tmp_path / "m.astroclf", members))
    packed = _write(tmp_path / "n.astroclf", _signed(members, stage, "stage.bin"), zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="is compressed"):
        load_user_model(packed)


def test_bad_calibration(record_fields, tmp_path):
    """Numbers that are none, out of range, or that JSON does not have, are refused when written and when read."""
    fields, head = record_fields
    for name, value in (("temperature", 0), ("coverage", 1.5), ("conformal", True), ("sure_class", float("nan"))):
        bad = fields | {"calibration": fields["calibration"] | {name: value}}
        with pytest.raises(ModelError, match="the record of the model is not valid"):
            save_user_model(tmp_path / "m.astroclf", bad, head)
    assert not list(tmp_path.iterdir())


def test_compressed_member_is_refused(made_up, tmp_path):
    """A member that would grow when unpacked is refused before it is."""
    path = _write(tmp_path / "bomb.astroclf", _members(made_up), zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="is compressed"):
        load_user_model(path)


def test_missing_and_huge_files(tmp_path):
    """A file that is not there, and one larger than any model, are clear errors."""
    with pytest.raises(ModelError, match=r"none\.astroclf: the model cannot be read: .*astroclf train makes one"):
        Classifier(tmp_path / "none.astroclf")
    with (tmp_path / "huge.astroclf").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ModelError, match="larger than any model"):
        Classifier(tmp_path / "huge.astroclf")


@given(st.data())
def test_damaged_files(made_up, tmp_path_factory, data):
    """Whatever byte is changed, or wherever the file is cut, it is refused or the same, never another failure."""
    content = bytearray(made_up.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    path = tmp_path_factory.mktemp("damaged") / "d.astroclf"
    path.write_bytes(content)
    try:
        record = load_user_model(path)
    except ModelError:
        pass
    else:
        np.testing.assert_array_equal(record.head.kernel, load_user_model(made_up).head.kernel)


@given(st.binary(max_size=2000))
def test_any_bytes(tmp_path_factory, content):
    """Bytes that are no model are a ModelError."""
    path = tmp_path_factory.mktemp("bytes") / "b.astroclf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"b\.astroclf"):
        load_user_model(path)


def test_verbs(folder, tmp_path, monkeypatch, capsys):
    """From folders to tags on the command line: train, classify, tag and evaluate; TensorFlow is not loaded."""
    monkeypatch.chdir(tmp_path)
    code = (
        "import sys; from astroclf.cli import main; status = main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras', 'onnx'} & set(sys.modules); sys.exit(status)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, "train", str(folder), "-o", "rings.astroclf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "accuracy " in done.stdout
    assert "on 18 objects" in done.stdout
    with pytest.raises(SystemExit):
        main(["train", str(folder), "-o", "rings.astroclf"])
    assert "use --overwrite" in capsys.readouterr().err

    fits.writeto("new.fits", draw("ring", 77))
    assert main(["classify", "--model", "rings.astroclf", "-t", "csv", "new.fits"]) == 0
    assert ",ring," in capsys.readouterr().out
    assert main(["tag", "--model", "rings.astroclf", "new.fits"]) == 0
    tags = read_tags("new.fits")
    assert tags["CLFTAXON"] == "rings/1"
    assert tags["CLFMODEL"] == "rings"
    assert tags["CLFSHA"] == hashlib.sha256(Path("rings.astroclf").read_bytes()).hexdigest()[:16]
    assert tags["CLFUAT"] is None
    assert tags["CLFAVM"] is None
    assert tags.label == "ring"
    assert fits.getval("new.fits", "CLFPREP") == load_record().preprocessor.digest

    assert main(["tag", "--model", "rings.astroclf", "--prior", "ring=0.1", "--explain", "new.fits"]) == 0
    assert read_tags("new.fits")["CLFOPTS"] == "prior=ring:0.1"
    assert is_annotated("new_astroclf.png")
    with pytest.raises(SystemExit):
        main(["classify", "--model", "rings.astroclf", "--prior", "star=0.1", "new.fits"])
    assert "argument --prior: prior names 'star', which is no class or group" in capsys.readouterr().err

    Path("mine.csv").write_text("file,label,object_key\nnew.fits,ring,r\n")
    evaluate = ["evaluate", "--model", "rings.astroclf"]
    assert main([*evaluate, "mine.csv", "-o", "said.csv"]) == 0
    assert "\nring " in capsys.readouterr().out
    said = read_predictions("said.csv")
    assert said.classes == tuple(sorted(LABELS))
    assert (said.named[0], said.named_group[0], said.right[0]) == ("ring", "ring", True)
    assert main([*evaluate, "mine.csv", "--compare", "said.csv"]) == 0
    Path("mine.csv").write_text("file,label,object_key\nnew.fits,star,r\n")
    assert main(["evaluate", "--model", "rings.astroclf", "mine.csv"]) == 1
    assert "unknown label star; known are blank, ring, spiral_galaxy" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["keras", "tensorflow", "onnx"])
def test_fine_tuning_without_tensorflow(folder, tmp_path, monkeypatch, capsys, missing):
    """Where the extra is not installed, one line says so and what to do, before any work."""
    for name in ("keras", "tensorflow", "onnx"):
        monkeypatch.setitem(sys.modules, name, None if name == missing else types.ModuleType(name))
    output = tmp_path / "m.astroclf"
    assert main(["train", str(folder), "-o", str(output), "--fine-tune"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "pip install 'astroclf[tensorflow]'" in told.err
    assert not output.exists()


@pytest.mark.slow
def test_fine_tuning(folder, tmp_path, monkeypatch, capfd, need):
    """A fine-tuned model says how it did, is used like any other, in both runtimes, and is the same every time."""
    try:
        tune.check_packages()
    except AstroclfError as error:
        need(f"{error}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tune, "EPOCHS", 2)
    monkeypatch.setattr(tune, "FOLDS", 2)
    assert main(["train", str(folder), "-o", "tuned.astroclf", "--fine-tune"]) == 0
    told = capfd.readouterr()
    assert "in the same 2 folds" in told.out
    assert "step" not in told.out + told.err
    record = load_user_model("tuned.astroclf")
    assert (type(record.base), record.made_by) == (TunedRecord, "astroclf train --fine-tune")
    assert record.base.read_bytes() != load_record().read_bytes()
    assert record.scores["accuracy"] > 0.6
    assert set(record.scores["quick"]) == {"accuracy", "low", "high"}

    classifier, frame = Classifier("tuned.astroclf"), read_frame(draw("ring", 77))
    logits = classifier._look(frame)[0].mean(axis=0)
    found = [classifier.explain(frame, label).logit for label in record.labels]
    np.testing.assert_allclose(found, logits, atol=1e-4)
    other = Classifier("tuned.astroclf", backend="tensorflow")(frame)
    assert other.label == "ring"
    np.testing.assert_allclose(other.probs, classifier(frame).probs, atol=1e-3)

    fits.writeto("new.fits", draw("ring", 77))
    Path("mine.csv").write_text("file,label,object_key\nnew.fits,ring,r\n")
    assert main(["evaluate", "--model", "tuned.astroclf", "mine.csv"]) == 0
    assert main(["tag", "--model", "tuned.astroclf", "--explain", "new.fits"]) == 0
    assert read_tags("new.fits")["CLFSHA"] == record.sha256[:16]

    members = _members("tuned.astroclf")
    assert main(["train", str(folder), "-o", "again.astroclf", "--name", "tuned", "--fine-tune"]) == 0
    assert _members("again.astroclf") == members
    members["stage.bin"] = members["stage.bin"][:-1] + bytes([members["stage.bin"][-1] ^ 1])
    with pytest.raises(ModelError, match=r"stage\.bin: its SHA-256"):
        Classifier(_write(tmp_path / "evil.astroclf", members))


def test_verbs_on_labelled_files(folder, tmp_path, monkeypatch, capsys):
    """Labels in headers are what a model is made of and measured by; one that it does not know is left out."""
    monkeypatch.chdir(tmp_path)
    Path("night").mkdir()
    for name, label in (("spiral_galaxy", "spiral_galaxy"), ("blank", "no_source")):
        for i in range(5):
            write_label(shutil.copy(folder / name / f"{i}.fits", f"night/{label}{i}.fits"), label, by="ann")
    fits.writeto("night/plain.fits", draw("ring", 1))
    assert main(["train", "--from-tags", "night", "-o", "mine.astroclf"]) == 0
    assert load_user_model("mine.astroclf").labels == ("no_source", "spiral_galaxy")
    for path in sorted(Path("night").glob("*[0-3].fits")):
        path.unlink()
    write_label("night/plain.fits", "star", by="ann")
    capsys.readouterr()
    assert main(["evaluate", "--model", "mine.astroclf", "--from-tags", "night"]) == 1
    told = capsys.readouterr()
    assert "Real frames: 2 files of 2 objects" in told.out
    assert "plain.fits: left out: its label star is no class of the model: no_source, spiral_galaxy" in told.err


@pytest.mark.slow
def test_train_verb_complains(folder, tmp_path, monkeypatch, capsys):
    """Wrong usage is told; a file left out is named, on a line of its own, and gives status 1."""
    monkeypatch.chdir(tmp_path)
    for arguments in (["nothing.csv", "--from-tags"], []):
        with pytest.raises(SystemExit):
            main(["train", *arguments, *(["-o", "m.astroclf"] if arguments else [])])
    shutil.copytree(folder, "examples")
    Path("examples/ring/notes.txt").write_text("seen in 2026")
    assert main(["train", "examples", "-o", "m.astroclf"]) == 1
    assert re.search(r"^astroclf: warning: .*notes\.txt: left out: ", capsys.readouterr().err, re.MULTILINE)
    assert main(["train", "missing.csv", "-o", "n.astroclf"]) == 1
    assert "missing.csv: the manifest cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["classify", "--model", "resnet", "a.fits"])
    assert "must be astro, imagenet or the name of an .astroclf file; got 'resnet'" in capsys.readouterr().err
