"""What a few points are worth on the one scale: judged together, for nothing is learnt from it at once."""

from __future__ import annotations

import numpy as np

from exporter.columns import held, hold, running
from exporter.frame import Floats
from exporter.models import bounds, confirmation, limiter, recurrence, sustained
from exporter.models.contract import Settings, State
from exporter.models.law import Law, carried
from exporter.models.points import Points
from exporter.models.track import Track
from exporter.models.views import SLOW, VIEWS, WEIGHTS

CARRIED = np.float32(0.2)
"""The share of a point's evidence that counts again at the next point on the same side."""

PRIOR_EXPERIENCE = np.float32(40.0)
"""How many exceedances what is believed of tails beforehand is worth."""

SLOW_ALONE = np.float32(VIEWS / WEIGHTS[SLOW, 0])
_ONE = np.float32(1)
_EARLIER, _LAST = slice(0, -1), slice(-1, None)


class Judgement:
    """The scores of T points of S series: a `Track` has predicted all, and learnt all but the last of them.

    `law`: what they are judged by; `each` (T, V, S): the evidence of each view; `raw` (T, S): the score
    before habits are taken off; `quiet` (T, S): after that; `plain` (T, S): with the edge of the series.
    """

    def __init__(self, settings: Settings, edge: float, state: State, points: Points, track: Track) -> None:
        """`edge`: the evidence at which a score is 1; `state` is changed in place by `remember`."""
        self.settings, self.edge, self.state, self.points, self.track = settings, edge, state, points, track
        self._counted = track.exceedances(_EARLIER) if len(points) > 1 else np.empty(0)
        expected = track.expected
        self.law = Law(
            track.centres,
            expected,
            track.ramp,
            track.width,
            state["slope"],
            state["index"],
            self._experience(),
        )
        self._known = (points.learnt & points.ready(settings)).astype(np.float32)
        distance = (track.x - expected).astype(np.float32)
        self.side = np.copysign(_ONE, distance)
        self.distance = np.abs(distance, out=distance)
        self._least = bounds.least_deviation(settings, expected)
        self._habit = self._habits()
        self._weigh_evidence()

    def _experience(self) -> Floats:
        """How many exceedances the tails know before each point, (T, S)."""
        grown = running(np.add, self.state["exceedances"], self._counted)
        known: Floats = np.add.reduce(grown, axis=1)
        known += PRIOR_EXPERIENCE
        return known

    def _habits(self) -> Floats:
        """How much score the last days lead one to expect at each point, (T, S)."""
        slots = [it.half_hour for it in self.points.at]
        of_slot = {slot: recurrence.expected_excess(self.state, slot) for slot in dict.fromkeys(slots)}
        return of_slot[slots[0]][None] if len(slots) == 1 else np.array([of_slot[slot] for slot in slots])

    def _weigh_evidence(self) -> None:
        law, state, side, above = self.law, self.state, self.side, self.side > 0
        self.each = law.evidence(self.track.strange, side)
        total = np.add.reduce(self.each, axis=1)
        fade = law.fade(self.distance)
        edge, scale = np.float32(self.edge), np.float32(1 / self.edge)
        signed = total * fade
        signed *= side
        self._left = signed.clip(-edge, edge, out=signed)
        self._left_before = held(state["carry"], self._left, self.points.learnt)
        self._carry = self._left_before * CARRIED * self.points.recent
        total += carried(self._carry, side)
        total *= fade
        self.raw = bounds.watched(self.settings, law.doubted(total) * scale, above)
        self.quiet = np.maximum(self.raw - self._habit, np.minimum(self.raw, recurrence.FREE))
        self.plain = self.quiet / state["factor"]
        self._slow = bounds.watched(self.settings, self.each[:, SLOW] * (scale * SLOW_ALONE), above)
        self._sided = self.plain * side
        self._sided_before = held(state["last"], self._sided, self.points.learnt)
        self._far = self.distance * self.points.learnt

    def score(self, out: Floats, strictness: Floats, band: bool) -> None:
        """Fill `out` (5, T, S): score, deviation, expected, lower, upper; NaN where there is nothing to say.

        All that is learnt from is kept on the standard scale, before `strictness`, (S,) or (), comes in.
        A `band` is drawn for the last point.
        """
        law, state, settings, points, least = self.law, self.state, self.settings, self.points, self._least
        shown = self.plain / strictness
        farthest = running(np.maximum, state["record"], self._far[:-1])
        before = {"last": self._sided_before, "record": farthest}
        confirmation.weigh(before, shown, self.distance, self.side, points.recent, strictness)
        out[0] = bounds.large_enough(shown, self.distance, least)
        now = np.maximum(
            bounds.large_enough(self.plain, self.distance, least),
            bounds.large_enough(self._slow, self.track.slow, least),
        )
        out[1] = sustained.follow(state, now, points.present, settings.step) / strictness
        out[2] = law.expected
        out[3:, :-1] = np.nan
        if band:
            self._band(out[:, -1], strictness)
        else:
            out[3:, -1] = np.nan
        absent = ~(points.present & points.ready(settings))
        if absent.any():
            np.copyto(out, np.nan, where=absent)

    def _band(self, out: Floats, strictness: Floats) -> None:
        edge, habit = self.state["factor"] * strictness, self._habit[-1]
        target = (edge + habit * (edge >= recurrence.FREE)) * np.float32(self.edge)
        above, below = self.law.distances(target, self._carry[-1]).astype(np.float64)
        if self._least is not None:
            above, below = np.maximum(above, self._least[-1]), np.maximum(below, self._least[-1])
        bounds.draw(self.settings, out, self.track.x[-1], self.law.expected[-1], above, below)

    def remember_earlier(self) -> None:
        """Keep what the next points are compared with, of all points but the last."""
        if len(self.points) > 1:
            self._remember(_EARLIER, self._counted)
            self.points.count_earlier(self.state)

    def remember_last(self) -> None:
        """The same of the last point, once the track has learnt it."""
        self._remember(_LAST, self.track.exceedances(_LAST))
        state, points = self.state, self.points
        hold(state["carry"], self._left_before, self._left, points.learnt)
        hold(state["last"], self._sided_before, self._sided, points.learnt)
        points.count_last(state)

    def _remember(self, of: slice, counted: Floats) -> None:
        """Tails, records, habits and near misses of the points `of`, `counted` as exceedances."""
        state, step = self.state, self.settings.step
        self.track.keep_tails(of, counted)
        np.maximum(state["record"], _highest(self._far[of]), out=state["record"])
        recurrence.learn(state, _highest(self.raw[of] * self._known[of]))
        limiter.learn(state, self.quiet[of], step, self._known[of])


def _highest(scores: Floats) -> Floats:
    """The highest of T scores, (S,)."""
    highest: Floats = scores[0] if len(scores) == 1 else np.maximum.reduce(scores)
    return highest
