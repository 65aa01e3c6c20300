"""The domain classifier: what it tells apart, what it does not, and what it needs to know."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.drift.classifier import drift_scores

SERVICES, HOURS, WINDOW, MEMBERS = 40, 719, 24, 4
KNOWN = np.arange(HOURS) < HOURS - WINDOW


def related(seed: int = 0, phi: float = 0.0, members: int = MEMBERS) -> np.ndarray:
    """Residuals of unit variance that share a cause, and remember the hour before by `phi`."""
    rng = np.random.default_rng(seed)
    shocks = 0.4 * rng.normal(size=(SERVICES, HOURS, members)) + rng.normal(size=(SERVICES, HOURS, 1))
    for hour in range(1, HOURS):
        shocks[:, hour] = phi * shocks[:, hour - 1] + np.sqrt(1 - phi**2) * shocks[:, hour]
    return shocks / np.sqrt(1.16)


def score(features: np.ndarray, known: np.ndarray = KNOWN) -> np.ndarray:
    """The score of every service when the same hours are known of each."""
    return drift_scores(features, WINDOW, np.broadcast_to(known, features.shape[:2]))


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_hours_like_those_before_are_not_told_apart(phi: float) -> None:
    """Related hours of related queries stay below 3, however much they remember."""
    assert np.mean(score(related(1, phi)) >= 3) <= 0.03


def test_queries_that_part_company_are_seen() -> None:
    """Each query keeps its level and spread, only their relation is gone: no single series shows that."""
    features = related(2)
    features[:, -WINDOW:] = np.random.default_rng(3).normal(size=(SERVICES, WINDOW, MEMBERS))
    assert np.median(score(features)) > 3


def test_contrary_shifts_are_severe() -> None:
    """Queries that always rose together and now stray in opposite directions are far from their past."""
    features = related(4)
    features[:, -WINDOW:] += 1.5 * np.array([1, -1, 1, -1])
    assert np.median(score(features)) > 5


def test_wilder_hours_are_seen() -> None:
    """Three times the spread, with the level as it was."""
    features = related(5)
    features[:, -WINDOW:] *= 3
    assert np.median(score(features)) > 3


def test_hours_that_are_not_of_the_reference_are_not_compared_with() -> None:
    """A change that began three days ago is as clear as one of today, if the reference ended before it."""
    features = related(6)
    features[:, -4 * WINDOW :] += 1.5 * np.array([1, -1, 1, -1])
    known = np.arange(HOURS) < HOURS - 4 * WINDOW
    assert np.median(score(features, known)) > 4 > np.median(score(features))


def test_hours_with_a_gap_count_for_nothing() -> None:
    """An hour in which one member is missing is left out; too few of them make no score."""
    features = related(7)
    gaps = features.copy()
    gaps[:, ::7, 1] = np.nan
    assert np.isfinite(score(gaps)).all()
    features[:, -20:, 1] = np.nan
    assert np.isnan(score(features)).all()


def test_a_short_past_is_not_enough() -> None:
    """Fewer than seven days to compare with say nothing."""
    assert np.isnan(score(related(8)[:, -6 * WINDOW :], KNOWN[-6 * WINDOW :])).all()
    assert np.isfinite(score(related(8)[:, -9 * WINDOW :], KNOWN[-9 * WINDOW :])).all()


def test_the_same_input_gives_the_same_scores_and_stays_as_it_was() -> None:
    """Nothing is drawn at random, and nothing is written into the features."""
    features = related(9)
    before = features.copy()
    assert np.array_equal(score(features), score(features))
    assert np.array_equal(features, before)
