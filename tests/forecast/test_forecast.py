"""What comes next: values ahead with a band that holds, and the time until a limit is reached."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.cycle.persistence import restore, saved
from exporter.forecast import Forecaster, Plan
from exporter.forecast.forecaster import FEWEST
from exporter.forecast.plan import DAY, HOUR, Limit
from exporter.metrics.exposition import Snapshot
from exporter.models.contract import Settings
from exporter.models.seasonal import Seasonal
from tests.curves import daily
from tests.scorers import NOW, scorer, services, turn

STEP = 600
START = 1_700_006_400
HORIZONS = (HOUR, 6 * HOUR, DAY)
FULL, EMPTY = Limit("full", 0.95, above=True), Limit("empty", 0.0, above=False)


def days(count: float) -> np.ndarray:
    """Times of a series of so many days, in days."""
    return np.arange(0, count, STEP / DAY)


def rough(points: np.ndarray, size: float, seed: int = 0) -> np.ndarray:
    """Noise for each of `points`."""
    return np.random.default_rng(seed).normal(0, size, len(points))


class Run:
    """A forecaster beside the default model, over series of values (T, S)."""

    def __init__(self, values: np.ndarray, plan: Plan, learn: np.ndarray | None = None) -> None:
        self.values = values.reshape(len(values), -1)
        rows = self.values.shape[1]
        self.model, self.forecaster = Seasonal(Settings(step=STEP), rows), Forecaster(plan, rows)
        self.time, self.seen = START, 0
        self.learn = np.ones(self.values.shape, bool) if learn is None else learn.reshape(self.values.shape)

    def go(self, points: int | None = None) -> Run:
        """Step so many points more, or all."""
        for row, learn in list(zip(self.values, self.learn, strict=True))[self.seen :][:points]:
            self.time = START + self.seen * STEP
            self.forecaster.step(self.time, row, learn, self.model.season)
            self.model.step(self.time, row, learn, band=False)
            self.seen += 1
        return self

    def ahead(self, horizon: float) -> np.ndarray:
        """Value, lower and upper end (3, S)."""
        found: np.ndarray = self.forecaster.ahead(self.time, self.model.season)[horizon]
        return found

    def until(self, limit: Limit) -> np.ndarray:
        """Seconds (S,)."""
        found: np.ndarray = self.forecaster.until(self.time, self.model.season)[limit.name]
        return found


def plan(*limits: Limit, domain: tuple[float, float] = (-math.inf, math.inf)) -> Plan:
    """Three horizons and these limits, two weeks ahead."""
    return Plan(STEP, HORIZONS, 14 * DAY, limits, domain)


def wave(count: float = 14) -> np.ndarray:
    """A daily wave with some noise."""
    return 100 + 40 * np.sin(2 * np.pi * days(count)) + rough(days(count), 2)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_daily_wave_is_foreseen(horizon: float) -> None:
    """After two weeks the error is about that of the noise, and most values lie in the band."""
    values = wave()
    run = Run(values, plan()).go(len(values) - 300)
    errors, inside = [], []
    while run.seen + horizon / STEP < len(values):
        value, lower, upper = run.ahead(horizon)[:, 0]
        actual = values[run.seen - 1 + int(horizon / STEP)]
        errors.append(abs(actual - value))
        inside.append(lower <= actual <= upper)
        run.go(7)
    assert np.mean(errors) < 3
    assert 0.75 < np.mean(inside) <= 1


def test_a_filling_disk_is_full_when_it_is_said_to_be() -> None:
    """A straight line with noise is told nine days ahead, rather early than late."""
    used = 0.5 + 0.015 * days(21) + rough(days(21), 0.002)
    seconds = Run(used, plan(FULL)).go().until(FULL)[0]
    assert 7.5 * DAY < seconds < 9.2 * DAY


def test_the_time_left_counts_down_between_two_ticks() -> None:
    """A point later there is a step less left, and never less than none."""
    run = Run(30.0 - days(21), Plan(STEP, (DAY,), 14 * DAY, (EMPTY,))).go(20 * 144 + 1)
    first = run.until(EMPTY)[0]
    assert run.go(1).until(EMPTY)[0] == pytest.approx(first - STEP)
    left = Run(2.0 - days(3), plan(EMPTY)).go().until(EMPTY)[0]
    assert left == 0


def test_a_calm_series_reaches_no_limit() -> None:
    """Noise far from a limit has no time left to tell, nor has a wave below it."""
    values = np.stack((0.3 + rough(days(14), 0.01), 0.5 + 0.2 * np.sin(2 * np.pi * days(14))), axis=1)
    assert np.isnan(Run(values, plan(FULL, EMPTY)).go().until(FULL)).all()


def test_the_peak_of_the_day_reaches_a_limit() -> None:
    """A wave that grows a little every day reaches the limit at one of its next peaks, not at its mean."""
    at = days(14)
    values = 0.5 + 0.02 * at + 0.15 * np.sin(2 * np.pi * at)
    until = Run(values, plan(Limit("full", 1.0, above=True))).go().until(Limit("full", 1.0, above=True))[0]
    phase = ((14 * DAY + until) / DAY) % 1
    assert 0 < until < 5 * DAY
    assert 0.05 < phase < 0.5


def test_nothing_is_said_before_forecasts_have_met_their_time() -> None:
    """A horizon of a day needs that day and FEWEST forecasts more; the shorter ones come first."""
    run = Run(wave(), plan(FULL)).go(int((6 * HOUR + (FEWEST + 2) * HOUR) // STEP))
    assert np.isfinite(run.ahead(HOUR)).all()
    assert np.isfinite(run.ahead(6 * HOUR)).all()
    assert np.isnan(run.ahead(DAY)).all()


def test_a_point_that_may_not_be_learnt_moves_no_forecast() -> None:
    """An outage that is left out leaves the forecast where that of the healthy series is."""
    healthy = wave()
    bad, learn = healthy.copy(), np.ones(len(healthy), bool)
    bad[-150:-60], learn[-150:-60] = 0, False
    one = Run(np.where(learn, healthy, math.nan), plan()).go().ahead(DAY)[0, 0]
    assert Run(bad, plan(), learn).go().ahead(DAY)[0, 0] == pytest.approx(one, rel=0.02)


def test_gaps_and_absurd_values_leave_finite_forecasts() -> None:
    """Missing points and the largest float do not spoil what was learnt."""
    values = wave()
    values[500:700] = math.nan
    values[900] = 1.7e308
    forecast = Run(values, plan()).go().ahead(DAY)[:, 0]
    assert np.isfinite(forecast).all()
    assert 50 < forecast[0] < 150


def test_a_forecast_stays_in_the_domain() -> None:
    """What falls towards 0 and cannot be negative is never foreseen below it."""
    values = np.maximum(3.0 - 0.2 * days(14) + rough(days(14), 0.05), 0.2)
    low = Run(values, plan(domain=(0.0, math.inf))).go().ahead(DAY)
    assert (low >= 0).all()


def test_a_limit_that_is_passed_is_reached_now() -> None:
    """Beyond a limit no time is left."""
    assert Run(0.97 + rough(days(7), 0.001), plan(FULL)).go().until(FULL)[0] == 0


def test_the_error_is_measured_against_no_forecast_at_all() -> None:
    """A wave is foreseen far better than "as it is now"; pure noise cannot be, by more than the mean is."""
    ratio = Run(wave(), plan()).go().forecaster.error_ratio()
    assert ratio[6 * HOUR] < 0.2
    noise = Run(rough(days(14), 1.0), plan()).go().forecaster.error_ratio()
    assert 0.6 < noise[6 * HOUR] < 0.85


def test_rows_move_with_their_series() -> None:
    """Rows can be reordered, added and overwritten; an added one foresees nothing."""
    values = np.stack((wave(5), 2 * wave(5)), axis=1)
    run = Run(values, plan()).go()
    before = run.ahead(HOUR)
    other = Run(3 * wave(5), plan()).go()
    for it in (run.forecaster, run.model):
        it.select(np.array([1, -1]))
    assert run.ahead(HOUR)[:, 0].tolist() == before[:, 1].tolist()
    assert np.isnan(run.ahead(HOUR)[:, 1]).all()
    run.forecaster.put(np.array([1]), other.forecaster)
    run.model.put(np.array([1]), other.model)
    assert run.ahead(HOUR)[:, 1].tolist() == other.ahead(HOUR)[:, 0].tolist()


@pytest.mark.parametrize("step", [15, 60, 300, 3_600, 21_600])
def test_every_step_and_horizon_has_a_plan(step: int) -> None:
    """Ticks are multiples of the step, and a horizon is at most a few per cent off."""
    it = Plan(step, (4.0 * step, DAY, 7 * DAY), DAY)
    assert it.tick % step == 0
    for ring, horizon in zip(it.rings(), it.horizons, strict=True):
        assert ring.length <= 24
        assert ring.apart * ring.length * it.tick == pytest.approx(horizon, rel=0.05)


def test_a_query_foretells_restarts_and_reloads() -> None:
    """What was learnt is saved with the series; other limits keep it, other horizons do not fit it."""
    tsdb = services("a", "b")
    asked = {"horizons": ["1h", "6h"], "limits": [{"name": "high", "above": 120}]}
    one, other = scorer(tsdb, forecast=asked), scorer(tsdb, forecast=asked)
    turn(one, NOW)
    state = saved(one)
    assert state is not None
    assert restore(other, state, NOW)
    for it in (one, other):
        turn(it, NOW + STEP)
    assert one.scores is not None
    assert other.scores is not None
    assert Snapshot.of(NOW, [one.scores]).text == Snapshot.of(NOW, [other.scores]).text
    assert b'forecast_value{query="rate",service="a",horizon="6h"} ' in Snapshot.of(NOW, [one.scores]).text
    assert not restore(scorer(tsdb, forecast={"horizons": ["2h"]}), state, NOW)
    assert not restore(scorer(tsdb), state, NOW)
    changed = {"horizons": ["1h", "6h"], "limits": [{"name": "low", "below": 0}]}
    assert restore(scorer(tsdb, forecast=changed), state, NOW)


def test_newcomers_and_the_missing() -> None:
    """A newcomer is foretold from its own history; a series without a point now is not."""
    tsdb = services("a", "b")
    it = scorer(tsdb, forecast={"horizons": ["1h"]})
    turn(it, NOW)
    tsdb.series["rate"][1] = ({"service": "c"}, daily(5))
    for later in (1, 2):
        turn(it, NOW + later * STEP)
    assert it.scores is not None
    (table,) = it.scores.tables
    foretold = {
        labels["service"]: value == value
        for labels, value in zip(it.scores.series, table.families["forecast_value"].tolist(), strict=True)
    }
    assert foretold == {"a": True, "b": False, "c": True}
