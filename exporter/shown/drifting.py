"""Which series drift, out of the drift scores of a snapshot."""

from __future__ import annotations

import math
from collections.abc import Iterator

from exporter.metrics.exposition import DriftScores, Snapshot
from exporter.metrics.labels import read_labels
from exporter.shown.status import Drifting, DriftingSeries

REPORTED = 3.0
"""From this score on, time and size of the change are told."""

SHOWN = 50
_SIZES = ("drift_changed_timestamp_seconds", "drift_shift", "drift_movement_ratio")


def drifting(snapshot: Snapshot, shown: int | None = SHOWN) -> Drifting:
    """The `shown` series that drift most (all of them if None), first."""
    found = sorted((it for one in snapshot.drifts for it in _of(one)), key=lambda it: -it.score)
    return Drifting(found[:shown], len(found))


def _of(scores: DriftScores) -> Iterator[DriftingSeries]:
    sizes: dict[bytes, tuple[float, ...]] = {}
    for table in scores.tables:
        if _SIZES[0] in table.families:
            columns = [table.families[name].tolist() for name in _SIZES]
            sizes |= dict(zip(table.labels, zip(*columns, strict=True), strict=True))
    for table in scores.tables:
        for rendered, score in zip(table.labels, table.families.get("drift_score", ()), strict=False):
            if score >= REPORTED and rendered.endswith(b',test="combined"} '):
                own = rendered.removesuffix(b',test="combined"} ') + b"} "
                yield _series(own, float(score), sizes.get(own, (math.nan,) * len(_SIZES)))


def _series(rendered: bytes, score: float, sizes: tuple[float, ...]) -> DriftingSeries:
    labels = read_labels(rendered)
    return DriftingSeries(labels.pop("query", ""), labels, score, *sizes)
