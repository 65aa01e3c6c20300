"""Which series are the strangest now: the question that a person asks of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exporter.exposition import QueryScores, Snapshot


@dataclass(frozen=True, slots=True)
class Ranked:
    """One series of a snapshot; a number is None where its family is not among the query's outputs."""

    query: str
    labels: Mapping[str, str]
    score: float
    deviation: float | None
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None


def strangest(snapshot: Snapshot, count: int | None = None) -> list[Ranked]:
    """The `count` series with the highest score (all of them if None), highest first."""
    best = [ranked for scores in snapshot.scores for ranked in _of_query(scores, count)]
    return sorted(best, key=lambda it: -it.score)[:count]


def _of_query(scores: QueryScores, count: int | None) -> list[Ranked]:
    values = scores.families.get("anomaly_score")
    if values is None:
        return []
    rows = np.flatnonzero(np.isfinite(values))
    rows = rows[np.argsort(-values[rows], kind="stable")][:count]
    return [_ranked(scores, row) for row in rows.tolist()]


def _ranked(scores: QueryScores, row: int) -> Ranked:
    labels = {name: value for name, value in scores.series[row].items() if name != "query"}
    numbers = (
        _number(scores, family, row) for family in ("deviation", "value", "expected", "lower", "upper")
    )
    return Ranked(scores.query, labels, float(scores.families["anomaly_score"][row]), *numbers)


def _number(scores: QueryScores, family: str, row: int) -> float | None:
    values = scores.families.get(f"anomaly_{family}")
    return float(values[row]) if values is not None and np.isfinite(values[row]) else None
