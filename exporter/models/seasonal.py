"""The default model: residual views of each value, the rarity of each, and their sum on the one scale."""

from __future__ import annotations

import math

import numpy as np

from exporter import columns, tail
from exporter.frame import Floats, Mask, Rows
from exporter.models import (
    autoregression,
    bounds,
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
from exporter.models.law import Law
from exporter.models.views import FAST, NAMES, NEXT, SLOW, VIEWS, WEIGHTS
from exporter.seasons import LocalClock, Season

CARRIED = np.float32(0.2)
"""The share of a point's evidence that counts again at the next point on the same side."""

PRIOR_EXPERIENCE = np.float32(40.0)
"""How many exceedances what is believed of tails beforehand is worth."""

_ONE = np.float32(1)
SLOW_ALONE = np.float32(VIEWS / WEIGHTS[SLOW, 0])
LARGEST_VALUE = 1e30
"""What lies beyond, such as the largest float that some programs report for "none", is no measurement."""

FRESH = 2.5
CHUNK = 16_384

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
        self._told: list[tuple[Floats, Floats]] = []

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
        strict = np.asarray(strictness, np.float32)
        season = self._clock.at(time, sunday)
        size = len(values)
        out = np.empty((5, size))
        self._told = []
        with np.errstate(over="ignore"):
            for start in range(0, size, CHUNK):
                part = slice(start, start + CHUNK)
                state = columns.part(self.state, part) if size > CHUNK else self.state
                taken = np.asarray(values[part], np.float64)
                point = _Point(self.settings, self._edge, state, time, season.part(part), taken)
                point.score(out[:, part], strict[part] if strict.ndim else strict, band)
                self._told.append((point.law.centres, point.each))
                point.learn(learn[part])
        return Scores(*out)


def _ready(state: State, settings: Settings) -> Mask:
    return np.asarray(state["count"] >= settings.warm_up / settings.step)


class _Point:
    """One point of time over one chunk of series: first scored, then learnt."""

    def __init__(
        self, settings: Settings, edge: float, state: State, time: int, at: Season, values: Floats
    ) -> None:
        self.settings, self.edge, self.state, self.time, self.at = settings, edge, state, time, at
        self.recent = state["previous_time"] > time - FRESH * settings.step
        self.season = profile.value(state, at)
        centres = views.centres(state, self.season, self.recent)
        expected = bounds.within(settings, centres[FAST])
        self.width = views.widths(state)
        self.reach = self.width * state["quantile"]
        self.law = Law(
            centres,
            expected,
            ramp=np.minimum.reduce(self.reach),
            width=self.width,
            slope=state["slope"],
            index=state["index"],
            experience=np.add.reduce(state["exceedances"]) + PRIOR_EXPERIENCE,
            carry=state["carry"] * CARRIED * self.recent,
        )
        self.present = np.abs(values) < LARGEST_VALUE
        self.ready = _ready(state, settings)
        self.x = expected.copy()
        np.copyto(self.x, values, where=self.present)
        self.residual = np.subtract(self.x, centres, out=np.empty_like(self.width))
        distance = (self.x - expected).astype(np.float32)
        self.side = np.copysign(_ONE, distance)
        self.distance = np.abs(distance, out=distance)

    def score(self, out: Floats, strictness: Floats, band: bool) -> None:
        """Fill `out` (5, S): score, deviation, expected, lower, upper; NaN where there is nothing to say.

        All that is learnt from is kept on the standard scale, before `strictness`, (S,) or (), comes in.
        """
        law, settings, distance = self.law, self.settings, self.distance
        above, least = self.side > 0, bounds.least_deviation(settings, law.expected)
        habit = recurrence.expected_excess(self.state, self.at.half_hour)
        slow = self._evidence(above)
        self.quiet = np.maximum(self.raw - habit, np.minimum(self.raw, recurrence.FREE))
        self.plain = self.quiet / self.state["factor"]
        shown = self.plain / strictness
        confirmation.weigh(self.state, shown, distance, self.side, self.recent, strictness)
        out[0] = bounds.large_enough(shown, distance, least)
        now = np.maximum(
            bounds.large_enough(self.plain, distance, least),
            bounds.large_enough(slow, self.residual[SLOW], least),
        )
        out[1] = sustained.follow(self.state, now, self.present, settings.step) / strictness
        out[2] = law.expected
        if band:
            edge = self.state["factor"] * strictness
            self._band(out, (edge + habit * (edge >= recurrence.FREE)) * np.float32(self.edge), least)
        else:
            out[3:] = np.nan
        absent = ~(self.present & self.ready)
        if absent.any():
            out[:, absent] = np.nan

    def _evidence(self, above: Mask) -> Floats:
        """Form the score before habits and near misses; what the slow level alone makes of it, (S,)."""
        law, each = self.law, self.law.evidence(self.residual, self.side)
        self.each = each
        total = np.add.reduce(each)
        fade = law.fade(self.distance)
        self.signed = total * fade * self.side
        total += law.carried(self.side)
        total *= fade
        scale = np.float32(1 / self.edge)
        self.raw = bounds.watched(self.settings, law.doubted(total) * scale, above)
        return bounds.watched(self.settings, each[SLOW] * (scale * SLOW_ALONE), above)

    def _band(self, out: Floats, target: Floats, least: Floats | None) -> None:
        above, below = self.law.distances(target).astype(np.float64)
        if least is not None:
            above, below = np.maximum(above, least), np.maximum(below, least)
        bounds.draw(self.settings, out, self.x, self.law.expected, above, below)

    def learn(self, allowed: Mask) -> None:
        """Update the state by those present points that `allowed` names."""
        learnt = self.present & allowed
        state, step = self.state, self.settings.step
        turned = recurrence.turned(state, self.at.half_hour, learnt)
        if turned is not None:
            self._turn(turned)
        weight = learnt.astype(np.float32)
        state["count"] += weight
        self._start(learnt & (state["count"] == 1))
        clipped = self._clip()
        young = weight / np.maximum(state["count"], 1)
        self._learn_next(clipped[NEXT], weight)
        views.learn(state, clipped, self.season, young, weight, step)
        profile.learn(state, self.at, clipped[SLOW], step, weight)
        self._learn_tails(weight)
        self._remember(learnt)
        if turned is not None:
            shift.turn(state, turned, self.at, self.time, step, self.settings.adapts)

    def _turn(self, rows: Rows | slice) -> None:
        """A new half hour: file the peaks of the last, and draw the law anew."""
        state = self.state
        profile.visit(state, self.at, state["habit_slot"][rows] // 2 != self.at.half_hour // 2, rows)
        recurrence.turn(state, self.at.half_hour, rows)
        limiter.turn(state, self.settings.step, rows)
        confirmation.turn(state, max(self.settings.step, recurrence.SLOT), rows)
        autoregression.turn(state, rows)
        common = tail.index(state["excess"][:, rows], state["exceedances"][:, rows])
        quantile = tail.shrunk_quantile(state["log_quantile"][:, rows], state["count"][rows])
        state["kappa"][:, rows], state["quantile"][:, rows] = tail.curvature(common), quantile
        sides.draw(state, common, quantile, rows)

    def _start(self, first: Mask) -> None:
        """A series' first point is its level."""
        if first.any():
            self.state["level"][:, first] = self.x[first]
            self.residual[:, first] = 0
            self.distance[first] = 0

    def _clip(self) -> Floats:
        bound = views.bound(self.reach, self.state["run"], self.settings.adapts / self.settings.step)
        flat = self.state["scale"][:VIEWS] < self.width
        flat |= self.state["count"] <= views.SETTLED
        np.copyto(bound, np.inf, where=flat)
        clipped = np.minimum(self.residual, bound)
        return np.maximum(clipped, -bound, out=clipped)

    def _learn_next(self, error: Floats, weight: Floats) -> None:
        state = self.state
        steady = weight * self.recent * (state["count"] > views.SETTLED)
        autoregression.learn(state, error, self.width[SLOW], steady)

    def _learn_tails(self, weight: Floats) -> None:
        state = self.state
        counted, further = tail.learn(
            state["log_quantile"],
            state["excess"],
            state["exceedances"],
            state["run"],
            np.abs(self.residual) / self.width,
            state["kappa"],
            state["count"],
            weight,
        )
        sides.learn(state, self.residual, counted, further)

    def _remember(self, learnt: Mask) -> None:
        """What the next points are compared with: lags, evidence, peaks, near misses."""
        state, step = self.state, self.settings.step
        autoregression.remember(state, self.residual[SLOW], self.recent, learnt)
        edge = np.float32(self.edge)
        np.copyto(state["carry"], self.signed.clip(-edge, edge), where=learnt)
        np.copyto(state["previous_time"], self.time, where=learnt)
        confirmation.remember(state, self.plain, self.distance, self.side, learnt)
        known = (learnt & self.ready).astype(np.float32)
        recurrence.learn(state, self.raw, known)
        limiter.learn(state, self.quiet, step, known)
