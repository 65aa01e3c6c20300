"""The chain from one residual to the scale: scale, tail law, edge, band, and what is learnt of them."""

from __future__ import annotations

import math

import numpy as np

from exporter import tail
from exporter.columns import Fields
from exporter.frame import Floats, Mask, Rows
from exporter.models import bounds, confirmation, limiter, recurrence, sustained
from exporter.models.idea import Idea, Lesson, Now, gain

CARRIED = np.float32(0.2)
"""The share of a point's evidence that counts again at the next point on the same side."""

LARGEST_VALUE = 1e30
"""What lies beyond, such as the largest float that some programs report for "none", is no measurement."""

SETTLED = 20
CLIP = np.float32(1.2)
"""A residual teaches no more than this many times its own quantile."""

PATIENCE = 3_600.0
"""In a run of strange points that bound grows e-fold in as many seconds: what lasts is learnt in the end."""

SCALE_MEMORY = 20 * 86_400.0
_FLOOR_OF_SPREAD = np.float32(0.01)
_FLOOR_OF_LEVEL = np.float32(1e-6)
_SMALLEST = np.float32(1e-12)
_LARGEST = np.float32(1e37)


def fields(tails: int) -> Fields:
    """The state of the chain itself: `tails` is 1 where both sides share scale and tail law, else 2."""
    return {
        "count": (0, np.float32, 0),
        "previous_time": (0, np.float64, -np.inf),
        "carry": (0, np.float32, 0),
        "mean": (0, np.float64, 0),
        "spread": (0, np.float32, 0),
        "scale": (tails, np.float32, 0),
        "log_quantile": (tails, np.float32, tail.PRIOR_LOG_QUANTILE),
        "excess": (tails, np.float32, 0),
        "exceedances": (tails, np.float32, 0),
        "run": (tails, np.float32, 0),
        "index": (tails, np.float32, tail.PRIOR_INDEX),
        "kappa": (tails, np.float32, math.expm1(tail.PRIOR_INDEX * tail.BODY)),
        "quantile": (tails, np.float32, math.exp(tail.PRIOR_LOG_QUANTILE)),
        **confirmation.FIELDS,
        **sustained.FIELDS,
        **recurrence.FIELDS,
        **limiter.FIELDS,
    }


class Point:
    """One point of time over one chunk of series: first scored, then learnt."""

    def __init__(self, model: Idea, now: Now, values: Floats) -> None:
        self.model, self.settings, self.state, self.now = model, model.settings, now.state, now
        state = now.state
        centre = model.expect(now)
        able = centre == centre
        self.expected = bounds.within(model.settings, np.where(able, centre, 0))
        self.present = (np.abs(values) < LARGEST_VALUE) & able
        self.ready = model.known(state)
        self.x = np.where(self.present, values, self.expected)
        self.residual = (self.x - self.expected).astype(np.float32)
        self.above = self.residual >= 0
        self.distance = np.abs(self.residual)
        self.width = self._widths()
        self.reach = self.width * state["quantile"]
        self.index, self.kappa = state["index"], state["kappa"]

    def _widths(self) -> Floats:
        """The scale of each side, (1, S) or (2, S), floored by the spread and resolution of the series."""
        state = self.state
        floor = np.abs(state["mean"]).astype(np.float32)
        floor *= _FLOOR_OF_LEVEL
        floor += _FLOOR_OF_SPREAD * state["spread"]
        floor += _SMALLEST
        spans = self.now.spans
        widths: Floats = np.maximum(state["scale"] if spans is None else state["scale"] * spans, floor)
        return widths

    def _side(self, sided: Floats) -> Floats:
        """The row of `sided` (1 or 2, S) that belongs to the side of the value, (S,)."""
        side: Floats = sided[0] if len(sided) == 1 else np.where(self.above, sided[1], sided[0])
        return side

    def score(self, out: Floats, edge: float, strictness: Floats, band: bool) -> None:
        """Fill `out` (5, S): score, deviation, expected, lower, upper; NaN where there is nothing to say.

        All that is learnt from is on the standard scale, before `strictness`, (S,) or (), comes in.
        """
        settings, state = self.settings, self.state
        self.habit = recurrence.expected_excess(state, self.now.at.half_hour)
        factor = state["factor"]
        plain = self._evidence()
        self.side = np.where(self.above, np.float32(1), np.float32(-1))
        self.signed = plain * self.side
        carry = (CARRIED * self.now.recent) * state["carry"]
        total = plain + np.maximum(np.where(self.above, carry, -carry), 0) * self._share(plain)
        self.raw = bounds.watched(settings, total * np.float32(1 / edge), self.above)
        self.quiet = np.maximum(self.raw - self.habit, np.minimum(self.raw, recurrence.FREE))
        self.plain = self.quiet / factor
        shown = self.plain / strictness
        confirmation.weigh(state, shown, self.distance, self.side, self.now.recent, strictness)
        least = bounds.least_deviation(settings, self.expected)
        out[0] = bounds.large_enough(shown, self.distance, least)
        now = bounds.large_enough(self.plain, self.distance, least)
        out[1] = sustained.follow(state, now[None], self.present[None], settings.step)[0] / strictness
        out[2] = self.expected
        if band:
            self._band(out, factor * strictness, edge, carry, least)
        absent = ~(self.present & self.ready)
        if absent.any():
            out[:, absent] = np.nan

    def _evidence(self) -> Floats:
        """-ln of the tail probability of the value, (S,)."""
        evidence = self.distance * self._side(self.kappa / self.reach)
        np.minimum(evidence, _LARGEST, out=evidence)
        np.log1p(evidence, out=evidence)
        evidence /= self._side(self.index)
        return evidence

    @staticmethod
    def _share(plain: Floats) -> Floats:
        """What is carried fades to 0 at the expected value."""
        share: Floats = plain * np.float32(1 / tail.BODY)
        return np.minimum(share, 1, out=share)

    def _band(self, out: Floats, target: Floats, edge: float, carry: Floats, least: Floats | None) -> None:
        """Invert the score: where it is 1, `target` is what is left of the raw score."""
        total = (target + self.habit * (target > recurrence.FREE)) * np.float32(edge)
        ends = []
        for side, carried in ((-1, np.maximum(-carry, 0)), (0, np.maximum(carry, 0))):
            row = 0 if len(self.reach) == 1 else side + 1
            plain = np.where(total >= tail.BODY + carried, total - carried, total / (1 + carried / tail.BODY))
            far = np.expm1(np.minimum(plain * self.index[row], 80).astype(np.float64))
            far *= self.reach[row] / self.kappa[row]
            ends.append(far if least is None else np.maximum(far, least))
        bounds.draw(self.settings, out, self.x, self.expected, ends[1], ends[0])

    def learn(self, allowed: Mask, edge: float) -> None:
        """Update the state by those present points that `allowed` names."""
        state, model, now = self.state, self.model, self.now
        learnt = self.present & allowed
        weight = learnt.astype(np.float32)
        state["count"] += weight
        first = learnt & (state["count"] == 1)
        if first.any():
            model.start(now, self.x, first)
            state["mean"][first] = self.expected[first] = self.x[first]
            self.residual[first] = self.distance[first] = 0
        young = weight / np.maximum(state["count"], 1)
        error = self._clipped()
        if model.scales:
            self._learn_scale(error, weight, young)
        model.learn(now, Lesson(self.x, self.expected + error, error, weight, young))
        self._learn_tail(weight)
        self._remember(learnt, edge)

    def _clipped(self) -> Floats:
        """The residual, no larger than a point may teach."""
        patience = self._side(self.state["run"]) * np.float32(1 / max(PATIENCE / self.settings.step, 4))
        bound = np.exp(np.minimum(patience, 40)) * self._side(self.reach) * CLIP
        scale = self._side(self.state["scale"]) * self._unit()
        free = (self.state["count"] <= SETTLED) | (scale < self._side(self.width))
        np.copyto(bound, np.inf, where=free)
        clipped: Floats = np.maximum(self.residual, -bound)
        np.minimum(clipped, bound, out=clipped)
        return clipped

    def _unit(self) -> Floats | np.float32:
        return np.float32(1) if self.now.spans is None else self._side(self.now.spans)

    def _learn_scale(self, error: Floats, weight: Floats, young: Floats) -> None:
        """Move mean, spread and scales by one point's bounded residual."""
        state = self.state
        share = gain(weight, young, self.settings.step, SCALE_MEMORY)
        away = self.expected + error - state["mean"]
        state["mean"] += share * away
        state["spread"] += share * (np.abs(away).astype(np.float32) - state["spread"])
        size = np.abs(error) / self._unit()
        if len(state["scale"]) == 1:
            state["scale"][0] += share * (size - state["scale"][0])
        else:
            state["scale"][0] += share * ~self.above * (size - state["scale"][0])
            state["scale"][1] += share * self.above * (size - state["scale"][1])

    def _learn_tail(self, weight: Floats) -> None:
        state = self.state
        size = self.distance / self.width
        if len(size) == 2:
            size = np.where(np.stack((~self.above, self.above)), size, 0)
        tail.learn(state, size, self.kappa, state["count"], weight)

    def _remember(self, learnt: Mask, edge: float) -> None:
        """What the next points are compared with: evidence, habits, near misses."""
        state, now = self.state, self.now
        np.copyto(state["carry"], np.clip(self.signed, -edge, edge), where=learnt)
        np.copyto(state["previous_time"], now.time, where=learnt)
        turned = recurrence.turned(state, now.at.half_hour, learnt)
        if turned is not None:
            self._turn(turned)
        confirmation.remember(state, self.plain, self.distance, self.side, learnt)
        known = (learnt & self.ready).astype(np.float32)
        recurrence.learn(state, self.raw * known)
        limiter.learn(state, self.quiet[None], self.settings.step, known[None])

    def _turn(self, of: Rows | slice) -> None:
        """A new half hour: file the peaks of the last, and draw the law anew."""
        state = self.state
        recurrence.turn(state, self.now.at.half_hour, of)
        limiter.turn(state, self.settings.step, of)
        confirmation.turn(state, max(self.settings.step, recurrence.SLOT), of)
        index = tail.index(state["excess"][:, of], state["exceedances"][:, of])
        state["index"][:, of] = index
        state["kappa"][:, of] = tail.curvature(index)
        state["quantile"][:, of] = tail.shrunk_quantile(state["log_quantile"][:, of], state["count"][of])
