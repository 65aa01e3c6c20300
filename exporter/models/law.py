"""One point's law: evidence as a function of the value, and its inverse, the band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats

ITERATIONS = 12


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
        strange = ((x - self.centres) * side).astype(np.float32)
        np.maximum(strange, 0, out=strange)
        strange *= self.kappa
        strange /= self.reach
        np.log1p(strange, out=strange)
        strange /= self.index
        total: Floats = strange.sum(axis=0)
        return total

    def fade(self, distance: Floats) -> Floats:
        """Nearer to the expected value than the sharpest view can tell, evidence fades to 0: a factor, (S,)."""
        share: Floats = distance / self.reach.min(axis=0)
        return np.minimum(share, 1, out=share)

    def view_evidence(self, view: int, distance: Floats) -> Floats:
        """The evidence of one view alone at a signed `distance` (S,) from its centre; 0 where that is negative."""
        strange = np.maximum(distance, 0) * self.kappa[view] / self.reach[view]
        evidence: Floats = np.log1p(strange) / self.index[view]
        return evidence

    def distance_at(self, target: Floats, side: int) -> Floats:
        """How far from `expected` the evidence reaches `target` (S,) > 0 on `side` (1 or -1); (S,), float32.

        Bracketed between the distances at which the strongest view has a V-th of the target and all of it;
        then Newton's method, kept inside the bracket.
        """
        offset = ((self.expected - self.centres) * side).astype(np.float32)
        slope = self.kappa / self.reach
        ramp = self.reach.min(axis=0)
        carry = self.carry[0 if side > 0 else 1]
        needed = target - carry
        high = np.maximum(self._alone(needed, slope, offset), ramp)
        low = np.maximum(self._alone(needed / len(slope), slope, offset), 0)
        at = np.clip(low, ramp * np.float32(0.5), high)
        for _ in range(ITERATIONS):
            total, rise = self._with_slope(at, offset, slope, ramp, carry)
            above = total >= target
            np.copyto(high, at, where=above)
            np.copyto(low, at, where=~above)
            at = at + (target - total) / rise
            at = np.where((at > low) & (at < high), at, (low + high) * np.float32(0.5))
        return at

    def _alone(self, target: Floats, slope: Floats, offset: Floats) -> Floats:
        """The smallest distance at which one view by itself has `target`."""
        distance = np.expm1(np.minimum(target * self.index, np.float32(80))) / slope - offset
        nearest: Floats = distance.min(axis=0)
        return nearest

    def _with_slope(
        self, at: Floats, offset: Floats, slope: Floats, ramp: Floats, carry: Floats
    ) -> tuple[Floats, Floats]:
        """Faded evidence at distance `at`, what is carried included, and its derivative."""
        stretched = np.maximum(at + offset, 0)
        active = stretched > 0
        stretched *= slope
        plain = (np.log1p(stretched) / self.index).sum(axis=0) + carry
        rise = (active * slope / ((1 + stretched) * self.index)).sum(axis=0)
        share = np.minimum(at / ramp, 1)
        rise = rise * share + (share < 1) * plain / ramp
        return plain * share, np.maximum(rise, np.float32(1e-30))
