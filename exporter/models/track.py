"""What values are compared with, followed point by point: each is predicted, seen, and learnt from."""

from __future__ import annotations

import numpy as np

from exporter import tail
from exporter.columns import add_up
from exporter.frame import Floats
from exporter.models import autoregression, bounds, profile, sides, views
from exporter.models.contract import Settings, State
from exporter.models.points import Points
from exporter.models.views import FAST, NEXT, SLOW, VIEWS


class Track:
    """T successive points of S series as each view sees them.

    Of each point: `ramp` (T, S), the quantile of the sharpest view; `strange` (T, V, S), how far it lies from
    where each view expects it, in scales of the view. Of the last point: `centres` and `width` (V, S), where
    each view expects it, and its scale.
    """

    def __init__(self, settings: Settings, state: State, points: Points) -> None:
        """Nothing is followed yet; `state` is changed in place by `learn` and `keep_tails`."""
        self.settings, self.state, self.points = settings, state, points
        number, size = points.values.shape
        self.ramp = np.empty((number, size), np.float32)
        self.strange, self._distance = np.empty((2, number, VIEWS, size), np.float32)
        self._run = np.empty((number - 1, VIEWS, size), np.float32)
        self._expected, self._x, self._slow = list[Floats](), list[Floats](), list[Floats]()
        nothing: Floats = np.empty(0)
        self.centres: Floats = nothing
        self.width: Floats = nothing
        self._residual = self._reach = self._season = nothing
        grown = points.count + points.weight
        self._first = points.learnt & (grown == 1)
        self._starts = self._first.any(axis=1).tolist()
        self._gains = views.gains(points.weight, grown, settings.step)
        self._steady = points.weight * (points.recent & (grown > views.SETTLED))
        self._unsettled = grown <= views.SETTLED
        self._taught, self._rate = tail.rates(points.weight, grown)

    @property
    def expected(self) -> Floats:
        """Where the score is 0, (T, S)."""
        return _stacked(self._expected)

    @property
    def x(self) -> Floats:
        """The value, or the expected one where there is none, (T, S)."""
        return _stacked(self._x)

    @property
    def slow(self) -> Floats:
        """How far the value lies from its slow level, in the unit of the query, (T, S)."""
        return _stacked(self._slow)

    def predict(self, point: int) -> None:
        """Form what the next point is compared with, and compare it."""
        state, points = self.state, self.points
        if self._starts[point]:
            first = self._first[point]
            state["level"][:, first] = points.values[point, first]
        self._season = profile.value(state, points.at[point])
        self.centres = views.centres(state, self._season, points.recent[point])
        self.width = views.widths(state)
        expected = bounds.within(self.settings, self.centres[FAST])
        x = np.where(points.present[point], points.values[point], expected)
        self._residual = np.subtract(x, self.centres, out=np.empty_like(self.width))
        np.divide(self._residual, self.width, out=self.strange[point])
        self._reach = self.width * state["quantile"]
        np.minimum.reduce(self._reach, out=self.ramp[point])
        self._expected.append(expected)
        self._x.append(x)
        self._slow.append(self._residual[SLOW])

    def learn(self, point: int) -> None:
        """Move levels, season, autoregression, scales and quantiles by the point that was predicted last."""
        state, points = self.state, self.points
        clipped = self._clip(point)
        autoregression.learn(state, clipped[NEXT], self.width[SLOW], self._steady[point])
        views.learn(state, clipped, self._season, self._gains[point])
        profile.learn(state, points.at[point], clipped[SLOW], self.settings.step, points.weight[point])
        taught, rate = self._taught[point], self._rate[point]
        tail.follow(state, self.strange[point], taught, rate, self._distance[point])
        if point < len(self._run):
            self._run[point] = state["run"]
        autoregression.remember(state, self._residual[SLOW], points.recent[point], points.learnt[point])

    def _clip(self, point: int) -> Floats:
        """The residual, (V, S), no larger than a point may teach."""
        state = self.state
        points = self.settings.adapts / self.settings.step
        bound = views.bound(self._reach, state["run"], points)
        flat = state["scale"][:VIEWS] < self.width
        flat |= self._unsettled[point]
        if flat.any():
            np.copyto(bound, np.inf, where=flat)
        clipped = np.minimum(self._residual, bound)
        np.negative(bound, out=bound)
        return np.maximum(clipped, bound, out=clipped)

    def exceedances(self, of: slice) -> Floats:
        """What the points `of`, which were learnt, count as exceedances of each view, (T, V, S).

        They are all but the last, or the last, which was learnt just now.
        """
        counted = tail.share(self._run if of.stop == -1 else self.state["run"][None])
        counted *= self._distance[of] > 1
        counted *= self._taught[of, None]
        return counted

    def keep_tails(self, of: slice, counted: Floats) -> None:
        """Add the points `of` to the tails, `counted` (T, V, S) as exceedances; that is used up."""
        state = self.state
        further = tail.excess(self._distance[of], state["kappa"])
        sides.learn(state, self.strange[of], counted, further)
        further *= counted
        add_up(state["excess"], further)
        add_up(state["exceedances"], counted)


def _stacked(parts: list[Floats]) -> Floats:
    """`parts` (S,) of T points as (T, S)."""
    return parts[0][None] if len(parts) == 1 else np.array(parts)
