"""Joint drift: D^2 under its own law, with missing members, and louder than its parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from exporter.drift.joint import distance_squared, drift_scores, normal_equivalent


def days(services: int, queries: int, count: int = 25, seed: int = 0) -> np.ndarray:
    """Independent shifts, (count, services, queries)."""
    return np.random.default_rng(seed).normal(size=(count, services, queries))


@pytest.mark.parametrize("members", [2, 3, 6, 10])
@pytest.mark.parametrize("level", [0.9, 0.99865, 0.9999])
def test_the_law_is_that_of_the_square(members: int, level: float) -> None:
    """D^2 at a quantile of chi-square is the normal quantile of the same rarity; D would be far off."""
    limit = chi2.ppf(level, members)
    found = normal_equivalent(np.array(limit), np.array(float(members)))
    assert found == pytest.approx(norm.ppf(level), abs=0.15)
    assert normal_equivalent(np.array(np.sqrt(limit)), np.array(float(members))) < found - 0.8


def test_independent_shifts_keep_their_rarity() -> None:
    """Of services whose queries shift as always about one in a thousand passes 3."""
    score = drift_scores(days(20_000, 4, 1, seed=1)[0], days(20_000, 4))
    assert np.mean(score > 3) < 0.008


def test_several_mild_shifts_are_one_drift() -> None:
    """Five queries at 2.4 sds each are no drift of any one of them, and together a severe one."""
    score = drift_scores(np.full((50, 5), 2.4), days(50, 5))
    assert np.median(score) > 3


def test_queries_that_always_shift_together_count_less() -> None:
    """The same shift of related queries is less strange than that of unrelated ones."""
    shared = days(50, 1)
    related = np.repeat(shared, 4, axis=2) + 0.1 * days(50, 4, seed=2)
    shifts = np.full((50, 4), 2.5)
    assert np.median(drift_scores(shifts, related)) < np.median(drift_scores(shifts, days(50, 4)))


def test_missing_members_leave_the_law_of_the_others() -> None:
    """A service without one of its queries has the distance of the rest, in their dimensions."""
    shifts, past = np.array([[2.0, -1.0, np.nan]]), np.zeros((1, 3, 3))
    squared, members = distance_squared(shifts, past)
    assert (squared[0], members[0]) == (5.0, 2.0)
    assert np.isnan(drift_scores(np.array([[4.0, np.nan, np.nan]]), days(1, 3)))[0]
