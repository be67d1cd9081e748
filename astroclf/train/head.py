# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A new last layer on features that stay as they are: logistic regression, chosen and judged by cross-validation."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from astroclf.exceptions import AstroclfError
from astroclf.model.head import Head
from astroclf.train.calibrate import fit_temperature
from astroclf.train.metrics import calibration_error, mean_by_object, wilson_interval

__all__ = [
    "FOLDS",
    "STRENGTHS",
    "Fit",
    "HeldOut",
    "cross_fit",
    "cross_validate",
    "deal_folds",
    "doubt",
    "fit_head",
    "scores",
]

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Strengths of the regularisation that are tried."""

FOLDS = 5
"""Folds of cross-validation, at most."""

_LEAST_SPREAD = 0.01
"""Least standard deviation of a feature, as a share of the largest: what hardly varies is not blown up."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    What cross-validation says of examples by last layers that never saw their objects.

    Parameters
    ----------
    logits : `~numpy.ndarray`, shape (n, classes)
        Outputs for each example, before calibration.
    strength : float
        The regularisation that did best.
    folds : int
        Number of folds.
    """

    logits: np.ndarray
    strength: float
    folds: int


@dataclass(frozen=True, eq=False)
class Fit:
    """
    What was fitted to examples, and how it did on those held back.

    Parameters
    ----------
    held_out : HeldOut
        Outputs of such fits without the fold of the example.
    head : `~astroclf.model.head.Head`
        The last layer, fitted to all.
    stage : bytes or None
        The last stage of the network, as `astroclf.model.weights.read_stage` returns it, if it was fitted, too.
    quick : HeldOut or None
        If so, the outputs of last layers on the network as it was, in the same folds.
    """

    held_out: HeldOut
    head: Head
    stage: bytes | None = None
    quick: HeldOut | None = None


def deal_folds(truth, objects, labels, most=FOLDS):
    """
    Deal examples into folds, so that no object is in two and every class is spread evenly.

    Parameters
    ----------
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes of the examples.
    objects : sequence of str
        The objects they show.
    labels : sequence of str
        Names of the classes.
    most : int, optional
        Number of folds, at most.

    Returns
    -------
    folds : `~numpy.ndarray` of int, shape (n,)
        From 0; so many folds, or fewer where a class has fewer objects. It does not depend on the order of
        the examples.

    Raises
    ------
    AstroclfError
        If all examples of a class are in one fold.
    """
    rows = {}
    for row, key in enumerate(objects):
        rows.setdefault(key, []).append(row)
    kept_by = [len({key for key, mine in rows.items() if c in truth[mine]}) for c in range(len(labels))]
    number = max(min(most, *kept_by), 2)
    folds, dealt = np.empty(len(truth), int), np.zeros((number, len(labels)), int)
    for key in sorted(rows, key=lambda key: (-len(rows[key]), key)):
        counts = np.bincount(truth[rows[key]], minlength=len(labels))
        fold = min(range(len(dealt)), key=lambda f: (dealt[f] @ counts, dealt[f].sum()))
        folds[rows[key]] = fold
        dealt[fold] += counts
    for label, share in zip(labels, dealt.T):
        if np.count_nonzero(share) < 2:
            msg = (
                f"class {label}: its examples show too few objects (object_key) to hold some of them back for "
                "a test; add examples of others"
            )
            raise AstroclfError(msg)
    return folds


def fit_head(features, truth, classes, strength):
    """
    Fit multinomial logistic regression with an L2 penalty, every class of equal weight.

    Parameters
    ----------
    features : `~numpy.ndarray`, shape (n, d)
        Features; they are standardised within.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes; each of them occurs.
    classes : int
        Their number.
    strength : float
        Factor of half the sum of squares of the weights of standardised features.

    Returns
    -------
    head : `~astroclf.model.head.Head`
        Its weights are those of the features as they are.
    """
    return next(_heads(features, truth, classes, (strength,)))


def _heads(features, truth, classes, strengths):
    """Yield the last layer of each strength; what all have in common is done once."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.maximum(spread, max(_LEAST_SPREAD * spread.max(), 1e-12)) * np.sqrt(features.shape[1])
    points, axes = _reduced((features - centre) / spread)
    weights = 1 / (classes * np.bincount(truth, minlength=classes)[truth])
    for strength in strengths:
        small, bias = _fit(points, truth, weights, classes, strength)
        kernel = (axes.T @ small) / spread[:, None]
        yield Head(kernel.astype(np.float32), (bias - centre @ kernel).astype(np.float32))


def _reduced(points):
    """Return coordinates in the space the points span, and its axes: the penalty is the same there."""
    if len(points) > points.shape[1]:
        return points, np.eye(points.shape[1])
    squares, vectors = np.linalg.eigh(points @ points.T)
    kept = squares > 1e-10 * squares[-1]
    lengths = np.sqrt(squares[kept])
    return vectors[:, kept] * lengths, (vectors[:, kept] / lengths).T @ points


def _fit(points, truth, weights, classes, strength):
    wanted = np.eye(classes)[truth]
    dimensions = points.shape[1]

    def loss(flat):
        parameters = flat.reshape(dimensions + 1, classes)
        kernel = parameters[:-1]
        logs = log_softmax(points @ kernel + parameters[-1], axis=1)
        error = weights[:, None] * (np.exp(logs) - wanted)
        gradient = np.vstack([points.T @ error + strength * kernel, error.sum(axis=0)])
        return -(weights * (logs * wanted).sum(axis=1)).sum() + strength * (kernel**2).sum() / 2, gradient.ravel()

    start = np.zeros((dimensions + 1) * classes)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "gtol": 1e-7})
    parameters = found.x.reshape(dimensions + 1, classes)
    return parameters[:-1], parameters[-1]


def cross_validate(features, truth, folds, classes):
    """
    Choose the regularisation by examples that were held back.

    Parameters
    ----------
    features : `~numpy.ndarray`, shape (n, d)
        Features.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes.
    folds : `~numpy.ndarray` of int, shape (n,)
        What `deal_folds` returns.
    classes : int
        Number of classes.

    Returns
    -------
    held_out : HeldOut
        Of the strength with the least log loss, each at its best temperature; of equals the strongest.
    """
    strengths = sorted(STRENGTHS, reverse=True)
    logits = np.empty((len(strengths), len(truth), classes))
    for fold in np.unique(folds):
        test = folds == fold
        for n, head in enumerate(_heads(features[~test], truth[~test], classes, strengths)):
            logits[n, test] = head(features[test])
    losses = [fit_temperature(each, truth, doubt(len(truth)))[1] for each in logits]
    best = int(np.argmin(losses))
    return HeldOut(logits[best], strengths[best], len(np.unique(folds)))


def cross_fit(features, truth, folds):
    """
    Fit a last layer, its regularisation chosen by cross-validation.

    Parameters
    ----------
    features : `~numpy.ndarray`, shape (n, d)
        Features.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes, from 0; each of them occurs.
    folds : `~numpy.ndarray` of int, shape (n,)
        What `deal_folds` returns.

    Returns
    -------
    fit : Fit
        The last layer, and the outputs for examples held back.
    """
    classes = int(truth.max()) + 1
    held_out = cross_validate(features, truth, folds, classes)
    return Fit(held_out, fit_head(features, truth, classes, held_out.strength))


def doubt(count):
    """Return the chance that the next answer is wrong where all of ``count`` (int) were right, by Laplace's rule."""
    return 1 / (count + 2)


def scores(held_out, truth, objects, labels, temperature):
    """
    Tell how good the outputs for held-out examples are.

    Parameters
    ----------
    held_out : HeldOut
        What `cross_validate` returns.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes.
    objects : sequence of str
        The objects the examples show.
    labels : sequence of str
        Names of the classes.
    temperature : float
        Divisor of the logits.

    Returns
    -------
    scores : dict
        ``folds`` and ``strength``; ``files``, ``objects``; ``accuracy``, the mean over objects of their share of
        right files, with its Wilson 95 per cent interval ``low`` to ``high``, one trial an object;
        ``calibration_error``; and under ``classes`` for each class ``label``, ``files``, ``objects`` and
        ``recall`` with ``low`` and ``high``, by object as well.
    """
    probs = softmax(held_out.logits / temperature, axis=1)
    right = probs.argmax(axis=1) == truth
    objects = np.asarray(objects)
    classes = [{"label": label, **_rate(right[truth == c], objects[truth == c])} for c, label in enumerate(labels)]
    for row in classes:
        row["recall"] = row.pop("accuracy")
    error = calibration_error(probs.max(axis=1), right)
    chosen = {"folds": held_out.folds, "strength": held_out.strength}
    return {**chosen, **_rate(right, objects), "calibration_error": round(error, 4), "classes": classes}


def _rate(right, objects):
    shares = mean_by_object(right, objects)
    rate = float(shares.mean())
    low, high = wilson_interval(rate, len(shares))
    numbers = {"accuracy": rate, "low": low, "high": high}
    return {"files": len(right), "objects": len(shares), **{key: round(value, 4) for key, value in numbers.items()}}
