"""Which series drift: read back from what is exposed."""

from __future__ import annotations

import math

import numpy as np

from exporter.metrics.exposition import DriftScores, Snapshot, Table
from exporter.metrics.labels import render_labels
from exporter.shown.drifting import SHOWN, drifting


def snapshot(scores: list[float], sized: list[int]) -> Snapshot:
    """A query whose series have these drift scores, and whose rows `sized` have a size."""
    series = [{"query": "q", "service": f's"{row}'} for row in range(len(scores))]
    combined = [render_labels({**it, "test": "combined"}) for it in series]
    other = [render_labels({**it, "test": "ks"}) for it in series]
    sizes = {name: np.arange(len(sized), dtype=float) for name in ("changed_timestamp_seconds", "shift")}
    families = {f"drift_{name}": it for name, it in sizes.items()} | {
        "drift_movement_ratio": np.ones(len(sized))
    }
    tables = (
        Table(combined, {"drift_score": np.array(scores)}),
        Table(other, {"drift_score": np.full(len(scores), 99.0)}),
        Table([render_labels(series[row]) for row in sized], families),
    )
    return Snapshot.of(0, (), (), [DriftScores("q", 0, tables)])


def test_series_that_drift_come_with_their_beginning_and_size() -> None:
    """Only the combined score counts, from 3 on, the highest first."""
    found = drifting(snapshot([1.0, 3.0, 7.5], [1, 2]))
    assert [(it.query, it.labels, it.score, it.since, it.shift) for it in found.series] == [
        ("q", {"service": 's"2'}, 7.5, 1.0, 1.0),
        ("q", {"service": 's"1'}, 3.0, 0.0, 0.0),
    ]
    assert found.total == 2


def test_a_size_that_is_not_known_is_absent() -> None:
    """A score without a size is shown with its score alone."""
    (it,) = drifting(snapshot([4.0], [])).series
    assert math.isnan(it.since)


def test_only_so_many_are_shown_and_all_are_counted() -> None:
    """A drift of everything does not fill the page."""
    found = drifting(snapshot([4.0] * 200, []))
    assert (len(found.series), found.total) == (SHOWN, 200)
