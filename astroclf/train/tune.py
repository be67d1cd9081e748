# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fine-tuning: the last stage of the network, too, is fitted to classes of one's own, in TensorFlow."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from astroclf.batch.progress import progress_bar
from astroclf.model.head import Head
from astroclf.model.tensorflow_backend import fill_from_onnx, import_keras, import_onnx
from astroclf.model.weights import read_stage, replace_stage
from astroclf.render import ORIENTATIONS, orient
from astroclf.train.head import Fit, cross_fit, fit_head

__all__ = ["EPOCHS", "FOLDS", "check_packages", "even_rows", "fine_tune"]

FOLDS = 3
"""Folds of cross-validation, at most: each costs a fit of the last stage."""

EPOCHS = 3
"""Passes over the examples, each of them turned and mirrored in all eight ways."""

_RATE = 1e-4
_PLACES = max(ORIENTATIONS)
_BATCH = 32


def check_packages():
    """
    Check that fine-tuning can be done.

    Raises
    ------
    MissingDependencyError
        If TensorFlow, Keras or onnx is not installed.
    """
    import_keras()
    import_onnx()


def fine_tune(pictures, truth, folds, base, *, progress=False):
    """
    Fit the last stage of the network and a new last layer, and cross-validate that fit.

    Every fit begins with the network of ``base`` and the last layer that logistic regression gives on its features,
    and learns from all turned and mirrored views of its examples, every class of equal weight. For each fold such a
    fit without it tells the outputs for its examples, their mean over the views that classification uses, with the
    weights rounded as they will be stored; one more fit, to all examples, is returned. Nothing but the strength of
    the logistic regression is chosen by the folds. The same examples give the same result on one machine.

    Parameters
    ----------
    pictures : `~numpy.ndarray` of uint8, shape (n, 224, 224, 3)
        Rendered frames.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes, from 0; each of them occurs.
    folds : `~numpy.ndarray` of int, shape (n,)
        What `~astroclf.train.head.deal_folds` returns.
    base : `~astroclf.model.ModelRecord`
        The network to begin with.
    progress : bool, optional
        Whether to show bars on stderr; there are none where that is no terminal.

    Returns
    -------
    fit : `~astroclf.train.head.Fit`
        The last stage and the last layer, and the outputs for examples held back.

    Notes
    -----
    It takes 3.2 MB of disk and 2 MB of memory an example, until it is done.
    """
    classes, everyone = int(truth.max()) + 1, np.arange(len(truth))
    parts = [np.flatnonzero(folds != fold) for fold in np.unique(folds)]
    with TemporaryDirectory(prefix="astroclf-", ignore_cleanup_errors=True) as folder:
        network = _Network(base, pictures, truth, Path(folder), progress)
        features, _ = network.outputs(everyone)
        quick = cross_fit(features, truth, folds)
        logits = np.empty_like(quick.held_out.logits)
        with progress_bar(sum(map(network.steps, [*parts, everyone])), "step", shown=progress) as bar:
            for known in parts:
                start = fit_head(features[known], truth[known], classes, quick.held_out.strength)
                network.fit(known, start, bar.update)
                new = np.setdiff1d(everyone, known)
                _, logits[new] = network.outputs(new)
            head, stage = network.fit(everyone, quick.head, bar.update)
    return Fit(replace(quick.held_out, logits=logits), head, stage, quick.held_out)


class _Network:
    """A network whose last stage and last layer are fitted, again and again from the same start, to some examples."""

    def __init__(self, base, pictures, truth, folder, progress):
        import keras

        from astroclf.train.network import TRUNK_OUTPUT, build_classifier, cache_trunk

        self._start, self._truth, self._folder = base.read_bytes(), truth, folder
        self._views = ORIENTATIONS[base.views]
        self._model = build_classifier(int(truth.max()) + 1)
        pooled = self._model.get_layer("avg_pool").output
        self._body = keras.Model(self._model.input, pooled)
        self._tail = keras.Model(self._model.get_layer(TRUNK_OUTPUT).output, [pooled, self._model.output])
        fill_from_onnx(self._body, self._start)
        with progress_bar(_PLACES * len(pictures), "picture", shown=progress) as bar:
            self._trunk = cache_trunk(self._model, _turned(pictures), folder / "trunk.npy", tell=bar.update)

    def outputs(self, rows):
        """Return features and logits of examples, means over the views, in double precision."""
        views = [self._tail.predict(self._features(view, rows), _BATCH, verbose=0) for view in self._views]
        return [np.mean(outputs, axis=0, dtype=np.float64) for outputs in zip(*views)]

    def _features(self, view, rows):
        return self._trunk[view * len(self._truth) + rows].astype(np.float32)

    def steps(self, rows):
        """Return the number of steps of a fit to examples."""
        return EPOCHS * -(-len(self._places(rows)) // _BATCH)

    def fit(self, rows, head, tell):
        """Fit to examples, from a last layer on; return the new last layer, and the last stage as it is stored."""
        from astroclf.train.network import fit_tail

        fill_from_onnx(self._body, self._start)
        last = self._model.get_layer("head")
        last.set_weights([head.kernel, head.bias])
        truth, places = np.tile(self._truth, _PLACES), self._places(rows)
        fit_tail(self._model, self._trunk, truth, rows=places, epochs=EPOCHS, rate=_RATE, tell=tell)
        stage = self._stored()
        fill_from_onnx(self._body, replace_stage(self._start, stage))
        return Head(*last.get_weights()), stage

    def _places(self, rows):
        """Return where all views of examples are, those of small classes several times: all count the same."""
        return (even_rows(rows, self._truth) + len(self._truth) * np.arange(_PLACES)[:, None]).ravel()

    def _stored(self):
        from astroclf.train.export import export_onnx

        path = self._folder / "fitted.onnx"
        export_onnx(self._model, path)
        return read_stage(path.read_bytes())


def even_rows(rows, truth):
    """
    Repeat examples of small classes, so that every class counts the same.

    Parameters
    ----------
    rows : `~numpy.ndarray` of int
        Some examples.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes of all examples.

    Returns
    -------
    rows : `~numpy.ndarray` of int
        As many of each class as the largest has.
    """
    groups = [rows[truth[rows] == c] for c in np.unique(truth[rows])]
    return np.concatenate([np.resize(group, max(map(len, groups))) for group in groups])


def _turned(pictures):
    """Return all views of pictures, first all of them turned by right angles, then all of their mirror images."""
    return orient(pictures, _PLACES).reshape(-1, *pictures.shape[1:])
