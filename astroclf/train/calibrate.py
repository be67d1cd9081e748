# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Calibration: from the logits of examples the network never saw to probabilities that mean what they say."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from astroclf.model.record import Calibration
from astroclf.render import orient
from astroclf.taxonomy import group_or_self

__all__ = ["calibrate", "fit_temperature", "group_matrix", "view_outputs"]

_TEMPERATURES = (0.2, 5)
_PRECISION = 0.95
_MAJORITY = 0.5
_COVERAGE = 0.9
_WORST_QUALITY = 0.5


def view_outputs(backend, images, views, *names, batch=16):
    """
    Run rendered frames through the network, oriented, and average its outputs over the views.

    Parameters
    ----------
    backend : object
        A runtime of `astroclf.model`, with a method ``outputs``.
    images : `~numpy.ndarray` of uint8, shape (n, size, size, 3)
        Rendered frames.
    views : int
        Number of orientations; see `astroclf.render.orient`.
    *names : {'logits', 'features', 'maps', 'middle'}
        Which outputs.
    batch : int, optional
        Frames at a time.

    Returns
    -------
    outputs : list of `~numpy.ndarray`, the first axis of length n
        In the order of the names, means over the views.
    """
    parts = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch].astype(np.float32) / 255
        found = [backend.outputs(view, *names) for view in orient(part, views)]
        parts.append([np.mean(outputs, axis=0) for outputs in zip(*found)])
    return [np.concatenate(outputs) for outputs in zip(*parts)]


def group_matrix(labels):
    """
    Return the matrix that sums class probabilities into groups.

    Parameters
    ----------
    labels : sequence of str
        Classes; one that is not of the taxonomy is a group of its own.

    Returns
    -------
    matrix : `~numpy.ndarray`, shape (classes, groups)
        1 where a class belongs to a group, else 0.
    """
    names = [group_or_self(label) for label in labels]
    return np.array([[name == group for group in dict.fromkeys(names)] for name in names], float)


def fit_temperature(logits, truth, doubt=0.0):
    """
    Fit the temperature.

    Parameters
    ----------
    logits : `~numpy.ndarray`, shape (n, classes)
        Outputs for examples of objects the network was not trained on.
    truth : `~numpy.ndarray` of int, shape (n,)
        Their classes.
    doubt : float, optional
        Share of each truth that is given to the other classes, in [0, 1). Where every answer is right,
        without it no confidence would be too high.

    Returns
    -------
    temperature : float
        Divisor of the logits.
    loss : float
        Mean cross entropy with it.
    """
    rows, others = np.arange(len(truth)), logits.shape[1] - 1

    def loss(temperature):
        logs = log_softmax(logits / temperature, axis=1)
        right = logs[rows, truth]
        return -((1 - doubt) * right + doubt * (logs.sum(axis=1) - right) / others).mean()

    fit = minimize_scalar(loss, bounds=_TEMPERATURES, method="bounded")
    return float(fit.x), float(fit.fun)


def calibrate(logits, truth, labels, doubt=0.0):
    """
    Fit temperature, thresholds and conformal level.

    Parameters
    ----------
    logits : `~numpy.ndarray`, shape (n, classes)
        Outputs for examples of objects the network was not trained on.
    truth : `~numpy.ndarray` of int, shape (n,)
        Their classes.
    labels : sequence of str
        Classes in the order of the outputs.
    doubt : float, optional
        As of `fit_temperature`.

    Returns
    -------
    calibration : Calibration
        ``sure_class`` and ``sure_group`` are the least probabilities, no lower than one half, above which
        19 in 20 of the examples are right; the conformal sets hold the truth in nine of ten.
    """
    rows = np.arange(len(truth))
    temperature, _ = fit_temperature(logits, truth, doubt)
    probs = softmax(logits / temperature, axis=1)
    matrix = group_matrix(labels)
    grouped = probs @ matrix
    right_group = grouped.argmax(axis=1) == matrix.argmax(axis=1)[truth]
    return Calibration(
        temperature=round(temperature, 4),
        sure_class=_least_sure(probs.max(axis=1), probs.argmax(axis=1) == truth),
        sure_group=_least_sure(grouped.max(axis=1), right_group),
        conformal=_conformal_level(probs[rows, truth]),
        coverage=_COVERAGE,
        worst_quality=_WORST_QUALITY,
    )


def _least_sure(confidence, right):
    """Return the least majority above which the wanted share of the answers is right; 1 if there is none."""
    order = np.argsort(-confidence)
    precision = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero(precision >= _PRECISION)
    return max(round(float(confidence[order][enough[-1]]), 4), _MAJORITY) if enough.size else 1.0


def _conformal_level(truth_probs):
    """Return the level of split conformal prediction (Vovk et al. 2005) with the score 1 - p(truth)."""
    n = len(truth_probs)
    rank = int(np.ceil((n + 1) * _COVERAGE))
    return round(float(np.sort(truth_probs)[::-1][min(rank, n) - 1]), 6)
