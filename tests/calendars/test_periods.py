"""Time periods: the week is covered once, and each moment has its period in local time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from exporter.calendars.periods import current, faults
from exporter.calendars.timetable import Period

WEEK: list[dict[str, Any]] = [
    {"name": "business_hours", "days": ["mon-fri"], "from": "08:00", "to": "18:00"},
    {"name": "evening", "days": ["mon-fri"], "from": "18:00", "to": "22:00"},
    {"name": "night", "days": ["mon-thu"], "from": "22:00", "to": "08:00"},
    {"name": "night", "days": ["fri"], "from": "22:00"},
    {"name": "night", "days": ["mon"], "to": "08:00"},
    {"name": "weekend", "days": ["sat", "sun"]},
]


def periods(*entries: dict[str, Any]) -> list[Period]:
    """Entries as they stand in the file."""
    return [Period.model_validate(it) for it in entries]


def test_a_whole_week_has_no_faults() -> None:
    """Hours across midnight and several entries of one name together cover the week."""
    assert list(faults(periods(*WEEK))) == []
    assert list(faults([])) == []


def test_gaps_and_overlaps_are_named() -> None:
    """Each fault says from when to when, and whose hours they are."""
    assert list(faults(periods(*WEEK[:-1]))) == [
        "nobody has sat 00:00 to sun 24:00: the periods must cover the week"
    ]
    assert list(faults(periods(*WEEK, {"name": "lunch", "days": "wed", "from": "12:00", "to": "13:00"}))) == [
        "business_hours and lunch both have wed 12:00 to wed 13:00"
    ]
    assert "nobody has mon 00:00 to mon 08:00: the periods must cover the week" in list(
        faults(periods(*WEEK[:4], WEEK[5]))
    )


def test_sunday_night_goes_on_on_monday() -> None:
    """The week is a circle."""
    entries = (
        {"name": "night", "from": "22:00", "to": "06:00"},
        {"name": "day", "from": "06:00", "to": "22:00"},
    )
    assert list(faults(periods(*entries))) == []


@pytest.mark.parametrize(
    ("local", "period"),
    [
        ("2026-11-23T00:00+01:00", "night"),
        ("2026-11-23T08:00+01:00", "business_hours"),
        ("2026-07-03T17:59+02:00", "business_hours"),
        ("2026-07-03T23:00+02:00", "night"),
        ("2026-07-04T01:00+02:00", "weekend"),
    ],
)
def test_the_period_is_that_of_the_local_clock(local: str, period: str) -> None:
    """Winter and summer, the hour on the wall counts."""
    now = datetime.fromisoformat(local).timestamp()
    assert current(periods(*WEEK), now, "Europe/Berlin") == period


def test_without_periods_there_is_none() -> None:
    """Nothing configured, nothing said."""
    assert current([], 0, "UTC") == ""
