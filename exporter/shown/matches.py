"""The series that have some labels, whatever else they have, out of the last scores."""

from __future__ import annotations

import math
from collections.abc import Mapping

from exporter import __version__
from exporter.cycle.cycle import Cycle
from exporter.metrics.exposition import QueryScores
from exporter.shown.findings import Row, findings
from exporter.shown.ranking import series_of
from exporter.shown.status import Links, Matches

SHOWN = 200
"""Series that are shown; the others are counted."""


def matches(cycle: Cycle, links: Links, query: str, labels: Mapping[str, str]) -> Matches:
    """Those of `query` (of all if it is empty) with these `labels`; a missing label is an empty one."""
    scorers = [it for name, it in cycle.scorers.items() if query in ("", name)]
    rows = [row for it in scorers if (scores := it.scores) for row in _rows(scores, labels)]
    rows.sort(key=lambda row: (math.isnan(row[0]), -row[0]))
    return Matches(
        version=__version__,
        now=cycle.clock.time(),
        links=links,
        query=query,
        labels=labels,
        total=len(rows),
        findings=findings(rows[:SHOWN], cycle.recent),
        exprs={it.query.name: it.query.expr for it in scorers},
    )


def _rows(scores: QueryScores, labels: Mapping[str, str]) -> list[Row]:
    return [
        (series_of(scores, row).score, scores, row)
        for row, own in enumerate(scores.series)
        if all(own.get(name, "") == value for name, value in labels.items())
    ]
