"""Holt-Winters follows a level and keeps a season of the local day."""

from __future__ import annotations

import numpy as np

from tests.models.histories import DAY, daily, fresh, replay, scores, times


def test_the_season_is_expected() -> None:
    """After a week the expected value follows the daily wave, though the noise hides single points."""
    at, values = times(8 * DAY), daily(8 * DAY)
    steps = replay(fresh("holt_winters", 1), at, values)
    expected = np.array([step.expected[0] for step in steps[7 * DAY :]])
    wave = 100 + 20 * np.sin(2 * np.pi * at[7 * DAY :] / 86_400)
    assert np.abs(expected - wave).mean() < 1.5


def test_a_moved_level_is_followed_within_hours() -> None:
    """A small step is followed in a few hours; the season stays what it was."""
    at, values = times(8 * DAY), daily(8 * DAY)
    values[6 * DAY :] += 6
    steps = replay(fresh("holt_winters", 1), at, values)
    later = slice(6 * DAY + DAY // 4, 7 * DAY)
    expected = np.array([step.expected[0] for step in steps[later]])
    assert np.abs(expected - values[later, 0]).mean() < 3
    assert scores(steps)[later].max() < 1


def test_an_outage_moves_little() -> None:
    """An hour at zero is not taken for the new level, nor for the season of the next day."""
    at, values = times(7 * DAY), daily(7 * DAY)
    values[5 * DAY : 5 * DAY + 12] = 0
    steps = replay(fresh("holt_winters", 1), at, values)
    assert (scores(steps)[5 * DAY : 5 * DAY + 12] > 1).all()
    expected = np.array([step.expected[0] for step in steps[6 * DAY : 6 * DAY + 12]])
    assert np.abs(expected - 100).mean() < 15


def test_after_a_gap_the_last_hour_counts_no_more() -> None:
    """What the level had strayed from its base is forgotten over a day without points."""
    model = fresh("holt_winters", 1)
    values = daily(6 * DAY, noise=0.5)
    values[-24:] += 4
    replay(model, times(6 * DAY), values)
    before = float(model.state["offset"][0])
    after = int(times(6 * DAY)[-1]) + 86_400
    model.step(after, np.array([100.0]), np.ones(1, bool))
    assert before > 1
    assert abs(model.state["offset"][0]) < 0.3
