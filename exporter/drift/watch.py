"""The drift of one query over time: its reference, learnt anew on schedule, and the scores of an hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from exporter.config.query import Drift
from exporter.drift import MEAN
from exporter.drift.change import changes
from exporter.drift.histogram import BOUND, Histograms
from exporter.drift.hours import HOUR, HOURS, Past
from exporter.drift.reference import Reference
from exporter.drift.renewal import REPORTED, is_due, renewed
from exporter.frame import Floats, Mask, Rows
from exporter.metrics.exposition import DriftScores, Table
from exporter.metrics.labels import render_labels

CLASSIFIER = "classifier"
"""The test that is of services alone, and needs the hours of the reference themselves."""

SIGHT = 7 * 24
"""Hours before the window in which a change is looked for."""

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """A reference, the series it was learnt from, and the hash it had then."""

    reference: Reference
    series: tuple[bytes, ...]
    sha256: str

    def intact(self) -> bool:
        """Whether it is still what was learnt."""
        return self.reference.sha256() == self.sha256

    def aligned(self, rendered: tuple[bytes, ...]) -> Reference:
        """The reference by row of the series as they are now."""
        if self.series == rendered:
            return self.reference
        rows = {labels: row for row, labels in enumerate(self.series)}
        return self.reference.take(np.array([rows.get(it, -1) for it in rendered], np.intp))


@dataclass(frozen=True, slots=True)
class Shown:
    """Residuals of the hours up to Unix hour `end`, (S, hours), float16.

    `learnt` (S,): Unix hour until which the reference of each series was learnt.
    """

    residual: Floats
    learnt: Floats
    end: int
    window: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found: scores to expose, whether the reference was intact, and the shifts of the window.

    `shifts` (S,) and `days` (DAYS, S): the window's and the reference's days' shifts in sds of those days.
    `hours`: what a classifier is shown, where the settings name one.
    `drifting`: the combined scores of the series that drift, by their rendered labels.
    """

    known: Known | None
    valid: bool
    scores: DriftScores | None
    series: tuple[Labels, ...] = ()
    shifts: Floats | None = None
    days: Floats | None = None
    hours: Shown | None = None
    drifting: Mapping[bytes, float] = field(default_factory=dict)


def wants(settings: Drift, known: Known | None, hour: int) -> bool:
    """Whether a run at Unix hour `hour` learns the reference anew."""
    reference = known.reference if known else None
    return is_due(reference, int(settings.window // HOUR), int(settings.refresh // HOUR), hour)


def span(settings: Drift, known: Known | None, hour: int, series: Sequence[Labels]) -> int:
    """How many hours of the past a run at Unix hour `hour` needs."""
    whole = wants(settings, known, hour) or CLASSIFIER in settings.tests or any(BOUND in it for it in series)
    return HOURS - 1 if whole else int(settings.window // HOUR) + SIGHT


def run(query: str, settings: Drift, series: Sequence[Labels], past: Past, known: Known | None) -> Outcome:
    """Score the last window of `past`, (hours, S) of `series`; learn the reference first where that is due.

    A reference that is not what was learnt scores nothing; the next run learns another.
    """
    if known and not known.intact():
        return Outcome(None, False, None)
    window = int(settings.window // HOUR)
    rendered = tuple(map(render_labels, series))
    if wants(settings, known, past.end):
        known = _learnt(past, window, rendered, known)
    if not known:
        return Outcome(None, True, None)
    reference = known.aligned(rendered)
    found = reference.scores(past)
    tables = _tables(settings, series, found, past, reference)
    tables += _histogram_tables(settings, series, past, window)
    days, shifts = reference.arrays["days"].astype(np.float32), reference.shift(past)
    sd = np.maximum(_spread(days), FLOOR_SHIFT)
    scores = DriftScores(query, past.end * HOUR, tuple(tables))
    drifting = {rendered[row]: float(found["combined"][row]) for row in _drifting(series, found).tolist()}
    hours = _shown(reference, past) if CLASSIFIER in settings.tests else None
    return Outcome(known, True, scores, tuple(series), shifts / sd, days / sd, hours, drifting)


FLOOR_SHIFT = 0.6
"""The least sd of a day's shift, in typical residuals, as in `median`."""


def _shown(reference: Reference, past: Past) -> Shown:
    residual = reference.residuals(past)[MEAN].astype(np.float16)
    return Shown(residual, reference.arrays["learnt"], past.end, reference.window)


def _learnt(past: Past, window: int, rendered: tuple[bytes, ...], before: Known | None) -> Known | None:
    reference = renewed(before.aligned(rendered) if before else None, past, window)
    known = Known(reference, rendered, reference.sha256())
    return known if reference.known().any() else None


def _tables(
    settings: Drift,
    series: Sequence[Labels],
    scores: Mapping[str, Floats],
    past: Past,
    reference: Reference,
) -> list[Table]:
    """The scores of every test that is asked for, and time and size of what drifts."""
    own = _own(series)
    shown = [test for test in ("combined", *settings.tests) if test in scores]
    tables = [_table(series, np.where(own, scores[test], np.nan), test) for test in shown]
    drifting = _drifting(series, scores)
    if len(drifting):
        window = reference.window
        found = changes(reference.take(drifting), past.take(drifting).last(min(past.span, window + SIGHT)))
        families = {
            "drift_changed_timestamp_seconds": found.time,
            "drift_shift": found.shift,
            "drift_movement_ratio": found.movement_ratio,
        }
        tables.append(Table([render_labels(series[row]) for row in drifting.tolist()], families))
    return tables


def _own(series: Sequence[Labels]) -> Mask:
    """Which of the series are not the bucket of a histogram, (S,)."""
    return np.array([BOUND not in it for it in series], bool)


def _drifting(series: Sequence[Labels], scores: Mapping[str, Floats]) -> Rows:
    """The rows of the series that drift."""
    return np.flatnonzero(_own(series) & (scores["combined"] >= REPORTED))


def _histogram_tables(settings: Drift, series: Sequence[Labels], past: Past, window: int) -> list[Table]:
    tables = []
    for alike in Histograms.find(series):
        for test, score in alike.scores(past, window).items():
            if test in ("combined", *settings.tests):
                tables.append(_table(alike.labels, score, test))
    return tables


def _table(series: Sequence[Labels], score: Floats, test: str) -> Table:
    rows = np.flatnonzero(np.isfinite(score))
    labels = [_named(series[row], test) for row in rows.tolist()]
    return Table(labels, {"drift_score": np.round(score[rows], 3)})


def _named(labels: Labels, test: str) -> bytes:
    """The labels of a series and `test`; a source label of that name becomes `exported_test`."""
    renamed = {"exported_test" if name == "test" else name: value for name, value in labels.items()}
    return render_labels({**renamed, "test": test})


def _spread(days: Floats) -> Floats:
    """The root mean square of the days' shifts, (S,); NaN where none is known."""
    seen = np.isfinite(days)
    mean = np.where(seen, np.square(days), 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen.any(axis=0), np.sqrt(mean), np.nan)
