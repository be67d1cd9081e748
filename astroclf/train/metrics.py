# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Measures of a classifier as plain functions on arrays: shares, calibration, selective risk, and the bootstrap.

Throughout, ``probs`` is float, shape (n, classes), with rows that sum to 1; ``accepted`` is bool, of the same
shape, True for each class that counts as right (often one a row); ``objects`` says which object of the sky a row
shows. No function depends on the order of the rows.
"""

import numpy as np

__all__ = [
    "area_under_risk_coverage",
    "bootstrap_interval",
    "brier_score",
    "calibration_error",
    "calibration_error_by_chance",
    "is_covered",
    "is_right",
    "mean_by_object",
    "paired_difference",
    "risk_coverage",
    "wilson_interval",
]

_BINS = 10
_RESAMPLES = 2000
_TAILS = (2.5, 97.5)


def wilson_interval(rate, count, z=1.96):
    """
    Return the interval of a proportion of Wilson (1927, JASA 22, 209).

    Parameters
    ----------
    rate : float
        Observed proportion, in [0, 1].
    count : float
        Number of independent trials.
    z : float, optional
        Standard deviations; 1.96 for 95 per cent.

    Returns
    -------
    low, high : float
        In [0, 1]; (0, 1) where ``count`` is 0.

    Examples
    --------
    >>> from astroclf.train.metrics import wilson_interval
    >>> low, high = wilson_interval(0.9, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    if not count:
        return 0.0, 1.0
    middle = rate + z**2 / (2 * count)
    half = z * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    low, high = ((middle + sign * half) / (1 + z**2 / count) for sign in (-1, 1))
    return max(float(low), 0.0), min(float(high), 1.0)


def mean_by_object(values, objects):
    """
    Return the mean of each object's rows.

    Parameters
    ----------
    values : `~numpy.ndarray` of float or bool, shape (n,)
        A value a row.
    objects : `~numpy.ndarray`, shape (n,)
        Object of each row.

    Returns
    -------
    means : `~numpy.ndarray` of float, shape (number of objects,)
        In the order of the sorted names of the objects.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import mean_by_object
    >>> mean_by_object(np.array([True, False, True]), np.array(["M51", "M51", "M13"]))
    array([1. , 0.5])
    """
    _, which = np.unique(objects, return_inverse=True)
    return np.bincount(which, np.asarray(values, float)) / np.bincount(which)


def is_right(probs, accepted, k=1):
    """
    Return whether one of the ``k`` most probable classes counts as right.

    Parameters
    ----------
    probs, accepted : `~numpy.ndarray`, shape (n, classes)
        Probabilities, and the classes that count as right.
    k : int, optional
        1 for accuracy, 3 for top-3 accuracy.

    Returns
    -------
    right : `~numpy.ndarray` of bool, shape (n,)
        Of equal probabilities that of the first class ranks first.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import is_right
    >>> probs, accepted = np.array([[0.5, 0.3, 0.2]]), np.array([[False, True, False]])
    >>> is_right(probs, accepted), is_right(probs, accepted, 2)
    (array([False]), array([ True]))
    """
    best = np.argsort(-probs, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(accepted, best, axis=1).any(axis=1)


def is_covered(probs, accepted, sizes):
    """
    Return whether sets of the most probable classes hold a class that counts as right.

    Where several classes count as right, one of them in the set is enough. Vovk, Gammerman & Shafer (2005) for
    conformal sets, whose coverage this is.

    Parameters
    ----------
    probs, accepted : `~numpy.ndarray`, shape (n, classes)
        Probabilities, and the classes that count as right.
    sizes : `~numpy.ndarray` of int, shape (n,)
        Number of classes in the set of each row.

    Returns
    -------
    covered : `~numpy.ndarray` of bool, shape (n,)
        One a row.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import is_covered
    >>> is_covered(np.array([[0.5, 0.3, 0.2]]), np.array([[False, True, False]]), np.array([2]))
    array([ True])
    """
    ranks = np.argsort(np.argsort(-probs, axis=1, kind="stable"), axis=1)
    return (accepted & (ranks < np.asarray(sizes)[:, None])).any(axis=1)


def brier_score(probs, accepted):
    """
    Return the score of Brier (1950, Mon. Weather Rev. 78, 1): 0 at best, 2 at worst.

    The classes that count as right are one outcome, whose probability is their sum.

    Parameters
    ----------
    probs, accepted : `~numpy.ndarray`, shape (n, classes)
        Probabilities, and the classes that count as right.

    Returns
    -------
    score : float
        Mean over the rows of the sum over the outcomes of the squared error; NaN of no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import brier_score
    >>> probs = np.array([[0.5, 0.3, 0.2]])
    >>> round(brier_score(probs, np.array([[True, False, False]])), 3)
    0.38
    >>> round(brier_score(probs, np.array([[True, True, False]])), 3)
    0.08
    """
    if not len(probs):
        return float("nan")
    wrong = np.where(accepted, 0, probs)
    missed = 1 - np.where(accepted, probs, 0).sum(axis=1)
    return float(np.mean((wrong**2).sum(axis=1) + missed**2))


def calibration_error(confidence, right, bins=_BINS):
    """
    Return the expected calibration error of Guo et al. (2017, ICML 70, 1321), in bins of equal count.

    It is the mean over the rows of how far, in the bin of a row, the mean confidence is from the share of right
    rows. Rows of the same confidence share their rights, so that it does not matter how they are sorted. With few
    rows a bin it is larger than 0 even for a perfect classifier, by chance.

    Parameters
    ----------
    confidence : `~numpy.ndarray` of float, shape (n,)
        Probability of what was named, in [0, 1].
    right : `~numpy.ndarray` of bool, shape (n,)
        Whether that was right.
    bins : int, optional
        Number of bins.

    Returns
    -------
    error : float
        In [0, 1]; NaN of no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import calibration_error
    >>> round(calibration_error(np.full(10, 0.9), np.arange(10) < 7), 3)
    0.2
    """
    if not len(confidence):
        return float("nan")
    order = np.argsort(confidence, kind="stable")
    gaps = (_share_of_equals(confidence, right) - confidence)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, bins)) / len(gaps))


def calibration_error_by_chance(confidence, objects, *, resamples=_RESAMPLES, seed=0):
    """
    Return the `calibration_error` that a perfectly calibrated classifier would show of the same confidences.

    A measured error below the high end says nothing against the calibration (consistency resampling, Bröcker & Smith
    2007, Weather Forecast. 22, 651).

    Parameters
    ----------
    confidence : `~numpy.ndarray` of float, shape (n,)
        Probability of what was named, in [0, 1].
    objects : `~numpy.ndarray`, shape (n,)
        Object of each row: equally probable answers about one object are right or wrong together.
    resamples : int, optional
        Number of times that the answers are taken to be right, each with its probability.
    seed : int, optional
        Seed of the drawing.

    Returns
    -------
    mean, low, high : float
        Mean and 95 % range; NaN of no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import calibration_error_by_chance
    >>> mean, low, high = calibration_error_by_chance(np.full(100, 0.9), np.arange(100))
    >>> round(mean, 2), round(high, 2)
    (0.02, 0.07)
    """
    if not len(confidence):
        return (float("nan"),) * 3
    names, which = np.unique(objects, return_inverse=True)
    draws = np.random.default_rng(seed).random((resamples, len(names)))
    found = [calibration_error(confidence, draw[which] < confidence) for draw in draws]
    low, high = np.percentile(found, _TAILS)
    return float(np.mean(found)), float(low), float(high)


def _share_of_equals(confidence, right):
    """Return for each row the share of right rows among those of its confidence."""
    _, which = np.unique(confidence, return_inverse=True)
    return (np.bincount(which, np.asarray(right, float)) / np.bincount(which))[which]


def risk_coverage(confidence, right):
    """
    Return the risk-coverage curve of Geifman & El-Yaniv (2017, NeurIPS 30, 4878).

    Parameters
    ----------
    confidence : `~numpy.ndarray` of float, shape (n,)
        How sure each answer is.
    right : `~numpy.ndarray` of bool, shape (n,)
        Whether it was right.

    Returns
    -------
    coverage, risk : `~numpy.ndarray` of float, shape (n,)
        The share of wrong answers among the ``i + 1`` surest, which are the share ``coverage[i]`` of all. Equally
        sure answers share their rights.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import risk_coverage
    >>> risk_coverage(np.array([0.9, 0.6, 0.8, 0.7]), np.array([True, False, True, True]))
    (array([0.25, 0.5 , 0.75, 1.  ]), array([0.  , 0.  , 0.  , 0.25]))
    """
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(order) + 1)
    wrong = 1 - _share_of_equals(confidence, right)[order]
    return count / max(len(order), 1), np.cumsum(wrong) / count


def area_under_risk_coverage(confidence, right):
    """
    Return the mean risk over all coverages (Geifman, Uziel & El-Yaniv 2019, ICLR): 0 at best.

    Parameters
    ----------
    confidence : `~numpy.ndarray` of float, shape (n,)
        How sure each answer is.
    right : `~numpy.ndarray` of bool, shape (n,)
        Whether it was right.

    Returns
    -------
    area : float
        In [0, 1]; NaN of no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import area_under_risk_coverage
    >>> area_under_risk_coverage(np.array([0.9, 0.6, 0.8, 0.7]), np.array([True, False, True, True]))
    0.0625
    """
    return float(np.mean(risk_coverage(confidence, right)[1])) if len(confidence) else float("nan")


def bootstrap_interval(statistic, objects, *, resamples=_RESAMPLES, seed=0):
    """
    Return the 95 % percentile interval of a bootstrap (Efron 1979, Ann. Stat. 7, 1) over objects.

    All rows of an object are drawn together, as they are not independent.

    Parameters
    ----------
    statistic : callable
        From an array of row numbers to a number.
    objects : `~numpy.ndarray`, shape (n,)
        Object of each row.
    resamples : int, optional
        Number of times that as many objects as there are are drawn, with replacement.
    seed : int, optional
        Seed of the drawing.

    Returns
    -------
    low, high : float
        NaN of fewer than two objects.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import bootstrap_interval
    >>> values, objects = np.arange(100.0), np.arange(100)
    >>> low, high = bootstrap_interval(lambda rows: values[rows].mean(), objects)
    >>> bool(40 < low < 46 and 53 < high < 59)
    True
    """
    names, which = np.unique(objects, return_inverse=True)
    if len(names) < 2:
        return float("nan"), float("nan")
    rows = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    draws = np.random.default_rng(seed).integers(0, len(names), (resamples, len(names)))
    found = [statistic(np.concatenate([rows[i] for i in draw])) for draw in draws]
    return tuple(float(end) for end in np.percentile(found, _TAILS))


def paired_difference(first, second, objects, *, resamples=_RESAMPLES, seed=0):
    """
    Return how much larger a mean over objects is than another of the same rows, and its bootstrap interval.

    Parameters
    ----------
    first, second : `~numpy.ndarray` of float or bool, shape (n,)
        For example whether each of two classifiers was right.
    objects : `~numpy.ndarray`, shape (n,)
        Object of each row; each object counts once, with the mean of its rows.
    resamples : int, optional
        Number of times the objects are drawn.
    seed : int, optional
        Seed of the drawing.

    Returns
    -------
    difference, low, high : float
        Mean of ``first`` less that of ``second``, and its 95 % interval; NaN where it cannot be told.

    Examples
    --------
    >>> import numpy as np
    >>> from astroclf.train.metrics import paired_difference
    >>> paired_difference(np.ones(4, bool), np.zeros(4, bool), np.arange(4))
    (1.0, 1.0, 1.0)
    """
    if not len(first):
        return (float("nan"),) * 3
    gains = mean_by_object(np.asarray(first, float) - np.asarray(second, float), objects)
    if len(gains) < 2:
        return float(gains.mean()), float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(0, len(gains), (resamples, len(gains)))
    low, high = np.percentile(gains[draws].mean(axis=1), _TAILS)
    return float(gains.mean()), float(low), float(high)
