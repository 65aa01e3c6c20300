"""The default model: residual views of each value, the rarity of each, and their sum on the one scale."""

from __future__ import annotations

import math

import numpy as np

from exporter import tail
from exporter.frame import Floats, Mask, Rows
from exporter.models import autoregression, limiter, profile, recurrence, views
from exporter.models.contract import Model, Scores, Settings, State
from exporter.models.law import Law
from exporter.models.views import NEXT, SLOW, VIEWS
from exporter.seasons import LocalClock, Season

CARRIED = np.float32(0.2)
"""The share of a point's evidence that counts again at the next point on the same side."""

RISE, FALL = 900.0, 180.0
"""Seconds in which the deviation follows: slowly up, and down soon after an incident is over."""

SUSTAINED_LAW = 0.36
"""A mean over many points strays less than one point: it is stretched so that 1 stays its edge."""

DEVIATION_LIMIT = 3.0
LARGEST_VALUE = 1e30
"""What lies beyond, such as the largest float that some programs report for "none", is no measurement."""

FRESH = 2.5
CHUNK = 16_384

FIELDS: dict[str, tuple[int, type, float]] = {
    "count": (0, np.float32, 0),
    "previous_time": (0, np.float64, -np.inf),
    "carry": (0, np.float32, 0),
    "sustained": (0, np.float32, 0),
    "log_quantile": (VIEWS, np.float32, tail.PRIOR_LOG_QUANTILE),
    "excess": (VIEWS, np.float32, 0),
    "exceedances": (VIEWS, np.float32, 0),
    "run": (VIEWS, np.float32, 0),
    "quantile": (VIEWS, np.float32, math.exp(tail.PRIOR_LOG_QUANTILE)),
    "index": (VIEWS, np.float32, tail.PRIOR_INDEX),
    "kappa": (VIEWS, np.float32, math.expm1(tail.PRIOR_INDEX * tail.BODY)),
    **views.FIELDS,
    **autoregression.FIELDS,
    **profile.FIELDS,
    **recurrence.FIELDS,
    **limiter.FIELDS,
}
"""State by name: rows per series (0: a plain vector), type, value of a fresh series.

The law that points are scored by, `quantile`, `index` and `kappa` of each view and the limiter's `factor`,
is drawn anew from what was learnt every half hour: it changes slowly, and costs a fifth of a step.
"""


class Seasonal:
    """Levels, local season, autoregression, robust scales and tail laws, all updated in O(1) per point."""

    def __init__(self, settings: Settings, rows: int = 0) -> None:
        """A model of `rows` fresh series."""
        self.settings = settings
        self.state: State = {name: _fresh(name, rows) for name in FIELDS}
        self._clock = LocalClock(settings.zone)
        self._edge = tail.edge(settings.step)

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        return _ready(self.state, self.settings)

    def select(self, rows: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        known = rows >= 0
        for name, array in self.state.items():
            taken = _fresh(name, len(rows))
            taken[..., known] = array[..., rows[known]]
            self.state[name] = taken

    def put(self, rows: Rows, other: Model) -> None:
        """Overwrite `rows` with the series of `other`, a model of the same kind and settings."""
        for name, array in self.state.items():
            array[..., rows] = other.state[name]

    def step(
        self,
        time: int,
        values: Floats,
        learn: Mask,
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,
    ) -> Scores:
        """Score `values` (S,), observed at Unix second `time`, then learn those that `learn` allows."""
        strict = np.asarray(strictness, np.float32)
        season = self._clock.at(time)
        size = len(values)
        out = np.full((5, size), np.nan)
        with np.errstate(over="ignore"):
            for start in range(0, size, CHUNK):
                part = slice(start, start + CHUNK)
                state = self._part(part) if size > CHUNK else self.state
                taken = np.asarray(values[part], np.float64)
                point = _Point(self.settings, self._edge, state, time, season, taken)
                point.score(out[:, part], strict[part] if strict.ndim else strict, band)
                point.learn(learn[part])
        return Scores(*out)

    def _part(self, part: slice) -> State:
        return {name: array[..., part] for name, array in self.state.items()}


def _fresh(name: str, size: int) -> np.ndarray:
    rows, kind, value = FIELDS[name]
    return np.full((rows, size) if rows else size, value, kind)


def _ready(state: State, settings: Settings) -> Mask:
    return np.asarray(state["count"] * settings.step >= settings.warm_up)


class _Point:
    """One point of time over one chunk of series: first scored, then learnt."""

    def __init__(
        self, settings: Settings, edge: float, state: State, time: int, at: Season, values: Floats
    ) -> None:
        self.settings, self.edge, self.state, self.time, self.at = settings, edge, state, time, at
        self.recent = time - state["previous_time"] < FRESH * settings.step
        self.season = profile.value(state, at, settings.step)
        centres = views.centres(state, self.season, self.recent)
        self.width = views.widths(state)
        self.reach = self.width * state["quantile"]
        expected = np.minimum(np.maximum(centres[views.FAST], settings.domain[0]), settings.domain[1])
        carry = (CARRIED * self.recent) * state["carry"]
        self.law = Law(centres, expected, self.reach, state["index"], state["kappa"], carry)
        self.present = np.abs(values) < LARGEST_VALUE
        self.ready = _ready(state, settings)
        self.x = np.where(self.present, values, expected)
        self.residual = (self.x - centres).astype(np.float32)

    def score(self, out: Floats, strictness: Floats, band: bool) -> None:
        """Fill `out` (5, S): score, deviation, expected, lower, upper; NaN where there is nothing to say.

        All that is learnt from is kept on the standard scale, before `strictness`, (S,) or (), comes in.
        """
        law, habit = self.law, recurrence.expected_excess(self.state, self.at.half_hour)
        distance = self.x - law.expected
        side = np.copysign(np.float32(1), distance).astype(np.float32)
        np.abs(distance, out=distance)
        views = law.evidence(self.residual, side)
        plain = np.add.reduce(views)
        fade = law.fade(distance.astype(np.float32))
        self.signed = plain * fade * side
        plain += law.carried(side)
        plain *= fade
        self.raw = self._watched(plain * np.float32(1 / self.edge), side)
        self.quiet = np.maximum(self.raw - habit, np.minimum(self.raw, recurrence.FREE))
        score = self.quiet / self.state["factor"]
        out[0] = self._large_enough(score / strictness, distance)
        out[1] = self._sustain(self._large_enough(score, distance), views[SLOW], side)
        out[1] /= strictness
        out[2] = law.expected
        if band:
            edge = self.state["factor"] * strictness
            self._band(out, (edge + habit * (edge >= recurrence.FREE)) * np.float32(self.edge))
        absent = ~(self.present & self.ready)
        if absent.any():
            out[:, absent] = np.nan

    def _watched(self, score: Floats, side: Floats) -> Floats:
        """Nothing on the side that is not watched."""
        if self.settings.direction == "both":
            return score
        watched: Floats = score * (side > 0 if self.settings.direction == "up" else side < 0)
        return watched

    def _large_enough(self, score: Floats, distance: Floats) -> Floats:
        """Below 1 where the deviation is smaller than configured."""
        floor = self._smallest_deviation()
        if floor is None:
            return score
        share = distance / np.maximum(floor, distance * 1e-6 + 1e-30)
        least: Floats = np.minimum(score, share.astype(np.float32))
        return least

    def _smallest_deviation(self) -> Floats | None:
        settings = self.settings
        if not settings.minimum_deviation and not settings.minimum_relative_deviation:
            return None
        relative = settings.minimum_relative_deviation * np.abs(self.law.expected)
        floor: Floats = np.maximum(settings.minimum_deviation, relative)
        return floor

    def _sustain(self, score: Floats, slow: Floats, side: Floats) -> Floats:
        """The sustained form: a running mean of the score, or of the evidence that `slow` alone finds."""
        slow = self._watched(slow * np.float32(VIEWS / self.edge), side)
        change = np.maximum(score, self._large_enough(slow, np.abs(self.residual[SLOW])))
        np.minimum(change, DEVIATION_LIMIT, out=change)
        sustained, step = self.state["sustained"], self.settings.step
        change -= sustained
        change *= self.present
        rise, fall = (np.float32(min(max(-math.expm1(-step / it), 0.05), 0.5)) for it in (RISE, FALL))
        sustained += rise * np.maximum(change, 0)
        sustained += fall * np.minimum(change, 0)
        stretched: Floats = sustained * np.float32(1 + SUSTAINED_LAW * math.log1p(RISE / step))
        return stretched

    def _band(self, out: Floats, target: Floats) -> None:
        """Fill expected, lower and upper; a side that is not watched, or has no end, is NaN."""
        low, high = self.settings.domain
        above, below = self.law.distances(target).astype(np.float64)
        floor = self._smallest_deviation()
        if floor is not None:
            above, below = np.maximum(above, floor), np.maximum(below, floor)
        out[3] = low if self.settings.direction == "up" else self.law.expected - below
        out[4] = high if self.settings.direction == "down" else self.law.expected + above
        np.clip(out[3:], low, high, out=out[3:])
        out[3:][np.isinf(out[3:])] = np.nan
        self._agree(out)

    def _agree(self, out: Floats) -> None:
        """Where rounding puts the value on the wrong side of the band's end, move the end to the value."""
        strange = out[0] > 1
        np.copyto(out[4], self.x, where=(self.x > out[4]) & ~strange)
        np.copyto(out[3], self.x, where=(self.x < out[3]) & ~strange)

    def learn(self, allowed: Mask) -> None:
        """Update the state by those present points that `allowed` names."""
        learnt = self.present & allowed
        state, step = self.state, self.settings.step
        weight = learnt.astype(np.float32)
        state["count"] += weight
        self._start(learnt & (state["count"] == 1))
        count = state["count"]
        clipped = self._clip(count)
        young = weight / np.maximum(count, 1)
        self._learn_next(clipped[NEXT], weight)
        views.learn(state, clipped, self.season, young, weight, step)
        profile.learn(state, self.at, clipped[SLOW], step, weight)
        size = np.abs(self.residual) / self.width
        tail.learn(
            state["log_quantile"],
            state["excess"],
            state["exceedances"],
            state["run"],
            size,
            state["kappa"],
            count,
            weight,
        )
        self._remember(learnt)

    def _start(self, first: Mask) -> None:
        """A series' first point is its level."""
        if first.any():
            self.state["level"][:, first] = self.x[first]
            self.residual[:, first] = 0

    def _clip(self, count: Floats) -> Floats:
        bound = views.bound(self.reach, self.state["run"], self.settings.step)
        flat = self.state["scale"][:VIEWS] < self.width
        flat |= count <= views.SETTLED
        np.copyto(bound, np.inf, where=flat)
        clipped = np.minimum(self.residual, bound)
        return np.maximum(clipped, -bound, out=clipped)

    def _learn_next(self, error: Floats, weight: Floats) -> None:
        state = self.state
        steady = weight * self.recent * (state["count"] > views.SETTLED)
        autoregression.learn(state, error, self.width[SLOW], steady)

    def _remember(self, learnt: Mask) -> None:
        """What the next points are compared with: lags, evidence, habits, near misses."""
        state = self.state
        autoregression.remember(state, self.residual[SLOW], self.recent, learnt)
        carry = np.minimum(self.signed, np.float32(self.edge))
        np.copyto(state["carry"], np.maximum(carry, np.float32(-self.edge), out=carry), where=learnt)
        np.copyto(state["previous_time"], self.time, where=learnt)
        known = learnt & self.ready
        rows = recurrence.turned(state, self.at.half_hour, learnt)
        if rows is not None:
            self._turn(rows)
        recurrence.learn(state, self.raw, known)
        limiter.learn(state, self.quiet, self.settings.step, known.astype(np.float32))

    def _turn(self, rows: Rows | slice) -> None:
        """A new half hour: file the peaks of the last, and draw the law anew."""
        state = self.state
        recurrence.turn(state, self.at.half_hour, rows)
        limiter.turn(state, max(self.settings.step, recurrence.SLOT), rows)
        index = tail.index(state["excess"][:, rows], state["exceedances"][:, rows])
        state["index"][:, rows] = index
        state["kappa"][:, rows] = tail.curvature(index)
        log_quantile, count = state["log_quantile"][:, rows], state["count"][rows]
        state["quantile"][:, rows] = tail.shrunk_quantile(log_quantile, count)
