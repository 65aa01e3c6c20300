"""Time periods: named parts of the local week, such as business hours and night, that cover all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from exporter.calendars.timetable import DAYS, Period

MINUTES = 7 * 1440


def faults(periods: Sequence[Period]) -> Iterator[str]:
    """Where the periods leave a gap in the week, and where two of them overlap."""
    reached, before = 0, ""
    for start, end, name in sorted(_spans(periods)):
        if start > reached:
            yield f"nobody has {_written(reached)} to {_written(start)}: the periods must cover the week"
        if start < reached:
            yield f"{before} and {name} both have {_written(start)} to {_written(min(end, reached))}"
        if end > reached:
            reached, before = end, name
    if periods and reached < MINUTES:
        yield f"nobody has {_written(reached)} to {_written(MINUTES)}: the periods must cover the week"


def current(periods: Sequence[Period], now: float, zone: str) -> str:
    """The period of Unix second `now`; empty where there are no periods."""
    local = datetime.fromtimestamp(now, ZoneInfo(zone))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    return next((name for start, end, name in _spans(periods) if start <= minute < end), "")


def _spans(periods: Sequence[Period]) -> Iterator[tuple[int, int, str]]:
    """[start, end) in minutes since Monday 00:00, and the name; Sunday night goes on on Monday."""
    for it in periods:
        length = it.end - it.start + 1440 * (it.end <= it.start)
        for day in it.days:
            start = day * 1440 + it.start
            yield start, min(start + length, MINUTES), it.name
            if start + length > MINUTES:
                yield 0, start + length - MINUTES, it.name


def _written(minute: int) -> str:
    day, rest = divmod(minute, 1440)
    return "sun 24:00" if minute == MINUTES else f"{DAYS[day]} {rest // 60:02}:{rest % 60:02}"
