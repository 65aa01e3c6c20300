"""Above the edge, a point counts in full once the one before confirms it, and when nothing like it was seen.

Nothing at or below 1 moves, so the band stays what it is, and at any place of the value more distance is
still more score.
"""

from __future__ import annotations

import math

import numpy as np

from exporter.frame import Floats, Mask, Rows
from exporter.models.contract import State

ALONE = np.float32(0.7)
"""What is above the edge counts so much at the first strange point; in full after one at the edge."""

NEAR = np.float32(0.7)
"""From this score on the last point begins to confirm the next."""

SMALLEST_SHARE = np.float32(0.25)
RECORD_HALF_LIFE = 14 * 86_400.0

FIELDS = {"last": (0, np.float32, 0.0), "record": (0, np.float32, 0.0)}
"""`last`: the score of the last point, negative below the expected value; `record`: the farthest that a value
has been from it, half forgotten after RECORD_HALF_LIFE."""


def weigh(state: State, score: Floats, distance: Floats, side: Floats, recent: Mask, strict: Floats) -> None:
    """Take off `score` (..., S), in place, what is above 1 and not confirmed, or not farther than ever.

    `distance` and `side` (1 or -1): where the value lies from the expected one; `strict` (S,) or (): by what
    the score was divided for the sensitivity. Of `state` only `last` and `record` are looked at, shaped as
    the score.
    """
    high = (score > 1).nonzero()
    if not len(high[0]):
        return
    strict = strict[high[-1]] if strict.ndim else strict
    before = np.maximum(state["last"][high] * side[high], 0) * recent[high] / strict
    sure = ALONE + (1 - ALONE) * np.clip((before - NEAR) / (1 - NEAR), 0, 1)
    record = state["record"][high]
    share = distance[high] / np.maximum(record, np.float32(1e-30))
    rare = np.sqrt(np.clip(np.where(record > 0, share, 1), SMALLEST_SHARE, 1))
    score[high] = 1 + (score[high] - 1) * sure * rare


def remember(state: State, score: Floats, distance: Floats, side: Floats, learnt: Mask) -> None:
    """Keep what the next points are compared with; `score` (S,) is the one before anything was taken off."""
    np.copyto(state["last"], score * side, where=learnt)
    np.maximum(state["record"], distance * learnt, out=state["record"])


def turn(state: State, seconds: float, rows: Rows | slice) -> None:
    """Forget a little of the record of `rows` after `seconds` of points."""
    state["record"][rows] *= np.float32(math.exp2(-seconds / RECORD_HALF_LIFE))
