"""The law of a few points: how strange each value would be, and how far normal reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats
from exporter.models.curve import Curve

_LARGEST = np.float32(1e37)


@dataclass(frozen=True, slots=True)
class Law:
    """How strange each value would be, given what is known before it is seen; for S series at T times.

    `expected` (T, S): where the score is 0; `ramp` (T, S): the quantile of the sharpest view; `centres`,
    `width` (V, S): where each view expects the last value, and its scale then, all in the unit of the query;
    `slope`, `index` (2 V, S): its tail law above and, in the second half, below; `experience` (T, S): how
    much is known of these tails, in exceedances.
    On either side of `expected` the evidence is continuous, 0 at `expected`, and increasing.
    """

    centres: Floats
    expected: Floats
    ramp: Floats
    width: Floats
    slope: Floats
    index: Floats
    experience: Floats

    def evidence(self, strange: Floats, side: Floats) -> Floats:
        """-ln of each view's tail probability, (T, V, S), 0 where a view finds it strange the other way.

        `strange` (T, V, S): the value less the centre, in scales; `side` (T, S): 1 where it lies above
        `expected`, else -1.
        """
        views, side = len(self.slope) // 2, side[:, None]
        above = (side > 0).astype(np.float32)
        below = above - side
        strange = strange * side
        strange *= self.slope[:views] * above + self.slope[views:] * below
        strange.clip(0, _LARGEST, out=strange)
        strange += 1
        np.log(strange, out=strange)
        strange /= self.index[:views] * above + self.index[views:] * below
        return strange

    def doubted(self, evidence: Floats) -> Floats:
        """`evidence` (T, S) less what a tail may owe to chance: few exceedances leave its index uncertain."""
        less = evidence / self.experience
        np.log1p(less, out=less)
        less *= self.experience
        return less

    def fade(self, distance: Floats) -> Floats:
        """By what to multiply evidence, (T, S): less where the sharpest view cannot tell the two apart."""
        share: Floats = distance / self.ramp
        return share.clip(0, 1, out=share)

    def distances(self, target: Floats, carry: Floats) -> Floats:
        """How far above and below `expected` doubted evidence is `target` (S,) > 0 at the last time; (2, S).

        `carry` (S,): what the point before left behind, for a value above where above 0, else for one below.
        """
        offset = (self.expected[-1] - self.centres).astype(np.float32)
        views, experience = len(offset), self.experience[-1]
        target = experience * np.expm1(target / experience)
        above = self._curve(offset, slice(views), np.maximum(carry, 0))
        below = self._curve(-offset, slice(views, 2 * views), np.maximum(-carry, 0))
        return np.stack((above.distance(target), below.distance(target)))

    def _curve(self, offset: Floats, side: slice, carry: Floats) -> Curve:
        return Curve(offset, self.slope[side] / self.width, self.index[side], self.ramp[-1], carry)


def carried(carry: Floats, side: Floats) -> Floats:
    """What the point before left behind for a value on `side`, both (T, S)."""
    left: Floats = carry * side
    return left.clip(0, np.inf, out=left)
