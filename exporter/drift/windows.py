"""What a test of drift is shown: windows of standardised residuals beside the distribution they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats, Rows

LEVELS = (np.arange(32, dtype=np.float32) + 0.5) / 32
"""The shares of the reference that lie below each of its grid's values."""


@dataclass(frozen=True, slots=True)
class Windows:
    """C windows of each of S series.

    `values` (S, C, W): residuals in units of the series' own typical residual, ascending, NaN at the end.
    `count` (S, C): how many there are. `grid` (S, 32): quantiles of the reference's residuals at `LEVELS`.
    """

    values: Floats
    count: Rows
    grid: Floats

    @classmethod
    def of(cls, values: Floats, grid: Floats) -> Windows:
        """Order `values` (S, C, W)."""
        ordered = np.sort(values, axis=-1)
        return cls(ordered, (ordered == ordered).sum(axis=-1), grid)

    def quantile(self, share: float) -> Floats:
        """The quantile of each window at `share`, the nearest value, (S, C)."""
        at = np.rint(np.maximum(self.count - 1, 0) * share).astype(np.intp)
        picked: Floats = np.take_along_axis(self.values, at[..., None], axis=-1)[..., 0]
        return picked

    def quantiles(self) -> Floats:
        """The quantiles of each window at `LEVELS`, (S, C, 32)."""
        at = np.rint(np.maximum(self.count - 1, 0)[..., None] * LEVELS).astype(np.intp)
        picked: Floats = np.take_along_axis(self.values, at, axis=-1)
        return picked

    def below(self, edges: Floats) -> Floats:
        """How many values of each window lie at or below each of `edges` (S, E), as (S, C, E)."""
        counts: Floats = (self.values[..., None] <= edges[:, None, None, :]).sum(axis=-2, dtype=np.float32)
        return counts
