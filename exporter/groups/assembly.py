"""All groups of a configuration: which are to be scored and fitted now, given what their queries say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from exporter.config.schema import Config
from exporter.config.schema import Group as Settings
from exporter.groups.scoring import Group, Past
from exporter.metrics.exposition import GroupScores
from exporter.metrics.telemetry import Telemetry
from exporter.query.scorer import Scorer

_log = structlog.get_logger("groups")


class Groups:
    """The groups, and the one thread in which their models are fitted."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.groups: Mapping[str, Group] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="fit")

    def apply(self, config: Config) -> None:
        """Take over `config`: a group that is made as before keeps its model, whatever its budget."""
        before = self.groups
        steps = {query.name: query.step for query in config.queries}
        self.groups = {it.name: self._group(it, steps, before.get(it.name)) for it in config.groups}
        for name in before.keys() - self.groups.keys():
            self.telemetry.forget_group(name)

    def advance(
        self, scorers: Mapping[str, Scorer], now: float, busy: Callable[[str], bool], *, last: bool
    ) -> list[GroupScores]:
        """Score every group whose queries have all had their turn (any, if `last`), and fit what is due."""
        out = []
        for group in self.groups.values():
            try:
                self._turn(group, scorers, now, busy, last)
            except Exception as error:
                group.scores = None
                self.telemetry.count("events_total", event="group", result="failure")
                told = f"{type(error).__name__}: {error}"
                _log.error("group not scored", group=group.settings.name, error=told)
                _log.debug("group not scored", exc_info=True)
            if group.scores:
                out.append(group.scores)
        return out

    def settle(self) -> None:
        """Wait for the fits that are under way."""
        for group in self.groups.values():
            group.settle()

    def end(self) -> None:
        """Fit nothing more."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _turn(
        self,
        group: Group,
        scorers: Mapping[str, Scorer],
        now: float,
        busy: Callable[[str], bool],
        last: bool,
    ) -> None:
        names = group.settings.queries
        presents = [scorers[name].present if scorers[name].fresh(now) else None for name in names]
        waiting = any(it and busy(it.query) for it in presents)
        if last or not waiting:
            group.update(presents)
        if not any(map(busy, names)) and group.is_due(presents, now):
            group.refit([_past(scorers[it.query]) if it else None for it in presents], now, self._worker)

    def _group(self, settings: Settings, steps: Mapping[str, float], old: Group | None) -> Group:
        own = {name: steps[name] for name in settings.queries}
        if old and _made_alike(old.settings, settings) and old.steps == own:
            old.settings = settings
            return old
        self.telemetry.forget_group(settings.name)
        return Group(settings, own, self.telemetry)


def _past(scorer: Scorer) -> Past | None:
    residuals = scorer.series.residuals
    return (scorer.series.roster.labels, residuals) if residuals else None


def _made_alike(one: Settings, other: Settings) -> bool:
    fields: Sequence[str] = ("name", "by", "queries", "method")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def grouped(config: Config) -> frozenset[str]:
    """The queries that groups are made of."""
    return frozenset(name for group in config.groups for name in group.queries)
