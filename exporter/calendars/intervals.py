"""Calendars and periods as the `time_intervals` of Alertmanager, which cannot cross midnight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from exporter.calendars.calendar import Calendar
from exporter.calendars.timetable import Period, Weekly

Part: TypeAlias = dict[str, Any]
"""One entry below `time_intervals`, as Alertmanager reads it from 0.25 on."""

Hours: TypeAlias = tuple[int, int]
"""[start, end) in minutes of a day."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = 1440


def of_calendar(calendar: Calendar, start: int, end: int) -> Part:
    """A calendar: what recurs by the week for ever, all else by its dates in [start, end) Unix seconds."""
    zone = calendar.zone.key
    parts = [part for it in calendar.spec.weekly for part in _weekly(it, zone)]
    return {"name": calendar.name, "time_intervals": parts + list(_dated(calendar.dated(start, end), zone))}


def of_periods(periods: Sequence[Period], zone: str) -> list[Part]:
    """The time periods, each with all its entries."""
    return [
        {
            "name": name,
            "time_intervals": [part for it in periods if it.name == name for part in _weekly(it, zone)],
        }
        for name in dict.fromkeys(it.name for it in periods)
    ]


def _weekly(spec: Weekly, zone: str) -> Iterator[Part]:
    end = spec.end + DAY * (spec.end <= spec.start)
    yield _part({"weekdays": [WEEKDAYS[day] for day in spec.days]}, (spec.start, min(end, DAY)), zone)
    if end > DAY:
        following = sorted((day + 1) % len(WEEKDAYS) for day in spec.days)
        yield _part({"weekdays": [WEEKDAYS[day] for day in following]}, (0, end - DAY), zone)


def _dated(spans: Iterable[tuple[int, int]], zone: str) -> Iterator[Part]:
    """One entry for all days of a month that have the same hours."""
    days: dict[tuple[int, int, Hours], list[str]] = {}
    for day, hours in (piece for span in spans for piece in _pieces(span, ZoneInfo(zone))):
        days.setdefault((day.year, day.month, hours), []).append(str(day.day))
    for (year, month, hours), numbers in days.items():
        dates = {"days_of_month": numbers, "months": [str(month)], "years": [str(year)]}
        yield _part(dates, hours, zone)


def _pieces(span: tuple[int, int], zone: ZoneInfo) -> Iterator[tuple[date, Hours]]:
    """A span split at local midnights; its ends are rounded outwards to whole minutes."""
    first, last = (datetime.fromtimestamp(it, zone) for it in (span[0], span[1] - 1))
    day = first.date()
    while day <= last.date():
        begin = first.hour * 60 + first.minute if day == first.date() else 0
        end = last.hour * 60 + last.minute + 1 if day == last.date() else DAY
        # In the hour that the clock shows twice, the later minute may bear the smaller number
        yield day, (min(begin, end - 1), max(begin + 1, end))
        day += timedelta(days=1)


def _part(dates: dict[str, list[str]], hours: Hours, zone: str) -> Part:
    times = (
        {}
        if hours == (0, DAY)
        else {"times": [{"start_time": _clock(hours[0]), "end_time": _clock(hours[1])}]}
    )
    return {**times, **dates, "location": zone}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
