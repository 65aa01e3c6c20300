"""STL: the season by hour, and the trend's end."""

from __future__ import annotations

import numpy as np

from tests.models.histories import DAY, daily, fresh, replay, scores, times


def test_the_season_is_expected() -> None:
    """After a week the daily wave is expected within the noise."""
    at, values = times(8 * DAY), daily(8 * DAY)
    steps = replay(fresh("stl", 1), at, values)
    expected = np.array([step.expected[0] for step in steps[7 * DAY :]])
    wave = 100 + 20 * np.sin(2 * np.pi * at[7 * DAY :] / 86_400)
    assert np.abs(expected - wave).mean() < 1.5


def test_a_trend_is_followed() -> None:
    """A rise of a tenth a day raises no alarm and does not spoil the season."""
    at, values = times(10 * DAY), daily(10 * DAY)
    values += 10 * (np.arange(10 * DAY) / DAY)[:, None]
    steps = replay(fresh("stl", 1), at, values)
    assert scores(steps)[5 * DAY :].max() < 1
    expected = np.array([step.expected[0] for step in steps[9 * DAY :]])
    assert np.abs(expected - values[9 * DAY :, 0]).mean() < 3
