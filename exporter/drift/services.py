"""From the shifts of single series to the joint drift of services."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exporter.drift.joint import drift_scores
from exporter.drift.watch import Labels, Outcome
from exporter.exposition import DriftScores, Table, render_labels
from exporter.frame import Floats
from exporter.schema import Group


def scores(group: Group, outcomes: Sequence[Outcome]) -> DriftScores | None:
    """Joint drift of each service of `group` over the queries that were compared; None where there is none.

    Where several series of one query belong to a service, the one that shifted most speaks.
    """
    keys: dict[tuple[str, ...], int] = {}
    members = [_services(it.series, group.by, keys) for it in outcomes]
    columns = [
        _strongest(found, it.shifts, it.days, len(keys))
        for found, it in zip(members, outcomes, strict=True)
        if it.shifts is not None and it.days is not None
    ]
    if len(columns) < 2 or not keys:
        return None
    shifts = np.stack([shift for shift, _ in columns], axis=1)
    days = np.stack([day for _, day in columns], axis=2)
    score = drift_scores(shifts, days)
    labels = [render_labels({"group": group.name, **dict(zip(group.by, key, strict=True))}) for key in keys]
    table = Table(labels, {"drift_group_score": np.round(score, 3)})
    time = max(it.scores.time for it in outcomes if it.scores)
    return DriftScores(group.name, time, (table,))


def _services(series: Sequence[Labels], by: Sequence[str], keys: dict[tuple[str, ...], int]) -> np.ndarray:
    """The service of each series, (S,), numbered in `keys`; -1 where one of the labels is missing."""
    out = np.full(len(series), -1, np.intp)
    for row, labels in enumerate(series):
        key = tuple(labels.get(name, "") for name in by)
        if all(key):
            out[row] = keys.setdefault(key, len(keys))
    return out


def _strongest(services: np.ndarray, shifts: Floats, days: Floats, size: int) -> tuple[Floats, Floats]:
    """The shift (K,), and the days (D, K), of the series of each service that shifted most."""
    rows = np.flatnonzero((services >= 0) & np.isfinite(shifts))
    rows = rows[np.argsort(np.abs(shifts[rows]), kind="stable")]
    shift, past = np.full(size, np.nan), np.full((len(days), size), np.nan)
    shift[services[rows]] = shifts[rows]
    past[:, services[rows]] = days[:, rows]
    return shift, past
