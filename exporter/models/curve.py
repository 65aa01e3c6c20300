"""Evidence over the distance from the expected value, and the distance at which it reaches a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats, Rows

ITERATIONS = 60
TOGETHER = 3
"""After so many iterations most columns are done, and the others go on alone."""

PRECISION = np.float32(3e-4)
"""Of the evidence found, in natural logarithms: about 1e-5 of a score."""

_START = np.float32(0.2)
"""Where to begin between the bounds, on a logarithmic scale: views that agree end near the lower one."""

_FAR = np.float32(0.3)
"""Who is still so far off after TOGETHER iterations may go in circles, and starts again in the middle."""

_HUGE = np.float32(1e30)
_NEAREST = np.float32(1e-3)
_WIDEST, _FARTHEST = np.float32(1e30), np.float32(1e37)
"""Bounds are kept so near to each other, and to 0, that nothing overflows between them."""

_LARGEST_EXPONENT = np.float32(50)
_LARGEST_STEP = np.float32(30)
_FLATTEST = np.float32(1e-3)


@dataclass(frozen=True, slots=True)
class Curve:
    """One side of the expected value, one column per series, N in all; float32.

    At distance d from the expected value, view v has ln(1 + slope · max(d + offset, 0)) / index of evidence;
    the views' sum and `carry` fade to 0 over the distance `ramp`. `offset`, `slope`, `index`: (V, N).
    """

    offset: Floats
    slope: Floats
    index: Floats
    ramp: Floats
    carry: Floats

    def _take(self, columns: Rows) -> Curve:
        return Curve(
            self.offset[:, columns],
            self.slope[:, columns],
            self.index[:, columns],
            self.ramp[columns],
            self.carry[columns],
        )

    def distance(self, target: Floats) -> Floats:
        """Where the evidence is `target` (N,) > 0; shape (N,).

        Newton's method on the logarithm of the distance, in which evidence is nearly straight, held between
        the distances at which the strongest view alone has a V-th of the target and all of it.
        """
        needed = target - self.carry
        high = np.maximum(self._alone(needed), self.ramp)
        low = np.maximum(self._alone(needed * np.float32(1 / len(self.slope))), self.ramp * _NEAREST)
        np.minimum(high, np.minimum(low, _FARTHEST / _WIDEST) * _WIDEST, out=high)
        np.minimum(low, high, out=low)
        return self._solve(target, low * (high / low) ** _START, low, high, ITERATIONS)

    def _solve(self, target: Floats, at: Floats, low: Floats, high: Floats, iterations: int) -> Floats:
        """Start from `at`, between `low` and `high`; all three are used up."""
        unit = 1 / np.maximum.reduce(self.slope)
        for _ in range(min(TOGETHER, iterations)):
            total, rise = self._with_slope(at)
            short = target - total
            unsolved = np.abs(short) > PRECISION
            if not unsolved.any():
                return at
            np.copyto(low, at, where=short > 0)
            np.copyto(high, at, where=short < 0)
            further = _towards(at, short, rise, unit)
            outside = (further <= low) | (further >= high)
            if outside.any():
                np.copyto(further, np.sqrt(low) * np.sqrt(high), where=outside)
            np.copyto(at, further, where=unsolved)
        if iterations > TOGETHER:
            np.copyto(at, np.sqrt(low) * np.sqrt(high), where=np.abs(short) > _FAR)
            rest = np.flatnonzero(unsolved)
            start = at[rest], low[rest], high[rest]
            at[rest] = self._take(rest)._solve(target[rest], *start, iterations - TOGETHER)
        return at

    def _alone(self, target: Floats) -> Floats:
        """The smallest distance at which one view by itself has `target`."""
        distance = np.minimum(target * self.index, _LARGEST_EXPONENT)
        np.exp(distance, out=distance)
        distance -= 1
        distance /= self.slope
        distance -= self.offset
        nearest: Floats = np.minimum.reduce(distance)
        return nearest

    def _with_slope(self, at: Floats) -> tuple[Floats, Floats]:
        """Faded evidence at distance `at`, what is carried included, and its derivative."""
        stretched = at + self.offset
        np.maximum(stretched, 0, out=stretched)
        rise = np.minimum(np.minimum(stretched, 1) * _HUGE, 1)
        rise *= self.slope
        stretched *= self.slope
        stretched += 1
        rise /= stretched
        rise /= self.index
        slope = np.add.reduce(rise)
        np.log(stretched, out=stretched)
        stretched /= self.index
        plain = np.add.reduce(stretched)
        plain += self.carry
        near = np.flatnonzero(at < self.ramp)
        if len(near):
            ramp = self.ramp[near]
            share = at[near] / ramp
            slope[near] = slope[near] * share + plain[near] / ramp
            plain[near] *= share
        return plain, slope


def _towards(at: Floats, short: Floats, rise: Floats, unit: Floats) -> Floats:
    """One Newton step on ln(at + unit) for what is still `short`."""
    place = at + unit
    rise = np.maximum(rise * place, _FLATTEST)
    np.divide(short, rise, out=rise)
    np.minimum(rise, _LARGEST_STEP, out=rise)
    place *= np.exp(rise, out=rise)
    place -= unit
    return place
