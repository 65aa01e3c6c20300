"""Past incidents: alerts that fired, as the TSDB remembers them, and lists that somebody kept in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from exporter.calendars.timetable import Incidents, end_moment, moment
from exporter.calendars.windows import Window, joined, unix
from exporter.frame import Frame, labels_of
from exporter.matchers import Matcher, Matchers

FLAPPING = 900
"""Seconds: alerts that fire again so soon are one incident."""

_TIMES = ("from", "to")


def expression(settings: Incidents) -> str:
    """PromQL for the alerts that were incidents, while they fired."""
    matchers = ('alertstate="firing"', *settings.matchers)
    return f"ALERTS{{{', '.join(matchers)}}}"


def series_of(alert: Mapping[str, str], by: Iterable[str]) -> Matchers:
    """What series must carry for an alert to be about them: its labels among `by`; none: nobody."""
    return tuple(Matcher(name, "=", alert[name]) for name in by if alert.get(name))


def fired(frame: Frame, step: int, settings: Incidents) -> Iterator[Window]:
    """The windows in which the alerts of `frame`, points `step` seconds apart, were firing."""
    spans: dict[Matchers, list[tuple[int, int]]] = {}
    for key, values in zip(frame.keys, frame.values, strict=True):
        matchers = series_of(dict(labels_of(key)), settings.by)
        times = frame.times[values > 0].tolist()
        if matchers:
            spans.setdefault(matchers, []).extend((time, time + step) for time in times)
    for matchers, found in spans.items():
        for start, end in joined(found, FLAPPING):
            yield Window(start, min(end, start + int(settings.longest)), matchers, "alert")


def listed(text: str, zone: ZoneInfo) -> list[Window]:
    """The incidents of a JSON list or a CSV table; ValueError names the entry that cannot be read."""
    entries = _from_json(text) if text.lstrip().startswith("[") else _from_csv(text)
    return [_incident(number, entry, labels, zone) for number, (entry, labels) in enumerate(entries, start=1)]


def _from_json(text: str) -> Sequence[tuple[Any, Any]]:
    try:
        return [(it, it.get("labels", {})) for it in orjson.loads(text)]
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise ValueError(f"expected a list of {{from, to, labels}}: {error}") from None


def _from_csv(text: str) -> Sequence[tuple[Any, Any]]:
    """Columns from, to, perhaps reason; each other column is a label, and an empty field says nothing."""
    rows = list(csv.DictReader(io.StringIO(text)))
    return [(row, {name: row[name] for name in row if name not in (*_TIMES, "reason")}) for row in rows]


def _incident(number: int, entry: Mapping[str, Any], labels: Mapping[str, str], zone: ZoneInfo) -> Window:
    try:
        start, end = unix(moment(entry.get("from")), zone), unix(end_moment(entry.get("to")), zone)
        matchers = tuple(Matcher(name, "=", value) for name, value in labels.items() if value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"entry {number}: {error}") from None
    if start >= end:
        raise ValueError(f"entry {number}: expected from before to")
    return Window(start, end, matchers, "incident")
