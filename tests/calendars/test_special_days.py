"""Windows over a query's points: holidays as Sundays, hidden hours, and outages that teach nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from exporter.calendars import timetable
from exporter.calendars.calendar import Calendar
from exporter.calendars.windows import Agenda, Window, Windows
from exporter.matchers import patterns
from exporter.metrics.exposition import render
from exporter.query.scorer import Scorer
from tests.curves import DAY, daily, noise, replaced
from tests.fake_tsdb import Curve, FakeTsdb
from tests.scorers import NOW, query, scores, surroundings, turn

STEP = 600
HOUR = 3_600
HOLIDAY = NOW // DAY * DAY
"""The day of NOW: Tuesday, 2023-11-14, whose last point is at 22:10."""


def watched(tsdb: FakeTsdb, *windows: Window, calendars: tuple[Calendar, ...] = (), **changes: Any) -> Scorer:
    """A scorer over `rate` to whom these windows are known."""
    around = replace(surroundings(tsdb), windows=Windows(Agenda(calendars, windows)))
    return Scorer(query(**changes), around)


def working_week(seed: int) -> Curve:
    """High on working days, low at the weekend and on HOLIDAY."""

    def curve(times: np.ndarray) -> np.ndarray:
        weekday = (times // DAY + 3) % 7
        quiet = (weekday >= 5) | (times // DAY * DAY == HOLIDAY)
        return np.where(quiet, 40.0, 100.0) + noise(times, seed)

    return curve


def holiday(**keys: Any) -> Calendar:
    """HOLIDAY as a calendar."""
    windows = [{"from": "2023-11-14", "to": "2023-11-14"}]
    spec = {"name": "h", "score_as": "sunday", "windows": windows, **keys}
    return Calendar(timetable.Calendar.model_validate(spec), "UTC")


def worst(tsdb: FakeTsdb, *calendars: Calendar) -> dict[str, float]:
    """The largest score of each service over the first hours of HOLIDAY."""
    it = watched(tsdb, calendars=calendars, history="56d", step="30m")
    turn(it, HOLIDAY)
    found = {"a": 0.0, "b": 0.0}
    for time in range(HOLIDAY + HOUR // 2, HOLIDAY + 4 * HOUR, HOUR // 2):
        turn(it, time)
        found = {name: max(score, found[name]) for name, score in scores(it).items()}
    return found


def test_a_holiday_is_a_sunday_for_those_it_is_about() -> None:
    """With the calendar the quiet holiday is normal, for the service that it names and no other."""
    tsdb = FakeTsdb({"rate": [({"service": name}, working_week(seed)) for seed, name in enumerate("ab")]})
    plain, known = worst(tsdb), worst(tsdb, holiday(match={"service": "a"}))
    assert plain["a"] > 1
    assert known["a"] < 0.6
    assert known["b"] == plain["b"]


def test_no_score_leaves_a_gap_and_says_so() -> None:
    """Hidden series are absent and counted as paused; afterwards they score as if they had been gone."""
    tsdb = FakeTsdb({"rate": [({"service": name}, daily(seed)) for seed, name in enumerate("ab")]})
    hidden = Window(NOW, NOW + HOUR, patterns({"service": "a"}), "calendar", "no_score")
    it = watched(tsdb, hidden)
    turn(it, NOW - HOUR)
    turn(it, NOW)
    assert set(scores(it)) == {"b"}
    assert it.counts == {"scored": 1, "learning": 0, "missing": 0, "paused": 1}
    gap: Curve = lambda times: np.where((times < NOW) | (times >= NOW + HOUR), daily(0)(times), np.nan)  # noqa: E731
    other = watched(FakeTsdb({"rate": [({"service": "a"}, gap), tsdb.series["rate"][1]]}))
    for at in (NOW - HOUR, NOW, NOW + HOUR, NOW + HOUR + STEP):
        turn(it, at)
        turn(other, at)
    assert scores(it) == scores(other)


def paused(it: Scorer) -> list[str]:
    """The services that are said to be paused."""
    assert it.scores is not None
    text = render(it.scores.tables).decode()
    return re.findall(r'anomaly_paused\{query="rate",service="(\w)"\} 1', text)


def test_paused_series_are_named_even_when_they_are_silent() -> None:
    """While the window lasts, also after the last point; not before, not afterwards, and nobody else."""
    end = NOW + 2 * STEP
    down: Curve = lambda times: np.where((times < NOW) | (times >= end), daily(0)(times), np.nan)  # noqa: E731
    hidden = Window(NOW - STEP, end, patterns({"service": "a"}), "calendar", "no_score")
    it = watched(FakeTsdb({"rate": [({"service": "a"}, down), ({"service": "b"}, daily(1))]}), hidden)
    found = []
    for at in range(NOW - 2 * STEP, end + STEP, STEP):
        turn(it, at)
        found.append(paused(it))
    assert found == [[], ["a"], ["a"], ["a"], []]


def outage(*, excluded: bool) -> Scorer:
    """After a history with an outage of six hours three days ago."""
    start = NOW - 3 * DAY
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(1), start, start + 6 * HOUR, 0.0))]})
    window = Window(start, start + 6 * HOUR, patterns({"service": "a"}), "silence")
    it = watched(tsdb, *[window][: 1 if excluded else 0], history="14d")
    turn(it, NOW)
    return it


def width(it: Scorer) -> float:
    """How wide the band is now."""
    assert it.scores
    return float(it.scores.families["anomaly_upper"][0] - it.scores.families["anomaly_lower"][0])


def test_an_excluded_outage_is_as_one_that_never_was() -> None:
    """The state after a silenced outage is that of a history with a gap in its place, bit for bit."""
    start = NOW - 3 * DAY
    gap = lambda times: np.where((times >= start) & (times < start + 6 * HOUR), np.nan, daily(1)(times))  # noqa: E731
    plain = watched(FakeTsdb({"rate": [({"service": "a"}, gap)]}), history="14d")
    turn(plain, NOW)
    silenced = outage(excluded=True)
    for name, array in plain.series.model.state.items():
        if name != "sustained":
            np.testing.assert_array_equal(silenced.series.model.state[name], array, err_msg=name)
    assert width(silenced) == width(plain)
    assert width(outage(excluded=False)) > 1.2 * width(plain)


def test_an_excluded_outage_is_no_false_alarm() -> None:
    """Happenings that are known to be incidents do not count against the budget."""
    told = [outage(excluded=it).series.record.state["alarms"][0] for it in (False, True)]
    assert told[0] > told[1]


def test_the_past_of_joint_scores_leaves_excluded_points_out() -> None:
    """What a group learns from has no residuals of a silenced outage."""
    start = NOW - DAY
    window = Window(start, start + 6 * HOUR, (), "alert")
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(1), start, start + 6 * HOUR, 0.0))]})
    around = replace(
        surroundings(tsdb), windows=Windows(Agenda(heard=(window,))), grouped=frozenset({"rate"})
    )
    it = Scorer(query(), around)
    turn(it, NOW)
    assert it.series.residuals
    slots = np.arange((start - HOUR) // 900, (start + 7 * HOUR) // 900)
    inside = (slots * 900 >= start + 900) & (slots * 900 < start + 6 * HOUR)
    known = np.isfinite(it.series.residuals.at(slots)[:, 0])
    assert not known[inside].any()
    assert known[~inside].sum() > 4
