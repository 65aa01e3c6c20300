"""The seasonal profile learns the day, and the week where it differs."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.models import profile
from exporter.models.contract import State
from exporter.seasons import SUNDAY, LocalClock

STEP = 300
MONDAY = 1_704_067_200


def fresh() -> State:
    fields = profile.FIELDS
    return {
        name: np.full((rows, 1) if rows else 1, value, kind) for name, (rows, kind, value) in fields.items()
    }


def shape(time: np.ndarray, weekend: float = 1.0) -> np.ndarray:
    days = ((time - MONDAY) // 86_400) % 7
    factor = np.where(days >= 5, weekend, 1.0)
    return factor * 10 * np.sin(2 * np.pi * time / 86_400)


def learn(
    state: State, days: int, weekend: float = 1.0, noise: float = 0.0, weight: float = 1.0
) -> np.ndarray:
    """Feed `days` of a shape; the residuals."""
    clock, rng = LocalClock("UTC"), np.random.default_rng(0)
    times = MONDAY + STEP * np.arange(days * 86_400 // STEP)
    residuals = np.empty(len(times))
    for i, (time, value) in enumerate(
        zip(times, shape(times, weekend) + rng.normal(0, noise, len(times)), strict=True)
    ):
        season = clock.at(int(time))
        if weight and time % 3_600 == 0:
            profile.visit(state, season, np.ones(1, bool), slice(None))
        residual = np.array([value], np.float32) - profile.value(state, season)
        profile.learn(state, season, residual, STEP, np.full(1, weight, np.float32))
        residuals[i] = residual[0]
    return residuals


def test_how_much_of_the_season_is_known() -> None:
    """A day shows every hour of the day, two weeks show each hour of the week twice; ten days know a part."""
    found = {}
    for days in (0, 1, 10, 14):
        state = fresh()
        learn(state, days)
        found[days] = [round(float(it[0]), 2) for it in profile.acquainted(state, STEP).values()]
    assert found == {0: [0, 0], 1: [1, 0], 10: [1, 0.43], 14: [1, 1]}


@pytest.mark.parametrize("step", [60, 900, 3_600, 7_200])
def test_rare_points_can_know_all_of_the_day(step: int) -> None:
    """With points two hours apart no more than every other hour can be seen."""
    state, clock, weight = fresh(), LocalClock("UTC"), np.ones(1, np.float32)
    for time in range(MONDAY, MONDAY + 86_400, step):
        profile.learn(state, clock.at(time), weight, step, weight)
    assert profile.acquainted(state, step)["day"].tolist() == [1]


def test_a_daily_shape_is_known_after_two_days() -> None:
    """On the third day little of the daily wave is left in the residual."""
    residuals = learn(fresh(), 3)
    assert np.abs(residuals[2 * 288 :]).mean() < 1.0


def test_noise_is_averaged_away() -> None:
    """After two weeks the profile is nearer to the true shape than a single noisy day."""
    state = fresh()
    residuals = learn(state, 14, noise=3.0)
    assert residuals[10 * 288 :].std() < 3.0 * 1.15


def test_the_week_is_learnt_where_it_differs() -> None:
    """A flat weekend is expected flat after some weeks."""
    residuals = learn(fresh(), 42, weekend=0.0)
    weekend = residuals[-2 * 288 :]
    assert np.abs(weekend).mean() < np.abs(residuals[5 * 288 : 7 * 288]).mean() / 2


def test_nothing_is_learnt_without_weight() -> None:
    """Weight 0 leaves the profile empty."""
    state = fresh()
    learn(state, 1, weight=0.0)
    assert not any(array.any() for array in state.values())


def test_a_sunday_reads_and_teaches_sundays_hours() -> None:
    """On any day, those who have Sunday stand in its hours, and the others in their own."""
    state = {name: np.full((size, 2), value, kind) for name, (size, kind, value) in profile.FIELDS.items()}
    noon = LocalClock("UTC").at(1_700_049_600, np.array([True, False]))
    everyone = np.ones(2, np.float32)
    profile.learn(state, noon, np.array([5.0, 5.0], np.float32), 3_600, everyone)
    profile.visit(state, noon, np.array([True, True]), slice(None))
    sunday, wednesday = SUNDAY + 12, 2 * 24 + 12
    assert (state["week"][sunday] > 0).tolist() == [True, False]
    assert (state["week"][wednesday] > 0).tolist() == [False, True]
    assert state["week_seen"][[sunday, wednesday]].tolist() == [[1, 0], [0, 1]]
    part = {name: array[:, [1]] for name, array in state.items()}
    assert profile.value(part, noon.part(np.array([1])))[0] == profile.value(state, noon)[1]
