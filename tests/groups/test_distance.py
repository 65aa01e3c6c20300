"""The distance of a vector of residuals: the right law, relations, missing members."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from exporter.groups.distance import Distance, _chi_square_95
from tests.groups.vectors import QUERIES, healthy


def normal(count: int = 40_000, seed: int = 0) -> np.ndarray:
    """Independent normal residuals of equal spread."""
    return np.random.default_rng(seed).normal(0, 0.2, (count, QUERIES)).astype(np.float32)


@pytest.mark.parametrize("dimensions", [2, 3, 6, 19, 40])
def test_the_limit_is_that_of_chi_square(dimensions: int) -> None:
    """The approximated quantile is right to a hundredth from two dimensions on."""
    assert _chi_square_95(dimensions) == pytest.approx(stats.chi2.ppf(0.95, dimensions), rel=0.01)


def test_a_distance_is_compared_with_the_root_of_the_limit() -> None:
    """One normal vector in twenty lies beyond 1; held against the limit of D², nearly none would."""
    distance = Distance(normal())
    trimming = 1.1  # a tenth of the vectors, the largest, do not teach the covariance
    beyond = (distance.of(normal(seed=1)) > trimming).mean()
    assert 0.03 < beyond < 0.08


@pytest.mark.parametrize("members", [1, 2, 4])
def test_fewer_members_have_the_law_of_fewer_dimensions(members: int) -> None:
    """The share beyond the limit does not depend on how many members are there."""
    distance = Distance(normal())
    vectors = normal(seed=1)
    whole = (distance.of(vectors) > 1.1).mean()
    vectors[:, members:] = np.nan
    assert (distance.of(vectors) > 1.1).mean() == pytest.approx(whole, abs=0.025)


def test_a_missing_member_is_the_marginal_distance() -> None:
    """A missing member takes its relations with it: the rest is as far as its own covariance says."""
    distance = Distance(healthy().reshape(-1, QUERIES))
    vector = np.array([[0.5, np.nan, 0.2, np.nan, np.nan, -0.4]], np.float32)
    members = [0, 2, 5]
    own = np.linalg.inv(distance.covariance[np.ix_(members, members)])
    squared = vector[0, members] @ own @ vector[0, members]
    assert distance.of(vector)[0] == pytest.approx(np.sqrt(squared / _chi_square_95(3)), rel=1e-6)


def test_members_that_move_together_are_stranger_apart() -> None:
    """Where two queries move together, one up and one down is farther than both up."""
    distance = Distance(healthy().reshape(-1, QUERIES))
    together, apart = np.zeros((2, 1, QUERIES), np.float32)
    together[0, :2], apart[0, :2] = (0.5, 0.5), (0.5, -0.5)
    assert distance.of(apart)[0] > 1.2 * distance.of(together)[0]


def test_the_largest_correlation_is_told() -> None:
    """Half of the first two is shared, less so near 0; no matter the sign, or who is missing elsewhere."""
    vectors = healthy(times=2_000).reshape(-1, QUERIES)
    assert Distance(vectors).correlation == pytest.approx(0.4, abs=0.05)
    vectors[:, 1] *= -1
    vectors[::3, 4] = np.nan
    assert Distance(vectors).correlation == pytest.approx(0.4, abs=0.05)
    assert Distance(normal()).correlation < 0.05


def test_members_that_never_meet_have_no_correlation() -> None:
    """Neither have those that are always 0."""
    vectors = normal(1_000)
    vectors[::2, 0], vectors[1::2, 1] = np.nan, np.nan
    vectors[:, 2:] = 0
    assert Distance(vectors).correlation == 0


def test_without_is_the_distance_with_a_member_at_zero() -> None:
    """The closed form for one member at 0 is what the distance itself says of that vector."""
    vectors = healthy(times=5).reshape(-1, QUERIES)
    vectors[3:9, 1] = np.nan
    distance = Distance(healthy(seed=1).reshape(-1, QUERIES))
    found = distance.without(vectors)
    for member in range(QUERIES):
        zeroed = vectors.copy()
        there = np.isfinite(vectors[:, member])
        zeroed[there, member] = 0
        np.testing.assert_allclose(found[there, member], distance.of(zeroed)[there], atol=1e-6)


def test_shares_sum_to_the_squared_distance_where_none_is_negative() -> None:
    """The parts of D² are a decomposition of it."""
    distance = Distance(healthy().reshape(-1, QUERIES))
    vector = np.array([[0.4, -0.1, 0.3, 0.2, -0.6, 0.1]], np.float32)
    squared = distance.of(vector)[0] ** 2 * _chi_square_95(QUERIES)
    shares = distance.shares(vector)[0]
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(squared)


def test_a_vector_without_members_is_at_zero() -> None:
    """Nothing there is no distance."""
    distance = Distance(healthy().reshape(-1, QUERIES))
    assert distance.of(np.full((1, QUERIES), np.nan, np.float32))[0] == 0


def test_outliers_do_not_widen_the_covariance() -> None:
    """A twentieth of gross vectors in the past changes a distance by little."""
    clean = healthy().reshape(-1, QUERIES)
    dirty = clean.copy()
    dirty[::20] *= 30
    vector = np.full((1, QUERIES), 0.5, np.float32)
    assert Distance(dirty).of(vector)[0] > 0.85 * Distance(clean).of(vector)[0]
