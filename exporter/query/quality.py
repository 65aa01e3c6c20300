"""What the input of each series is worth: whether its points come, can be true, and still move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from exporter import columns
from exporter.config.query import Query
from exporter.frame import Floats, Mask, Rows

DAY = 86_400.0
HALF_HOUR = 1_800
MEMORY = 14 * DAY
"""The longest standstill counts half after so long."""

LONGER = np.float32(2.0)
"""A series is stuck once it has stood still for so many times its longest standstill before, ..."""

MOVES = 24
"""... if it has moved so many times."""

WEEK = 7 * DAY
ZEROS = 0.9
"""From this share of zeros in about the last week on, a series is dominated by them."""

SILENT = DAY
"""A series that has been silent for longer is no longer expected."""

KINDS = ("constant", "zero_dominated", "varying")


class Quality:
    """How good the points of S series were; a point updates it in constant time.

    `share`: of the points of about the last day, how many were good; `last`: the last value, NaN before the
    first; `still`: points in a row since it changed; `longest`: the most that this has been, fading; `run`:
    `still` half an hour ago; `moves`: changes seen; `limit`: the largest `still` that is no standstill;
    `points` and `zeros`: how many points there were, and how many of them were 0, fading in about a week.
    """

    FIELDS: ClassVar[columns.Fields] = {
        "share": (0, np.float32, 1.0),
        "last": (0, np.float64, math.nan),
        "still": (0, np.float32, 0.0),
        "longest": (0, np.float32, 0.0),
        "run": (0, np.float32, 0.0),
        "moves": (0, np.float32, 0.0),
        "limit": (0, np.float32, math.inf),
        "points": (0, np.float32, 0.0),
        "zeros": (0, np.float32, 0.0),
    }

    def __init__(
        self, step: float, domain: tuple[float, float], stuck_after: float = 3_600.0, rows: int = 0
    ) -> None:
        """`rows` series of which nothing is known, whose points are `step` seconds apart.

        What rests at zero or at an end of its `domain` is not stuck, nor what has rested for less than
        `stuck_after` seconds.
        """
        self.state = columns.fresh(self.FIELDS, rows)
        self._step, self._domain, self._patience = step, domain, np.float32(stuck_after / step)
        self._newest = np.float32(-math.expm1(-step / DAY))
        self._kept = np.float32(math.exp2(-max(step, HALF_HOUR) / MEMORY))
        self._recent = np.float32(math.exp(-max(step, HALF_HOUR) / WEEK))

    @classmethod
    def of(cls, query: Query, rows: int) -> Quality:
        """What is known of the input of `rows` fresh series of `query`."""
        return cls(query.step, (query.domain.min, query.domain.max), query.stuck_after, rows)

    def refuse(self, values: Floats) -> dict[str, int]:
        """Blank what lies outside the domain in `values`, of any shape; how many that were, by reason."""
        low, high = self._domain
        counts = {}
        for reason, end, beyond in (("below_domain", low, np.less), ("above_domain", high, np.greater)):
            if math.isfinite(end):
                outside = beyond(values, end) & ~np.isclose(values, end, rtol=1e-9, atol=0)
                counts[reason] = int(outside.sum())
                values[outside] = np.nan
        return counts

    def steps(self, times: Sequence[int], values: Floats) -> None:
        """Take in the values (T, S) at the Unix seconds `times`, NaN where there is none.

        Only the last of them may be the first of a half hour.
        """
        state = self.state
        there = values == values
        before = columns.held(state["last"], values, there)
        stays = ~there | (values == before)
        state["moves"] += len(values) - np.add.reduce(stays, dtype=np.float32)
        state["points"] += np.add.reduce(there, dtype=np.float32)
        state["zeros"] += np.add.reduce(values == 0, dtype=np.float32)
        good = there | (before != before)  # before its first point a series misses none
        columns.hold(state["last"], before, values, there)
        still = self._stand(there, stays)
        moving = still <= state["limit"]
        if times[-1] % HALF_HOUR < self._step:
            self._turn()
            moving[-1] = still[-1] <= state["limit"]
        good &= moving
        faded = (1 - self._newest) ** np.arange(len(times), -1, -1, dtype=np.float32)
        lost = (1 - state["share"]) * faded[0] + np.add.reduce(~good * (self._newest * faded[1:, None]))
        state["share"][:] = 1 - lost

    def _stand(self, there: Mask, stays: Mask) -> Floats:
        """How many points in a row each series has stood still after each point, (T, S)."""
        still, out = self.state["still"], there.astype(np.float32)
        for counted, same in zip(out, stays.astype(np.float32), strict=True):
            still += counted
            still *= same
            counted[:] = still
        return out

    def _turn(self) -> None:
        """Every half hour: note the standstills that have ended, and how long the present ones may last."""
        state = self.state
        ended = state["still"] < state["run"]
        state["longest"] *= self._kept
        state["points"] *= self._recent
        state["zeros"] *= self._recent
        np.maximum(state["longest"], state["run"] * ended, out=state["longest"])
        state["run"][:] = state["still"]
        at_rest = state["moves"] < MOVES
        for end in (0.0, *self._domain):
            at_rest |= state["last"] == end
        limit = np.maximum(LONGER * state["longest"], self._patience)
        state["limit"][:] = np.where(at_rest, np.inf, limit)

    @property
    def stuck(self) -> Mask:
        """Which series have not moved for far longer than they ever did before, (S,)."""
        return np.asarray(self.state["still"] > self.state["limit"])

    def kinds(self, here: Mask) -> dict[str, int]:
        """How many of the series that are `here` (S,) never move, are mostly 0, or vary."""
        state = self.state
        constant = (state["still"] >= WEEK / self._step) | (state["moves"] <= 1)
        sparse = ~constant & (state["zeros"] >= ZEROS * state["points"])
        of_each = (constant, sparse, ~(constant | sparse))
        return {kind: int((here & mask).sum()) for kind, mask in zip(KINDS, of_each, strict=True)}

    def told(self, now: float, last_seen: Rows) -> dict[str, Floats]:
        """What is exposed of each series (S,), NaN where it has been silent for longer than a day.

        `last_seen`: when each had its last point, in Unix seconds, as is `now`.
        """
        lag = now - last_seen
        lag = np.where(lag <= SILENT, np.round(lag), np.nan)
        return {
            "anomaly_input_quality_ratio": np.where(np.isnan(lag), np.nan, np.round(self.state["share"], 3)),
            "anomaly_input_lag_seconds": lag,
        }

    def select(self, rows: Rows) -> None:
        """Rearrange so that new row i is old row `rows[i]`, or a fresh series where that is -1."""
        columns.select(self.state, self.FIELDS, rows)

    def put(self, rows: Rows, other: Quality) -> None:
        """Overwrite `rows` with the series of `other`."""
        columns.put(self.state, rows, other.state)
