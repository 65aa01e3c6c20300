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
        np.minimum(strange, _LARGEST, out=strange)
        strange += 1
        np.log(strange, out=strange)
        strange /= self.index
        total: Floats = np.add.reduce(strange)
        return total

    def fade(self, distance: Floats) -> Floats:
        """By what to multiply evidence, (S,): it fades where the sharpest view cannot tell the two apart."""
        share: Floats = distance / np.minimum.reduce(self.reach)
        return np.minimum(share, 1, out=share)

    def view_evidence(self, view: int, distance: Floats) -> Floats:
        """The evidence of one view alone at a signed `distance` (S,) from its centre."""
        strange = np.maximum(distance, 0)
        strange *= self.kappa[view]
        strange /= self.reach[view]
        np.minimum(strange, _LARGEST, out=strange)
        strange += 1
        evidence: Floats = np.log(strange, out=strange)
        evidence /= self.index[view]
        return evidence

    def distances(self, target: Floats) -> Floats:
        """How far above and below `expected` the evidence reaches `target` (S,) > 0; shape (2, S)."""
        offset = (self.expected - self.centres).astype(np.float32)
        slope, ramp = self.kappa / self.reach, np.minimum.reduce(self.reach)
        both = Curve(
            np.hstack((offset, -offset)),
            np.hstack((slope, slope)),
            np.hstack((self.index, self.index)),
            np.hstack((ramp, ramp)),
            self.carry.reshape(-1),
        )
        return both.distance(np.hstack((target, target))).reshape(2, -1)
