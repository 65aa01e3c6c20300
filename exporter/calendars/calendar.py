"""Calendars: holidays, files, weekly hours, rules and single windows, as stretches of Unix time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from exporter.calendars import timetable
from exporter.calendars.timetable import Once, Rule, Weekly
from exporter.calendars.windows import WEEK, Window, joined, unix
from exporter.matchers import patterns

Span: TypeAlias = tuple[int, int]
Occurrences: TypeAlias = Callable[[datetime, datetime], Iterable[Span]]
"""The spans of Unix seconds of something that begins between two times."""

LONGEST = timedelta(days=32)
"""What recurs may last so long: occurrences are looked for from so long before."""

_DAY = timedelta(days=1)
_TOO_OFTEN = ("SECONDLY", "MINUTELY")


class Calendar:
    """One calendar of the configuration in its time zone; ValueError where it cannot be used."""

    def __init__(self, spec: timetable.Calendar, zone: str, events: Iterable[Occurrences] = ()) -> None:
        """`events`: those of its file."""
        self.spec, self.zone = spec, ZoneInfo(zone)
        self._matchers = patterns(spec.match)
        self._weeks = [self._weekly(it) for it in spec.weekly]
        self._dates = [*events, *(_ruled(it, self.zone) for it in spec.rules)]
        if spec.country:
            self._dates.append(self._holidays(spec.country, spec.subdivision))
        self._single = [_single(it, self.zone) for it in spec.windows]
        self._lock = threading.Lock()
        self._of_week = functools.lru_cache(64)(lambda number: self.spans(number * WEEK, (number + 1) * WEEK))

    @property
    def name(self) -> str:
        """What it is called in the configuration."""
        return self.spec.name

    def spans(self, start: int, end: int) -> list[Span]:
        """What lies in [start, end), in order and without overlap."""
        return self._found((*self._weeks, *self._dates), start, end)

    def dated(self, start: int, end: int) -> list[Span]:
        """The same without what recurs by the week."""
        return self._found(self._dates, start, end)

    def _found(self, among: Iterable[Occurrences], start: int, end: int) -> list[Span]:
        first, last = (datetime.fromtimestamp(it, self.zone) for it in (start, end))
        with self._lock:  # the holidays of a year are worked out when they are first asked for
            found = [span for it in among for span in it(first - LONGEST, last)]
        return [it for it in joined(found + self._single) if it[0] < end and it[1] > start]

    def active(self, now: float) -> bool:
        """Whether `now` lies in it."""
        return any(start <= now < end for start, end in self._of_week(int(now // WEEK)))

    def week(self, number: int) -> tuple[Window, ...]:
        """The windows with a part in week `number` since 1970; none where points are taken as usual."""
        effect = self.spec.score_as
        if effect == "usual":
            return ()
        return tuple(
            Window(start, end, self._matchers, "calendar", effect) for start, end in self._of_week(number)
        )

    def _holidays(self, country: str, subdivision: str | None) -> Occurrences:
        known = _known_holidays(country, subdivision)

        def occurrences(first: datetime, last: datetime) -> Iterator[Span]:
            for day in _days(first, last):
                if day in known:
                    yield _at(day, 0, self.zone), _at(day, 1440, self.zone)

        return occurrences

    def _weekly(self, spec: Weekly) -> Occurrences:
        past_midnight = spec.end + 1440 * (spec.end <= spec.start)

        def occurrences(first: datetime, last: datetime) -> Iterator[Span]:
            for day in _days(first, last):
                if day.weekday() in spec.days:
                    yield _at(day, spec.start, self.zone), _at(day, past_midnight, self.zone)

        return occurrences


def faults(spec: timetable.Calendar) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a calendar beyond its shape: (place in it, message)."""
    if spec.country:
        try:
            _known_holidays(spec.country, spec.subdivision)
        except ValueError as error:
            yield ("country",), str(error)
    for at, rule in enumerate(spec.rules):
        try:
            _ruled(rule, ZoneInfo("UTC"))
        except ValueError as error:
            yield ("rules", at, "rrule"), str(error)
    for at, once in enumerate(spec.windows):
        if (once.start.tzinfo is None) != (once.end.tzinfo is None):
            yield ("windows", at), "expected an offset from UTC in both of from and to, or in neither"


def _known_holidays(country: str, subdivision: str | None) -> Mapping[date, str]:
    import holidays

    try:
        return holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        known = holidays.list_supported_countries()
        if country not in known:
            raise ValueError(
                f"expected a country by its two letters, such as DE or US, found {country!r}"
            ) from None
        parts = ", ".join(known[country]) or "none"
        raise ValueError(f"{country} has no subdivision {subdivision!r}; known are: {parts}") from None


def _ruled(spec: Rule, zone: ZoneInfo) -> Occurrences:
    begin = spec.start if spec.start.tzinfo else spec.start.replace(tzinfo=zone)
    if any(word in spec.rrule.upper() for word in _TOO_OFTEN):
        raise ValueError("expected a rule that recurs at most once an hour")
    if spec.lasts > LONGEST.total_seconds():
        raise ValueError("lasts: expected at most 32d")
    try:
        rule = rrulestr(spec.rrule, dtstart=begin)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"expected a rule such as FREQ=MONTHLY;BYDAY=1SU: {error}") from None

    def occurrences(first: datetime, last: datetime) -> Iterator[Span]:
        for it in rule.between(first, last, inc=True):
            yield unix(it, zone), unix(it, zone) + int(spec.lasts)

    return occurrences


def _single(spec: Once, zone: ZoneInfo) -> Span:
    return unix(spec.start, zone), unix(spec.end, zone)


def _days(first: datetime, last: datetime) -> Iterator[date]:
    day = first.date()
    while day <= last.date():
        yield day
        day += _DAY


def _at(day: date, minute: int, zone: ZoneInfo) -> int:
    """Unix seconds of a minute of a local day, which may lie beyond its end."""
    days, rest = divmod(minute, 1440)
    at = time(rest // 60, rest % 60)
    return int(datetime.combine(day + days * _DAY, at, zone).astimezone(UTC).timestamp())
