"""One group over time: scored whenever its queries have moved, refitted off the path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np
import structlog

from exporter.config.schema import Group as Settings
from exporter.frame import Floats
from exporter.groups.joint import Joint, TooShort, fit
from exporter.groups.law import edge
from exporter.groups.members import Key, Membership, Table, tabulate
from exporter.metrics.exposition import GroupScores
from exporter.metrics.labels import render_labels
from exporter.metrics.telemetry import Telemetry
from exporter.query.residuals import REMEMBERED, SLOT, Present, Residuals

RETRY = 900.0
"""Seconds after which a fit that could not be made, or that lacked a query, is tried again."""

_log = structlog.get_logger("groups")

Past = tuple[Sequence[Mapping[str, str]], Residuals]


@dataclass
class Group:
    """A group, its fitted model once there is one, and the scores of its services."""

    settings: Settings
    steps: Mapping[str, float]
    telemetry: Telemetry
    model: Joint | None = None
    scores: GroupScores | None = None
    _fitting: Future[Joint] | None = None
    _tried: float = -np.inf
    _seen: tuple[object, ...] = ()
    _members: dict[str, tuple[object, Membership]] = field(default_factory=dict)
    _names: _Names | None = None

    def update(self, presents: Sequence[Present | None]) -> None:
        """Score the services of what each query, in the group's order, says now; None where it is silent."""
        self._take_over()
        seen = (self.model, self.settings, *presents)
        if len(seen) == len(self._seen) and all(map(_same, seen, self._seen)):
            return
        self._seen, self.scores = seen, None
        self._count(0, 0, 0)
        if any(presents):
            self.scores = self._scored(presents)

    def is_due(self, presents: Sequence[Present | None], now: float) -> bool:
        """Whether the model is to be fitted: there is none, it is old, or it lacks a query that is there."""
        if self._fitting or not any(presents) or 0 <= now - self._tried < RETRY:
            return False
        if not self.model or not 0 <= now - self.model.time < self.settings.refit:
            return True
        return any(it and not known for it, known in zip(presents, self.model.known, strict=True))

    def refit(self, pasts: Sequence[Past | None], now: float, worker: Executor) -> None:
        """Fit the model to what the queries remember, in `worker`; `update` takes it over."""
        self._tried = now
        table = self._past(pasts, now)
        self._fitting = worker.submit(fit, table, self.settings.method, now)

    def settle(self) -> None:
        """Wait for a fit that is under way."""
        if self._fitting:
            self._fitting.exception()

    def _take_over(self) -> None:
        if not self._fitting or not self._fitting.done():
            return
        done, self._fitting = self._fitting, None
        error = done.exception()
        if error is None:
            self.model = done.result()
            name, related = self.settings.name, self.model.distance.correlation
            self.telemetry.set("group_trained_timestamp_seconds", self.model.time, group=name)
            self.telemetry.set("anomaly_group_correlation_max", related, group=name)
        elif not isinstance(error, TooShort):
            _log.error("group not fitted", group=self.settings.name, error=f"{type(error).__name__}: {error}")
            _log.debug("group not fitted", exc_info=error)
        result = "success" if error is None else "too_short" if isinstance(error, TooShort) else "failure"
        self.telemetry.count("group_refits_total", group=self.settings.name, result=result)

    def _past(self, pasts: Sequence[Past | None], now: float) -> Table:
        """The vectors of the last two weeks, (T, K, P)."""
        stride = int(-(-max(self.steps.values()) // SLOT))
        newest = int(now // SLOT)
        slots = np.arange(newest - REMEMBERED + 1, newest + 1, stride)
        parts = [
            (self._membership(name, past[0]), past[1].at(slots)) if past else None
            for name, past in zip(self.settings.queries, pasts, strict=True)
        ]
        return tabulate(parts)

    def _scored(self, presents: Sequence[Present | None]) -> GroupScores:
        pairs = [(self._membership(it.query, it.series), it) if it else None for it in presents]
        residuals = tabulate([(pair[0], pair[1].residual) if pair else None for pair in pairs])
        single = tabulate([(pair[0], pair[1].score) if pair else None for pair in pairs])
        residuals.values[np.isnan(single.values)] = np.nan
        score, contribution = self._alone(single.values)
        self._together(residuals, score, contribution)
        time = max(it.time for it in presents if it)
        return self._exposed(time, residuals.keys, score, contribution)

    def _alone(self, single: Floats) -> tuple[Floats, Floats]:
        """Scores (K,) and contributions (K, P) of the services that only one query speaks of."""
        there = np.isfinite(single)
        alone = there.sum(axis=1) == 1
        score = np.where(alone, np.where(there, single, 0).sum(axis=1, dtype=float), np.nan)
        contribution = np.where(there & alone[:, None], 1.0, np.nan)
        return score, contribution

    def _together(self, residuals: Table, score: Floats, contribution: Floats) -> None:
        """Fill in the services of two or more members."""
        several = np.isfinite(residuals.values).sum(axis=1) >= 2
        joint = np.zeros(len(several), bool)
        if self.model:
            vectors = self.model.members(residuals.values).astype(np.float32)
            joint = np.isfinite(vectors).sum(axis=1) >= 2
            keys = [residuals.keys[row] for row in np.flatnonzero(joint).tolist()]
            if keys:
                step = min(self.steps.values())
                at = edge(self.settings.false_alarms, step)
                score[joint] = self.model.scores(vectors[joint], keys, at)
                contribution[joint] = self.model.contributions(vectors[joint])
        single = int(np.isfinite(score).sum() - joint.sum())
        self._count(int(joint.sum()), single, int((several & ~joint).sum()))

    def _count(self, joint: int, single: int, learning: int) -> None:
        for state, count in (("joint", joint), ("single", single), ("learning", learning)):
            self.telemetry.set("group_services", count, group=self.settings.name, state=state)

    def _membership(self, query: str, series: Sequence[Mapping[str, str]]) -> Membership:
        """Kept while a query's series stay the same ones."""
        known, members = self._members.get(query, (None, None))
        if known is not series or members is None:
            members = Membership.of(series, self.settings.by)
            self._members[query] = (series, members)
        return members

    def _exposed(self, time: int, keys: tuple[Key, ...], score: Floats, contribution: Floats) -> GroupScores:
        if not self._names or self._names.keys != keys:
            self._names = _Names.of(self.settings, keys)
        names, settings = self._names, self.settings
        rounded = np.round(score, 4), np.round(contribution, 4)
        return GroupScores(settings.name, time, settings.queries, names.services, *rounded, names.labels)


def _same(one: object, other: object) -> bool:
    return one is other


@dataclass(frozen=True, slots=True)
class _Names:
    """The services' labels, and all label sets of both families as text."""

    keys: tuple[Key, ...]
    services: list[dict[str, str]]
    labels: tuple[list[bytes], list[bytes]]

    @classmethod
    def of(cls, settings: Settings, keys: tuple[Key, ...]) -> _Names:
        services = [{"group": settings.name, **dict(zip(settings.by, key, strict=True))} for key in keys]
        shares = [{**service, "query": query} for service in services for query in settings.queries]
        return cls(keys, services, ([*map(render_labels, services)], [*map(render_labels, shares)]))
