"""When alerts fired, out of what the TSDB remembers of `ALERTS`, and which of them others confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exporter.calendars.windows import joined
from exporter.frame import Frame, labels_of

APART = 900
"""Seconds: an alert that fires again so soon goes on."""

OWN = re.compile(r"(Alert|Anomaly|Drift|Forecast|Input|Maintenance|Pattern|Tidemark)[A-Z].*|Maintenance")
STRANGE = re.compile(r"(Anomaly|Pattern)[A-Z].*")
SILENT = ("TidemarkWatchdog", "Maintenance")
"""Alerts that tell nobody anything."""

BY = ("alertname", "severity", "priority", "service", "query")
EXPRESSION = f'count by ({", ".join(BY)}) (ALERTS{{alertstate="firing"}})'


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch in which an alert fired, Unix seconds.

    `confirmed`: which alerts of others fired for its service then, as a list with commas.
    """

    labels: Mapping[str, str]
    start: int
    end: int
    confirmed: str = ""

    @property
    def alert(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def seconds(self) -> int:
        return self.end - self.start


def episodes(frames: Iterable[Frame], step: int) -> list[Episode]:
    """Every episode of what `EXPRESSION` gave, points `step` seconds apart, in the order of their begin."""
    firing: dict[tuple[tuple[str, str], ...], list[tuple[int, int]]] = {}
    for frame in frames:
        for key, values in zip(frame.keys, frame.values, strict=True):
            spans = [(time, time + step) for time in frame.times[values > 0].tolist()]
            firing.setdefault(labels_of(key), []).extend(spans)
    found = [
        Episode(dict(labels), start, end)
        for labels, spans in firing.items()
        if dict(labels).get("alertname") not in SILENT
        for start, end in joined(spans, APART)
    ]
    return sorted(found, key=lambda it: (it.start, it.alert))


def strange(every: Sequence[Episode]) -> Iterator[Episode]:
    """The episodes of anomaly alerts, each with the alerts of others that confirm it.

    An alert confirms if it is none of Tidemark's own, critical or a warning, of the same service, and fired
    at the same time or within a quarter of an hour.
    """
    others = [
        it
        for it in every
        if not OWN.fullmatch(it.alert) and it.labels.get("severity") in ("critical", "warning")
    ]
    for it in every:
        if STRANGE.fullmatch(it.alert):
            names = sorted({other.alert for other in others if _together(it, other)})
            yield Episode(it.labels, it.start, it.end, ", ".join(names))


def _together(one: Episode, other: Episode) -> bool:
    service = one.labels.get("service")
    near = one.start <= other.end + APART and other.start <= one.end + APART
    return bool(service) and service == other.labels.get("service") and near
