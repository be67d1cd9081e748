# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the model record, the runtimes and the classifier."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.nddata import CCDData

from astroclf import Classifier, EmptyFrameError, FrameError, ModelError, read_frame
from astroclf.datasets import make_frame
from astroclf.exceptions import AstroclfWarning
from astroclf.model import load_record
from astroclf.model.files import pack_arrays
from astroclf.model.head import FEATURES, Head, HeadFile
from astroclf.model.imagenet import imagenet_classes
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.model.record import BUNDLED
from astroclf.prediction import Status
from astroclf.preprocess import Preprocessor
from astroclf.render import STRETCHES
from astroclf.taxonomy import TAXONOMY, group_of, groups, labels


@pytest.fixture(scope="module")
def classifier():
    """Return the bundled classifier."""
    return Classifier()


@pytest.fixture(scope="module")
def sim():
    """Return a small simulated frame."""
    return make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2)


@pytest.fixture
def model_copy(tmp_path):
    """Return the path of a copy of the bundled record, its model file beside it."""
    record = load_record()
    shutil.copy(record.path, tmp_path)
    return shutil.copy(record.path.with_suffix(".json"), tmp_path)


def head_file(tmp_path, content):
    """Return what a record says of a file with some content."""
    path = tmp_path / "a.colour.npz"
    path.write_bytes(content)
    return HeadFile(path, hashlib.sha256(content).hexdigest())


def last_layer(classes=3):
    """Return a last layer of random weights."""
    rng = np.random.default_rng(0)
    return Head(rng.normal(size=(FEATURES, classes)).astype("f4"), rng.normal(size=classes).astype("f4"))


def test_last_layer_survives_its_file(tmp_path):
    """A last layer that was written and read gives the same logits."""
    features = np.random.default_rng(1).random((2, FEATURES), np.float32)
    read = head_file(tmp_path, last_layer().to_bytes()).read(3)
    np.testing.assert_array_equal(read(features), last_layer()(features))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        last_layer().to_bytes()[:-100],
        last_layer(4).to_bytes(),
        pack_arrays({"kernel": last_layer().kernel}),
        pack_arrays({"kernel": last_layer().kernel, "bias": np.full(3, np.nan, np.float32)}),
        pack_arrays({"kernel": last_layer().kernel, "bias": np.zeros(3)}),
    ],
)
def test_broken_last_layer_is_refused(tmp_path, content):
    """A file that is no last layer of the model's classes is a clear error."""
    with pytest.raises(ModelError, match="not a last layer file of this model"):
        head_file(tmp_path, content).read(3)


def test_record_describes_the_file():
    """The bundled record has all that must travel with the weights, and its hash is that of the file."""
    record = load_record()
    assert record.name == BUNDLED
    assert record.labels == labels()
    assert record.taxonomy == TAXONOMY
    assert hashlib.sha256(record.path.read_bytes()).hexdigest() == record.sha256
    assert record.path.stat().st_size < 50e6
    assert record.preprocessor == Preprocessor.from_dict(record.preprocessor.to_dict())
    assert all((record.licence, record.credits, record.made_by))
    calibration = record.calibration
    assert calibration.temperature > 0
    assert 0 < calibration.sure_class <= 1
    assert 0 < calibration.sure_group <= 1
    assert 0 < calibration.conformal < 1


def test_altered_model_is_refused(model_copy):
    """One changed bit of the weights is noticed, and the message says what to do."""
    path = load_record(model_copy).path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"SHA-256 is \w{64}, the record says \w{64}.*install astroclf again"):
        Classifier(model_copy)


def test_missing_model_file(model_copy):
    """A record without its file is a clear error."""
    load_record(model_copy).path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        Classifier(model_copy)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema": 99}', "not json", '{"schema": 1, "name": "x"}'])
def test_broken_record(tmp_path, content):
    """A record that is none is a clear error naming the file."""
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"broken\.json"):
        load_record(path)


def test_record_cannot_point_elsewhere(tmp_path, model_copy):
    """The model file lies beside its record, whatever folder the record names."""
    fields = json.loads(Path(model_copy).read_text())
    fields["file"] = "../../etc/" + fields["file"]
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps(fields))
    assert load_record(path).path.parent == tmp_path


def test_prediction_is_complete(classifier, sim):
    """Probabilities sum to 1 over classes and over groups, ranked, and the groups are sums of their classes."""
    prediction = classifier(sim)
    assert set(prediction.labels) == set(labels())
    assert set(prediction.groups) == set(groups())
    for probs in (prediction.probs, prediction.group_probs):
        assert sum(probs) == pytest.approx(1)
        assert list(probs) == sorted(probs, reverse=True)
    members = [p for label, p in zip(prediction.labels, prediction.probs) if group_of(label) == prediction.group]
    assert sum(members) == pytest.approx(prediction.group_probs[0])
    assert 0 <= prediction.agreement <= 1
    assert 1 <= prediction.n_set <= 14
    assert prediction.provenance.sha256 == classifier.record.sha256
    assert prediction.provenance.preprocessing == classifier.record.preprocessor.digest


def test_deterministic(classifier, sim):
    """The same frame gives the same prediction, to the last bit."""
    assert classifier(sim) == classifier(sim)


def test_every_kind_of_source(classifier, sim, tmp_path):
    """A path, an HDUList, a frame, CCDData and an array of the same pixels give the same probabilities."""
    path = tmp_path / "sim_flt.fits"
    sim.writeto(path)
    frame = read_frame(path)
    ccd = CCDData(frame.ccd.data, mask=frame.ccd.mask, unit="electron/s")
    array = np.where(frame.ccd.mask, np.nan, frame.ccd.data)
    expected = classifier(path).probs
    for source in (str(path), sim, frame, ccd, array):
        np.testing.assert_allclose(classifier(source).probs, expected, atol=1e-6)


@pytest.mark.parametrize("views", [1, 2, 4, 8])
def test_views_are_recorded(sim, views):
    """The number of views is an option where it is not the record's, and changes the answer little."""
    classifier = Classifier(views=views)
    wanted = "" if views == classifier.record.views else f"views={views}"
    prediction = classifier(sim)
    assert prediction.provenance.options == wanted
    assert (prediction.agreement * views) == pytest.approx(round(prediction.agreement * views))


def test_stretches_count_in_the_agreement_only(sim):
    """Under a prior by which the softer stretch names another class the agreement tells; all else is the same."""
    record = load_record()
    pictures = record.preprocessor.stretched(record.preprocessor.clean(read_frame(sim)), STRETCHES[3])
    logits = OnnxBackend(record.read_bytes()).logits(pictures) / record.calibration.temperature
    best, other = np.argsort(-logits[0])[:2]
    lead = logits[:, best] - logits[:, other]
    edge = lead[:2].mean(dtype=float)
    share = 1 / (1 + np.exp(edge))
    prior = {labels()[best]: share, labels()[other]: 1 - share}
    plain, found = (Classifier(views=1, stretches=stretches, prior=prior)(sim) for stretches in (1, 3))
    assert plain.agreement == 1
    assert found.agreement == pytest.approx(np.mean((lead > edge) == (lead[0] > edge)))
    assert found.agreement < 1
    assert found.options.split(";") == [*plain.options.split(";"), "stretches=3"]
    assert dataclasses.replace(found, agreement=1.0, provenance=plain.provenance) == plain


def test_turned_frames(classifier, sim):
    """A frame turned by a right angle is the same frame."""
    data = sim["SCI"].data
    np.testing.assert_allclose(classifier(np.rot90(data)).probs, classifier(data).probs, rtol=0, atol=0.02)


def test_empty_sky_is_no_source(classifier):
    """Pure noise, of any level and gain, is no source."""
    rng = np.random.default_rng(12345)
    for scale, offset in ((1, 0), (1e-3, 5), (300, 1e4)):
        prediction = classifier(scale * rng.normal(size=(300, 300)) + offset)
        assert prediction.label == "no_source", prediction


def test_bad_pixels_lower_the_status(classifier, sim):
    """A frame most of whose pixels are unusable is LOWQUAL and its verdict unknown, whatever it shows."""
    frame = read_frame(sim)
    frame = dataclasses.replace(frame, quality=0.8)
    prediction = classifier(frame)
    assert prediction.status == Status.LOWQUAL
    assert prediction.verdict == "unknown"
    assert prediction.prob is None


def test_constant_and_empty(classifier):
    """A constant image is no source; one without a usable pixel is an error."""
    assert classifier(np.ones((64, 64))).label == "no_source"
    with pytest.raises(EmptyFrameError, match="no pixel"):
        classifier(np.full((64, 64), np.nan))
    with pytest.raises(FrameError, match="2-D"):
        classifier(np.ones((3, 64, 64)))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"backend": "torch"}, "backend must be"),
        ({"views": 3}, "views must be 1, 2, 4 or 8; got 3"),
        ({"stretches": 2}, "stretches must be 1 or 3; got 2"),
        ({"weights": "w.npz"}, "weights is for model='imagenet' only"),
    ],
)
def test_bad_arguments(settings, match):
    """A bad argument is named, with its value."""
    with pytest.raises(ValueError, match=match):
        Classifier(**settings)


def test_outputs_of_the_file():
    """
    The model file also gives features and maps, which explain logits exactly: features are the maps' means.

    Before the last stage it gives the means alone.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(load_record().read_bytes(), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(1).random((2, 224, 224, 3), dtype=np.float32)
    names = ["logits", "features", "maps", "middle"]
    logits, features, maps, middle = outputs = session.run(names, {"rgb": images})
    assert [output.shape for output in outputs] == [(2, 14), (2, 2048), (2, 2048, 7, 7), (2, 1024)]
    assert middle.min() >= 0
    assert np.ptp(middle) > 0
    np.testing.assert_allclose(features, maps.mean(axis=(2, 3)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(OnnxBackend(load_record().read_bytes(), threads=1).logits(images), logits, atol=1e-3)


@pytest.mark.parametrize(("asked", "mine", "threads"), [(0, 1, 1), (0, 3, 3), (0, 4, 0), (2, 1, 2)])
def test_threads(monkeypatch, asked, mine, threads):
    """The network has a thread for each CPU it may use, and ONNX Runtime's own choice where that is all four."""
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("astroclf.threads.COUNT", mine)
    backend = OnnxBackend(load_record().read_bytes(), asked)
    assert backend._session.get_session_options().intra_op_num_threads == threads


def test_runtimes_agree(data_dir, need):
    """TensorFlow and ONNX Runtime give the same probabilities and novelty, within 1e-3, on real frames."""
    try:
        import onnx  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError as error:
        need(f"{error.name} is not installed")
    ours, theirs = Classifier(), Classifier(backend="tensorflow")
    for path in sorted(data_dir.glob("*.fit*")):
        first, second = ours(path), theirs(path)
        assert second.provenance.options == "backend=tensorflow"
        assert second.novelty == pytest.approx(first.novelty, abs=1e-3)
        second = dict(zip(second.labels, second.probs))
        np.testing.assert_allclose([second[label] for label in first.labels], first.probs, atol=1e-3)


def test_imagenet_classes():
    """The thousand names are there, and two of them where Keras has them."""
    names = imagenet_classes()
    assert len(names) == 1000
    assert names[285] == "Egyptian cat"
    assert names[111] == "nematode"


def test_imagenet_mode(tmp_path, need, sim):
    """ImageNet mode runs Keras's stock ResNet50 with a local file of weights, and warns."""
    keras = _keras(need)
    network = keras.applications.ResNet50(weights=None)
    arrays = {f"{layer.name}/{v.name}": v.numpy().astype(np.float16) for layer in network.layers for v in layer.weights}
    np.savez(tmp_path / "weights.npz", **arrays)
    with pytest.warns(AstroclfWarning, match="not astronomy"):
        classifier = Classifier("imagenet", weights=tmp_path / "weights.npz")
    prediction = classifier(sim)
    assert prediction.label in imagenet_classes()
    assert 0 <= prediction.prob <= 1
    row = prediction.to_row()
    assert row["label"] == prediction.label
    assert row["verdict"] == "unknown"


def test_imagenet_weights_missing(tmp_path, need):
    """A file of weights that is not there is a clear error."""
    _keras(need)
    for name in ("none.npz", "none.h5"):
        with pytest.raises(ModelError, match="none"):
            Classifier("imagenet", weights=tmp_path / name)


def _keras(need):
    try:
        import keras
    except ImportError:
        need("keras is not installed")
    return keras
