# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The steps that make the bundled model: examples, fit, export; and the measure of it on examples kept apart."""

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from astroclf.model.record import BUNDLED, load_record
from astroclf.preprocess import Preprocessor
from astroclf.taxonomy import TAXONOMY, labels
from astroclf.train.examples import make_examples, read_manifest, split_of

__all__ = [
    "COUNTS",
    "calibrate_model",
    "export_model",
    "fit_colour",
    "fit_model",
    "free_examples",
    "load_examples",
    "measure_model",
    "write_examples",
    "write_section",
]

COUNTS = {"train": 50400, "calibration": 2100, "test": 2800, "colour": 10080}
"""Number of examples in each set, equally many of each class: three splits, and pictures in colour to learn from."""

_SPLITS = {"colour": "train"}
_SEEDS = {"train": 4, "calibration": 5, "test": 6, "colour": 7}
_VIEWS = 4
_MEASURED = 2800
_WATCHED = 800
_FROM_IMAGENET, _FROM_FITTED = (2, 2e-4), (1, 1e-4)
"""Epochs and peak learning rate."""

_MIXUP = 0.2
_COLOUR_STRENGTH = 1e-4
"""Of the regularisation of the last layer for pictures in colour; see `astroclf.train.head.fit_head`."""
_LICENCE = (
    "Weights: free for research and teaching. They were fitted on pictures most of which may not be redistributed; "
    "the code's BSD licence does not extend to them."
)
_CREDITS = (
    "ImageNet weights: keras.applications.ResNet50. Pictures: ESA/Hubble (CC BY 4.0; credit ESA/Hubble & NASA), "
    "Stellarium's landscape of named objects, sky surveys, and public collections of nebulae and solar-system bodies. "
    "Scenes drawn by astroclf.datasets."
)


def write_examples(pictures, folder, *, counts=COUNTS, workers=1):
    """
    Make the rendered frames of all sets.

    Parameters
    ----------
    pictures : path-like
        Manifest of the labelled pictures; see `astroclf.train.examples.read_manifest`.
    folder : path-like
        Where ``<set>.npy`` (pictures) and ``<set>.json`` (classes and objects) go.
    counts : dict, optional
        Number of examples by set.
    workers : int, optional
        Number of processes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(pictures)
    for name, count in counts.items():
        mine = [picture for picture in manifest if split_of(picture.object_key) == _SPLITS.get(name, name)]
        path = folder / f"{name}.npy"
        truth, sources = make_examples(
            count, mine, Preprocessor(), seed=_SEEDS[name], path=path, in_colour=name == "colour", workers=workers
        )
        told = {
            "truth": truth.tolist(),
            "objects": [source.object_key if source else "" for source in sources],
            "free": [source is None or source.redistributable for source in sources],
        }
        path.with_suffix(".json").write_text(json.dumps(told))


def load_examples(folder, split):
    """
    Return what `write_examples` made.

    Parameters
    ----------
    folder : path-like
        Its folder.
    split : str
        One of `COUNTS`.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (n, 224, 224, 3)
        Mapped into memory.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes.
    from_picture : `~numpy.ndarray` of bool, shape (n,)
        True where the frame was made of a picture, False where it was drawn.
    """
    path = Path(folder) / f"{split}.npy"
    told = json.loads(path.with_suffix(".json").read_text())
    drawn = np.array([key == "" for key in told["objects"]])
    return np.load(path, mmap_mode="r"), np.array(told["truth"]), ~drawn


def free_examples(folder, split):
    """Return which examples `write_examples` drew, or made of a picture that may be redistributed."""
    return np.array(json.loads((Path(folder) / f"{split}.json").read_text())["free"])


def fit_model(folder, imagenet=None, start=None, *, free=False, epochs=None):
    """
    Fit the network on the examples of a folder; its weights go to ``fitted.weights.h5`` there.

    Parameters
    ----------
    folder : path-like
        What `write_examples` filled.
    imagenet : path-like, optional
        ImageNet weights as ``.npz``; by default Keras downloads them.
    start : path-like, optional
        Record of a fitted model, to begin with its weights and not with ImageNet's.
    free : bool, optional
        Whether only drawn frames and those of redistributable pictures are learned from.
    epochs : int, optional
        Passes over the examples; by default one, or two from ImageNet's weights.
    """
    from astroclf.model.tensorflow_backend import fill_from_onnx
    from astroclf.train.network import build_classifier, fit_stages, load_imagenet

    folder = Path(folder)
    model = build_classifier(len(labels()), fast=True)
    if start is None:
        load_imagenet(model, imagenet)
    else:
        fill_from_onnx(model, load_record(start).read_bytes())
    images, truth, _ = load_examples(folder, "train")
    watched, watched_truth, _ = (part[:_WATCHED] for part in load_examples(folder, "calibration"))
    rows = np.flatnonzero(free_examples(folder, "train")) if free else np.arange(len(truth))
    usual, rate = _FROM_IMAGENET if start is None else _FROM_FITTED
    fit_stages(
        model, images, truth, rows=rows, epochs=epochs or usual, rate=rate, mixup=_MIXUP,
        validation=(watched, watched_truth), checkpoint=folder / "latest.weights.h5",
    )  # fmt: skip
    model.save_weights(folder / "fitted.weights.h5")


def export_model(folder, output, *, measured=_MEASURED):
    """
    Export the fitted network, calibrate the exported file, and write its record.

    Parameters
    ----------
    folder : path-like
        Where `fit_model` left its weights.
    output : path-like
        Folder for the model file and its record.
    measured : int, optional
        Number of calibration examples to use.

    Returns
    -------
    record : dict
        The record, as written.
    """
    from astroclf.train.export import export_onnx
    from astroclf.train.network import build_classifier

    output = Path(output)
    model = build_classifier(len(labels()))
    model.load_weights(Path(folder) / "fitted.weights.h5")
    path = output / f"{BUNDLED}.onnx"
    export_onnx(model, path)
    record = {
        "schema": 1, "name": BUNDLED, "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "labels": list(labels()), "taxonomy": TAXONOMY, "preprocessing": Preprocessor().to_dict(), "views": _VIEWS,
        "calibration": _calibration(folder, path, measured), "licence": _LICENCE, "credits": _CREDITS,
        "made_by": "python -m astroclf.train examples; ... fit; ... export", "made_on": _today(),
    }  # fmt: skip
    _write_record(record, output)
    return record


def fit_colour(folder, output):
    """
    Fit the last layer for pictures in colour, write it beside the model file, and name it in the record.

    The network stays as it is: logistic regression on what it makes of pictures in colour; see
    `astroclf.train.head.fit_head`.

    Parameters
    ----------
    folder : path-like
        What `write_examples` filled.
    output : path-like
        Folder of the model file and its record: the section ``colour`` of the record is replaced.

    Returns
    -------
    record : dict
        The record, as written.
    """
    from astroclf.model.onnx_backend import OnnxBackend
    from astroclf.train.calibrate import view_outputs
    from astroclf.train.head import fit_head

    path = Path(output) / f"{BUNDLED}.json"
    images, truth, _ = load_examples(folder, "colour")
    backend = OnnxBackend(load_record(path).read_bytes())
    (features,) = view_outputs(backend, images, 1, "features")
    content = fit_head(features, truth, len(labels()), _COLOUR_STRENGTH).to_bytes()
    made_by = "python -m astroclf.train examples; ... colour"
    return write_section(path, "colour", content, examples=len(truth), made_by=made_by, made_on=_today())


def write_section(path, name, content, **told):
    """
    Write a file of arrays beside a record, and name it in a section of the record.

    Parameters
    ----------
    path : `~pathlib.Path`
        The record; the section is replaced.
    name : str
        Name of the section, and before ``.npz`` of the file's ending.
    content : bytes
        Content of the file.
    **told
        What else the section says.

    Returns
    -------
    record : dict
        The record, as written.
    """
    file = path.with_suffix(f".{name}.npz")
    file.write_bytes(content)
    described = {"file": file.name, "sha256": hashlib.sha256(content).hexdigest(), **told}
    record = json.loads(path.read_text(encoding="utf-8")) | {name: described}
    _write_record(record, path.parent)
    load_record.cache_clear()
    return record


def calibrate_model(folder, output, *, measured=_MEASURED):
    """
    Calibrate a model file anew, on examples made with the present preprocessing, and write its record.

    Parameters
    ----------
    folder : path-like
        What `write_examples` filled.
    output : path-like
        Folder of the model file and its record: the record is replaced.
    measured : int, optional
        Number of calibration examples to use.

    Returns
    -------
    record : dict
        The record, as written.
    """
    output = Path(output)
    record = json.loads((output / f"{BUNDLED}.json").read_text(encoding="utf-8"))
    record |= {
        "preprocessing": Preprocessor().to_dict(),
        "calibration": _calibration(folder, output / record["file"], measured),
        "calibrated_on": _today(),
    }
    _write_record(record, output)
    return record


def _write_record(record, output):
    (output / f"{BUNDLED}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _today():
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _calibration(folder, path, measured):
    """
    Calibrate on frames made of pictures, and on drawn ones of the classes that have no pictures.

    Other drawn frames are too like those the network was trained on: they would make it too sure of the sky.
    """
    from astroclf.model.onnx_backend import OnnxBackend
    from astroclf.train.calibrate import calibrate, view_outputs

    images, truth, from_picture = (array[:measured] for array in load_examples(folder, "calibration"))
    used = from_picture | ~np.isin(truth, truth[from_picture])
    (logits,) = view_outputs(OnnxBackend(path.read_bytes()), images[used], _VIEWS, "logits")
    return asdict(calibrate(logits, truth[used], labels()))


def measure_model(folder, record, *, measured=_MEASURED):
    """
    Measure a model on the test examples of a folder, whose objects it never saw.

    Parameters
    ----------
    folder : path-like
        What `write_examples` filled.
    record : `~astroclf.model.ModelRecord`
        The model, with its calibration.
    measured : int, optional
        Number of examples to use.

    Returns
    -------
    table : `~astropy.table.Table`
        One row for the frames made of pictures and one for those drawn: count, shares of right labels and
        groups, share that is ``OK`` and of those the share right, coverage and mean size of the conformal
        sets, and the expected calibration error in ten bins of equal count.
    """
    from astropy.table import Table
    from scipy.special import softmax

    from astroclf.model.onnx_backend import OnnxBackend
    from astroclf.train.calibrate import view_outputs

    images, truth, from_picture = (array[:measured] for array in load_examples(folder, "test"))
    (logits,) = view_outputs(OnnxBackend(record.read_bytes()), images, record.views, "logits")
    probs = softmax(logits / record.calibration.temperature, axis=1)
    kinds = {"pictures": from_picture, "drawn": ~from_picture}
    return Table(rows=[{"made of": kind, **_marks(probs[of], truth[of], record)} for kind, of in kinds.items()])


def _marks(probs, truth, record):
    from astroclf.train.calibrate import group_matrix
    from astroclf.train.metrics import calibration_error

    matrix, top = group_matrix(record.labels), probs.max(axis=1)
    right = probs.argmax(axis=1) == truth
    right_group = (probs @ matrix).argmax(axis=1) == matrix.argmax(axis=1)[truth]
    sure = top >= record.calibration.sure_class
    sets = probs >= record.calibration.conformal
    marks = {
        "label": right.mean(), "group": right_group.mean(), "ok": sure.mean(), "label when ok": right[sure].mean(),
        "covered": sets[np.arange(len(truth)), truth].mean(), "set size": sets.sum(axis=1).mean(),
        "ece": calibration_error(top, right),
    }  # fmt: skip
    return {"count": len(truth), **{name: round(float(mark), 3) for name, mark in marks.items()}}
