"""Near misses raise a series' edge; alarms do not."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import limiter
from exporter.models.contract import State

MINUTE = 60.0
WEEK = 10_080
DAY = 1_440


def fresh(series: int = 1) -> State:
    return {
        name: np.full((rows, series) if rows else series, value, kind)
        for name, (rows, kind, value) in limiter.FIELDS.items()
    }


def feed(state: State, peak: float, every: int, points: int, weight: float = 1.0) -> None:
    """A quiet series whose score peaks at `peak` once in `every` minutes."""
    learnt = np.full(state["peak"].shape, weight, np.float32)
    for i in range(points):
        score = np.full_like(learnt, peak if i % every == 0 else 0.1)
        limiter.learn(state, score[None], MINUTE, learnt[None])
        if weight and i % 30 == 0:
            limiter.turn(state, MINUTE, slice(None))


def factor(state: State) -> np.ndarray:
    return state["factor"]


def test_an_unknown_series_has_the_common_edge() -> None:
    """Without near misses of its own a series keeps the edge of all."""
    assert factor(fresh(3)).tolist() == [1, 1, 1]


def test_many_near_misses_raise_the_edge() -> None:
    """Peaks just under the edge every two hours, for weeks, raise it, but not without end."""
    state = fresh()
    feed(state, 0.95, 120, 4 * WEEK)
    assert 1.2 < factor(state)[0] <= limiter.LARGEST


def test_alarms_do_not_raise_the_edge() -> None:
    """However many incidents there were, two days after the last the edge is where it was."""
    state = fresh()
    feed(state, 1.6, 120, 4 * WEEK)
    feed(state, 0.1, 1, 2 * DAY)
    assert factor(state)[0] == pytest.approx(1, abs=0.02)


def test_an_alarm_raises_the_edge_for_a_day() -> None:
    """Right after an alarm the next one needs a little more, and after further ones not without end."""
    state, one = fresh(), 1 + limiter.FATIGUE
    feed(state, 1.6, 400, 390)
    assert factor(state)[0] == pytest.approx(one, abs=0.02)
    feed(state, 1.6, 60, DAY)
    assert one < factor(state)[0] <= 1 + limiter.MOST_ALARMS * limiter.FATIGUE


def test_peaks_that_fall_off_fast_do_not_raise_the_edge() -> None:
    """Many low peaks and hardly any high ones are the tail of a healthy series."""
    state = fresh()
    feed(state, 0.55, 240, 4 * WEEK)
    assert factor(state)[0] == 1


def test_one_happening_counts_once() -> None:
    """Peaks less than half an hour apart are one near miss."""
    apart, together = fresh(), fresh()
    feed(apart, 0.9, 60, 6_000)
    feed(together, 0.9, 20, 6_000)
    assert apart["near"][1][0] > 90
    assert together["near"].sum() == 0


def test_nothing_is_counted_without_weight() -> None:
    """What may not be learnt leaves every counter as it was."""
    state = fresh()
    feed(state, 0.9, 60, 500)
    before = {name: array.copy() for name, array in state.items()}
    feed(state, 0.9, 60, 200, weight=0.0)
    assert all(np.array_equal(before[name], state[name]) for name in state)


def test_old_near_misses_are_forgotten() -> None:
    """After a quiet half-life, half of the count is left."""
    state = fresh()
    feed(state, 0.9, 60, WEEK)
    counted = state["near"].sum()
    hours = int(limiter.HALF_LIFE / 3600)
    for _ in range(hours):
        limiter.learn(state, np.zeros((1, 1), np.float32), 3600.0, np.ones((1, 1), np.float32))
        limiter.turn(state, 3600.0, slice(None))
    assert abs(state["near"].sum() / counted - 0.5) < 0.02


def test_a_happening_is_counted_before_the_next_one_begins() -> None:
    """Two near misses within one half hour's law, far enough apart, are two, whenever they are counted."""
    state, learnt = fresh(), np.ones(1, np.float32)
    for score in (0.9, *[0.1] * 40, 0.6, *[0.1] * 40):
        limiter.learn(state, np.full((1, 1), score, np.float32), MINUTE, learnt[None])
    limiter.turn(state, MINUTE, slice(None))
    assert state["near"][:, 0] == pytest.approx([1, 1], rel=1e-3)
    assert state["peak"][0] == 0
