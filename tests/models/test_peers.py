"""A series is judged by its peers at the same time, from the first point on."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models.contract import Scores, Settings
from exporter.models.peers import FEWEST, Peers, medians
from tests.models.histories import DAY, START, STEP, times


def fleet(points: int, series: int, seed: int = 0, noise: float = 2.0) -> np.ndarray:
    """(points, series): all follow the same wild course, each with its own noise."""
    rng = np.random.default_rng(seed)
    course = 1_000 + np.cumsum(rng.normal(0, 20, points))
    return course[:, None] + rng.normal(0, noise, (points, series))


def one(model: Peers, values: np.ndarray, at: int = START) -> Scores:
    return model.step(at, np.asarray(values, float), np.ones(len(values), bool))


@pytest.mark.parametrize("size", [8, 20, 200])
def test_one_outlier_stands_out_from_the_first_point(size: int) -> None:
    """In a fleet of any size the one that is far off passes the edge, untrained, and the others do not."""
    values = fleet(1, size)[0]
    values[3] += 80
    step = one(Peers(Settings(step=STEP), size), values)
    assert step.score[3] > 1
    assert np.delete(step.score, 3).max() < 1
    assert step.expected == pytest.approx(np.full(size, np.median(values)))


def test_what_all_do_is_no_anomaly() -> None:
    """A fall of the whole group to a tenth leaves everybody below the edge."""
    model, values = Peers(Settings(step=STEP), 20), fleet(200, 20)
    values[100:] *= 0.1
    found = [one(model, row, int(at)).score for row, at in zip(values, times(200), strict=True)]
    assert np.max(found) < 1


def test_too_few_peers_have_no_score() -> None:
    """Fewer than FEWEST members with a point now: absent, not 0, and back when they are back."""
    model = Peers(Settings(step=STEP), FEWEST)
    values = fleet(3, FEWEST)
    values[1, 0] = np.nan
    found = [one(model, row, int(at)) for row, at in zip(values, times(3), strict=True)]
    assert [int(np.isfinite(it.score).sum()) for it in found] == [FEWEST, 0, FEWEST]
    assert np.isnan(found[1].expected).all()
    assert not Peers(Settings(step=STEP), FEWEST - 1).ready().any()


def test_groups_are_judged_apart() -> None:
    """Two groups at different levels are quiet; the same series as one group are not."""
    values = np.append(fleet(1, 10)[0], fleet(1, 6, seed=1, noise=0.1)[0] * 50)
    apart, together = Peers(Settings(step=STEP), 16), Peers(Settings(step=STEP), 16)
    apart.compare(np.repeat([0, 1], [10, 6]))
    assert one(apart, values).score.max() < 1
    assert one(together, values).score[10:].min() > 1


def test_groups_follow_their_rows() -> None:
    """Rows that are rearranged keep their group; fresh ones are told theirs."""
    model = Peers(Settings(step=STEP), 12)
    model.compare(np.repeat([0, 1], 6))
    model.select(np.array([11, 10, 9, 8, 7, 6, 0]))
    assert model.ready().tolist() == [True] * 6 + [False]


def test_healthy_fleets_keep_the_budget() -> None:
    """Members with normal, heavy-tailed or slowly wandering noise pass the edge at most twice a week each."""
    weeks, size = 2, 30
    points = weeks * 7 * DAY
    rng = np.random.default_rng(7)
    wander = np.zeros((points, size))
    for i in range(1, points):
        wander[i] = 0.95 * wander[i - 1] + rng.normal(0, 1, size)
    for noise in (rng.normal(0, 2, (points, size)), rng.standard_t(4, (points, size)), wander):
        model = Peers(Settings(step=STEP), size)
        values = fleet(points, size, noise=0) + noise
        over = [one(model, row, int(at)).score > 1 for row, at in zip(values, times(points), strict=True)]
        alarms = np.array(over)
        assert (alarms[1:] & ~alarms[:-1]).sum() / (size * weeks) <= 2


def test_a_member_that_always_differs_is_accepted_in_the_end() -> None:
    """A permanent outlier alarms for hours and is normal after a week, while the others stay sharp."""
    values = fleet(8 * DAY, 20)
    values[:, 0] += 60
    model = Peers(Settings(step=STEP), 20)
    found = np.array([one(model, row, int(at)).score for row, at in zip(values, times(8 * DAY), strict=True)])
    assert found[: DAY // 8, 0].min() > 1
    assert (found[7 * DAY :, 0] > 1).mean() < 0.01
    values[-1, 1] += 60
    assert one(model, values[-1], int(times(8 * DAY + 1)[-1])).score[1] > 1


def test_medians_by_group() -> None:
    """The median of each group, leaving out what is missing; NaN for a group of nothing."""
    values = np.array([3.0, 1.0, np.nan, 2.0, 10.0, 20.0, np.nan])
    found = medians(values, np.array([0, 0, 0, 0, 2, 2, 1]), 3)
    assert found[[0, 2]].tolist() == [2.0, 15.0]
    assert np.isnan(found[1])
