"""No learning: the configuration says what is normal, and the score how far a value is from its middle."""

from __future__ import annotations

import math

import numpy as np

from exporter import columns
from exporter.frame import Floats, Mask, Rows
from exporter.models import bounds, sustained
from exporter.models.chain import LARGEST_VALUE
from exporter.models.contract import Model, Scores, Settings, State

WIDEST = 1e30


def middle_and_reach(settings: Settings) -> tuple[float, float]:
    """Where the score is 0, and the distance from there at which it is 1.

    With both ends: the middle, and half the width. With one: the other end of the domain takes the part of
    the inside; where it has none, the score is 0 one |end| inside of the given end (1 unit where that is 0).
    """
    low, high = settings.normal
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2, (high - low) / 2
    if math.isfinite(high):
        inside = settings.domain[0] if math.isfinite(settings.domain[0]) else high - (abs(high) or 1.0)
        return inside, high - inside
    inside = settings.domain[1] if math.isfinite(settings.domain[1]) else low + (abs(low) or 1.0)
    return inside, inside - low


class Static:
    """|x - middle| / reach up to 1, and 1 + ln of it above; nothing on the side that has no end."""

    def __init__(self, settings: Settings, rows_: int = 0) -> None:
        """A model of `rows_` series; ValueError where the settings do not say what is normal."""
        if not any(map(math.isfinite, settings.normal)):
            raise ValueError("the static model needs settings.normal with at least one end")
        self.settings = settings
        self.state: State = columns.fresh(sustained.FIELDS, rows_)
        self._middle, self._reach = middle_and_reach(settings)

    def ready(self) -> Mask:
        """Every series is ready from its first point on."""
        return np.ones(len(self.state["sustained"]), bool)

    def select(self, rows_: Rows) -> None:
        """Rearrange the state so that new row i is old row `rows_[i]`, or a fresh series where that is -1."""
        columns.select(self.state, sustained.FIELDS, rows_)

    def put(self, rows_: Rows, other: Model) -> None:
        """Overwrite `rows_` with the series of `other`, a model of the same kind and settings."""
        columns.put(self.state, rows_, other.state)

    # The contract's arguments, though time, day, what may be learnt and the budget do not matter here
    def step(
        self,
        time: int,  # noqa: ARG002
        values: Floats,
        learn: Mask,  # noqa: ARG002
        *,
        band: bool = True,
        strictness: Floats | float = 1.0,  # noqa: ARG002
        sunday: Mask | None = None,  # noqa: ARG002
    ) -> Scores:
        """Score `values` (S,); there is nothing to learn."""
        present = np.abs(values) < LARGEST_VALUE
        expected = bounds.within(self.settings, np.full(len(values), self._middle))
        x = np.where(present, values, expected)
        distance = np.abs(x - expected)
        least = bounds.least_deviation(self.settings, expected)
        score = bounds.large_enough(self._score(x, expected), distance, least)
        out = np.full((5, len(values)), np.nan)
        out[0] = score
        out[1] = sustained.follow(self.state, score[None], present[None], self.settings.step)[0]
        out[2] = expected
        if band:
            low, high = self.settings.normal
            far = [np.full(len(x), self._reach if math.isfinite(end) else WIDEST) for end in (low, high)]
            below, above = far if least is None else (np.maximum(it, least) for it in far)
            bounds.draw(self.settings, out, x, expected, above, below)
            out[3:][np.abs(out[3:]) >= WIDEST / 2] = np.nan
        out[:, ~present] = np.nan
        return Scores(*out)

    def _score(self, x: Floats, expected: Floats) -> Floats:
        share = np.abs(x - expected) / self._reach
        score = np.where(share > 1, 1 + np.log(np.maximum(share, 1)), share)
        low, high = self.settings.normal
        score *= np.where(x > expected, math.isfinite(high), math.isfinite(low))
        return bounds.watched(self.settings, score, x > expected)
