"""ETS: gains of level and season that suit the series."""

from __future__ import annotations

import numpy as np

from tests.models.histories import DAY, daily, fresh, replay, times


def test_the_season_is_expected() -> None:
    """After a week the daily wave is expected within the noise."""
    at, values = times(8 * DAY), daily(8 * DAY)
    steps = replay(fresh("ets", 1), at, values)
    expected = np.array([step.expected[0] for step in steps[7 * DAY :]])
    wave = 100 + 20 * np.sin(2 * np.pi * at[7 * DAY :] / 86_400)
    assert np.abs(expected - wave).mean() < 1.5


def test_gains_suit_the_series() -> None:
    """A level that wanders gets a larger gain than one that stays."""
    points = 8 * DAY
    rng = np.random.default_rng(3)
    values = np.repeat(daily(points), 2, axis=1)
    values[:, 1] += np.cumsum(rng.normal(0, 1.0, points))
    model = fresh("ets", 2)
    replay(model, times(points), values)
    still, wandering = model.state["gains"][0]
    assert wandering > 0.3
    assert still < wandering / 2
