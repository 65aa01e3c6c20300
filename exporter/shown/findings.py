"""Which series are beyond the edge of normal now, by service, out of a snapshot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exporter.cycle.recent import Recent, Traces
from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.shown.ranking import series_of
from exporter.shown.status import Band, Finding, Service, Strange

SERVICES = 40
"""Services that are shown; the others are counted."""

PER_SERVICE = 5
"""Series of each that are shown."""

NEAREST = 5
"""Series that are shown where nothing is beyond the edge."""

Row = tuple[float, QueryScores, int]
"""A score, and whose it is: a query's scores and the row in them."""


def strange(snapshot: Snapshot, recent: Recent) -> Strange:
    """The services with the strangest series first, each with its strangest series first."""
    services: dict[str, list[Row]] = {}
    for row in _rows(snapshot, above=1.0):
        services.setdefault(row[1].series[row[2]].get("service", ""), []).append(row)
    if not services:
        nearest = _sorted(list(_rows(snapshot)))[:NEAREST]
        return Strange(nearest=findings(nearest, recent))
    found = sorted(services.items(), key=lambda it: -max(row[0] for row in it[1]))
    shown = [
        Service(name, len(rows), findings(_sorted(rows)[:PER_SERVICE], recent))
        for name, rows in found[:SERVICES]
    ]
    return Strange(shown, len(found), sum(map(len, services.values())))


def findings(rows: Sequence[Row], recent: Recent) -> list[Finding]:
    """Some series, whatever their scores."""
    traces: dict[str, Traces] = {}
    return [_finding(row, recent, traces) for row in rows]


def _rows(snapshot: Snapshot, above: float = -math.inf) -> list[Row]:
    found: list[Row] = []
    for scores in snapshot.scores:
        values = scores.families.get("anomaly_score")
        if values is not None:
            rows = np.flatnonzero(values > above)
            found += [
                (score, scores, row) for score, row in zip(values[rows].tolist(), rows.tolist(), strict=True)
            ]
    return found


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row[0])


def _finding(row: Row, recent: Recent, traces: dict[str, Traces]) -> Finding:
    _, scores, at = row
    if scores.query not in traces:
        traces[scores.query] = Traces(recent.moments(scores.query))
    series = series_of(scores, at)
    since = scores.facts["since"][at] if "since" in scores.facts and series.score > 1 else math.nan
    return Finding(series, float(since), _band(scores, at, traces[scores.query]))


def _band(scores: QueryScores, at: int, traces: Traces) -> Band | None:
    """The moments that are kept, and the present one; None where there is nothing to draw."""
    now = series_of(scores, at)
    times, past = traces.times(), traces.of(scores.labels[at]).tolist()
    if not times or times[-1] < scores.time:
        times = [*times, scores.time]
        past = [[*old, new] for old, new in zip(past, (now.value, now.lower, now.upper), strict=True)]
    known = sum(value == value for value in past[0])
    return Band(times, *past) if known > 2 else None
