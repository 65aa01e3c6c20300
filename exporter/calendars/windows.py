"""Windows: stretches of time in which some series are not judged or not learnt from as usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, get_args
from zoneinfo import ZoneInfo

from exporter.matchers import Matchers

Effect: TypeAlias = Literal["sunday", "no_learn", "no_score"]
Reason: TypeAlias = Literal["calendar", "exclusion", "incident", "silence", "alert"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which they count, where a point has several."""

WEEK = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in Unix seconds, the series it is about, why, and what it does to them."""

    start: int
    end: int
    matchers: Matchers
    reason: Reason
    effect: Effect = "no_learn"

    def holds(self, time: float) -> bool:
        """Whether `time` lies in it."""
        return self.start <= time < self.end

    def touches(self, start: float, end: float) -> bool:
        """Whether it has a part in [start, end)."""
        return self.start < end and self.end > start


class Recurring(Protocol):
    """What has windows for ever: they are made week by week."""

    @property
    def name(self) -> str: ...

    def active(self, now: float) -> bool: ...

    def week(self, number: int) -> tuple[Window, ...]: ...


@dataclass(frozen=True, slots=True)
class Agenda:
    """All windows that are known at one moment; a frozen value, swapped when something becomes known."""

    recurring: tuple[Recurring, ...] = ()
    configured: tuple[Window, ...] = ()
    heard: tuple[Window, ...] = ()

    def week(self, number: int) -> Iterator[Window]:
        """Those with a part in week `number` since 1970 (UTC, from Thursday)."""
        for it in self.recurring:
            yield from it.week(number)
        start = number * WEEK
        yield from (it for it in (*self.configured, *self.heard) if it.touches(start, start + WEEK))

    def taught(self, since: float, until: float) -> tuple[Window, ...]:
        """The configured ones that matter to who has learnt the points from `since` to `until`."""
        return tuple(it for it in self.configured if it.touches(since, until))


@dataclass(slots=True)
class Windows:
    """Where the agenda in force is found; it is replaced as a whole."""

    agenda: Agenda = field(default_factory=Agenda)


def unix(moment: datetime, zone: ZoneInfo) -> int:
    """Unix seconds of a time, which is local to `zone` unless it says otherwise."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


def joined(spans: Iterable[tuple[int, int]], apart: int = 0) -> Iterator[tuple[int, int]]:
    """Spans of time in order, those that are at most `apart` made one."""
    last: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if last and start <= last[1] + apart:
            last = (last[0], max(last[1], end))
            continue
        if last:
            yield last
        last = (start, end)
    if last:
        yield last
