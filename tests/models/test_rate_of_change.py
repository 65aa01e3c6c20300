"""The step from point to point, less the season's own."""

from __future__ import annotations

import numpy as np

from tests.models.histories import DAY, daily, fresh, replay, scores, times


def test_the_last_value_is_expected() -> None:
    """A moved level is expected again at once."""
    model = fresh("rate_of_change", 1)
    replay(model, times(5 * DAY), daily(5 * DAY))
    at = times(5 * DAY + 2)[5 * DAY :]
    jump, after = replay(model, at, np.array([[160.0], [160.0]]))
    assert jump.score[0] > 1
    assert abs(after.expected[0] - 160) < 3
    assert after.score[0] < 1


def test_a_wandering_series_is_quiet() -> None:
    """A random walk has no level to keep to, and passes the edge no more than its budget."""
    rng = np.random.default_rng(1)
    values = 1_000 + np.cumsum(rng.normal(0, 1, (21 * DAY, 10)), axis=0)
    found = scores(replay(fresh("rate_of_change", 10), times(len(values)), values))[7 * DAY :] > 1
    assert (found[1:] & ~found[:-1]).sum() / (10 * 2) <= 2


def test_the_morning_rise_is_the_seasons_own_step() -> None:
    """A jump that comes every day at the same time is no news once it is known."""
    points = 12 * DAY
    at = times(points)
    open_ = (at % 86_400 >= 8 * 3_600) & (at % 86_400 < 18 * 3_600)
    values = 100 + 50 * open_ + np.random.default_rng(2).normal(0, 2, points)
    found = scores(replay(fresh("rate_of_change", 1), at, values[:, None]))[:, 0]
    assert np.nanmax(found[7 * DAY :]) < 1


def test_a_slow_slide_is_not_seen() -> None:
    """What creeps is beyond this model: the page of the model says so."""
    model = fresh("rate_of_change", 1)
    replay(model, times(5 * DAY), daily(5 * DAY))
    slide = daily(6 * DAY)[5 * DAY :] - np.linspace(0, 80, DAY)[:, None]
    found = scores(replay(model, times(6 * DAY)[5 * DAY :], slide))
    assert np.nanmax(found) < 1
