"""What a scorer has learnt, as it is stored, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from exporter.calendars.windows import Agenda, Window
from exporter.config.query import Query
from exporter.drift import memory
from exporter.metrics.exposition import QueryScores
from exporter.query.facts import facts
from exporter.query.population import Population
from exporter.query.residuals import SLOT, Residuals
from exporter.query.scorer import Scorer
from exporter.store import Saved


def fingerprint(query: Query, zone: str, excluded: Sequence[Window] = ()) -> str:
    """Changes exactly when what was learnt for a query no longer fits it.

    `excluded`: the configured windows that lie in what it has learnt.
    """
    about = sorted(repr(it) for it in excluded if _may_be_about(it, query))
    horizons = query.forecast.horizons if query.forecast else ()
    parts = (query.expr, query.step, query.model, query.missing, zone, horizons, *query.peers_by, *about)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _may_be_about(window: Window, query: Query) -> bool:
    return all(it.accepts(query.name) for it in window.matchers if it.name == "query")


def fingerprint_of(scorer: Scorer, agenda: Agenda, time: int) -> str:
    """The fingerprint of a scorer that has learnt up to `time` under `agenda`."""
    query, zone = scorer.query, scorer.reader.around.zone
    return fingerprint(query, zone, agenda.taught(time - query.history, time))


def saved(scorer: Scorer) -> Saved | None:
    """What `scorer` has learnt and exposes, ready to be stored; None where there is nothing yet."""
    if scorer.time is None:
        return None
    roster = scorer.series.roster
    state = scorer.series.model.state | _filed(scorer.series)
    print_ = fingerprint_of(scorer, scorer.reader.around.windows.agenda, scorer.time)
    exposed = _by_row(scorer.scores, roster.rendered) if scorer.scores else {}
    remembered = scorer.series.residuals
    residuals = remembered.state if remembered else {}
    drift = memory.packed(scorer.series.hours, scorer.reference)
    return Saved(
        print_, scorer.time, scorer.begun, roster.keys, roster.last_seen, state, exposed, residuals, drift
    )


def restore(scorer: Scorer, saved: Saved, now: float) -> bool:
    """Let `scorer` go on from what was stored; False, and nothing changed, when it does not fit its query.

    A query that a group has come to use since lacks the past of its residuals, one whose drift is watched
    since then that of its hours, and so they do not fit either.
    """
    query, around, remembers = scorer.query, scorer.reader.around, scorer.reader.remembers
    zone = around.zone
    series = Population(query, zone, saved.keys, remembers=remembers, windows=around.windows)
    state = series.model.state | _filed(series)
    print_ = fingerprint_of(scorer, around.windows.agenda, saved.time)
    if saved.fingerprint != print_ or not _alike(state, saved.state) or saved.time > now:
        return False
    if series.residuals and not _recalled(series.residuals, saved):
        return False
    if series.hours is not None and not memory.recall(series.hours, saved.drift, saved.time):
        return False
    for name, array in saved.state.items():
        state[name][...] = array
    series.roster.last_seen = saved.last_seen
    series.begun = True
    scorer.series, scorer.time, scorer.begun = series, saved.time, saved.begun
    scorer.reference = memory.reference(saved.drift)
    if saved.exposed:
        roster = series.roster
        scorer.progress = 1.0
        known, names = facts(series, saved.time, series.beside(saved.time)), series.choices()[0]
        scorer.scores = QueryScores(
            query.name, saved.time, roster.rendered, roster.labels, saved.exposed, (), known, names
        )
    series.retune(query, zone, remembers=remembers)
    return True


def _filed(series: Population) -> dict[str, np.ndarray]:
    """What is known of each series beside its model, under names of its own."""
    rooms = {"record": series.record.state, "quality": series.quality.state}
    if series.forecaster:
        rooms["forecast"] = series.forecaster.state
    return {f"{room}.{name}": array for room, state in rooms.items() for name, array in state.items()}


def _recalled(residuals: Residuals, saved: Saved) -> bool:
    if not _alike(residuals.state, saved.residuals):
        return False
    residuals.state = dict(saved.residuals)
    residuals.slot = saved.time // SLOT
    return True


def _by_row(scores: QueryScores, rendered: tuple[bytes, ...]) -> dict[str, np.ndarray]:
    """The exposed families by row of the roster as it is now: series may have come and gone since."""
    rows = {labels: row for row, labels in enumerate(scores.labels)}
    old = np.array([rows.get(labels, -1) for labels in rendered], np.intp)
    return {
        name: np.where(old >= 0, values[old], np.nan) if len(values) else np.full(len(old), np.nan)
        for name, values in scores.families.items()
    }


def _alike(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    shapes = [{name: (array.shape, array.dtype) for name, array in it.items()} for it in (one, other)]
    return shapes[0] == shapes[1]
