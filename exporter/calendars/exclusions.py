"""Which points of a query's series are hidden, not learnt, or taken as a Sunday's, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from exporter.calendars.windows import REASONS, WEEK, Agenda, Reason, Window, Windows
from exporter.frame import Mask
from exporter.matchers import Matchers, Selection


@dataclass(frozen=True, slots=True)
class Treatment:
    """How the points of one instant are taken, each mask (S,); None stands for nobody.

    `learn`: may teach; `hidden`: have no score; `sunday`: stand in Sunday's hours; `reasons`: why points do
    not teach, each point under one reason.
    """

    learn: Mask
    hidden: Mask | None = None
    sunday: Mask | None = None
    reasons: Mapping[Reason, Mask] = field(default_factory=dict)


class Exclusions:
    """The windows of `windows` that are about some of the series; cheap while none begins or ends."""

    def __init__(self, windows: Windows, series: Sequence[Mapping[str, str]]) -> None:
        """`series`: their labels as exposed, `query` among them."""
        self._windows = windows
        self._selection = Selection(series)
        self._usual = Treatment(np.ones(len(series), bool))
        self._agenda: Agenda | None = None
        self._week = -1
        self._chosen: list[tuple[Window, Mask]] = []
        self._since = self._until = 0
        self._now = self._usual

    def at(self, time: int) -> Treatment:
        """How the points of Unix second `time` are taken."""
        if not self._since <= time < self._until or self._windows.agenda is not self._agenda:
            self._turn(time)
        return self._now

    def _turn(self, time: int) -> None:
        """Find what holds at `time`, and since when and until when it does."""
        agenda, week = self._windows.agenda, time // WEEK
        if agenda is not self._agenda or week != self._week:
            self._chosen = self._choose(agenda.week(week))
            self._agenda, self._week = agenda, week
        edges = [week * WEEK, (week + 1) * WEEK]
        edges += [edge for it, _ in self._chosen for edge in (it.start, it.end)]
        self._since = max(edge for edge in edges if edge <= time)
        self._until = min(edge for edge in edges if edge > time)
        held = [(it, mask) for it, mask in self._chosen if it.holds(time)]
        self._now = self._treatment(held) if held else self._usual

    def _choose(self, windows: Iterable[Window]) -> list[tuple[Window, Mask]]:
        masks: dict[Matchers, Mask] = {}
        chosen = []
        for it in windows:
            if it.matchers not in masks:
                masks[it.matchers] = self._selection.of(it.matchers)
            if masks[it.matchers].any():
                chosen.append((it, masks[it.matchers]))
        return chosen

    def _treatment(self, held: Sequence[tuple[Window, Mask]]) -> Treatment:
        nobody = ~self._usual.learn
        effects = {it.effect: nobody.copy() for it, _ in held}
        whys: dict[Reason, Mask] = {}
        for it, mask in sorted(held, key=lambda one: REASONS.index(one[0].reason)):
            effects[it.effect] |= mask
            if it.effect != "sunday":
                before = np.logical_or.reduce([nobody, *(m for r, m in whys.items() if r != it.reason)])
                whys[it.reason] = whys.get(it.reason, nobody) | (mask & ~before)
        out = effects.get("no_score", nobody) | effects.get("no_learn", nobody)
        return Treatment(~out, effects.get("no_score"), effects.get("sunday"), whys)
