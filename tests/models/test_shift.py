"""A new level is accepted after its time and marked; what passes leaves the level where it was."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from exporter.models import shift, views
from exporter.models.contract import Model, Scores, Shifts
from tests.models.histories import DAY, daily, fresh, replay, times

HOUR = DAY // 24
BEGIN = 22 * DAY + 2 * HOUR
AFTER = 3 * DAY
CASES = {
    "up": lambda: step(60),
    "down": lambda: step(-45),
    "small": lambda: step(14),
    "double": lambda: step(100),
    "by day": lambda: step(60, start=BEGIN + 11 * HOUR),
    "half an hour": lambda: step(60, lasts=HOUR // 2),
    "five hours": lambda: step(60, lasts=5 * HOUR),
    "nine hours": lambda: step(60, lasts=9 * HOUR),
    "ramp": lambda: 40 * np.clip((np.arange(BEGIN + AFTER) - BEGIN) / (2 * DAY), 0, 1),
    "nothing": lambda: step(0),
}
"""What is added to an ordinary history, by name."""


def step(size: float, start: int = BEGIN, lasts: int = AFTER) -> np.ndarray:
    """`size` from `start` on, for as many points as it `lasts`."""
    added = np.zeros(BEGIN + AFTER)
    added[start : start + lasts] = size
    return added


@cache
def planted(adapts: float = 6 * 3_600.0) -> tuple[Model, list[Scores], list[np.ndarray]]:
    """All cases side by side: the model in the end, its scores, and the events as they stood each hour."""
    added = np.stack([case() for case in CASES.values()], axis=1)
    model = fresh("seasonal", len(CASES), adapts=adapts)
    values, at = daily(len(added), len(CASES), seed=1) + added, times(len(added))
    steps, events = [], []
    for i in range(0, len(added), HOUR):
        steps += replay(model, at[i : i + HOUR], values[i : i + HOUR])
        events.append(model.state["shift_time"].copy())
    return model, steps, events


def column(case: str) -> int:
    """Where a case stands among the series."""
    return list(CASES).index(case)


def event(model: Model, case: str) -> tuple[float, float]:
    """Hours from the begin to the event, and its size."""
    at = column(case)
    return (model.state["shift_time"][at] - times(BEGIN + 1)[-1]) / 3_600, model.state["shift_size"][at]


@pytest.mark.parametrize(("case", "size"), [("up", 60), ("down", -45), ("small", 14), ("double", 100)])
def test_a_level_that_lasts_is_accepted_and_marked(case: str, size: float) -> None:
    """Some six hours after it came the level is the new normal, and the event has its size and sign."""
    hours, found = event(planted()[0], case)
    assert 6 <= hours <= 10
    assert found == pytest.approx(size, abs=2.5 + 0.02 * abs(size))


@pytest.mark.parametrize("case", ["up", "down", "small", "double", "by day"])
def test_after_acceptance_all_is_as_before(case: str) -> None:
    """A day later score and deviation are quiet, and as lively as those of a series without a step."""
    _, steps, _ = planted()
    for kind in ("score", "deviation"):
        later = np.array([getattr(it, kind) for it in steps])[BEGIN + 24 * HOUR :]
        assert later[:, column(case)].max() < 1
        assert later[:, column(case)].mean() > 0.6 * later[:, column("nothing")].mean()


@pytest.mark.parametrize("case", ["nothing", "half an hour", "five hours"])
def test_what_passes_in_time_is_no_new_normal(case: str) -> None:
    """An outage that is over before the time leaves no event and no other level."""
    model, _, _ = planted()
    assert model.state["shift_time"][column(case)] == 0
    level = model.state["level"][views.SLOW]
    assert level[column(case)] == pytest.approx(level[column("nothing")], abs=1)


def test_the_way_back_is_short() -> None:
    """When the old level returns after it was given up, it is accepted again within hours."""
    model, _, events = planted()
    seen = {float(it[column("nine hours")]) for it in events} - {0.0}
    first, second = (min(seen), max(seen))
    begin = float(times(BEGIN + 1)[-1])
    assert 6 <= (first - begin) / 3_600 < 9
    assert 9 < (second - begin) / 3_600 <= 14
    assert event(model, "nine hours")[1] == pytest.approx(-60, abs=8)


def test_a_ramp_is_followed_without_alarm() -> None:
    """A slow rise by twice the daily wave moves the level on the way, and never scores above 1."""
    model, steps, _ = planted()
    scores = np.array([it.score for it in steps])[BEGIN:, column("ramp")]
    assert scores.max() < 1
    assert model.state["level"][views.SLOW, column("ramp")] > 120


@pytest.mark.parametrize(("adapts", "least", "most"), [(3_600.0, 1, 5), (2 * 86_400.0, 48, 54)])
def test_the_time_is_that_of_the_query(adapts: float, least: float, most: float) -> None:
    """`fast` accepts within hours, `slow` after two days."""
    model, _, events = planted(adapts)
    seen = min({float(it[column("up")]) for it in events} - {0.0})
    assert least <= (seen - times(BEGIN + 1)[-1]) / 3_600 <= most
    assert model.state["shift_time"][column("half an hour")] == 0


def test_a_constant_series_has_its_new_normal_too() -> None:
    """A series without any noise moves over to another constant, once."""
    values = np.where(np.arange(24 * DAY) < BEGIN, 5.0, 7.0)[:, None]
    model = fresh("seasonal", 1)
    steps = replay(model, times(24 * DAY), values)
    assert model.state["shift_size"].tolist() == pytest.approx([2], rel=0.1)
    assert steps[BEGIN].score[0] > 1
    assert steps[-1].deviation[0] < 1


def test_a_young_series_is_given_time_to_show_its_weekend() -> None:
    """In the first two weeks a level must last twelve times as long, so that a weekend teaches the season."""
    values = daily(10 * DAY)
    values[4 * DAY : 6 * DAY] -= 60
    model = fresh("seasonal", 1)
    replay(model, times(10 * DAY), values)
    assert model.state["shift_time"][0] == 0


def test_points_that_may_not_be_learnt_count_for_nothing() -> None:
    """A masked outage of a day is never the new normal."""
    model = fresh("seasonal", 1)
    values = daily(24 * DAY)
    replay(model, times(23 * DAY), values[: 23 * DAY])
    replay(model, times(24 * DAY)[23 * DAY :], np.zeros((DAY, 1)), learn=False)
    assert model.state["shift_time"][0] == 0
    assert model.state["apart"][0] == 0


def test_events_older_than_asked_for_are_absent() -> None:
    """The last shift is told for a while, then it is absent, as where there was none."""
    model, _, _ = planted()
    time = model.state["shift_time"][column("up")]
    told, forgotten = Shifts.of(model, time - 60), Shifts.of(model, time)
    assert told.time[column("up")] == time
    assert np.isnan(forgotten.time[column("up")])
    assert np.isnan(forgotten.size[column("up")])
    assert np.isnan(told.time[column("nothing")])


def test_levels_are_looked_at_twice_an_hour() -> None:
    """The cost is that of a half hour, not of a step: between two turns nothing of it changes."""
    model = fresh("seasonal", 1)
    values = daily(3 * DAY)
    replay(model, times(3 * DAY), values)
    kept = {name: model.state[name].copy() for name in shift.FIELDS}
    replay(model, times(3 * DAY + 3)[3 * DAY + 1 :], daily(3 * DAY + 3)[3 * DAY + 1 :])
    assert sum(not np.array_equal(kept[name], model.state[name]) for name in kept) <= len(kept) - 3
