"""The last hours of every band, kept in memory, so that a page can draw them without asking anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.frame import Floats
from exporter.metrics.exposition import QueryScores

APART = 300
"""Seconds between two moments that are kept, at least: of the points between them nothing is kept."""

KEPT = 36
"""Moments per query: three hours, 432 bytes for each series."""

DRAWN = ("anomaly_value", "anomaly_lower", "anomaly_upper")


@dataclass(frozen=True, slots=True)
class Moment:
    """Value, lower and upper edge of S series at Unix second `time`: (3, S), float32; NaN where absent."""

    time: int
    labels: Sequence[bytes]
    band: Floats


class Recent:
    """The moments of each query, oldest first; taken in by one thread, read by others."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Moment, ...]] = {}

    def take(self, scores: Iterable[QueryScores], queries: Iterable[str]) -> None:
        """Keep what is due of `scores`, and let go of what is not of `queries` any more."""
        for name in self._kept.keys() - set(queries):
            del self._kept[name]
        for it in scores:
            kept = self.moments(it.query)
            if (not kept or it.time - kept[-1].time >= APART) and all(name in it.families for name in DRAWN):
                band = np.array([it.families[name] for name in DRAWN], np.float32)
                self._kept[it.query] = (*kept, Moment(it.time, it.labels, band))[-KEPT:]

    def moments(self, query: str) -> tuple[Moment, ...]:
        """What is kept of a query, oldest first."""
        return self._kept.get(query, ())


class Traces:
    """The past of single series of one query, out of its moments; made for one page."""

    def __init__(self, moments: Sequence[Moment]) -> None:
        self._moments = moments
        self._rows: dict[int, dict[bytes, int]] = {}

    def times(self) -> list[int]:
        """Unix seconds, (T,)."""
        return [it.time for it in self._moments]

    def of(self, labels: bytes) -> Floats:
        """Value, lower and upper edge of the series with the rendered `labels`, (3, T), NaN where unknown."""
        out = np.full((len(DRAWN), len(self._moments)), np.nan, np.float32)
        for column, it in enumerate(self._moments):
            row = self._row(it, labels)
            if row is not None:
                out[:, column] = it.band[:, row]
        return out

    def _row(self, moment: Moment, labels: bytes) -> int | None:
        known = self._rows.get(id(moment.labels))
        if known is None:
            known = {it: row for row, it in enumerate(moment.labels)}
            self._rows[id(moment.labels)] = known
        return known.get(labels)
