"""The weekly report: alerts and what became of them, the worst episodes, and how every query did."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from exporter.frame import Frame, labels_of
from exporter.reports.episodes import EXPRESSION, Episode, episodes, strange
from exporter.shown.status import Band
from exporter.tsdb.parse import Vector

DAY, HOUR = 86_400, 3_600
WEEK = 7 * DAY
STEP = 60
PICTURED = 12
"""Episodes with a picture: the longest of those with the highest severity."""

POINTS = 240
_SEVERITY = {"critical": 0, "warning": 1}

FIGURES = {
    "false_alarm_ratio": "max by (query) (anomaly_model_false_alarm_ratio)",
    "promised_per_week": 'max by (query) (anomaly_sensitivity{category=""})',
    "trained": "min by (query) (anomaly_model_trained_timestamp_seconds)",
    "series": 'max by (query) (tidemark_query_series{state="scored"})',
    "quality": "avg by (query) (avg_over_time(anomaly_input_quality_ratio[7d:1h]))",
    "available": "avg by (query) (avg_over_time(anomaly_input_available_ratio[7d:5m]))",
    "success": "avg by (query) (avg_over_time(tidemark_query_success[7d:5m]))",
    "excluded": "sum by (query) (max by (query, reason) (anomaly_model_excluded_ratio))",
    "drift": 'max by (query) (drift_score{test="combined"})',
}
"""PromQL at the end of the week by name of the figure; ages and times in Unix seconds, ratios 0 to 1."""


class Source(Protocol):
    """The TSDB that scrapes Tidemark."""

    def instant(self, expr: str, time: float, step: int | None = None) -> Vector: ...

    def range(self, expr: str, start: float, end: float, step: int) -> Iterator[Frame]: ...


@dataclass(frozen=True, slots=True)
class AlertWeek:
    """One alert: its episodes on each of seven days, seconds firing, and how many others confirmed.

    `confirmed` is None for alerts that are no statement about anomalies.
    """

    alert: str
    severity: str
    per_day: Sequence[int]
    seconds: int
    confirmed: int | None

    @property
    def episodes(self) -> int:
        return sum(self.per_day)


@dataclass(frozen=True, slots=True)
class Pictured:
    """An episode with the band picture of its strangest series around it."""

    episode: Episode
    series: Mapping[str, str]
    score: float
    band: Band


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """Seven days up to Unix second `end`; `figures` by query and name, as in `FIGURES`."""

    start: int
    end: int
    alerts: Sequence[AlertWeek]
    pictured: Sequence[Pictured]
    figures: Mapping[str, Mapping[str, float]]
    false_alarms: int
    told: int


def gather(source: Source, end: int, progress: Callable[[str, float], None]) -> WeeklyReport:
    """Read the week up to `end`; TsdbError where it cannot. `progress` hears what is read, and a share."""
    end, start = end // STEP * STEP, end // STEP * STEP - WEEK
    progress("alerts", 0.0)
    every = episodes(source.range(EXPRESSION, start, end, STEP), STEP)
    about = list(strange(every))
    told = [it for it in about if it.labels.get("severity") in _SEVERITY]
    figures = _figures(source, end, progress)
    worst = sorted(told, key=lambda it: (_SEVERITY[it.labels["severity"]], -it.seconds))[:PICTURED]
    pictured: list[Pictured] = []
    for number, episode in enumerate(worst):
        progress(f"episode {number + 1} of {len(worst)}", 0.5 + 0.5 * number / len(worst))
        pictured += _pictured(source, episode, start, end)
    progress("done", 1.0)
    alerts = list(_alerts([*about, *(it for it in every if not _in(it, about))], start))
    false_alarms = sum(not it.confirmed for it in told)
    return WeeklyReport(start, end, alerts, pictured, figures, false_alarms, len(told))


def _in(it: Episode, others: Sequence[Episode]) -> bool:
    return any(it.labels == other.labels and it.start == other.start for other in others)


def _alerts(every: Sequence[Episode], start: int) -> Iterator[AlertWeek]:
    """One entry per alert and severity, the most frequent first."""
    groups: dict[tuple[str, str], list[Episode]] = defaultdict(list)
    for it in every:
        groups[it.alert, it.labels.get("severity", "")].append(it)
    for (alert, severity), found in sorted(groups.items(), key=lambda it: (-len(it[1]), it[0])):
        per_day = [0] * 7
        for it in found:
            per_day[min(6, max(0, it.start - start) // DAY)] += 1
        statement = any(True for _ in strange(found[:1]))
        confirmed = sum(bool(it.confirmed) for it in found) if statement else None
        yield AlertWeek(alert, severity, per_day, sum(it.seconds for it in found), confirmed)


def _figures(source: Source, end: int, progress: Callable[[str, float], None]) -> dict[str, dict[str, float]]:
    """By query, then by name of the figure; absent where the TSDB has nothing."""
    out: dict[str, dict[str, float]] = {}
    for number, (name, expr) in enumerate(FIGURES.items()):
        progress(name.replace("_", " "), 0.1 + 0.4 * number / len(FIGURES))
        vector = source.instant(expr, end)
        for key, value in zip(vector.keys, vector.values.tolist(), strict=True):
            query = dict(labels_of(key)).get("query", "")
            if query and math.isfinite(value):
                out.setdefault(query, {})[name] = value
    return dict(sorted(out.items()))


def _pictured(source: Source, it: Episode, start: int, end: int) -> Iterator[Pictured]:
    """The strangest series of an episode; none where its scores are not in the TSDB."""
    about = {name: it.labels[name] for name in ("service", "query") if it.labels.get(name)}
    lasted = max(it.seconds, 5 * STEP)
    worst = f"topk(1, max_over_time(anomaly_score{_selector(about)}[{lasted}s]))"
    vector = source.instant(worst, min(end, it.end))
    for key, score in zip(vector.keys, vector.values.tolist(), strict=True):
        labels = {name: value for name, value in labels_of(key) if name != "__name__"}
        around = max(2 * HOUR, lasted)
        first, last = max(start, it.start - around), min(end, it.end + around // 2)
        band = _band(source, labels, first, last)
        if len(band.times) > 1:
            yield Pictured(it, labels, score, band)


def _band(source: Source, labels: Mapping[str, str], start: int, end: int) -> Band:
    step = max(STEP, (end - start) // POINTS // STEP * STEP)
    families = ("anomaly_value", "anomaly_lower", "anomaly_upper", "anomaly_expected")
    columns: dict[str, dict[int, float]] = {name: {} for name in families}
    for name, column in columns.items():
        for frame in source.range(f"{name}{_selector(labels)}", start, end, step):
            for row in frame.values:
                column |= dict(zip(frame.times.tolist(), row.tolist(), strict=True))
    times = sorted(set().union(*columns.values()))
    value, lower, upper, expected = ([it.get(at, math.nan) for at in times] for it in columns.values())
    return Band([float(at) for at in times], value, lower, upper, expected)


def _selector(labels: Mapping[str, str]) -> str:
    pairs = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"
