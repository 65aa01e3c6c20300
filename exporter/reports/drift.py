"""The drift report: what each query is compared with, what drifts, and how its values lie now."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.cycle.cycle import Cycle
from exporter.cycle.drifts import Watch
from exporter.drift.hours import HOUR, Past
from exporter.drift.reference import Reference
from exporter.drift.watch import Known, Outcome
from exporter.frame import Floats
from exporter.metrics.exposition import DriftScores, Snapshot
from exporter.metrics.labels import read_labels, render_labels
from exporter.shown.drifting import drifting
from exporter.shown.status import DriftingSeries

BINS = 16
PICTURED = 30
"""Series with a picture per query; the others have numbers only."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often hourly means lay between the `edges` (BINS + 1), as shares (BINS) of each period."""

    edges: Sequence[float]
    reference: Sequence[float]
    current: Sequence[float]


@dataclass(frozen=True, slots=True)
class Hourly:
    """Hourly means, oldest first, NaN where unknown; Unix seconds."""

    times: Sequence[int]
    means: Sequence[float]


@dataclass(frozen=True, slots=True)
class SeriesDrift:
    """One series that drifts; pictures only of the farthest."""

    found: DriftingSeries
    histogram: Histogram | None
    hourly: Hourly | None


@dataclass(frozen=True, slots=True)
class QueryDrift:
    """One query: its reference, how many series were compared, and those that drift, the farthest first."""

    name: str
    expr: str
    sha256: str
    learnt: float
    valid: bool
    compared: int
    series: Sequence[SeriesDrift]


@dataclass(frozen=True, slots=True)
class ServiceDrift:
    """Joint drift of one service."""

    labels: Mapping[str, str]
    score: float


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All of it, as of Unix second `time`, over windows of `window` seconds."""

    time: float
    queries: Sequence[QueryDrift]
    services: Sequence[ServiceDrift]
    without: Sequence[str]


def gather(cycle: Cycle) -> DriftReport:
    """What `cycle` has found; `without` names the queries whose drift is not known, or not watched."""
    found = drifting(cycle.snapshot, shown=None).series
    queries = [
        _query(it, it.outcome, it.outcome.known, [one for one in found if one.query == name])
        for name, it in cycle.drifts.watches.items()
        if it.outcome and it.outcome.known
    ]
    without = sorted(set(cycle.scorers) - {it.name for it in queries})
    return DriftReport(cycle.clock.time(), queries, _services(cycle.snapshot), without)


def _query(watch: Watch, outcome: Outcome, known: Known, found: Sequence[DriftingSeries]) -> QueryDrift:
    scorer = watch.scorer
    hours, rendered = scorer.series.hours, tuple(scorer.series.roster.rendered)
    past, reference = hours.past() if hours else None, known.aligned(rendered)
    rows = {labels: row for row, labels in enumerate(rendered)}
    series: list[SeriesDrift] = []
    for it in found:
        row = rows.get(render_labels({"query": it.query, **it.labels}))
        if row is None or past is None or len(series) >= PICTURED:
            series.append(SeriesDrift(it, None, None))
        else:
            series.append(SeriesDrift(it, *_pictures(past, reference, row)))
    return QueryDrift(
        scorer.query.name,
        scorer.query.expr,
        known.sha256,
        float(known.reference.end * HOUR),
        outcome.valid,
        _compared(outcome.scores),
        series,
    )


def _compared(scores: DriftScores | None) -> int:
    tables = scores.tables if scores else ()
    return sum(b'test="combined"' in it for table in tables for it in table.labels)


def _pictures(past: Past, reference: Reference, row: int) -> tuple[Histogram | None, Hourly]:
    means = past.mean[:, row].astype(float) * past.unit[row] + past.anchor[row]
    hours = np.arange(past.end - past.span, past.end)
    learnt = float(reference.arrays["learnt"][row])
    known = means[(hours < learnt) & (hours < past.end - reference.window)]
    hourly = Hourly((hours * HOUR).tolist(), means.tolist())
    return histogram(known, means[-reference.window :]), hourly


def histogram(reference: Floats, current: Floats) -> Histogram | None:
    """Shares of two sets of values in the same bins of equal width; None where one of them is empty."""
    then, now = (it[np.isfinite(it)] for it in (reference, current))
    if not len(then) or not len(now):
        return None
    low, high = float(min(then.min(), now.min())), float(max(then.max(), now.max()))
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    if math.isinf(high - low):
        return None
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(it, edges)[0] / len(it) for it in (then, now)]
    return Histogram(edges.tolist(), shares[0].tolist(), shares[1].tolist())


def _services(snapshot: Snapshot) -> list[ServiceDrift]:
    """Every service with a joint drift score, the farthest first."""
    found = [
        ServiceDrift(read_labels(rendered), float(score))
        for it in snapshot.drifts
        for table in it.tables
        for rendered, score in zip(table.labels, table.families.get("drift_group_score", ()), strict=False)
        if not math.isnan(score)
    ]
    return sorted(found, key=lambda it: -it.score)
