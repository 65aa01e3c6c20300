"""Calendars: holidays, weekly hours, rules and single windows in local time, over clock changes too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from exporter.calendars import timetable
from exporter.calendars.calendar import Calendar, faults
from exporter.calendars.windows import WEEK

BERLIN = "Europe/Berlin"


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def spec(**keys: Any) -> timetable.Calendar:
    """A section as it stands in the file."""
    return timetable.Calendar.model_validate({"name": "c", "score_as": "no_learn", **keys})


def spans(calendar: Calendar, start: str, end: str) -> list[tuple[str, str]]:
    """Its spans in local time."""
    found = calendar.spans(unix(start), unix(end))
    return [
        tuple(f"{datetime.fromtimestamp(it, calendar.zone):%m-%d %H:%M}" for it in span) for span in found
    ]


def test_holidays_are_whole_local_days() -> None:
    """A country's holidays run from local midnight to local midnight, those of its parts included."""
    christmas = ("2026-12-20T00:00Z", "2026-12-31T00:00Z")
    assert spans(Calendar(spec(country="DE"), BERLIN), *christmas) == [("12-25 00:00", "12-27 00:00")]
    march = ("2026-03-01T00:00Z", "2026-03-31T00:00Z")
    assert spans(Calendar(spec(country="DE"), BERLIN), *march) == []
    assert spans(Calendar(spec(country="DE", subdivision="BE"), BERLIN), *march) == [
        ("03-08 00:00", "03-09 00:00")
    ]


@pytest.mark.parametrize(("date", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-07", 24)])
def test_a_day_is_as_long_as_the_clock_makes_it(date: str, hours: int) -> None:
    """The days on which the clock changes have 23 and 25 hours."""
    calendar = Calendar(spec(weekly=[{"days": ["sun"]}]), BERLIN)
    noon = unix(f"{date}T12:00Z")
    (span,) = [it for it in calendar.spans(noon - 86_400, noon + 86_400) if it[0] <= noon < it[1]]
    assert span[1] - span[0] == hours * 3_600


def test_weekly_hours_may_cross_midnight() -> None:
    """What ends before it begins ends on the next day; times are local in summer and winter."""
    calendar = Calendar(spec(weekly=[{"days": ["sat"], "from": "22:00", "to": "06:00"}]), BERLIN)
    assert spans(calendar, "2026-03-16T00:00Z", "2026-03-30T00:00Z") == [
        ("03-21 22:00", "03-22 06:00"),
        ("03-28 22:00", "03-29 06:00"),
    ]


def test_rules_recur_at_the_same_local_time() -> None:
    """The first Sunday of each month at two o'clock, before and after the clock changes."""
    rule = {"rrule": "FREQ=MONTHLY;BYDAY=1SU", "start": "2026-01-04T02:00", "lasts": "4h"}
    calendar = Calendar(spec(rules=[rule]), BERLIN)
    assert spans(calendar, "2026-02-20T00:00Z", "2026-04-20T00:00Z") == [
        ("03-01 02:00", "03-01 06:00"),
        ("04-05 02:00", "04-05 06:00"),
    ]


def test_single_windows_may_be_dates_or_times() -> None:
    """A date alone is meant with the whole of its day; an offset from UTC is heeded."""
    windows = [
        {"from": "2026-11-27", "to": "2026-11-28"},
        {"from": "2026-12-01T10:00+00:00", "to": "2026-12-01T11:00+00:00"},
    ]
    assert spans(Calendar(spec(windows=windows), BERLIN), "2026-11-01T00:00Z", "2027-01-01T00:00Z") == [
        ("11-27 00:00", "11-29 00:00"),
        ("12-01 11:00", "12-01 12:00"),
    ]


def test_a_week_has_every_window_that_reaches_into_it() -> None:
    """A window that began in the week before is found in both."""
    calendar = Calendar(spec(windows=[{"from": "2026-11-18", "to": "2026-11-19"}]), "UTC")
    border = unix("2026-11-19T00:00Z") // WEEK
    assert [len(calendar.week(border + it)) for it in (-2, -1, 0, 1)] == [0, 1, 1, 0]


def test_a_calendar_as_usual_has_no_windows_but_is_active() -> None:
    """`usual` only tells the time: rules may use it, scores do not."""
    calendar = Calendar(spec(score_as="usual", windows=[{"from": "2026-11-18", "to": "2026-11-19"}]), "UTC")
    assert calendar.week(unix("2026-11-18T12:00Z") // WEEK) == ()
    assert calendar.active(unix("2026-11-18T12:00Z"))
    assert not calendar.active(unix("2026-11-20T00:00Z"))


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({"country": "XX"}, ("country",), "two letters"),
        ({"country": "DE", "subdivision": "ZZ"}, ("country",), "no subdivision 'ZZ'; known are: BB"),
        (
            {"rules": [{"rrule": "FREQ=SOMETIMES", "start": "2026-01-01", "lasts": "1h"}]},
            ("rules", 0, "rrule"),
            "rule",
        ),
        (
            {"rules": [{"rrule": "FREQ=MINUTELY", "start": "2026-01-01", "lasts": "1h"}]},
            ("rules", 0, "rrule"),
            "once an",
        ),
        ({"windows": [{"from": "2026-01-01T00:00Z", "to": "2026-01-02"}]}, ("windows", 0), "offset"),
    ],
)
def test_what_a_calendar_cannot_be_is_said_with_its_place(
    keys: dict[str, Any], place: tuple[str | int, ...], words: str
) -> None:
    """Countries, subdivisions and rules that there are not are found before anything starts."""
    ((found, told),) = faults(spec(**keys))
    assert found == place
    assert words in told
