# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Classes of one's own: from labelled files to an ``.astroclf`` file, without a GPU.

TensorFlow is needed only for fine-tuning, the work of `astroclf.train.tune`.
"""

import hashlib
import os
import warnings
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from astroclf.batch.progress import progress_bar
from astroclf.exceptions import AstroclfError, AstroclfWarning
from astroclf.frames import read_frame
from astroclf.model.head import FEATURES
from astroclf.model.record import load_record
from astroclf.model.userfile import SUFFIX, check_label, check_name, load_user_model, save_user_model
from astroclf.render import orient
from astroclf.tags.sidecar import is_sidecar
from astroclf.train import tune
from astroclf.train.calibrate import calibrate
from astroclf.train.evaluate import Case, read_examples
from astroclf.train.examples import render
from astroclf.train.head import FOLDS, cross_fit, deal_folds, doubt, scores

__all__ = ["FEWEST", "find_cases", "mean_features", "train_classes"]

FEWEST = 5
"""Examples of a class, at least."""

_LICENCE = "not stated by its maker"


def find_cases(source):
    """
    Find labelled files: one folder a class, or a manifest.

    Parameters
    ----------
    source : path-like
        A folder, whose folders have the names of the classes and hold their examples; or a CSV file, as
        `~astroclf.train.evaluate.read_examples` reads it.

    Returns
    -------
    cases : list of `~astroclf.train.evaluate.Case`
        In the order of the names, or of the manifest. A file in a folder is an object of its own.

    Raises
    ------
    AstroclfError
        If there are no such files.
    """
    source = Path(source)
    if not source.is_dir():
        return read_examples(source)
    folders = [path for path in _visible(source) if path.is_dir()]
    cases = [Case.alone(path, folder.name, source) for folder in folders for path in _visible(folder) if path.is_file()]
    if not cases:
        msg = f"{source}: no folder with files in it; make one folder a class, with the name of the class"
        raise AstroclfError(msg)
    return cases


def _visible(folder):
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not _ours(path))


def _ours(path):
    """Tell whether a file is what astroclf made of a frame, perhaps of the one beside it: a picture or a sidecar."""
    if not path.name.endswith("_astroclf.png"):
        return is_sidecar(path)
    from astroclf.annotation import is_annotated

    return is_annotated(path)


def train_classes(cases, output, *, name=None, licence=_LICENCE, fine_tune=False, progress=False):
    """
    Fit a new last layer to labelled files, calibrate it on held-out ones, and write it.

    With ``fine_tune`` the last stage of the network is fitted, too, as `astroclf.train.tune.fine_tune` says. In either
    case calibration and scores come from cross-validation by object: from outputs of fits that never saw the object.

    Parameters
    ----------
    cases : sequence of `~astroclf.train.evaluate.Case`
        The examples; those of one ``object_key`` are held back together.
    output : path-like
        The ``.astroclf`` file to write.
    name : str, optional
        Name of the model, which also names its taxonomy, ``<name>/1``; by default that of the file.
    licence : str, optional
        Terms of use of the file.
    fine_tune : bool, optional
        Whether to fit the last stage of the network. It needs TensorFlow, and minutes to hours.
    progress : bool, optional
        Whether to show a bar on stderr; there is none where that is no terminal.

    Returns
    -------
    record : `~astroclf.model.UserRecord`
        The model as it can be read from ``output``.

    Raises
    ------
    AstroclfError
        If a label cannot be written to headers; if there are fewer than two classes, fewer than five
        readable examples of one, or the same file twice.
    MissingDependencyError
        If TensorFlow is needed and not installed.
    ModelError
        If the bundled model is missing or altered.

    Warns
    -----
    AstroclfWarning
        For each file that cannot be read; it is left out.
    """
    output = Path(output)
    name = _checked(check_name, output.stem if name is None else name, output)
    _check_output(output)
    _check_classes(cases)
    if fine_tune:
        tune.check_packages()
    base = load_record()
    cases, sums = _hashed(cases)
    paths = [case.path for case in cases]
    if fine_tune:
        seen, read = _pictures(paths, base.preprocessor, progress)
    else:
        seen, read = mean_features(paths, base, base.views, progress=progress)
    cases, sums = ([value for value, ok in zip(values, read) if ok] for values in (cases, sums))
    _check_classes(cases)
    fields, fit = _fit(seen, cases, base if fine_tune else None, progress)
    fields |= {
        "name": name, "taxonomy": f"{name}/1", "base": {"name": base.name, "sha256": base.sha256},
        "preprocessing": base.preprocessor.to_dict(), "views": base.views, "licence": licence,
        "credits": f"The network: {base.credits} {base.licence}",
        "made_on": datetime.now(UTC).strftime("%Y-%m-%d"), "examples": _manifest(cases, sums),
        "made_by": "astroclf train --fine-tune" if fine_tune else "astroclf train",
    }  # fmt: skip
    save_user_model(output, fields, fit.head, fit.stage)
    return load_user_model(output)


def mean_features(paths, record, views, *, progress=False):
    """
    Return the network's features of files, each the mean over its views.

    Parameters
    ----------
    paths : sequence of path-like
        FITS frames, or pictures.
    record : `~astroclf.model.ModelRecord`
        The network and its preprocessing.
    views : {1, 2, 4, 8}
        Orientations; see `astroclf.render.orient`.
    progress : bool, optional
        Whether to show a bar on stderr; there is none where that is no terminal.

    Returns
    -------
    features : `~numpy.ndarray` of float64, shape (m, 2048)
        Of the files that can be read, in their order.
    read : list of bool
        Which these are, one a file.

    Warns
    -----
    AstroclfWarning
        For each file that cannot be read.
    """
    from astroclf.model.onnx_backend import OnnxBackend

    backend = OnnxBackend(record.read_bytes())

    def look(frame):
        views_of_it = orient(record.preprocessor(frame), views)
        return backend.outputs(views_of_it, "features")[0].mean(axis=0, dtype=np.float64)

    found, read = _each(look, paths, record.preprocessor, progress)
    return np.array(found).reshape(len(found), FEATURES), read


def _pictures(paths, preprocessor, progress):
    """Return the rendered pictures of the files that can be read, and which these are."""
    found, read = _each(lambda frame: render(frame, preprocessor), paths, preprocessor, progress)
    return np.array(found), read


def _each(look, paths, preprocessor, progress):
    """Return what a function makes of the cleaned frame of each file that can be read, and which these are."""
    found, read = [], []
    with progress_bar(len(paths), shown=progress) as bar:
        for path in paths:
            try:
                found.append(look(preprocessor.clean(read_frame(path))))
            except AstroclfError as error:
                _leave_out(path, error)
                read.append(False)
            else:
                read.append(True)
            bar.update()
    return found, read


def _leave_out(path, error):
    warnings.warn(f"{path}: left out: {str(error).removeprefix(f'{path}: ')}", AstroclfWarning, stacklevel=3)


def _checked(check, value, about):
    try:
        return check(value)
    except ValueError as error:
        msg = f"{about}: {error}"
        raise AstroclfError(msg) from error


def _check_output(output):
    if output.suffix != SUFFIX:
        msg = f"{output}: a model's file name must end in {SUFFIX}; write to {output.with_suffix(SUFFIX).name}"
        raise AstroclfError(msg)
    if not output.parent.is_dir():
        msg = f"{output}: the folder {output.parent} does not exist; make it first"
        raise AstroclfError(msg)


def _check_classes(cases):
    """Refuse labels that headers cannot hold, and too few examples, before any work is done and once more after."""
    counts = Counter(case.label for case in cases)
    for case in cases:
        _checked(check_label, case.label, case.path)
    if len(counts) < 2:
        msg = f"there must be at least 2 classes; got {', '.join(counts) or 'none that can be read'}"
        raise AstroclfError(msg)
    few = [f"{label} has {count}" for label, count in sorted(counts.items()) if count < FEWEST]
    if few:
        msg = f"every class needs at least {FEWEST} examples that can be read; {', '.join(few)}: add some"
        raise AstroclfError(msg)


def _hashed(cases):
    """Return the cases whose files can be read, and the SHA-256 of each; refuse the same content twice."""
    kept = {}
    for case in cases:
        try:
            with case.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            _leave_out(case.path, error.strerror or error)
            continue
        if digest in kept:
            other = kept[digest]
            msg = (
                f"{case.path} ({case.label}) is the same file as {other.path} ({other.label}): a copy tests nothing "
                "but memory, and has one label; remove one of them"
            )
            raise AstroclfError(msg)
        kept[digest] = case
    return list(kept.values()), list(kept)


def _fit(seen, cases, tuned_from, progress):
    """Return what the record says of the fit, and the fit; ``tuned_from`` is None or the network to fine-tune."""
    labels = sorted({case.label for case in cases})
    truth = np.array([labels.index(case.label) for case in cases])
    objects = [case.object_key for case in cases]
    folds = deal_folds(truth, objects, labels, tune.FOLDS if tuned_from else FOLDS)
    if tuned_from:
        fit = tune.fine_tune(seen, truth, folds, tuned_from, progress=progress)
    else:
        fit = cross_fit(seen, truth, folds)
    calibration = calibrate(fit.held_out.logits, truth, labels, doubt(len(truth)))
    found = scores(fit.held_out, truth, objects, labels, calibration.temperature)
    if fit.quick:
        quick = scores(fit.quick, truth, objects, labels, calibration.temperature)
        found["quick"] = {name: quick[name] for name in ("accuracy", "low", "high")}
    return {"labels": labels, "calibration": asdict(calibration), "scores": found}, fit


def _manifest(cases, sums):
    """Return the examples for the record, their paths relative to the folder that holds all."""
    root = os.path.commonpath([case.path.parent.absolute() for case in cases])
    return [
        {
            "file": Path(os.path.relpath(case.path.absolute(), root)).as_posix(), "label": case.label,
            "object_key": case.object_key, "sha256": digest,
        }
        for case, digest in zip(cases, sums)
    ]  # fmt: skip
