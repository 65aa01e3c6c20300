"""One series in full, out of what the last cycle froze."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exporter import __version__
from exporter.calendars.windows import WEEK, Agenda
from exporter.config.query import Query
from exporter.cycle.cycle import Cycle
from exporter.matchers import fits
from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.metrics.labels import read_labels
from exporter.query.confidence import settledness, steadiness, youth
from exporter.query.scorer import Scorer
from exporter.query.sensitivity import NONE, Sensitivity
from exporter.shown.drifting import drifting
from exporter.shown.findings import findings
from exporter.shown.overview import query_status
from exporter.shown.portrait import Ahead, Held, Joint, Knowledge, Portrait, View
from exporter.shown.status import DriftingSeries, Finding, Links, StrangeSeries

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seat:
    """A series of a query, `labels` as exposed, and where it stands in the last scores, if it does."""

    scorer: Scorer
    labels: Labels
    key: bytes
    others: frozenset[str]
    scores: QueryScores | None
    row: int

    def family(self, name: str) -> float:
        """What is exposed of the series, NaN where nothing is."""
        return self._of(self.scores.families, name) if self.scores else math.nan

    def fact(self, name: str) -> float:
        """What is known of it beside, NaN where nothing is."""
        return self._of(self.scores.facts, name) if self.scores else math.nan

    def _of(self, values: Mapping[str, np.ndarray], name: str) -> float:
        return float(values[name][self.row]) if name in values else math.nan


def portrait(cycle: Cycle, links: Links, query: str, labels: Labels) -> Portrait | None:
    """The series of `query` with exactly `labels`; None where there is none."""
    scorer = cycle.scorers.get(query)
    seat = _seat(scorer, {"query": query, **labels}) if scorer else None
    if not scorer or not seat:
        return None
    now, scores = cycle.clock.time(), seat.scores
    found = _finding(seat, cycle)
    drift = _drift(cycle.snapshot, query, found.series.labels)
    return Portrait(
        version=__version__,
        now=now,
        links=links,
        expr=scorer.query.expr,
        step=scorer.query.step,
        state=_state(seat),
        query_state=query_status(scorer, cycle.failures.get(query), now).state,
        time=float(scores.time) if scores else math.nan,
        finding=found,
        deviation=seat.family("anomaly_deviation"),
        knowledge=_knowledge(seat),
        confidence=seat.fact("anomaly_confidence") if _state(seat) == "scored" else math.nan,
        doubts=_doubts(seat),
        views=list(_views(seat)),
        joint=list(_joint(cycle.snapshot, query, seat.labels)),
        windows=list(_held(cycle.diary.windows.agenda, seat.labels, now)),
        ahead=list(_ahead(seat)),
        seconds_to_limit=_until(seat),
        drift=drift,
        key=seat.key,
        others=seat.others,
    )


def _seat(scorer: Scorer, wanted: Labels) -> Seat | None:
    roster, scores = scorer.series.roster, scorer.scores
    place = next((row for row, it in enumerate(roster.labels) if it == wanted), None)
    if place is None:
        return None
    row = next((row for row, it in enumerate(scores.series) if it == wanted), None) if scores else None
    others = frozenset(name for it in roster.labels for name in it) - {"query"}
    seen = scores if row is not None else None
    return Seat(scorer, roster.labels[place], roster.keys[place], others, seen, row or 0)


def _finding(seat: Seat, cycle: Cycle) -> Finding:
    if seat.scores:
        return findings([(0.0, seat.scores, seat.row)], cycle.recent)[0]
    own = {name: value for name, value in seat.labels.items() if name != "query"}
    return Finding(StrangeSeries(seat.scorer.query.name, own, *[math.nan] * 5))


def _state(seat: Seat) -> Literal["scored", "learning", "missing", "paused"]:
    if any(
        math.isfinite(seat.family(f"anomaly_{name}")) for name in ("score", "deviation", "value", "expected")
    ):
        return "scored"
    if not seat.scores:
        return "learning"
    for table in seat.scores.tables:
        if "anomaly_paused" in table.families and math.isfinite(table.families["anomaly_paused"][seat.row]):
            return "paused"
    return "learning" if seat.fact("last_seen") >= seat.scores.time else "missing"


def _knowledge(seat: Seat) -> Knowledge:
    query, scores = seat.scorer.query, seat.scores
    sensitivity = Sensitivity(query)
    category = int(sensitivity.categories([seat.labels])[0])
    name = "" if category == NONE else sensitivity.names[category]
    chosen = query.model == "auto" and scores is not None
    return Knowledge(
        model=scores.models[int(seat.fact("model"))] if scores and scores.models else query.model,
        chosen=chosen,
        direction=query.direction,
        false_alarms_per_week=sensitivity.per_week()[name],
        category=name,
        points=seat.fact("points"),
        trained_since=float(seat.scorer.begun),
        shift_time=seat.fact("anomaly_level_shift_timestamp_seconds"),
        shift_size=seat.fact("anomaly_level_shift_size"),
    )


def _doubts(seat: Seat) -> dict[str, float]:
    """The factors of the confidence, as docs/score.md has them."""
    if _state(seat) != "scored" or not seat.scores:
        return {}
    query: Query = seat.scorer.query
    since = seat.scores.time - seat.fact("anomaly_level_shift_timestamp_seconds")
    known = np.array(seat.fact("points") * query.step)
    factors = {
        "youth": float(youth(known, query.warm_up)),
        "completeness": seat.fact("complete"),
        "settledness": float(settledness(np.array(since))),
        "steadiness": float(steadiness(seat.fact("drift"))),
        "near misses": 1 / seat.fact("raised"),
    }
    return {name: round(factor, 3) for name, factor in factors.items()}


def _views(seat: Seat) -> Iterator[View]:
    """What each view made of the last value; nothing where the value was strange to none of them."""
    names = [
        it.removeprefix("evidence.") for it in (seat.scores.facts if seat.scores else ()) if "evidence." in it
    ]
    evidence = {name: seat.fact(f"evidence.{name}") for name in names}
    total = sum(evidence.values())
    if total > 0:
        for name, found in evidence.items():
            yield View(name, seat.fact(f"expected.{name}"), found / total)


def _joint(snapshot: Snapshot, query: str, labels: Labels) -> Iterator[Joint]:
    for it in snapshot.groups:
        for row, service in enumerate(it.services if query in it.queries else ()):
            own = {name: value for name, value in service.items() if name != "group"}
            if own.items() <= labels.items() and math.isfinite(it.score[row]):
                shares = zip(it.queries, it.contribution[row].tolist(), strict=True)
                yield Joint(it.group, float(it.score[row]), {name: one for name, one in shares if one == one})


def _held(agenda: Agenda, labels: Labels, now: float) -> Iterator[Held]:
    for it in agenda.week(int(now // WEEK)):
        if it.holds(now) and fits(it.matchers, labels):
            yield Held(it.reason, it.effect, it.start, it.end)


def _ahead(seat: Seat) -> Iterator[Ahead]:
    names = ("forecast_value", "forecast_lower", "forecast_upper")
    for table in seat.scores.tables if seat.scores else ():
        if names[0] in table.families and math.isfinite(table.families[names[0]][seat.row]):
            numbers = (float(table.families[name][seat.row]) for name in names)
            yield Ahead(read_labels(table.labels[seat.row])["horizon"], *numbers)


def _until(seat: Seat) -> dict[str, float]:
    """Seconds to each limit that the forecast reaches."""
    found = {}
    for table in seat.scores.tables if seat.scores else ():
        seconds = table.families.get("forecast_seconds_to_limit")
        if seconds is not None and math.isfinite(seconds[seat.row]):
            found[read_labels(table.labels[seat.row])["limit"]] = float(seconds[seat.row])
    return found


def _drift(snapshot: Snapshot, query: str, labels: Labels) -> DriftingSeries | None:
    every = drifting(snapshot, shown=None).series
    return next((it for it in every if it.query == query and it.labels == labels), None)
