"""Models that are fitted anew once a day, to a bounded past of hourly means, and stepped in between."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from exporter.columns import Fields
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State
from exporter.models.idea import Lesson, Now, faded, gain
from exporter.models.residual import Residual
from exporter.seasons import SLOT, Season

HOURS = 336
"""Hourly means that are kept: 14 days."""

PERIOD = 24
FEWEST = 2 * PERIOD
"""Hours that a fit needs; before, the level alone is expected."""

EVERY = 86_400
OFFSET_MEMORY = 3_600.0
_NEVER = -1
_ONE_FIT = threading.Lock()
"""Warnings can only be held back for the whole process, so one fit at a time."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the series stands at the end of its past, and what each of the last PERIOD hours adds to that."""

    level: float
    season: Floats
    gains: tuple[float, float] = (0.0, 0.0)
    """By how much the next hours move level and season, until the next fit."""


class Refit(Residual):
    """Level and season by hour of the local day from the last fit, and an offset for the last hour.

    Each series has a moment of the day at which it is fitted, drawn from the bits of its first value: the
    same wherever it is stepped, and spread evenly over the series of a query.
    """

    own: ClassVar[Fields] = {
        "anchor": (0, np.float64, 0),
        "level": (0, np.float32, 0),
        "offset": (0, np.float32, 0),
        "season": (PERIOD, np.float32, 0),
        "gains": (2, np.float32, 0),
        "hours": (HOURS, np.float32, np.nan),
        "hour": (0, np.int32, _NEVER),
        "hour_sum": (0, np.float32, 0),
        "hour_points": (0, np.float32, 0),
        "due": (0, np.float64, -np.inf),
        "failed": (0, np.float32, 0),
    }

    def fit(self, past: Floats) -> Fit:
        """The fit to `past` (T,), T >= FEWEST hourly means without gaps; any exception is a failed fit."""
        raise NotImplementedError

    def expect(self, now: Now) -> Floats:
        """Level, season and offset; an hour that is over is filed first, and fits that are due are made."""
        state, hour = now.state, now.at.half_hour // 2
        over = (state["hour"] != hour) & (state["hour"] != _NEVER)
        if over.any():
            _file(state, np.flatnonzero(over), hour)
        due = np.flatnonzero((state["due"] <= now.time) & (state["hour"] != _NEVER))
        for row in due.tolist():
            self._refit(now, row)
        offset = faded(now, state["offset"], OFFSET_MEMORY)
        centre: Floats = state["anchor"] + (state["level"] + offset + _season(state, now.at))
        return centre

    def season(self, time: float) -> Floats:
        """What the season adds to the level at Unix second `time`, (S,)."""
        return _season(self.state, self._clock.at(int(time)))

    def start(self, now: Now, x: Floats, first: Mask) -> None:
        """Everything is kept as a distance from the first point."""
        now.state["anchor"][first] = x[first]
        now.state["hour"][first] = now.at.half_hour // 2

    def learn(self, now: Now, lesson: Lesson) -> None:
        """The offset follows the error; the hour takes in the bounded value."""
        state, weight = now.state, lesson.weight
        offset = faded(now, state["offset"], OFFSET_MEMORY)
        offset = offset + gain(weight, lesson.young, now.step, OFFSET_MEMORY) * lesson.error
        np.copyto(state["offset"], offset, where=weight > 0)
        state["hour_sum"] += weight * (lesson.bounded - state["anchor"])
        state["hour_points"] += weight

    def _refit(self, now: Now, row: int) -> None:
        state = now.state
        past = _past(state, row)
        if len(past) < FEWEST:
            state["due"][row] = (now.time // SLOT + 1) * SLOT
            return
        state["due"][row] = _next(now.time, float(state["anchor"][row]))
        before = _season(state, now.at)[row] + state["level"][row]
        fit = self._fitted(past)
        if fit is None:
            state["failed"][row] += 1
            return
        last = int(state["hour"][row])
        state["season"][(last + np.arange(-PERIOD, 0)) % PERIOD, row] = fit.season
        state["level"][row], state["gains"][:, row] = fit.level, fit.gains
        state["offset"][row] += before - (_season(state, now.at)[row] + state["level"][row])

    def _fitted(self, past: Floats) -> Fit | None:
        """The fit, or None where it fails or is no number."""
        if past.min() == past.max():
            return Fit(float(past[-1]), np.zeros(PERIOD))
        scale = float(past.std())
        with _ONE_FIT, warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                fit = self.fit(past / scale)
            except Exception:
                return None
        fit = Fit(fit.level * scale, fit.season * scale, fit.gains)
        return fit if np.isfinite([fit.level, *fit.season, *fit.gains]).all() else None


def _season(state: State, at: Season) -> Floats:
    """The season now, (S,), read between the centres of the hours."""
    hour, weight = divmod((at.slot + 0.5 + at.weight) / 4 - 0.5, 1.0)
    first = int(hour) % PERIOD
    season: Floats = state["season"][first] * np.float32(1 - weight)
    season += state["season"][(first + 1) % PERIOD] * np.float32(weight)
    return season


def _file(state: State, of: Rows, hour: int) -> None:
    """File the hour that is over for the rows `of`, let the fit learn from it, and begin `hour`."""
    old, points = state["hour"][of], state["hour_points"][of]
    mean = np.where(points > 0, state["hour_sum"][of] / np.maximum(points, 1), np.nan).astype(np.float32)
    place = old % PERIOD
    error = np.nan_to_num(mean - state["level"][of] - state["season"][place, of])
    state["level"][of] += state["gains"][0, of] * error
    state["offset"][of] -= state["gains"][0, of] * error
    state["season"][place, of] += state["gains"][1, of] * error
    for missed in range(1, min(int((hour - old).max(initial=0)), HOURS)):
        gone = old + missed < hour
        state["hours"][(old[gone] + missed) % HOURS, of[gone]] = np.nan
    state["hours"][old % HOURS, of] = np.where(hour - old <= HOURS, mean, np.nan)
    state["hour"][of], state["hour_sum"][of], state["hour_points"][of] = hour, 0, 0


def _past(state: State, row: int) -> Floats:
    """The hourly means of one series in order, from the oldest there is, gaps bridged by straight lines."""
    last = int(state["hour"][row])
    ordered: Floats = state["hours"][(last + np.arange(-HOURS, 0)) % HOURS, row].astype(np.float64)
    known = np.flatnonzero(ordered == ordered)
    if 2 * len(known) < FEWEST:
        return ordered[:0]
    whole = np.arange(known[0], HOURS)
    bridged: Floats = np.interp(whole, known, ordered[known])
    return bridged


def _next(time: int, anchor: float) -> float:
    """The next moment after `time` at which a series with this first value is fitted."""
    bits = int(np.float64(anchor).view(np.uint64))
    # Fibonacci hashing: multiples of 2^64 over the golden ratio lie evenly
    phase = (bits * 11_400_714_819_323_198_485 % 2**64) * EVERY // 2**64
    return float((time - phase) // EVERY * EVERY + EVERY + phase)
