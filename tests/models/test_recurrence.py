"""What comes back at the same time every day is expected."""

from __future__ import annotations

import numpy as np

from exporter.models import recurrence
from exporter.models.contract import State
from tests.models.histories import DAY, daily, fresh, replay, scores, times


def blank(series: int = 1) -> State:
    fields = recurrence.FIELDS
    return {
        name: np.full((rows, series) if rows else series, value, kind)
        for name, (rows, kind, value) in fields.items()
    }


def learn(state: State, slot: int, score: np.ndarray, learnt: np.ndarray) -> None:
    rows = recurrence.turned(state, slot, learnt)
    if rows is not None:
        recurrence.turn(state, slot, rows)
    recurrence.learn(state, score * learnt)


def live(state: State, days: int, peaks: dict[int, float], first_day: int = 100) -> None:
    """Days of five points per half hour, with a score peak in the half hours of `peaks`."""
    everyone = np.ones(state["habit_slot"].shape, bool)
    for day in range(first_day, first_day + days):
        for slot in range(recurrence.SLOTS):
            for _ in range(5):
                score = np.full(len(everyone), peaks.get(slot, 0.1), np.float32)
                learn(state, day * recurrence.SLOTS + slot, score, everyone)


def test_a_daily_peak_is_expected_around_its_time_only() -> None:
    """After three days the peak's half hour and its neighbours expect it; the rest of the day does not."""
    state = blank()
    live(state, 4, {7: 1.5})
    expected = [float(recurrence.expected_excess(state, slot)[0]) for slot in (5, 6, 7, 8, 9)]
    assert np.allclose(expected, [0, 1, 1, 1, 0], atol=0.02)


def test_a_single_peak_is_no_habit() -> None:
    """What happened on one day or two is still news on the third."""
    state = blank()
    live(state, 3, {})
    live(state, 2, {7: 1.5}, first_day=103)
    assert recurrence.expected_excess(state, 7)[0] == 0


def test_a_habit_that_stops_is_forgotten() -> None:
    """One day without the peak, and the next one is news again."""
    state = blank()
    live(state, 4, {7: 1.5})
    live(state, 1, {}, first_day=104)
    assert recurrence.expected_excess(state, 7)[0] == 0


def test_the_last_half_hour_of_a_day_borders_on_the_first() -> None:
    """A peak at midnight is expected shortly before midnight too."""
    state = blank()
    live(state, 5, {0: 1.5})
    assert recurrence.expected_excess(state, 47)[0] > 0.9


def test_masked_points_form_no_habit() -> None:
    """What may not be learnt leaves the memory as it was."""
    state = blank(2)
    everyone, first = np.ones(2, bool), np.array([True, False])
    for slot in range(300):
        learn(state, slot, np.full(2, 0.3, np.float32), everyone)
    before = {name: array[..., 1].copy() for name, array in state.items()}
    for slot in range(300, 500):
        learn(state, slot, np.full(2, 2.0, np.float32), first)
    assert all(np.array_equal(before[name], array[..., 1]) for name, array in state.items())


def test_a_nightly_job_stops_being_news() -> None:
    """A spike every night at about the same time scores above 1 at first, and below 1 after some nights."""
    nights = 9
    values = daily((nights + 1) * DAY)
    jitter = np.random.default_rng(5).integers(-2, 3, nights + 1)
    spikes = [night * DAY + 3 * DAY // 24 + int(jitter[night]) for night in range(nights + 1)]
    values[spikes] += 80
    found = scores(replay(fresh("seasonal", 1), times(len(values)), values))[spikes, 0]
    assert found[2] > 1
    assert (found[-3:] < 1).all()
