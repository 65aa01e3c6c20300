"""Sections of `tidemark.yml` about time: calendars, periods, exclusions, and who knows of incidents."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from exporter.kinds import Http, HttpUrl, Interval, Pattern, QueryName, Section, Text
from exporter.matchers import parse

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(len(DAYS)))
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_OWN = 'alertname!~"(Alert|Anomaly|Drift|Forecast|Input|Model|Pattern|Tidemark)[A-Z].*"'
"""Leaves out Tidemark's own alerts: a detector that learnt nothing while it rings would ring for ever."""


def _days(found: Any) -> Any:
    """Numbers of days, Monday 0, from names and ranges of names such as mon-fri."""
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list) or not all(isinstance(it, str) for it in names) or not names:
        raise ValueError("expected days, such as [mon-fri] or [sat, sun]")
    return tuple(sorted({day for name in names for day in _span_of_days(name)}))


def _span_of_days(name: str) -> tuple[int, ...]:
    first, _, last = name.partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        raise ValueError(
            f"expected days by their first three letters, such as mon or mon-fri, found {name!r}"
        )
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return tuple(day % len(DAYS) for day in range(begin, end + 1 + len(DAYS) * (end < begin)))


def _clock(found: Any) -> Any:
    """Minutes since midnight; YAML reads an unquoted 18:00 as the number 1080, which is the same."""
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= 1440:
        return found
    if not isinstance(found, str) or not _CLOCK.fullmatch(found):
        raise ValueError("expected a time of day such as 08:30, or 24:00 for the end of the day")
    hours, minutes = found.split(":")
    return int(hours) * 60 + int(minutes)


def moment(found: Any) -> Any:
    """A time from ISO 8601 text, or as YAML or CSV has read it; ValueError for anything else."""
    if isinstance(found, str):
        try:
            found = date.fromisoformat(found)
        except ValueError:
            found = _instant(found)
    if isinstance(found, datetime):
        return found
    if isinstance(found, date):
        return datetime.combine(found, time())
    raise ValueError("expected a time such as 2026-11-27T18:00, or a date")


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a time such as 2026-11-27T18:00, or a date") from None


def end_moment(found: Any) -> Any:
    """The same for the end of something: a date alone is meant with the whole of its day."""
    alone = isinstance(found, date) and not isinstance(found, datetime)
    if alone or (isinstance(found, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", found)):
        return moment(found) + timedelta(days=1)
    return moment(found)


def _selector(found: str) -> str:
    parse(found)
    return found


Days = Annotated[tuple[int, ...], BeforeValidator(_days)]
Minute = Annotated[int, BeforeValidator(_clock)]
Begin = Annotated[datetime, BeforeValidator(moment)]
End = Annotated[datetime, BeforeValidator(end_moment)]
Selector = Annotated[str, AfterValidator(_selector)]
Match = dict[str, Pattern]
ScoreAs = Literal["usual", "sunday", "no_learn", "no_score"]


class Weekly(Section):
    """The same hours on some days of every week, local time; `to` before `from` is on the next day."""

    days: Days = EVERY_DAY
    start: Minute = Field(default=0, alias="from")
    end: Minute = Field(default=1440, alias="to")

    @model_validator(mode="after")
    def _some_time(self) -> Weekly:
        if self.start % 1440 == self.end % 1440 and self.start:
            raise ValueError("expected from and to to differ")
        return self


class Rule(Section):
    """A recurrence rule as in iCalendar, the local time of its first occurrence, and how long each lasts."""

    rrule: Text
    start: Begin
    lasts: Interval


class Once(Section):
    """One window; times without an offset from UTC are local."""

    start: Begin = Field(alias="from")
    end: End = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Once:
        known = (self.start.tzinfo is None) == (self.end.tzinfo is None)
        if known and self.start >= self.end:
            raise ValueError("expected from before to")
        return self


class Calendar(Section):
    """Days and hours that are not like others, and what that means for the series that `match`."""

    name: QueryName
    score_as: ScoreAs
    match: Match = Field(default_factory=dict)
    country: Text | None = None
    subdivision: Text | None = None
    file: Path | None = Field(default=None, strict=False)
    weekly: tuple[Weekly, ...] = Field(default=(), strict=False)
    rules: tuple[Rule, ...] = Field(default=(), strict=False)
    windows: tuple[Once, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _has_times(self) -> Calendar:
        if not (self.country or self.file or self.weekly or self.rules or self.windows):
            raise ValueError("expected at least one of country, file, weekly, rules and windows")
        if self.subdivision and not self.country:
            raise ValueError("expected a country with the subdivision")
        return self


class Period(Weekly):
    """A named part of the week; several entries may share a name."""

    name: QueryName


class Exclusion(Once):
    """A bad time that is not learnt from, for the series that `match`; without it, for all of them."""

    match: Match = Field(default_factory=dict)
    reason: Text


class Incidents(Section):
    """Which firing alerts were incidents, for which series, and a file of further ones."""

    matchers: tuple[Selector, ...] = Field(default=('severity="critical"', _OWN), strict=False)
    by: tuple[Text, ...] = Field(default=("service",), strict=False, min_length=1)
    longest: Interval = 7 * 86_400.0
    file: Path | None = Field(default=None, strict=False)


class Alertmanager(Http):
    """Where silences and alerts are read; several addresses are several instances."""

    urls: tuple[HttpUrl, ...] = Field(strict=False, min_length=1)
    timeout: Interval = 10.0
    alert_labels: tuple[Text, ...] = Field(
        default=("alertname", "alertgroup", "severity", "priority", "team"), strict=False
    )
