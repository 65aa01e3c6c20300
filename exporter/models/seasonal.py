"""The default model: residual views of each value, the rarity of each, and their sum on the one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from exporter import columns, tail
from exporter.frame import Floats, Mask, Rows
from exporter.models import (
    autoregression,
    confirmation,
    limiter,
    profile,
    recurrence,
    shift,
    sides,
    sustained,
    views,
)
from exporter.models.contract import Model, Scores, Settings, State
from exporter.models.judgement import Judgement
from exporter.models.points import Batch, Points
from exporter.models.track import Track
from exporter.models.views import NAMES, VIEWS
from exporter.seasons import LocalClock, Season

CHUNK = 32_768

Told: TypeAlias = tuple[Floats, Floats]
"""Where each view expected the last value, and the evidence that it gave, (V, S) each."""

FIELDS: columns.Fields = {
    "count": (0, np.float32, 0),
    "previous_time": (0, np.float64, -np.inf),
    "carry": (0, np.float32, 0),
    "log_quantile": (VIEWS, np.float32, tail.PRIOR_LOG_QUANTILE),
    "excess": (VIEWS, np.float32, 0),
    "exceedances": (VIEWS, np.float32, 0),
    "run": (VIEWS, np.float32, 0),
    "quantile": (VIEWS, np.float32, math.exp(tail.PRIOR_LOG_QUANTILE)),
    "kappa": (VIEWS, np.float32, math.expm1(tail.PRIOR_INDEX * tail.BODY)),
    **sides.FIELDS,
    **views.FIELDS,
    **autoregression.FIELDS,
    **profile.FIELDS,
    **recurrence.FIELDS,
    **limiter.FIELDS,
    **confirmation.FIELDS,
    **sustained.FIELDS,
    **shift.FIELDS,
}
"""State by name: rows per series (0: a plain vector), type, value of a fresh series.

The law that points are scored by (`quantile`, `kappa`, `slope`, `index`, and the limiter's `factor`) is drawn
anew from what was learnt every half hour: it changes slowly, and costs a fifth of a step.
"""


class Seasonal:
    """Levels, local season, autoregression, robust scales and tail laws, all updated in O(1) per point."""

    def __init__(self, settings: Settings, size: int = 0) -> None:
        """A model of `size` fresh series."""
        self.settings = settings
        self.state: State = columns.fresh(FIELDS, size)
        self._clock = LocalClock(settings.zone)
        self._edge = tail.edge(settings.step)
        self._told: list[Told] = []

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        return _ready(self.state, self.settings)

    def season(self, time: float) -> Floats:
        """What the season adds to the level at Unix second `time`, (S,)."""
        return profile.value(self.state, self._clock.at(int(time)))

    def told(self) -> dict[str, tuple[Floats, Floats]]:
        """Where each view expected the last value, and the evidence that it gave, (S,) each."""
        if not self._told:
            return {}
        whole = (
            it[0] if len(it) == 1 else np.concatenate(it, axis=1) for it in zip(*self._told, strict=True)
        )
        centres, evidence = whole
        return {name: (centres[view], evidence[view]) for view, name in enumerate(NAMES)}

    def acquainted(self) -> dict[str, Floats]:
        """The share of the hours of the day and of the week that are known, (S,)."""
        return profile.acquainted(self.state, self.settings.step)

    def select(self, taken: Rows) -> None:
        """Rearrange the state so that new row i is old row `taken[i]`, or a fresh series where that is -1."""
        columns.select(self.state, FIELDS, taken)

    def put(self, places: Rows, other: Model) -> None:
        """Overwrite the rows `places` with the series of `other`, a model of the same kind and settings."""
        columns.put(self.state, places, other.state)

    def step(
        self,
        time: int,
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,
    ) -> Scores:
        """Score `values` (S,), observed at Unix second `time`, then learn those that `learn` allows."""
        steps = self.steps((time,), values[None], learn, band=band, strictness=strictness, sunday=sunday)
        return steps.at(0)

    def steps(
        self,
        times: Sequence[int],
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
        sunday: Mask | None = None,
    ) -> Scores:
        """What `step` makes of `values` (T, S) one after the other, a band only of the last; (T, S) each."""
        strict = np.asarray(strictness, np.float32)
        seasons = [self._clock.at(time, sunday) for time in times]
        out = np.empty((5, *values.shape))
        self._told = []
        with np.errstate(over="ignore"):
            for start in range(0, values.shape[1], CHUNK):
                part = slice(start, start + CHUNK)
                state = columns.part(self.state, part) if values.shape[1] > CHUNK else self.state
                at = [it.part(part) for it in seasons]
                batch = Batch(times, at, np.asarray(values[:, part], np.float64), learn[part])
                self._follow(state, batch, strict[part] if strict.ndim else strict, band, out[:, :, part])
        return Scores(*out)

    def _follow(self, state: State, batch: Batch, strictness: Floats, band: bool, out: Floats) -> None:
        """Fill `out` (5, T, S) and learn, up to the begin of a half hour at once."""
        while len(batch):
            now, batch = batch.split(_until_turn(state, batch))
            points = Points.of(state, self.settings, now)
            told = self._take(state, points, out[:, : len(points)], strictness, band and not batch)
            out = out[:, len(points) :]
        self._told.append(told)

    def _take(self, state: State, points: Points, out: Floats, strictness: Floats, band: bool) -> Told:
        """Score and learn `points`, of which only the last may be the first of a half hour."""
        track = Track(self.settings, state, points)
        last = len(points) - 1
        for point in range(last):
            track.predict(point)
            track.learn(point)
        track.predict(last)
        judged = Judgement(self.settings, self._edge, state, points, track)
        judged.score(out, strictness, band)
        judged.remember_earlier()
        time, at = points.times[last], points.at[last]
        turned = recurrence.turned(state, at.half_hour, points.learnt[last])
        if turned is not None:
            _turn(state, self.settings, at, turned)
        track.learn(last)
        judged.remember_last()
        if turned is not None:
            shift.turn(state, turned, at, time, self.settings.step, self.settings.adapts)
        return track.centres, judged.each[-1]


def _until_turn(state: State, batch: Batch) -> int:
    """How many points of `batch` may be taken in at once: up to the first with which a half hour begins."""
    if len(batch) == 1:
        return 1
    half_hours = np.array([[it.half_hour] for it in batch.at])
    turning = (batch.learnt() & (state["habit_slot"] != half_hours)).any(axis=1)
    return int(turning.argmax()) + 1 if turning.any() else len(batch)


def _turn(state: State, settings: Settings, at: Season, rows: Rows | slice) -> None:
    """A new half hour for `rows`: file the peaks of the last, and draw the law anew."""
    profile.visit(state, at, state["habit_slot"][rows] // 2 != at.half_hour // 2, rows)
    recurrence.turn(state, at.half_hour, rows)
    limiter.turn(state, settings.step, rows)
    confirmation.turn(state, max(settings.step, recurrence.SLOT), rows)
    autoregression.turn(state, rows)
    common = tail.index(state["excess"][:, rows], state["exceedances"][:, rows])
    quantile = tail.shrunk_quantile(state["log_quantile"][:, rows], state["count"][rows])
    state["kappa"][:, rows], state["quantile"][:, rows] = tail.curvature(common), quantile
    sides.draw(state, common, quantile, rows)


def _ready(state: State, settings: Settings) -> Mask:
    return np.asarray(state["count"] >= settings.warm_up / settings.step)
