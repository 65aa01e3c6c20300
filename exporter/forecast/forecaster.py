"""What comes next: level, slope and season carried on, in a band as wide as past forecasts were wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exporter import columns
from exporter.forecast.plan import SEASONAL, TRACKS, Plan, Ring
from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State

Season = Callable[[float], Floats]
"""Unix second -> what the season adds to the level then, (S,)."""

FEWEST = 20
"""Past forecasts that must have met their time before there is another."""

ERROR_MEMORY = 100.0
"""Forecasts over which the mean error of a track is formed."""

INSIDE = 0.9
"""The share of values that lie in the band of a forecast made the horizon before."""

GRID = 96
"""Moments up to the reach at which a limit is looked for; between them lies a straight line."""

LARGEST = 1e30
"""What lies beyond is no measurement."""

_SMALLEST = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class Foretold:
    """What is foretold of S series, NaN where nothing is.

    `ahead`: by horizon in seconds, value, lower and upper end, (3, S); `until`: by limit, seconds (S,);
    `error_ratio`: by horizon, how wrong past forecasts were, over "it stays as it is".
    """

    ahead: dict[float, Floats]
    until: dict[str, Floats]
    error_ratio: dict[float, float]


class Forecaster:
    """S series: tracks updated once a tick, and how well each has foretold every horizon.

    A track is exponential smoothing of what the season leaves (Holt 1957), with the gains of a growing memory
    (a straight line through all points) while the series is young. For each horizon the track with the
    least mean error so far speaks.
    """

    def __init__(self, plan: Plan, size: int = 0) -> None:
        """A forecaster of `size` fresh series."""
        self.plan = plan
        self._rings = tuple(plan.rings())
        self._fields: columns.Fields = {
            "level": (len(TRACKS), np.float64, 0),
            "slope": (len(TRACKS), np.float64, 0),
            "ticks": (0, np.float32, 0),
            "sum": (0, np.float64, 0),
            "points": (0, np.float32, 0),
        }
        for ring in self._rings:
            self._fields = {**self._fields, **ring.fields()}
        self.state: State = columns.fresh(self._fields, size)
        self._reached: tuple[int, Floats] | None = None

    def replanned(self, plan: Plan) -> Forecaster:
        """The same series under other limits or another reach; horizons and step are those of before."""
        other = Forecaster(plan)
        other.state = self.state
        return other

    def select(self, taken: Rows) -> None:
        """Rearrange the state so that new row i is old row `taken[i]`, or a fresh series where that is -1."""
        columns.select(self.state, self._fields, taken)
        self._reached = None

    def put(self, places: Rows, other: Forecaster) -> None:
        """Overwrite the rows `places` with the series of `other`."""
        columns.put(self.state, places, other.state)
        self._reached = None

    def step(self, time: int, values: Floats, learn: Mask, season: Season) -> None:
        """Take in the values (S,) at Unix second `time`, NaN where there is none, that `learn` allows."""
        usable = learn & (np.abs(values) < LARGEST)
        known = np.where(usable, values, np.nan)
        if time % self.plan.tick < self.plan.step:
            self._turn(time, known, season)
        self.state["sum"] += np.where(usable, values, 0)
        self.state["points"] += usable

    def _turn(self, time: int, values: Floats, season: Season) -> None:
        """A tick is over: carry the tracks on, judge the forecasts for now, and make new ones."""
        state, tick = self.state, self.plan.tick
        mean = state["sum"] / np.where(state["points"] > 0, state["points"], np.nan)
        self._carry_on(mean - SEASONAL * season(time - (tick + self.plan.step) / 2))
        state["sum"][:], state["points"][:] = 0, 0
        number = time // tick
        for ring in self._rings:
            if number % ring.apart == 0:
                place = number // ring.apart % ring.length
                self._judge(ring, place, values)
                lead = ring.apart * ring.length * tick
                made = self._tracks(lead, season(time + lead))
                self.state[f"made{ring.number}"][place * len(TRACKS) :][: len(TRACKS)] = made
                self.state[f"then{ring.number}"][place] = values

    def _carry_on(self, means: Floats) -> None:
        """Move level and slope to the end of the tick; `means` (C, S): what each track saw in it, or NaN."""
        state, tick = self.state, self.plan.tick
        known = means[0] == means[0]
        state["ticks"] += known
        n = np.maximum(state["ticks"], 1)
        line = (4 * n - 2) / (n * (n + 1))
        for number, track in enumerate(TRACKS):
            gain, steep = -math.expm1(-tick / track.level), -math.expm1(-tick / track.slope)
            ahead = state["level"][number] + state["slope"][number]
            error = np.where(known, means[number] - ahead, 0)
            state["level"][number] = ahead + np.maximum(gain, line if steep else 1 / n) * error
            if steep:
                turn = np.where(n > 1, np.maximum(gain * steep, 6 / (n * (n + 1))), 0)
                state["slope"][number] += turn * error

    def _tracks(self, lead: float, season: Floats) -> Floats:
        """What each track expects in `lead` seconds, (C, S)."""
        # A level is that of the middle of its tick, whose last point was a step ago
        ticks = lead / self.plan.tick + 0.5 + self.plan.step / self.plan.tick / 2
        expected: Floats = self.state["level"] + self.state["slope"] * ticks + SEASONAL * season
        return np.clip(expected, *self.plan.domain, out=expected)

    def _judge(self, ring: Ring, place: int, values: Floats) -> None:
        """Compare `values` (S,) with the forecasts that were made for now."""
        state, tracks = self.state, len(TRACKS)
        made = state[f"made{ring.number}"][place * tracks :][:tracks]
        error, met = state[f"error{ring.number}"], state[f"met{ring.number}"]
        wrong = np.abs(np.vstack((made, state[f"then{ring.number}"][place])) - values).astype(np.float32)
        judged = np.isfinite(wrong).all(axis=0)
        own = np.take_along_axis(wrong, self._best(ring)[None], axis=0)[0]
        self._widen(ring, own, judged & (met > 0))
        met += judged
        gain = judged * np.maximum(1 / np.maximum(met, 1), np.float32(1 / ERROR_MEMORY))
        error += gain * (np.where(judged, wrong, 0) - error)

    def _widen(self, ring: Ring, wrong: Floats, judged: Mask) -> None:
        """Let the band follow the INSIDE quantile of the error over its mean (Robbins and Monro 1951)."""
        width, met = self.state[f"width{ring.number}"], self.state[f"met{ring.number}"]
        beyond = wrong > np.exp(width) * self._usual(ring)
        rate = np.maximum(2 / np.maximum(met, 1), np.float32(10 / ERROR_MEMORY))
        width += np.where(judged, rate * (beyond - np.float32(1 - INSIDE)), 0)

    def _best(self, ring: Ring) -> Rows:
        """The number of the track that has been wrong the least, (S,)."""
        best: Rows = np.argmin(self.state[f"error{ring.number}"][: len(TRACKS)], axis=0)
        return best

    def _usual(self, ring: Ring) -> Floats:
        """The mean error of the best track, (S,)."""
        usual: Floats = np.minimum.reduce(self.state[f"error{ring.number}"][: len(TRACKS)])
        return usual

    def _half_width(self, ring: Ring) -> Floats:
        """Half the width of the band, (S,); NaN where too few forecasts have met their time."""
        enough = self.state[f"met{ring.number}"] >= FEWEST
        return np.where(enough, np.exp(self.state[f"width{ring.number}"]) * self._usual(ring), np.nan)

    def ahead(self, time: int, season: Season) -> dict[float, Floats]:
        """By horizon: expected value, lower and upper end of the band, (3, S), NaN while there is none."""
        return {
            horizon: self._at(ring, time % self.plan.tick, horizon, season(time + horizon))
            for ring, horizon in zip(self._rings, self.plan.horizons, strict=True)
        }

    def _at(self, ring: Ring, since: float, lead: float, season: Floats) -> Floats:
        """Value, lower and upper end `lead` seconds from now, `since` seconds after the tick, (3, S)."""
        tracks = self._tracks(since + lead, season)
        value = np.take_along_axis(tracks, self._best(ring)[None], axis=0)[0]
        half = self._half_width(ring)
        out = np.stack((np.where(half == half, value, np.nan), value - half, value + half))
        return np.clip(out, *self.plan.domain, out=out)

    def until(self, time: int, season: Season) -> dict[str, Floats]:
        """By limit: seconds until the band reaches it, (S,); 0 where it has, NaN: not within reach."""
        if not self.plan.limits:
            return {}
        tick = time // self.plan.tick
        if self._reached is None or self._reached[0] != tick:
            self._reached = tick, self._crossings(time, season)
        seconds = np.maximum(self._reached[1] - time, 0)
        return {limit.name: seconds[i] for i, limit in enumerate(self.plan.limits)}

    def _crossings(self, time: int, season: Season) -> Floats:
        """When the band reaches each limit, in Unix seconds, (L, S), NaN where it does not."""
        plan, since = self.plan, time % self.plan.tick
        leads = np.linspace(0, plan.reach, GRID + 1)
        found = np.full((len(plan.limits), len(self.state["ticks"])), np.nan)
        before: Floats | None = None
        for last, lead in zip([0.0, *leads.tolist()], leads.tolist(), strict=False):
            gaps = self._gaps(since, lead, season(time + lead))
            new = np.isnan(found) & (gaps <= 0)
            if before is None:
                found[new] = time
            else:
                fall = np.maximum(before - gaps, 1e-300)
                moment = time + last + (lead - last) * np.clip(before / fall, 0, 1)
                np.copyto(found, moment, where=new)
            before = gaps
        return found

    def _gaps(self, since: float, lead: float, season: Floats) -> Floats:
        """How far the band is from each limit in `lead` seconds, (L, S); NaN where there is no forecast."""
        horizons = self.plan.horizons
        number = min(int(np.searchsorted(horizons, lead)), len(horizons) - 1)
        value, lower, upper = self._at(self._rings[number], since, lead, season)
        # Errors of a random walk grow with the root of the time
        stretch = math.sqrt(lead / horizons[number])
        below, above = value - (value - lower) * stretch, value + (upper - value) * stretch
        limits = self.plan.limits
        return np.stack([it.level - above if it.above else below - it.level for it in limits])

    def error_ratio(self) -> dict[float, float]:
        """By horizon: mean error over that of "as it is now", median of the series; absent before any."""
        return {
            horizon: _median_ratio(self._usual(ring), self.state[f"error{ring.number}"][-1], enough)
            for ring, horizon in zip(self._rings, self.plan.horizons, strict=True)
            if (enough := self.state[f"met{ring.number}"] >= FEWEST).any()
        }


def _median_ratio(error: Floats, naive: Floats, enough: Mask) -> float:
    return float(np.median(error[enough] / np.maximum(naive[enough], _SMALLEST)))
