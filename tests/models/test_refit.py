"""Models that are fitted once a day to hourly means, and stepped in between."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from exporter.frame import Floats
from exporter.models.contract import Settings
from exporter.models.refit import EVERY, FEWEST, HOURS, PERIOD, Fit, Refit
from tests.models.histories import DAY, STEP, daily, replay, scores, times

HOUR = DAY // 24


class Mean(Refit):
    """Fits the mean of each hour of the day, and notes what it was given."""

    edge = 8.5

    def __init__(self, settings: Settings, rows: int = 0) -> None:
        super().__init__(settings, rows)
        self.pasts: list[Floats] = []

    def fit(self, past: Floats) -> Fit:
        warnings.warn("a fit that talks", stacklevel=1)
        self.pasts.append(past)
        days = past[len(past) % PERIOD :].reshape(-1, PERIOD)
        return Fit(float(past.mean()), days.mean(axis=0) - past.mean())


class Broken(Mean):
    """Fails in every way there is, one after the other."""

    def fit(self, past: Floats) -> Fit:
        self.pasts.append(past)
        if len(self.pasts) % 2:
            raise ValueError("no")
        return Fit(np.nan, np.zeros(PERIOD))


def test_the_first_fit_comes_with_two_days() -> None:
    """As soon as the hours suffice there is a fit; before, the level alone is expected."""
    model = Mean(Settings(step=STEP), 1)
    replay(model, times(2 * DAY), daily(2 * DAY))
    assert not model.pasts
    replay(model, times(2 * DAY + 1)[-1:], daily(1))
    assert [len(past) for past in model.pasts] == [FEWEST]


def test_series_are_fitted_once_a_day_each_at_its_own_moment() -> None:
    """Forty series that begin together are fitted on every day once, and spread over it."""
    days, series = 6, 40
    model = Mean(Settings(step=STEP), series)
    at, values = times(days * DAY), daily(days * DAY, series)
    fits = []
    for time, row in zip(at, values, strict=True):
        before = len(model.pasts)
        model.step(int(time), row, np.ones(series, bool), band=False)
        fits.append(len(model.pasts) - before)
    later = np.array(fits[3 * DAY :])
    assert later.reshape(-1, DAY).sum(axis=1).tolist() == [series] * 3
    assert later.max() <= 5


def test_the_past_is_two_weeks_of_hours_in_order() -> None:
    """The ring gives the last HOURS means, oldest first, with gaps bridged by straight lines."""
    model = Mean(Settings(step=STEP), 1)
    points = 16 * DAY
    values = daily(points, noise=0.1)
    hourly = values.reshape(-1, HOUR).mean(axis=1)
    values[14 * DAY : 14 * DAY + 5 * HOUR] = np.nan
    replay(model, times(points), values)
    past = model.pasts[-1]
    assert len(past) == HOURS
    alike = [np.corrcoef(past, hourly[end - HOURS : end])[0, 1] for end in range(15 * 24, 16 * 24 + 1)]
    assert max(alike) > 0.995
    last = 15 * 24 + int(np.argmax(alike))
    gap = past[14 * 24 - (last - HOURS) - 1 :][:7]
    assert np.allclose(np.diff(gap), np.diff(gap)[0], atol=1e-6)


def test_an_absence_longer_than_the_ring_begins_anew() -> None:
    """After three weeks without points nothing old is fitted."""
    model = Mean(Settings(step=STEP), 1)
    replay(model, times(4 * DAY), daily(4 * DAY))
    fitted = len(model.pasts)
    later = times(4 * DAY + 21 * DAY + 3 * DAY)[25 * DAY :]
    replay(model, later, 7 * daily(len(later)))
    assert len(model.pasts) > fitted
    assert all(len(past) <= 3 * PERIOD for past in model.pasts[fitted:])


def test_failed_fits_keep_the_last_and_are_counted() -> None:
    """An exception, and a fit that is no number, leave the model as it was; it says how often."""
    model = Broken(Settings(step=STEP), 1)
    found = scores(replay(model, times(5 * DAY), daily(5 * DAY)))
    assert model.state["failed"][0] == len(model.pasts) >= 3
    assert np.isfinite(found[2 * DAY :]).all()


def test_a_constant_needs_no_fit() -> None:
    """Where every hour is the same there is nothing to ask."""
    model = Mean(Settings(step=STEP), 1)
    replay(model, times(4 * DAY), np.full((4 * DAY, 1), 5.0))
    assert not model.pasts
    assert model.state["failed"][0] == 0


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_any_scale(scale: float) -> None:
    """Fits see values of about 1, whatever the unit."""
    model = Mean(Settings(step=STEP), 1)
    replay(model, times(4 * DAY), daily(4 * DAY) * scale)
    assert all(0.5 < past.std() < 2 for past in model.pasts)


def test_a_refit_does_not_jump() -> None:
    """What is expected goes on where it was when a new fit is made."""
    model = Mean(Settings(step=STEP), 1)
    steps = replay(model, times(6 * DAY), daily(6 * DAY, noise=0.2))
    expected = np.array([it.expected[0] for it in steps[3 * DAY :]])
    assert np.abs(np.diff(expected)).max() < 2.5
    assert EVERY == 86_400
