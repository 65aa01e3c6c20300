"""Which series are the strangest now: the question that a person asks of a snapshot."""

from __future__ import annotations

import math

import numpy as np

from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.shown.status import StrangeSeries

_NUMBERS = ("score", "value", "expected", "lower", "upper")


def strangest(snapshot: Snapshot, count: int | None = None) -> list[StrangeSeries]:
    """The `count` series with the highest score (all of them if None), highest first."""
    best = [it for scores in snapshot.scores for it in _of_query(scores, count)]
    return sorted(best, key=lambda it: -it.score)[:count]


def _of_query(scores: QueryScores, count: int | None) -> list[StrangeSeries]:
    values = scores.families.get("anomaly_score")
    if values is None:
        return []
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[np.argsort(-values[rows], kind="stable")][:count]
    return [series_of(scores, row) for row in rows.tolist()]


def series_of(scores: QueryScores, row: int) -> StrangeSeries:
    """The series in one row of what a query exposes."""
    labels = {name: value for name, value in scores.series[row].items() if name != "query"}
    numbers = {name: _number(scores, f"anomaly_{name}", row) for name in _NUMBERS}
    return StrangeSeries(scores.query, labels, **numbers)


def _number(scores: QueryScores, family: str, row: int) -> float:
    values = scores.families.get(family)
    return math.nan if values is None else float(values[row])
