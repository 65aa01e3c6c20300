"""The recent signed scores of a query's series: what a joint score is learnt from, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from exporter import columns
from exporter.frame import Floats, Mask, Rows

SLOT = 900
"""Seconds between two remembered points."""

REMEMBERED = 1_344
"""Remembered points of a series: 14 days of quarter hours, one byte each."""

SMOOTHING = np.float32(0.35)
"""The weight of the newest point in a residual: it speaks of about the last three."""

LARGEST = 8.0
_CODES = 127
_MISSING = -128


@dataclass(frozen=True, slots=True)
class Present:
    """One query's series at Unix second `time`: S label sets, scores and residuals, NaN where there is none.

    It is frozen, so that a joint score may read it while the query's next turn is under way.
    """

    query: str
    time: int
    series: tuple[dict[str, str], ...]
    score: Floats
    residual: Floats


def bounded(score: Floats) -> Floats:
    """A score as it enters a residual: itself up to 1, then 1 + ln(score)."""
    beyond = np.maximum(score, 1)
    np.log(beyond, out=beyond)
    beyond += np.minimum(score, 1)
    return beyond


def unbounded(residual: Floats) -> Floats:
    """The score that, lasting, gives |residual|: the inverse of `bounded`."""
    size = np.abs(residual)
    return np.where(size > 1, np.exp(np.minimum(size, LARGEST) - 1), size)


class Residuals:
    """A residual per series, and the ring of its past.

    A residual is the exponential mean over points of sign(value - expected) · bounded(score): the signed
    score of the last few points, the same scale for every model and query.
    """

    FIELDS: ClassVar[columns.Fields] = {
        "residual": (0, np.float32, np.nan),
        "ring": (REMEMBERED, np.int8, _MISSING),
    }

    def __init__(self, step: float, rows: int = 0) -> None:
        """Residuals of `rows` series without a past, whose points are `step` seconds apart."""
        self.state = columns.fresh(self.FIELDS, rows)
        self.slot: int | None = None
        self._step = int(step)

    def step(self, time: int, score: Floats, distance: Floats, learn: Mask | None = None) -> None:
        """Take in one point: scores (S,) and the distances value - expected whose signs they get.

        NaN is a missing point. Nothing is remembered across it: the residual starts again from 0.
        The past keeps no point of series that may not `learn` it.
        """
        residual = self.state["residual"]
        np.copyto(residual, 0, where=residual != residual)
        signed = np.copysign(bounded(score), distance).astype(np.float32)
        signed -= residual
        signed *= SMOOTHING
        residual += signed
        slot = time // SLOT
        if slot != self.slot:
            self._turn_to(slot)
            kept = residual if learn is None else np.where(learn, residual, np.float32(np.nan))
            self.state["ring"][slot % REMEMBERED] = _coded(kept)

    def _turn_to(self, slot: int) -> None:
        """Empty the rows of the slots that were skipped."""
        if self.slot is not None and slot > self.slot + 1:
            skipped = np.arange(max(self.slot + 1, slot - REMEMBERED), slot)
            self.state["ring"][skipped % REMEMBERED] = _MISSING
        self.slot = slot

    def at(self, slots: Rows) -> Floats:
        """The residuals of `slots` (T,), shape (T, S), float32, NaN where there is none."""
        if self.slot is None:
            return np.full((len(slots), len(self.state["residual"])), np.nan, np.float32)
        if self._step > SLOT:  # a point speaks for all slots up to the next one
            slots = ((slots + 1) * SLOT - 1) // self._step * self._step // SLOT
        values = _decoded(self.state["ring"][slots % REMEMBERED])
        values[(slots > self.slot) | (slots <= self.slot - REMEMBERED)] = np.nan
        return values

    def select(self, rows: Rows) -> None:
        """Rearrange so that new row i is old row `rows[i]`, or a series without a past where that is -1."""
        columns.select(self.state, self.FIELDS, rows)

    def put(self, rows: Rows, other: Residuals) -> None:
        """Overwrite `rows` with the series of `other`, which stands at the same slot."""
        columns.put(self.state, rows, other.state)


def _coded(residual: Floats) -> np.ndarray:
    """One signed byte each, finest around 0: the square root is stored."""
    share = np.sqrt(np.minimum(np.abs(residual) * np.float32(1 / LARGEST), 1))
    codes = np.copysign(np.rint(share * np.float32(_CODES)), residual)
    return np.nan_to_num(codes, nan=_MISSING).astype(np.int8)


def _decoded(codes: np.ndarray) -> Floats:
    share = codes.astype(np.float32) * np.float32(1 / _CODES)
    values: Floats = np.abs(share) * share * np.float32(LARGEST)
    values[codes == _MISSING] = np.nan
    return values
