"""The default model: four residual views of each value, the rarity of each, and their sum on the one scale."""

from __future__ import annotations

import math

import numpy as np

from exporter import tail
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import Model, Scores, Settings, State
from exporter.seasons import HOURS, SLOTS, LocalClock, Season

VIEWS = 4
MEAN, SLOW, FAST, CHANGE = range(VIEWS)
SLOW_LEVEL = 7 * 86_400.0
FAST_LEVEL = 3_600.0
SCALE_MEMORY = 7 * 86_400.0
DAY_GAIN = 0.25
WEEK_PRIOR = 3.0
CLIP = 3.0
QUANTILE_RATE = 0.005
SUSTAIN = 900.0
FRESH = 2.5
_CHUNK = 8_192

FIELDS: dict[str, tuple[int, type, float]] = {
    "count": (0, np.float32, 0),
    "level": (3, np.float64, 0),
    "previous": (0, np.float64, 0),
    "previous_season": (0, np.float32, 0),
    "previous_time": (0, np.float64, -np.inf),
    "spread": (0, np.float32, 0),
    "scale": (VIEWS, np.float32, 0),
    "quantile": (VIEWS, np.float32, 2.5),
    "excess": (VIEWS, np.float32, 0),
    "exceedances": (VIEWS, np.float32, 0),
    "day": (SLOTS, np.float32, 0),
    "day_seen": (SLOTS, np.float32, 0),
    "week": (HOURS, np.float32, 0),
    "week_seen": (HOURS, np.float32, 0),
    "sustained": (0, np.float32, 0),
}
"""State by name: rows per series (0: a plain vector), type, value of a fresh series."""


class Seasonal:
    """Levels, local season, robust scales and tail laws, all updated in O(1) per point and series."""

    def __init__(self, settings: Settings, rows: int = 0) -> None:
        """A model of `rows` fresh series."""
        self.settings = settings
        self._clock = LocalClock(settings.zone)
        self._edge = tail.edge(settings.false_alarm_interval, settings.step)
        self.state: State = {name: _fresh(name, rows) for name in FIELDS}

    def ready(self) -> Mask:
        """Which series have left their warm-up, shape (S,)."""
        return np.asarray(self.state["count"] * self.settings.step >= self.settings.warm_up)

    def select(self, rows: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        fresh = rows < 0
        for name, array in self.state.items():
            if array.shape[-1]:
                taken = array[..., rows]
                taken[..., fresh] = FIELDS[name][2]
            else:
                taken = _fresh(name, len(rows))
            self.state[name] = taken

    def put(self, rows: Rows, other: Model) -> None:
        """Overwrite `rows` with the series of `other`, a model of the same kind and settings."""
        for name, array in self.state.items():
            array[..., rows] = other.state[name]

    def step(self, time: int, values: Floats, learn: Mask, *, band: bool = True) -> Scores:
        """Score `values` (S,), observed at Unix second `time`, then learn those that `learn` allows."""
        season = self._clock.at(time)
        size = len(values)
        out = np.full((5, size), np.nan)
        for start in range(0, size, _CHUNK):
            part = slice(start, start + _CHUNK)
            state = {name: array[..., part] for name, array in self.state.items()}
            step = _Step(self.settings, self._edge, state, time, season, band)
            step.run(values[part], learn[part], out[:, part])
        return Scores(*out)


def _fresh(name: str, size: int) -> np.ndarray:
    rows, kind, value = FIELDS[name]
    return np.full((rows, size) if rows else size, value, kind)


class _Step:
    """One point of time over one chunk of series."""

    def __init__(
        self, settings: Settings, edge: float, state: State, time: int, season: Season, band: bool
    ) -> None:
        self.settings, self.edge, self.state, self.time, self.season = settings, edge, state, time, season
        self.band = band

    def run(self, values: Floats, learn: Mask, out: Floats) -> None:
        state, settings = self.state, self.settings
        present = np.isfinite(values)
        ready = state["count"] * settings.step >= settings.warm_up
        shape = self._shape()
        centres = self._centres(shape)
        x = np.where(present, values, centres[SLOW])
        residuals = (x - centres).astype(np.float32)
        widths = self._widths()
        tail_index = tail.index(state["excess"], state["exceedances"])
        kappa = tail.curvature(tail_index)
        reach = widths * state["quantile"]
        law = _Law(centres, reach, tail_index, kappa, self.edge, settings)
        out[0] = law.score(x)
        if self.band:
            out[2], out[3], out[4] = law.band()
        out[1] = self._sustain(out[0], present)
        out[:, ~(present & ready)] = np.nan
        self._learn(x, residuals, residuals / reach, reach, kappa, shape, present & learn)

    def _shape(self) -> Floats:
        """The season now: the daily profile between two slots, plus the hour of week as far as it is known."""
        at, state = self.season, self.state
        daily = state["day"][at.slot] * np.float32(1 - at.weight) + state["day"][at.next_slot] * np.float32(
            at.weight
        )
        seen = state["week_seen"][at.hour]
        return np.asarray(daily + state["week"][at.hour] * (seen / (seen + np.float32(WEEK_PRIOR))))

    def _centres(self, shape: Floats) -> Floats:
        """Where each view expects the value, (V, S)."""
        state = self.state
        centres = np.empty((VIEWS, len(shape)))
        centres[MEAN] = state["level"][MEAN]
        centres[SLOW:CHANGE] = state["level"][SLOW:CHANGE] + shape
        fresh = self.time - state["previous_time"] < FRESH * self.settings.step
        change = state["previous"] + shape - state["previous_season"]
        centres[CHANGE] = np.where(fresh, change, centres[FAST])
        return centres

    def _widths(self) -> Floats:
        state = self.state
        floor = 0.01 * state["spread"] + 1e-10 * np.abs(state["level"][MEAN]) + 1e-12
        return np.maximum(state["scale"], floor.astype(np.float32))

    def _sustain(self, score: Floats, present: Mask) -> Floats:
        sustained = self.state["sustained"]
        gain = np.float32(max(1 - math.exp(-self.settings.step / SUSTAIN), 0.05))
        sustained += gain * (np.minimum(np.nan_to_num(score), 3) * present - sustained)
        return sustained

    def _learn(
        self,
        x: Floats,
        residuals: Floats,
        distance: Floats,
        reach: Floats,
        kappa: Floats,
        shape: Floats,
        mask: Mask,
    ) -> None:
        state = self.state
        weight = mask.astype(np.float32)
        state["count"] += weight
        first = mask & (state["count"] == 1)
        state["level"][:, first] = x[first]
        young = weight / np.maximum(state["count"], 1)
        bound = np.where(state["count"] > 20, np.float32(CLIP / 2.5) * reach, np.float32(np.inf))
        clipped = np.clip(residuals, -bound, bound)
        clipped[:, first] = 0
        self._learn_places(clipped, young, weight)
        self._learn_season(clipped[SLOW], weight)
        self._learn_tails(np.abs(distance), kappa, weight)
        state["previous"][mask] = x[mask]
        state["previous_season"][mask] = shape[mask]
        state["previous_time"][mask] = self.time

    def _learn_places(self, clipped: Floats, young: Floats, weight: Floats) -> None:
        state, step = self.state, self.settings.step
        state["level"][MEAN] += young * clipped[MEAN]
        state["level"][SLOW] += np.maximum(young, weight * _gain(step, SLOW_LEVEL)) * clipped[SLOW]
        state["level"][FAST] += np.maximum(young, weight * _gain(step, FAST_LEVEL)) * clipped[FAST]
        gain = np.maximum(young, weight * _gain(step, SCALE_MEMORY))
        state["spread"] += gain * (np.abs(clipped[MEAN]) - state["spread"])
        state["scale"] += gain * (np.abs(clipped) - state["scale"])

    def _learn_season(self, residual: Floats, weight: Floats) -> None:
        state, at, step = self.state, self.season, self.settings.step
        gain = np.float32(1 - (1 - DAY_GAIN) ** min(step / 900, 1))
        for slot, share in ((at.slot, 1 - at.weight), (at.next_slot, at.weight)):
            seen = state["day_seen"][slot]
            state["day"][slot] += np.maximum(gain, 1 / (seen + 1)) * np.float32(share) * residual * weight
            seen += np.float32(share) * weight
        state["week"][at.hour] += np.float32(DAY_GAIN * min(step / 3600, 1)) * residual * weight
        state["week_seen"][at.hour] += np.float32(min(step / 3600, 1)) * weight

    def _learn_tails(self, distance: Floats, kappa: Floats, weight: Floats) -> None:
        state = self.state
        exceeds = (distance > 1).astype(np.float32)
        old_enough = weight * (state["count"] > 50)
        rate = old_enough * np.clip(
            50 / np.maximum(state["count"], 1), np.float32(QUANTILE_RATE), np.float32(0.2)
        )
        tail.learn_quantile(state["quantile"], exceeds, rate)
        tail.learn_index(state["excess"], state["exceedances"], distance, exceeds, kappa, old_enough)


def _gain(step: float, memory: float) -> np.float32:
    """The weight of one new point in an exponential mean that remembers `memory` seconds."""
    return np.float32(1 - math.exp(-step / memory))


class _Law:
    """Score as a function of the value, on each side of the expected one strictly increasing, and its inverse."""

    def __init__(
        self,
        centres: Floats,
        reach: Floats,
        tail_index: Floats,
        kappa: Floats,
        edge: float,
        settings: Settings,
    ) -> None:
        low, high = settings.domain
        self.expected = np.clip(centres[SLOW], low, high)
        self.offset = self.expected - centres
        self.slope = kappa / reach
        self.tail_index, self.edge, self.settings = tail_index, edge, settings
        self.ramp = reach[SLOW]
        self.floor = np.maximum(
            settings.minimum_deviation, settings.minimum_relative_deviation * np.abs(self.expected)
        )

    def score(self, x: Floats) -> Floats:
        """0 where the value is expected, 1 at the band; shape (S,)."""
        distance = x - self.expected
        side = np.where(distance < 0, -1.0, 1.0)
        score = self._raw(np.abs(distance), side)
        if self.settings.direction != "both":
            wanted = 1.0 if self.settings.direction == "up" else -1.0
            score = np.where(side == wanted, score, 0.0)
        return score

    def _raw(self, distance: Floats, side: Floats) -> Floats:
        away = np.maximum(distance + side * self.offset, 0)
        total = (np.log1p(self.slope * away) / self.tail_index).sum(0)
        score = np.minimum(distance / self.ramp, 1) * total / self.edge
        with np.errstate(divide="ignore", invalid="ignore"):
            limit = np.where(self.floor > 0, distance / self.floor, np.inf)
        return np.asarray(np.minimum(score, limit))

    def band(self) -> tuple[Floats, Floats, Floats]:
        """Expected value and the two values where the score passes 1, within the domain."""
        low, high = self.settings.domain
        direction = self.settings.direction
        lower = self.expected - self._edge_at(-1.0) if direction != "up" else np.full_like(self.expected, low)
        upper = (
            self.expected + self._edge_at(1.0) if direction != "down" else np.full_like(self.expected, high)
        )
        lower, upper = np.clip(lower, low, high), np.clip(upper, low, high)
        lower[np.isneginf(lower)] = np.nan
        upper[np.isposinf(upper)] = np.nan
        return self.expected, lower, upper

    def _edge_at(self, side: float) -> Floats:
        """The distance from the expected value at which the score is 1, by bisection on its logarithm."""
        low = np.log(self.ramp.astype(np.float64)) - 12
        high = low + 80
        sides = np.full_like(self.expected, side)
        for _ in range(45):
            middle = (low + high) / 2
            above = self._raw(np.exp(middle), sides) >= 1
            high = np.where(above, middle, high)
            low = np.where(above, low, middle)
        return np.asarray(np.exp(high))
