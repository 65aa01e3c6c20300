"""One point's law: evidence as a function of the value, and its inverse, the band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats

ITERATIONS = 24
_PRECISION = np.float32(3e-4)
"""Of the evidence at the band's ends, in natural logarithms: about 1e-5 of a score."""

_NEAREST = np.float32(1e-3)
_LARGEST_EXPONENT = np.float32(50)


@dataclass(frozen=True, slots=True)
class Law:
    """How strange each value would be, given what is known before it is seen.

    `centres` (V, S): where each view expects the value; `expected` (S,): where the score is 0;
    `reach` (V, S): each view's quantile in the unit of the query; `index`, `kappa` (V, S): its tail law;
    `carry` (2, S): evidence that the last point left behind for a value above, and for one below.
    On either side of `expected` the evidence is continuous, 0 at `expected`, and increasing.
    """

    centres: Floats
    expected: Floats
    reach: Floats
    index: Floats
    kappa: Floats
    carry: Floats

    def evidence(self, x: Floats, side: Floats) -> Floats:
        """-ln of the tail probability of `x`, summed over the views that find it strange on the same side.

        `side` (S,) is 1 where x lies above `expected` and -1 below; shape (S,). Without what is carried.
        """
        strange = (x - self.centres).astype(np.float32)
        strange *= side
        np.maximum(strange, 0, out=strange)
        return self._sum(strange, self.kappa / self.reach)

    def _sum(self, strange: Floats, slope: Floats) -> Floats:
        """Σ ln(1 + slope · strange) / index over the views; `strange` is used up."""
        strange *= slope
        strange += 1
        np.log(strange, out=strange)
        strange /= self.index
        total: Floats = np.add.reduce(strange)
        return total

    def fade(self, distance: Floats) -> Floats:
        """Nearer to the expected value than the sharpest view can tell, evidence fades to 0: a factor, (S,)."""
        share: Floats = distance / np.minimum.reduce(self.reach)
        return np.minimum(share, 1, out=share)

    def view_evidence(self, view: int, distance: Floats) -> Floats:
        """The evidence of one view alone at a signed `distance` (S,) from its centre; 0 where that is negative."""
        strange = np.maximum(distance, 0)
        strange *= self.kappa[view]
        strange /= self.reach[view]
        strange += 1
        evidence: Floats = np.log(strange, out=strange)
        evidence /= self.index[view]
        return evidence

    def distance_at(self, target: Floats, side: int) -> Floats:
        """How far from `expected` the evidence reaches `target` (S,) > 0 on `side` (1 or -1); (S,), float32.

        Newton's method on the logarithm of the distance, in which evidence is nearly straight, held between
        the distances at which the strongest view alone has a V-th of the target and all of it.
        """
        slope = self.kappa / self.reach
        offset = (self.expected - self.centres).astype(np.float32)
        offset *= side
        ramp = np.minimum.reduce(self.reach)
        carry = self.carry[0 if side > 0 else 1]
        needed = target - carry
        high = np.maximum(self._alone(needed, slope, offset), ramp)
        low = np.maximum(self._alone(needed * np.float32(1 / len(slope)), slope, offset), ramp * _NEAREST)
        at = np.sqrt(low) * np.sqrt(high)
        unit = 1 / np.maximum.reduce(slope)
        for _ in range(ITERATIONS):
            total, rise = self._with_slope(at, offset, slope, ramp, carry)
            short = target - total
            open_ends = np.abs(short) > _PRECISION
            if not open_ends.any():
                break
            np.copyto(low, at, where=short > 0)
            np.copyto(high, at, where=short < 0)
            further = _towards(at, short, rise, unit)
            np.copyto(further, np.sqrt(low) * np.sqrt(high), where=(further <= low) | (further >= high))
            np.copyto(at, further, where=open_ends)
        return at

    def _alone(self, target: Floats, slope: Floats, offset: Floats) -> Floats:
        """The smallest distance at which one view by itself has `target`."""
        distance = np.minimum(target * self.index, _LARGEST_EXPONENT)
        np.exp(distance, out=distance)
        distance -= 1
        distance /= slope
        distance -= offset
        nearest: Floats = np.minimum.reduce(distance)
        return nearest

    def _with_slope(
        self, at: Floats, offset: Floats, slope: Floats, ramp: Floats, carry: Floats
    ) -> tuple[Floats, Floats]:
        """Faded evidence at distance `at`, what is carried included, and its derivative."""
        stretched = at + offset
        np.maximum(stretched, 0, out=stretched)
        active = slope * (stretched > 0)
        stretched *= slope
        stretched += 1
        active /= stretched
        active /= self.index
        np.log(stretched, out=stretched)
        stretched /= self.index
        plain = np.add.reduce(stretched)
        plain += carry
        rise = np.add.reduce(active)
        share = at / ramp
        np.minimum(share, 1, out=share)
        rise *= share
        rise += (share < 1) * plain / ramp
        plain *= share
        return plain, rise


def _towards(at: Floats, short: Floats, rise: Floats, unit: Floats) -> Floats:
    """One Newton step on ln(at + unit) for what is still `short`."""
    place = at + unit
    rise = np.maximum(rise * place, np.float32(1e-3))
    np.divide(short, rise, out=rise)
    np.minimum(rise, 30, out=rise)
    place *= np.exp(rise, out=rise)
    place -= unit
    return place
