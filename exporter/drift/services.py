"""From the shifts of single series to the joint drift of services."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exporter.config.schema import Group
from exporter.drift import classifier, joint
from exporter.drift.watch import Labels, Outcome, Shown
from exporter.frame import Floats, Rows
from exporter.metrics.exposition import DriftScores, Table
from exporter.metrics.labels import render_labels


def scores(group: Group, outcomes: Sequence[Outcome]) -> DriftScores | None:
    """Joint drift of each service of `group` over the queries that were compared; None where there is none.

    Where several series of one query belong to a service, the one that shifted most speaks.
    """
    keys: dict[tuple[str, ...], int] = {}
    compared = [it for it in outcomes if it.shifts is not None and it.days is not None]
    services = [_services(it.series, group.by, keys) for it in compared]
    if len(compared) < 2 or not keys:
        return None
    strongest = [_strongest(it, one.shifts, len(keys)) for it, one in zip(services, compared, strict=True)]
    rows = np.stack(strongest, axis=1)
    found = {"mahalanobis": _mahalanobis(compared, rows)}
    if all(it.hours for it in compared):
        found["classifier"] = _classifier([it.hours for it in compared if it.hours], rows)
    names = [dict(zip(group.by, key, strict=True)) for key in keys]
    tables = [_table(group.name, names, test, score) for test, score in found.items()]
    return DriftScores(group.name, max(it.scores.time for it in outcomes if it.scores), tuple(tables))


def _table(group: str, services: Sequence[Labels], test: str, score: Floats) -> Table:
    labels = [render_labels({"group": group, **it, "test": test}) for it in services]
    return Table(labels, {"drift_group_score": np.round(score, 3)})


def _mahalanobis(outcomes: Sequence[Outcome], rows: Rows) -> Floats:
    """Of the K services whose series in query p is `rows` (K, P), -1 where it has none."""
    columns = list(zip(outcomes, rows.T, strict=True))
    shifts = [np.where(row >= 0, it.shifts[row], np.nan) for it, row in columns if it.shifts is not None]
    days = [np.where(row >= 0, it.days[:, row], np.nan) for it, row in columns if it.days is not None]
    return joint.drift_scores(np.stack(shifts, axis=1), np.stack(days, axis=2))


def _classifier(shown: Sequence[Shown], rows: Rows) -> Floats:
    """The same; only services with a series in every query have a score."""
    size = min(it.residual.shape[1] for it in shown)
    times = np.arange(shown[0].end - size, shown[0].end)
    out = np.full(len(rows), np.nan)
    whole = np.flatnonzero((rows >= 0).all(axis=1))
    columns = list(zip(shown, rows[whole].T, strict=True))
    features = np.stack([it.residual[row, -size:] for it, row in columns], axis=2, dtype=np.float64)
    learnt = np.min([it.learnt[row] for it, row in columns], axis=0)
    known = (times < learnt[:, None]) & (times < shown[0].end - shown[0].window)
    out[whole] = classifier.drift_scores(features, shown[0].window, known)
    return out


def _services(series: Sequence[Labels], by: Sequence[str], keys: dict[tuple[str, ...], int]) -> Rows:
    """The service of each series, (S,), numbered in `keys`; -1 where one of the labels is missing."""
    out = np.full(len(series), -1, np.intp)
    for row, labels in enumerate(series):
        key = tuple(labels.get(name, "") for name in by)
        if all(key):
            out[row] = keys.setdefault(key, len(keys))
    return out


def _strongest(services: Rows, shifts: Floats | None, size: int) -> Rows:
    """The series of each of `size` services that shifted most, (K,); -1 where none has a shift."""
    assert shifts is not None
    rows = np.flatnonzero((services >= 0) & np.isfinite(shifts))
    rows = rows[np.argsort(np.abs(shifts[rows]), kind="stable")]
    out = np.full(size, -1, np.intp)
    out[services[rows]] = rows
    return out
