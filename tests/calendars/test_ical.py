"""iCalendar files: whole days, zones, rules, exceptions and moved occurrences."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from exporter.calendars.ical import events

BERLIN = ZoneInfo("Europe/Berlin")


def file(*parts: str) -> bytes:
    """A file with one event per part; `|` stands for a new line."""
    bodies = "".join(f"BEGIN:VEVENT\n{part.replace('|', chr(10))}\nEND:VEVENT\n" for part in parts)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{bodies}END:VCALENDAR\n".replace(
        "\n", "\r\n"
    ).encode()


def spans(text: bytes, start: str, end: str) -> list[tuple[str, str]]:
    """All occurrences that begin in [start, end], in local time, in order."""
    first, last = (datetime.fromisoformat(it).replace(tzinfo=BERLIN) for it in (start, end))
    found = sorted(span for it in events(text, BERLIN) for span in it(first, last))
    return [tuple(f"{datetime.fromtimestamp(it, BERLIN):%m-%d %H:%M}" for it in span) for span in found]


def test_whole_days_are_local() -> None:
    """An event of days lasts from local midnight to local midnight, over the change of the clock too."""
    text = file(
        "UID:1|DTSTART;VALUE=DATE:20260328|DTEND;VALUE=DATE:20260330", "UID:2|DTSTART;VALUE=DATE:20260401"
    )
    assert spans(text, "2026-03-01", "2026-05-01") == [
        ("03-28 00:00", "03-30 00:00"),
        ("04-01 00:00", "04-02 00:00"),
    ]


def test_times_have_a_zone_or_are_local() -> None:
    """UTC, a named zone and no zone at all."""
    text = file(
        "UID:1|DTSTART:20260701T080000Z|DTEND:20260701T090000Z",
        "UID:2|DTSTART;TZID=America/New_York:20260702T080000|DURATION:PT30M",
        "UID:3|DTSTART:20260703T080000|DURATION:PT1H",
    )
    assert spans(text, "2026-07-01", "2026-08-01") == [
        ("07-01 10:00", "07-01 11:00"),
        ("07-02 14:00", "07-02 14:30"),
        ("07-03 08:00", "07-03 09:00"),
    ]


def test_rules_end_and_have_exceptions() -> None:
    """A weekly event until a time in UTC, without one occurrence, with one more and one moved."""
    text = file(
        "UID:1|DTSTART;TZID=Europe/Berlin:20261005T090000|DURATION:PT1H|RRULE:FREQ=WEEKLY;UNTIL=20261102T080000Z"
        "|EXDATE;TZID=Europe/Berlin:20261012T090000|RDATE;TZID=Europe/Berlin:20261014T090000",
        "UID:1|RECURRENCE-ID;TZID=Europe/Berlin:20261019T090000|DTSTART;TZID=Europe/Berlin:20261020T150000|DURATION:PT2H",
    )
    assert spans(text, "2026-10-01", "2026-12-01") == [
        ("10-05 09:00", "10-05 10:00"),
        ("10-14 09:00", "10-14 10:00"),
        ("10-20 15:00", "10-20 17:00"),
        ("10-26 09:00", "10-26 10:00"),
        ("11-02 09:00", "11-02 10:00"),
    ]


def test_yearly_days_recur_until_their_last_day() -> None:
    """A day that recurs until a date includes that date."""
    text = file("UID:1|DTSTART;VALUE=DATE:20241224|RRULE:FREQ=YEARLY;UNTIL=20261224")
    assert spans(text, "2025-01-01", "2028-01-01") == [("12-24 00:00", "12-25 00:00")] * 2


def test_what_is_cancelled_does_not_happen() -> None:
    """A cancelled event, and a cancelled occurrence of one that goes on."""
    text = file(
        "UID:1|DTSTART:20260701T080000|DURATION:PT1H|STATUS:CANCELLED",
        "UID:2|DTSTART:20260706T080000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3",
        "UID:2|RECURRENCE-ID:20260707T080000|DTSTART:20260707T080000|DURATION:PT1H|STATUS:CANCELLED",
    )
    assert [start for start, _ in spans(text, "2026-07-01", "2026-08-01")] == ["07-06 08:00", "07-08 08:00"]


@pytest.mark.parametrize("text", [b"", b"name,from,to\n", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_what_is_no_calendar_is_refused(text: bytes) -> None:
    """Another kind of file, or one that breaks off, is an error and not an empty calendar."""
    with pytest.raises(ValueError, match=r".+"):
        events(text, BERLIN)
