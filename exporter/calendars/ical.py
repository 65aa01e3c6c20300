"""iCalendar files -> the occurrences of their events: rules, exceptions and moved occurrences included."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar

from exporter.calendars.calendar import Occurrences, Span
from exporter.calendars.windows import unix

Event: TypeAlias = Any
"""The library types each property as any of thirty kinds."""

_DAY = timedelta(days=1)


def events(text: bytes, zone: ZoneInfo) -> list[Occurrences]:
    """The events of a file; ValueError where it is none. Times without a zone are local to `zone`."""
    if b"BEGIN:VCALENDAR" not in text or b"END:VCALENDAR" not in text:
        raise ValueError("expected a whole iCalendar file")
    calendars = Calendar.from_ical(text, multiple=True)
    found: list[Event] = [it for one in calendars for it in one.walk("VEVENT") if it.get("DTSTART")]
    moved = {(str(it.get("UID")), _begin(it.get("RECURRENCE-ID").dt, zone)) for it in found if _replaces(it)}
    return [_occurrences(it, zone, moved) for it in found if str(it.get("STATUS")) != "CANCELLED"]


def _replaces(event: Event) -> bool:
    return event.get("RECURRENCE-ID") is not None


def _occurrences(event: Event, zone: ZoneInfo, moved: set[tuple[str, datetime]]) -> Occurrences:
    begin, lasts = _begin(event["DTSTART"].dt, zone), _length(event)
    whole_days = not isinstance(event["DTSTART"].dt, datetime)
    gone = set(_listed(event, "EXDATE", zone))
    if not _replaces(event):
        gone |= {at for uid, at in moved if uid == str(event.get("UID"))}
    rule = rrulestr(_rule(event, zone), dtstart=begin) if event.get("RRULE") else None

    def occurrences(first: datetime, last: datetime) -> Iterator[Span]:
        begins = set(rule.between(first, last, inc=True)) if rule else {begin}
        for at in sorted({*begins, *_listed(event, "RDATE", zone)} - gone):
            end = at + lasts if whole_days else at.astimezone(UTC) + lasts
            if first <= at <= last:
                yield unix(at, zone), unix(end, zone)

    return occurrences


def _begin(found: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(found, datetime):
        return datetime.combine(found, time(), zone)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _length(event: Event) -> timedelta:
    start = event["DTSTART"].dt
    if end := event.get("DTEND"):
        return timedelta(seconds=(end.dt - start).total_seconds())
    if duration := event.get("DURATION"):
        return timedelta(seconds=duration.dt.total_seconds())
    return timedelta() if isinstance(start, datetime) else _DAY


def _listed(event: Event, name: str, zone: ZoneInfo) -> list[datetime]:
    """The times of EXDATE or RDATE, which may stand there once, several times, or as periods."""
    found: Any = event.get(name, [])
    lists = found if isinstance(found, list) else [found]
    times = [it.dt for entry in lists for it in entry.dts]
    return [_begin(it[0] if isinstance(it, tuple) else it, zone) for it in times]


def _rule(event: Event, zone: ZoneInfo) -> str:
    """The rule as text, its end in UTC, as the library wants it beside times with a zone."""
    rule: Any = event["RRULE"]
    if "UNTIL" in rule:
        rule = type(rule)(rule)
        until = rule["UNTIL"][0]
        last = _begin(until, zone) + (timedelta() if isinstance(until, datetime) else _DAY)
        rule["UNTIL"] = [last.astimezone(UTC)]
    return str(rule.to_ical().decode())
