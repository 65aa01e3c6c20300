"""The ring of hours: what it remembers of values, gaps, units, and of series that come and go."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from exporter.calendars.windows import Agenda, Effect, Window, Windows
from exporter.config.query import Query
from exporter.drift.hours import DAYS, HOUR, HOURS, Hours
from exporter.matchers import patterns
from exporter.query.population import Population
from tests.drift.planted import DAY, START, filled, noise


def absolute(hours: Hours, span: int) -> np.ndarray:
    """The hourly means as they were, (span, series)."""
    past = hours.past(span)
    return np.asarray(past.mean * past.unit + past.anchor)


def test_an_hour_is_its_mean() -> None:
    """The ring gives back hourly means, at half precision around the series' own level."""
    values = 1e7 + 50 * noise(3, series=4)
    hours = filled(values)
    hours.rebase()
    means = values.reshape(-1, 6, 4).mean(axis=1)
    assert np.abs(absolute(hours, 71) - means[-71:]).max() < 1


def test_movement_does_not_depend_on_the_step() -> None:
    """Ten points a part, or one that is their mean, are the same movement."""
    fine = np.repeat(noise(2, series=2), 10, axis=0)
    one, other = Hours(60, 2), filled(noise(2, series=2))
    for row, value in enumerate(fine):
        one.add([START + row * 60], value[None], np.ones(2, bool))
    one.add([START + len(fine) * 60], fine[-1:], np.ones(2, bool))
    assert np.allclose(one.past(40).movement, other.past(40).movement, atol=0.01)


def test_gaps_are_unknown() -> None:
    """Hours without a point are NaN, whether values were missing or no step was made at all."""
    hours = Hours(600, 1)
    for row in range(6 * 20):
        if 30 <= row < 60:
            continue  # the exporter was down
        value = np.nan if 80 <= row < 100 else 1.0
        hours.add([START + 600 * row], np.array([[value]]), np.ones(1, bool))
    known = np.isfinite(hours.past(19).mean[:, 0])
    assert not known[5:10].any()
    assert not known[14:16].any()
    assert known[[0, 4, 10, 13, 17]].all()


def test_the_ring_forgets_what_is_older() -> None:
    """After more than its days only the newest are there, and a silence longer than all of it empties it."""
    hours = filled(noise(DAYS + 4, series=1))
    assert np.isfinite(hours.past().mean).all()
    later = START + (3 * DAYS) * 86_400
    hours.add([later], np.ones((1, 1)), np.ones(1, bool))
    assert np.isnan(hours.past().mean).all()
    assert hours.past().end == later // HOUR


def test_series_come_and_go() -> None:
    """Rows are rearranged, fresh ones know nothing, and others can be put in their place."""
    hours, other = filled(noise(3, series=3)), filled(noise(3, series=1, seed=4))
    kept = hours.past(48).mean[:, 2].copy()
    hours.select(np.array([2, -1]))
    assert np.array_equal(hours.past(48).mean[:, 0], kept)
    assert np.isnan(hours.past(48).mean[:, 1]).all()
    hours.put(np.array([1]), other)
    assert np.array_equal(hours.past(48).mean[:, 1], other.past(48).mean[:, 0])


def test_times_that_are_not_as_usual_are_left_out() -> None:
    """What a silence keeps from teaching, or a holiday makes a Sunday, is unknown; all else is kept."""
    effects: dict[str, Effect] = {"silenced": "no_learn", "holiday": "sunday", "hidden": "no_score"}
    windows = [
        Window(START, START + 2 * HOUR, patterns({"service": name}), "calendar", effect)
        for name, effect in effects.items()
    ]
    keys = [orjson.dumps({"service": name}) for name in (*effects, "usual")]
    query = Query(name="q", expr="q", step="10m")
    population = Population(query, "UTC", keys, windows=Windows(Agenda(configured=tuple(windows))))
    for row in range(6 * 4 + 1):
        population.step(START + 600 * row, np.ones(4), True)
    assert population.hours
    known = np.isfinite(population.hours.past(4).mean)
    assert known[:2].tolist() == 2 * [[False, False, False, True]]
    assert known[2:].all()


def test_a_past_is_a_copy() -> None:
    """What a thread reads does not move while points come in."""
    hours = filled(noise(3, series=2))
    past = hours.past(24)
    before = past.mean.copy()
    for row in range(DAY):
        hours.add([START + (3 * DAY + 6 + row) * 600], np.full((1, 2), 99.0), np.ones(2, bool))
    hours.rebase()
    assert np.array_equal(past.mean, before)


def test_absurd_values_are_bounded() -> None:
    """The largest floats leave finite hours behind."""
    hours = filled(np.full((DAY, 1), 1e37) * np.sign(noise(1, series=1)))
    assert np.isfinite(hours.past(23).mean).all()


def test_a_series_takes_three_kilobytes() -> None:
    """Memory per series is bounded and small."""
    size = sum(array.nbytes for array in Hours(60, 100).state.values()) / 100
    assert size == pytest.approx(4 * HOURS, rel=0.05)
