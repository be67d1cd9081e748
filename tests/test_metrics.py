# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the measures: values worked out by hand, and what must hold whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astroclf.train.metrics import (
    area_under_risk_coverage,
    bootstrap_interval,
    brier_score,
    calibration_error,
    calibration_error_by_chance,
    is_covered,
    is_right,
    mean_by_object,
    paired_difference,
    risk_coverage,
    wilson_interval,
)


@st.composite
def cases(draw):
    """Return probabilities (often equal ones), the classes that count as right, and objects."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, classes = draw(st.integers(1, 60)), draw(st.integers(2, 14))
    probs = rng.integers(1, 4, (rows, classes)) / 1.0
    accepted = rng.random((rows, classes)) < 0.3
    accepted[np.arange(rows), rng.integers(0, classes, rows)] = True
    return probs / probs.sum(axis=1, keepdims=True), accepted, rng.integers(0, rows, rows)


def confidence_of(probs):
    """Return the probability of the most probable class."""
    return probs.max(axis=1)


def measures(probs, accepted, objects):
    """Return every measure of some rows."""
    confidence, right = confidence_of(probs), is_right(probs, accepted)
    return [
        mean_by_object(right, objects).mean(),
        is_right(probs, accepted, 3).mean(),
        is_covered(probs, accepted, np.full(len(probs), 2)).mean(),
        brier_score(probs, accepted),
        calibration_error(confidence, right),
        area_under_risk_coverage(confidence, right),
        *risk_coverage(confidence, right)[1],
        paired_difference(right, confidence, objects)[0],
    ]


@given(cases(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(case, random):
    """A permutation of the rows changes no measure."""
    order = list(range(len(case[0])))
    random.shuffle(order)
    np.testing.assert_allclose(measures(*case), measures(*(array[order] for array in case)), atol=1e-12)


@given(cases(), st.randoms(use_true_random=False))
def test_order_of_classes_does_not_matter_to_scores(case, random):
    """A permutation of the classes does not change the Brier score."""
    probs, accepted, _ = case
    order = list(range(probs.shape[1]))
    random.shuffle(order)
    assert brier_score(probs, accepted) == pytest.approx(brier_score(probs[:, order], accepted[:, order]))


@given(cases())
def test_measures_are_in_range(case):
    """All measures are in [0, 1], the Brier score in [0, 2], differences in [-1, 1]."""
    *found, difference = measures(*case)
    assert min(found) >= 0
    assert max(np.delete(found, 3)) <= 1 + 1e-12
    assert found[3] <= 2
    assert abs(difference) <= 1


@given(cases())
def test_perfect_classifier(case):
    """Who is sure and right has no calibration error, no risk, no Brier score, and always covers."""
    _, accepted, objects = case
    probs = np.eye(accepted.shape[1])[accepted.argmax(axis=1)]
    right, confidence = is_right(probs, accepted), confidence_of(probs)
    assert right.all()
    assert is_covered(probs, accepted, np.ones(len(probs), int)).all()
    assert brier_score(probs, accepted) == 0
    assert calibration_error(confidence, right) == 0
    assert area_under_risk_coverage(confidence, right) == 0
    assert mean_by_object(right, objects).min() == 1


@given(cases())
def test_more_that_counts_as_right_is_never_worse(case):
    """Accepting every class makes everything right, covered and without Brier score."""
    probs, accepted, _ = case
    everything = np.ones_like(accepted)
    assert is_right(probs, everything).all()
    assert is_covered(probs, everything, np.ones(len(probs), int)).all()
    assert brier_score(probs, everything) == pytest.approx(0, abs=1e-12)
    assert brier_score(probs, accepted) >= -1e-12


@given(cases())
def test_top_k_and_sets_grow(case):
    """More classes are right at least as often; a set of k classes covers when one of the top k is right."""
    probs, accepted, _ = case
    for k in range(1, probs.shape[1] + 1):
        right = is_right(probs, accepted, k)
        np.testing.assert_array_equal(right, is_covered(probs, accepted, np.full(len(probs), k)))
        assert (is_right(probs, accepted, k + 1) >= right).all()


@given(cases())
def test_risk_ends_at_the_error(case):
    """At full coverage the risk is the share of wrong rows."""
    probs, accepted, _ = case
    right = is_right(probs, accepted)
    coverage, risk = risk_coverage(confidence_of(probs), right)
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - right.mean())


@given(st.floats(0, 1), st.integers(1, 10000))
def test_wilson_interval_holds_the_rate(rate, count):
    """The interval holds the observed rate, is within [0, 1], and shrinks with the number of trials."""
    low, high = wilson_interval(rate, count)
    assert 0 <= low <= rate + 1e-9
    assert rate - 1e-9 <= high <= 1
    wider = wilson_interval(rate, max(count // 2, 1))
    assert high - low <= wider[1] - wider[0] + 1e-9


def test_wilson_interval():
    """The interval is that of the textbook (Wilson 1927; e.g. 8 of 10), and honest at the ends."""
    np.testing.assert_allclose(wilson_interval(0.8, 10), (0.4902, 0.9433), atol=1e-4)
    assert wilson_interval(1.0, 5)[1] == pytest.approx(1)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_calibration_error_by_hand():
    """Two bins of two rows: |1 - 0.95| and |0.5 - 0.6|, in equal parts."""
    confidence, right = np.array([0.9, 1.0, 0.55, 0.65]), np.array([True, True, False, True])
    assert calibration_error(confidence, right, bins=2) == pytest.approx((0.05 + 0.1) / 2)


def test_calibration_error_of_a_calibrated_classifier():
    """Answers right as often as they claim leave only the error of chance."""
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.2, 1, 50000)
    assert calibration_error(confidence, rng.random(50000) < confidence) < 0.01


def test_calibration_error_by_chance():
    """Errors of calibrated answers lie in its range, as often as it says; the certain have none."""
    rng = np.random.default_rng(4)
    confidence, objects = rng.uniform(0.3, 1, 200), np.arange(200)
    mean, low, high = calibration_error_by_chance(confidence, objects)
    found = np.array([calibration_error(confidence, rng.random(200) < confidence) for _ in range(500)])
    assert np.mean((low <= found) & (found <= high)) == pytest.approx(0.95, abs=0.03)
    assert found.mean() == pytest.approx(mean, rel=0.05)
    assert calibration_error_by_chance(np.ones(200), objects) == (0, 0, 0)


def test_calibration_error_by_chance_of_few_objects():
    """Ten files of each object leave as much to chance as one of each."""
    confidence = np.repeat(np.random.default_rng(5).uniform(0.3, 1, 40), 10)
    apart = calibration_error_by_chance(confidence, np.arange(400))
    together = calibration_error_by_chance(confidence, np.repeat(np.arange(40), 10))
    one = calibration_error_by_chance(confidence[::10], np.arange(40))
    assert together == pytest.approx(one)
    assert together[0] > 2 * apart[0]


def test_brier_score_by_hand():
    """The best is 0, certainty of the wrong class 2, and classes that all count as right are one outcome."""
    truth = np.array([[True, False]])
    assert brier_score(np.array([[0.0, 1.0]]), truth) == 2
    assert brier_score(np.array([[0.7, 0.3]]), truth) == pytest.approx(0.18)
    assert brier_score(np.array([[0.6, 0.3, 0.1]]), np.array([[True, True, False]])) == pytest.approx(0.02)


def test_nothing_measured():
    """Of no rows nothing is known: NaN, not an error."""
    none = np.zeros(0)
    assert np.isnan(brier_score(np.zeros((0, 3)), np.zeros((0, 3), bool)))
    assert np.isnan(calibration_error(none, none))
    assert np.isnan(calibration_error_by_chance(none, none)).all()
    assert np.isnan(area_under_risk_coverage(none, none))
    assert np.isnan(bootstrap_interval(np.mean, none)).all()
    assert np.isnan(paired_difference(none, none, none)).all()


def test_bootstrap_draws_objects_together():
    """Ten rows of each object tell no more than one: the interval stays as wide."""
    values = np.random.default_rng(0).normal(size=60)
    one = bootstrap_interval(lambda rows: values[rows].mean(), np.arange(60))
    many = np.repeat(values, 10)
    ten = bootstrap_interval(lambda rows: many[rows].mean(), np.repeat(np.arange(60), 10))
    np.testing.assert_allclose(one, ten, atol=1e-12)
    assert one[1] - one[0] == pytest.approx(2 * 1.96 * values.std() / 60**0.5, rel=0.1)


def test_paired_difference():
    """Pairing sees what is the same for all objects; one object has no interval."""
    rng = np.random.default_rng(1)
    base = rng.random(50)
    found = paired_difference(base + 0.1, base, np.arange(50))
    np.testing.assert_allclose(found, (0.1, 0.1, 0.1), atol=1e-9)
    only = paired_difference(np.ones(3), np.zeros(3), np.zeros(3))
    assert only[0] == 1
    assert np.isnan(only[1:]).all()


@given(cases())
def test_difference_has_a_sign(case):
    """Comparing the other way round turns the sign; comparing with itself is zero."""
    probs, accepted, objects = case
    one, other = is_right(probs, accepted), is_right(probs, accepted, 2)
    assert paired_difference(one, other, objects)[0] == pytest.approx(-paired_difference(other, one, objects)[0])
    assert paired_difference(one, one, objects)[0] == 0
