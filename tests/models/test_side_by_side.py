"""The benchmark's shortcut of stepping series side by side changes no score."""

from __future__ import annotations

import numpy as np

from bench.detection import score_alone, score_together
from tests.models.histories import DAY, STEP, daily, times


def test_scores_side_by_side_are_those_alone() -> None:
    """Series of different length, start week and gaps score as if each were alone."""
    lengths = (5 * DAY, 4 * DAY, 5 * DAY)
    at = [times(lengths[0]), times(lengths[1], start=int(times(1)[0]) + 21 * 86_400), times(lengths[2])[::1]]
    at[2] = np.delete(at[2], np.arange(900, 1_000))
    values = [daily(lengths[0], seed=i)[: len(t), 0] for i, t in enumerate(at)]
    together = score_together("seasonal", STEP, at, values)
    for t, x, score in zip(at, values, together, strict=True):
        alone = score_alone("seasonal")(t, x, 0, STEP)
        assert np.array_equal(alone, score, equal_nan=True)
