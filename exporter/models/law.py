"""One point's law: how strange each value would be, and how far normal reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats
from exporter.models.curve import Curve

_LARGEST = np.float32(1e37)


@dataclass(frozen=True, slots=True)
class Law:
    """How strange each value would be, given what is known before it is seen.

    `centres` (V, S): where each view expects the value; `expected` (S,): where the score is 0;
    `ramp` (S,): the quantile of the sharpest view; `width` (V, S): each view's scale, both in the unit of the
    query; `slope`, `index` (2 V, S): its tail law above and, in the second half, below;
    `experience` (S,): how much is known of these tails, in exceedances;
    `carry` (S,): evidence that the last point left behind, above 0 for a value above, below 0 for one below.
    On either side of `expected` the evidence is continuous, 0 at `expected`, and increasing.
    """

    centres: Floats
    expected: Floats
    ramp: Floats
    width: Floats
    slope: Floats
    index: Floats
    experience: Floats
    carry: Floats

    def evidence(self, residual: Floats, side: Floats) -> Floats:
        """-ln of each view's tail probability, (V, S), 0 where a view finds the value strange the other way.

        `residual` (V, S): the value less `centres`; `side` (S,): 1 where it lies above `expected`, -1 below.
        """
        views, above = len(residual), (side > 0).astype(np.float32)
        below = above - side
        strange = residual * side
        strange /= self.width
        strange *= self.slope[:views] * above + self.slope[views:] * below
        strange.clip(0, _LARGEST, out=strange)
        strange += 1
        np.log(strange, out=strange)
        strange /= self.index[:views] * above + self.index[views:] * below
        return strange

    def doubted(self, evidence: Floats) -> Floats:
        """`evidence` (S,) less what a tail may owe to chance: few exceedances leave its index uncertain."""
        less = evidence / self.experience
        np.log1p(less, out=less)
        less *= self.experience
        return less

    def carried(self, side: Floats) -> Floats:
        """What the last point left behind for a value on `side`, (S,)."""
        left: Floats = self.carry * side
        return left.clip(0, np.inf, out=left)

    def fade(self, distance: Floats) -> Floats:
        """By what to multiply evidence, (S,): it fades where the sharpest view cannot tell the two apart."""
        share: Floats = distance / self.ramp
        return share.clip(0, 1, out=share)

    def distances(self, target: Floats) -> Floats:
        """How far above and below `expected` doubted evidence reaches `target` (S,) > 0; shape (2, S)."""
        offset = (self.expected - self.centres).astype(np.float32)
        views = len(offset)
        target = self.experience * np.expm1(target / self.experience)
        above = self._curve(offset, slice(views), np.maximum(self.carry, 0))
        below = self._curve(-offset, slice(views, 2 * views), np.maximum(-self.carry, 0))
        return np.stack((above.distance(target), below.distance(target)))

    def _curve(self, offset: Floats, side: slice, carry: Floats) -> Curve:
        return Curve(offset, self.slope[side] / self.width, self.index[side], self.ramp, carry)
