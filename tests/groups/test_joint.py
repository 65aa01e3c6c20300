"""A fitted group: what it finds strange, by how much, and whom it blames."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from exporter.groups.distance import _chi_square_95
from exporter.groups.joint import Joint, Method, TooShort, fit
from exporter.groups.members import Table
from tests.groups.vectors import QUERIES, SERVICES, fitted, healthy, one

METHODS: tuple[Method, ...] = get_args(Method)
FRESH = ("never seen",)


@pytest.fixture(scope="module", params=METHODS)
def joint(request: pytest.FixtureRequest) -> Joint:
    """A model of each method."""
    return fitted(request.param)


def evidence(joint: Joint, vectors: np.ndarray) -> np.ndarray:
    """How rare each vector is for a service without a past of its own."""
    return joint.evidence(vectors, [FRESH] * len(vectors))


def test_mild_together_is_strange_though_no_member_is(joint: Joint) -> None:
    """Six residuals that each are ordinary are as a whole rarer than any one of them alone."""
    mild = 0.7
    together = evidence(joint, one(*[mild] * QUERIES))[0]
    alone = evidence(joint, np.eye(QUERIES, dtype=np.float32) * mild)
    assert together > 5
    assert alone.max() < 4
    usual = evidence(joint, healthy(seed=1).reshape(-1, QUERIES))
    assert together > np.quantile(usual, 0.995)


def test_magnitude_never_saturates(joint: Joint) -> None:
    """Where a forest alone has said all at five times the usual, the joint evidence goes on rising."""
    direction = one(1, 0.5, 0.5, 0.2, 0.2, 0.2)
    sizes = evidence(joint, np.concatenate([direction * it for it in (0.5, 1, 2, 5, 10, 100, 1000)]))
    assert (np.diff(sizes) > 0.5).all()


def test_a_forest_alone_does_saturate() -> None:
    """Why the forest only raises a distance: its own answer is the same for 5 and 1000 times the usual."""
    forest = fitted("isolation_forest").forest
    assert forest
    answers = forest.score(np.concatenate([one(*[it] * QUERIES) for it in (5, 1000)]))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("member", range(QUERIES))
def test_a_grossly_off_member_is_never_hidden(joint: Joint, member: int) -> None:
    """With one member far off the whole is at least as strange as that member with all others missing."""
    off = one(*[0.05] * QUERIES)
    off[0, member] = 3.0
    alone = np.full_like(off, np.nan)
    alone[0, member] = 3.0
    limits = np.sqrt([_chi_square_95(QUERIES), _chi_square_95(1)])
    assert joint.distance.of(off)[0] * limits[0] >= joint.distance.of(alone)[0] * limits[1]
    for limit in (5.0, 9.0):
        score = joint.scores(off, [FRESH], limit)[0]
        assert score > 0.9 * np.exp(3.0 - 1)  # a score of 7.4 that lasts, among six


def test_a_member_at_its_edge_is_no_alarm_of_the_service(joint: Joint) -> None:
    """Six members reach their edges more often than one, so one at its edge leaves the service below 1."""
    off = one(*[0.05] * QUERIES)
    off[0, 4] = 1.0
    assert 0.5 < joint.scores(off, [FRESH], 7.4)[0] < 0.9


@pytest.mark.parametrize("member", range(QUERIES))
def test_the_planted_query_has_the_largest_share(joint: Joint, member: int) -> None:
    """Among healthy residuals of the others, the query that is off is blamed most."""
    vectors = healthy(times=20, seed=2).reshape(-1, QUERIES)
    vectors[:, member] = 2.0
    shares = joint.contributions(vectors)
    assert (shares.argmax(axis=1) == member).mean() > 0.97
    assert np.median(shares[:, member]) > 0.5


def test_two_planted_queries_share_the_blame(joint: Joint) -> None:
    """Two unrelated queries equally off get about the same share, and together nearly all."""
    shares = joint.contributions(one(0, 0, 1.5, 0, -1.5, 0))[0]
    assert shares[2] == pytest.approx(shares[4], abs=0.15)
    assert shares[[2, 4]].sum() > 0.95


def test_contributions_sum_to_one(joint: Joint) -> None:
    """Shares are never negative and sum to 1, also for a vector of zeros and one with members missing."""
    vectors = healthy(times=10, seed=3).reshape(-1, QUERIES)
    vectors[0] = 0
    vectors[1:20, 2:4] = np.nan
    shares = joint.contributions(vectors)
    assert (np.isnan(shares) == np.isnan(vectors)).all()
    assert np.nanmin(shares) >= 0
    np.testing.assert_allclose(np.nansum(shares, axis=1), 1)


def test_missing_members_leave_the_rest_as_strange_as_it_is(joint: Joint) -> None:
    """Of healthy vectors with half of the members missing, as few are beyond the law as of whole ones."""
    whole = healthy(seed=4).reshape(-1, QUERIES)
    half = whole.copy()
    half[:, 3:] = np.nan
    rates = [(evidence(joint, it) > 3).mean() for it in (whole, half)]
    assert rates[0] == pytest.approx(0.05, abs=0.025)
    assert rates[1] == pytest.approx(0.05, abs=0.035)


def test_healthy_services_keep_the_law(joint: Joint) -> None:
    """Evidence is -ln of a share: a twentieth of unseen healthy vectors lie beyond 3, and no more than the
    law allows beyond what it has not seen.
    """
    found = joint.evidence(healthy(times=4_000, seed=5).reshape(-1, QUERIES), list(SERVICES) * 4_000)
    assert (found > 3).mean() == pytest.approx(0.05, abs=0.01)
    for far in (5, 7):
        assert (found > far).mean() < np.exp(-far)


def test_the_same_past_gives_the_same_model(joint: Joint) -> None:
    """A fit has no chance in it: after a restart the scores are what they were."""
    method: Method = "isolation_forest" if joint.forest else "mahalanobis"
    vectors = healthy(times=5, seed=6).reshape(-1, QUERIES)
    np.testing.assert_array_equal(evidence(joint, vectors), evidence(fitted(method), vectors))


def test_a_noisy_service_has_a_slower_law_of_its_own(joint: Joint) -> None:
    """A service that strays further than the others needs more to be strange, but only a little more."""
    method: Method = "isolation_forest" if joint.forest else "mahalanobis"
    past = healthy()
    past[:, 0] *= 2
    noisy = fit(Table(SERVICES, past), method, 0)
    vector = one(1, 1, 0, 0, 0, 0)
    own, other = noisy.evidence(vector, [SERVICES[0]])[0], noisy.evidence(vector, [SERVICES[1]])[0]
    assert 0.6 * other < own < other


@pytest.mark.parametrize("method", METHODS)
def test_incidents_in_the_past_hide_little(method: Method) -> None:
    """A day of outage of one service in the training window leaves most of the evidence of the next one."""
    past = healthy()
    past[100:196, 3] += 3
    vector = one(1, 1, 1, 1, 1, 1)
    before = evidence(fitted(method), vector)[0]
    after = fit(Table(SERVICES, past), method, 0).evidence(vector, [FRESH])[0]
    assert after > 0.6 * before


@pytest.mark.parametrize("method", METHODS)
def test_a_query_without_a_past_is_left_out(method: Method) -> None:
    """A member that was never learnt says nothing, and the others are scored without it."""
    past = healthy()
    past[..., 5] = np.nan
    joint = fit(Table(SERVICES, past), method, 0)
    assert joint.known.tolist() == [True] * 5 + [False]
    vectors = joint.members(one(0.1, 0.1, 0.1, 0.1, 0.1, 9.0))
    assert evidence(joint, vectors)[0] < 3
    assert np.isnan(joint.contributions(vectors)[0, 5])


@pytest.mark.parametrize("method", METHODS)
def test_a_short_past_is_refused(method: Method) -> None:
    """Fewer vectors than a day of one service are no ground for a model, nor is one query alone."""
    with pytest.raises(TooShort):
        fit(Table(SERVICES, healthy(times=5)), method, 0)
    lonely = healthy()
    lonely[..., 1:] = np.nan
    with pytest.raises(TooShort):
        fit(Table(SERVICES, lonely), method, 0)


@pytest.mark.parametrize("method", METHODS)
def test_a_silent_past_is_no_reason_for_alarms(method: Method) -> None:
    """Where every residual was always 0, small ones are no event."""
    joint = fit(Table(SERVICES, np.zeros_like(healthy())), method, 0)
    assert evidence(joint, one(*[0.05] * QUERIES))[0] < 5
