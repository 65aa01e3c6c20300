"""Silences and firing alerts of one Alertmanager, read over its API v2, as windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import httpx
import orjson

from exporter.calendars.timetable import Incidents
from exporter.calendars.windows import Window
from exporter.diary.incidents import series_of
from exporter.matchers import Matcher, Matchers, fits, parse
from exporter.tsdb.errors import Permanent
from exporter.tsdb.settings import Settings
from exporter.tsdb.wire import Wire

Heard: TypeAlias = dict[str, Window]
"""Windows by what Alertmanager knows them by."""


class Alertmanager:
    """One instance; all errors are `TsdbError`, ValueError when made with settings that cannot work."""

    def __init__(
        self,
        settings: Settings,
        incidents: Incidents,
        alert_labels: Iterable[str],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`alert_labels`: what only alerts carry; matchers of a silence on them are passed over."""
        self.url = settings.url
        self._wire = Wire(settings, transport, time.monotonic)
        self._incidents, self._alert_labels = incidents, frozenset(alert_labels)
        self._matchers = tuple(map(parse, incidents.matchers))

    def close(self) -> None:
        """Close idle connections."""
        self._wire.close()

    def read(self, until: float) -> Heard:
        """Everything it knows now; an alert that still fires holds `until` then, in Unix seconds."""
        return {
            **dict(self._read("/api/v2/silences", self._silence)),
            **dict(self._read("/api/v2/alerts", lambda it: self._alert(it, until))),
        }

    def _read(
        self, path: str, window: Callable[[Mapping[str, Any]], tuple[str, Window] | None]
    ) -> Iterator[tuple[str, Window]]:
        reply = self._wire.ask(path, {})
        if reply.status != 200:
            raise Permanent("http_4xx", f"{path} answered {reply.status}")
        try:
            found = [window(it) for it in orjson.loads(reply.body)]
        except (ValueError, KeyError, TypeError) as error:
            raise Permanent("malformed", f"{path}: not as Alertmanager answers: {error!r}") from None
        yield from (it for it in found if it)

    def _silence(self, found: Mapping[str, Any]) -> tuple[str, Window] | None:
        matchers = self._about_series(found["matchers"])
        start, end = _seconds(found["startsAt"]), _seconds(found["endsAt"])
        end = min(end, start + int(self._incidents.longest))
        if not matchers or end <= start:
            return None
        return f"silence {found['id']}", Window(start, end, matchers, "silence")

    def _about_series(self, found: Iterable[Mapping[str, Any]]) -> Matchers:
        """A silence's matchers as far as they speak of series; none where they name no series at all."""
        try:
            matchers = tuple(map(_matcher, found))
        except ValueError:
            return ()  # a pattern that only Go's regular expressions have
        kept = tuple(it for it in matchers if it.name not in self._alert_labels)
        return kept if any(not it.accepts("") for it in kept) else ()

    def _alert(self, found: Mapping[str, Any], until: float) -> tuple[str, Window] | None:
        labels, start = found["labels"], _seconds(found["startsAt"])
        matchers = series_of(labels, self._incidents.by)
        end = min(int(until), start + int(self._incidents.longest))
        if not matchers or not fits(self._matchers, labels) or end <= start:
            return None
        return f"alert {found['fingerprint']} {start}", Window(start, end, matchers, "alert")


def _matcher(found: Mapping[str, Any]) -> Matcher:
    equal, regex = found.get("isEqual", True), found["isRegex"]
    operator = ("=~" if equal else "!~") if regex else ("=" if equal else "!=")
    return Matcher(found["name"], operator, found["value"])  # type: ignore[arg-type]


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
