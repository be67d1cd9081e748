# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Calibration: from the logits of examples the network never saw to probabilities that mean what they say."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from astroclf.model.record import Calibration
from astroclf.taxonomy import group_of

__all__ = ["calibrate", "group_matrix", "view_logits"]

_PRECISION = 0.95
_MAJORITY = 0.5
_COVERAGE = 0.9
_WORST_QUALITY = 0.5


def view_logits(backend, images, views, batch=16):
    """
    Run rendered frames through the network, rotated, and average the logits of the views.

    Parameters
    ----------
    backend : object
        A runtime of `astroclf.model`, with a method ``logits``.
    images : `~numpy.ndarray` of uint8, shape (n, size, size, 3)
        Rendered frames.
    views : int
        Number of rotations by right angles: 1, 2 or 4.
    batch : int, optional
        Frames at a time.

    Returns
    -------
    logits : `~numpy.ndarray`, shape (n, classes)
        Means over the views.
    """
    parts = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch].astype(np.float32) / 255
        turned = [np.rot90(part, k * (4 // views), axes=(1, 2)) for k in range(views)]
        parts.append(np.mean([backend.logits(view) for view in turned], axis=0))
    return np.concatenate(parts)


def group_matrix(labels):
    """
    Return the matrix that sums class probabilities into groups.

    Parameters
    ----------
    labels : sequence of str
        Classes.

    Returns
    -------
    matrix : `~numpy.ndarray`, shape (classes, groups)
        1 where a class belongs to a group, else 0.
    """
    names = [group_of(label) for label in labels]
    return np.array([[name == group for group in dict.fromkeys(names)] for name in names], float)


def calibrate(logits, truth, labels):
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

    Returns
    -------
    calibration : Calibration
        ``sure_class`` and ``sure_group`` are the least probabilities, no lower than one half, above which
        19 in 20 of the examples are right; the conformal sets hold the truth in nine of ten.
    """
    rows = np.arange(len(truth))
    fit = minimize_scalar(
        lambda t: -log_softmax(logits / t, axis=1)[rows, truth].mean(), bounds=(0.2, 5), method="bounded"
    )
    probs = softmax(logits / fit.x, axis=1)
    matrix = group_matrix(labels)
    grouped = probs @ matrix
    right_group = grouped.argmax(axis=1) == matrix.argmax(axis=1)[truth]
    return Calibration(
        temperature=round(float(fit.x), 4),
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
