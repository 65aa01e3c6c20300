"""What all scorers share, and the way one query asks its TSDB."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from exporter.calendars.windows import Windows
from exporter.config.query import Query
from exporter.frame import Frame
from exporter.metrics.telemetry import Telemetry
from exporter.promql import only
from exporter.tsdb.numbers import Invalid
from exporter.tsdb.parse import Vector

SHORT = 60
"""A past of up to so many points is read in the live turn; a longer one waits for a reader of history."""


def _ignore(*_: object) -> None:
    return None


class Clock(Protocol):
    """Wall and monotonic time, in seconds."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


class Source(Protocol):
    """What a scorer needs of the TSDB client."""

    def instant(self, expr: str, time: float, step: int) -> Vector: ...

    def range(
        self,
        expr: str,
        start: float,
        end: float,
        step: int,
        series: int | None,
        on_invalid: Callable[[Invalid], None],
    ) -> Iterator[Frame]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all scorers share; `grouped` names the queries of groups, `windows` says when not all is as usual.

    `recall(since, until)` finds the windows of a past, in Unix seconds, before it is learnt from.
    """

    source: Source
    telemetry: Telemetry
    zone: str
    interval: float
    stop: threading.Event
    grouped: frozenset[str] = frozenset()
    windows: Windows = field(default_factory=Windows)
    recall: Callable[[float, float], None] = _ignore


class Reader:
    """One query's questions, and what is told about it; a query that is `retired` tells nothing more."""

    def __init__(self, query: Query, around: Surroundings) -> None:
        self.query, self.around = query, around
        self.step = int(query.step)
        self.answered = 1
        self.retired = False

    def instant(self, time: int) -> tuple[Vector, list[bytes]]:
        """The answer for `time`, and the keys of the series that have a number there."""
        vector = self.around.source.instant(self.query.expr, time, self.step)
        self._invalid(vector.invalid)
        self.answered = max(1, len(vector.keys))
        there = np.isfinite(vector.values)
        alive = vector.keys if there.all() else [vector.keys[row] for row in np.flatnonzero(there).tolist()]
        return vector, alive

    def range(self, start: int, end: int, keys: Sequence[bytes] = ()) -> Iterator[Frame]:
        """Frames of the expression in [start, end], kept to `keys` where the server can do that.

        Absent counts are zeros only where others answer, so such a query is always asked for as a whole.
        """
        if end - start > SHORT * self.step:
            self.around.recall(start, end)
        expr = only(self.query.expr, keys) if keys and self.query.missing == "skip" else self.query.expr
        series = self.answered if expr == self.query.expr else len(keys)
        return self.around.source.range(expr, start, end, self.step, series, self._invalid)

    @property
    def remembers(self) -> bool:
        """Whether a group needs the past of this query's residuals."""
        return self.query.name in self.around.grouped

    def halted(self) -> bool:
        """Whether the work has become pointless: the exporter stops, or the query is no longer configured."""
        return self.retired or self.around.stop.is_set()

    def tell(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge of this query."""
        if not self.retired:
            self.around.telemetry.set(name, value, query=self.query.name, **labels)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter of this query."""
        if not self.retired and amount:
            self.around.telemetry.count(name, amount, query=self.query.name, **labels)

    def _invalid(self, invalid: Invalid) -> None:
        for reason, amount in invalid.items():
            self.count("input_invalid_samples_total", amount, reason=reason)
