"""All queries whose drift is watched: which are compared with their past now, in a thread of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog

from exporter.config.query import Drift
from exporter.config.schema import Config, Group
from exporter.drift import services
from exporter.drift.hours import HOUR
from exporter.drift.watch import Outcome, run, span, wants
from exporter.metrics.exposition import DriftScores
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer

STALE = 3 * HOUR
"""Scores are exposed so long after the end of their window: two runs may fail before they are gone."""

_log = structlog.get_logger("drift")


@dataclass
class Joint:
    """One group's drift: the outcomes it was computed from last, the run under way, and what it found."""

    parts: list[Outcome]
    running: Future[DriftScores | None] | None = None
    scores: DriftScores | None = None


@dataclass
class Watch:
    """One scorer's drift: its last outcome, the run under way, and what that was asked: hour and settings."""

    scorer: Scorer
    outcome: Outcome | None = None
    running: Future[Outcome] | None = None
    asked: tuple[int, Drift] | None = None


class Drifts:
    """The watches, and the one thread in which windows are compared."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.watches: dict[str, Watch] = {}
        self.joint: dict[str, Joint] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="drift")

    def apply(self, config: Config, scorers: Mapping[str, Scorer]) -> None:
        """Take over `config`; what was found goes on where the same scorer's drift is still watched."""
        self.groups, before = config.groups, self.watches
        watched = [query.name for query in config.queries if query.watches_drift]
        self.watches = {name: Watch(scorers[name]) for name in watched}
        for name, old in before.items():
            if name in self.watches and old.scorer is scorers[name]:
                self.watches[name] = old
            else:
                self.telemetry.forget_drift(name)
        self.joint = {group.name: Joint([]) for group in config.groups}

    def advance(self, now: float, busy: Callable[[str], bool]) -> list[DriftScores]:
        """Take over what is finished, start what is due, and give all scores that speak of the present."""
        for name, watch in self.watches.items():
            try:
                self._take_over(watch)
                if not watch.running and not busy(name):
                    self._start(watch, now)
            except Exception as error:
                self.telemetry.count("drift_failures_total", query=name)
                _tell_failure(error, query=name)
        found = [it.outcome.scores for it in self.watches.values() if it.outcome]
        found += [self._together(group) for group in self.groups]
        return [it for it in found if it and now - it.time < STALE]

    def settle(self) -> None:
        """Wait for the runs that are under way."""
        wait(it.running for it in self.watches.values() if it.running)
        wait(it.running for it in self.joint.values() if it.running)

    def end(self) -> None:
        """Compare nothing more."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _start(self, watch: Watch, now: float) -> None:
        """Hand a copy of the past to the thread, once in every hour that is over."""
        scorer = watch.scorer
        hours, settings = scorer.series.hours, scorer.query.drift
        if hours is None or hours.hour is None or not len(hours) or not scorer.fresh(now):
            return
        if watch.asked == (hours.hour, settings):
            return
        watch.asked = (hours.hour, settings)
        if wants(settings, scorer.reference, hours.hour):
            hours.rebase()
        series = scorer.series.roster.labels
        past = hours.past(span(settings, scorer.reference, hours.hour, series))
        watch.running = self._worker.submit(run, scorer.query.name, settings, series, past, scorer.reference)

    def _take_over(self, watch: Watch) -> None:
        if not watch.running or not watch.running.done():
            return
        done, watch.running = watch.running, None
        outcome = done.result()
        watch.outcome, watch.scorer.reference = outcome, outcome.known
        if outcome.scores:
            watch.scorer.series.drifting.take(outcome.scores.time, outcome.drifting)
        self._tell(watch.scorer.query.name, outcome)

    def _tell(self, query: str, outcome: Outcome) -> None:
        """The reference in use, and that it is what was learnt."""
        if not outcome.valid:
            _log.error("the drift reference is not what was learnt; it is learnt anew", query=query)
        if outcome.known:
            self.telemetry.replace_all(
                "drift_reference_info", query, {outcome.known.sha256: 1.0}, label="sha256"
            )
            ended = outcome.known.reference.end * HOUR
            self.telemetry.set("drift_reference_timestamp_seconds", ended, query=query)
        if outcome.known or not outcome.valid:
            self.telemetry.set("drift_reference_valid", float(outcome.valid), query=query)
        if outcome.scores:
            self.telemetry.set("drift_last_success_timestamp_seconds", outcome.scores.time, query=query)

    def _together(self, group: Group) -> DriftScores | None:
        """Joint drift of a group, computed anew once all its members speak of one later window."""
        joint = self.joint[group.name]
        if joint.running and joint.running.done():
            done, joint.running = joint.running, None
            try:
                joint.scores = done.result()
            except Exception as error:
                self.telemetry.count("events_total", event="drift", result="failure")
                _tell_failure(error, group=group.name)
        found = [watch.outcome for name in group.queries if (watch := self.watches.get(name))]
        parts = [it for it in found if it and it.scores]
        alike = len(parts) > 1 and len({it.scores.time for it in parts if it.scores}) == 1
        if alike and not joint.running and list(map(id, parts)) != list(map(id, joint.parts)):
            joint.parts, joint.running = parts, self._worker.submit(services.scores, group, parts)
        return joint.scores


def _tell_failure(error: Exception, **about: str) -> None:
    _log.error("drift not scored", **about, error=f"{type(error).__name__}: {error}")
    _log.debug("drift not scored", **about, exc_info=error)
