"""How sensitive each series of a query is watched: the budget of its category, or else of the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter import tail
from exporter.config.query import Query
from exporter.frame import Floats, Mask, Rows
from exporter.metrics.exposition import Table
from exporter.metrics.labels import with_choice

NONE = -1
"""The category of a series that no category matches."""


class Sensitivity:
    """The categories of one query, compiled."""

    def __init__(self, query: Query) -> None:
        self.names = [it.name for it in query.categories]
        self._patterns = [
            [(name, re.compile(pattern)) for name, pattern in it.match.items()] for it in query.categories
        ]
        budgets = [it.sensitivity for it in query.categories] + [query.budget]
        self._budgets = np.array(budgets)
        self._strictness = np.array([tail.strictness(it) for it in budgets], np.float32)

    def categories(self, series: Sequence[Mapping[str, str]]) -> Rows:
        """The first category that matches each series' labels, (S,); NONE where none does."""
        if not self.names:
            return np.full(len(series), NONE, np.intp)
        return np.fromiter(map(self._first, series), np.intp, len(series))

    def strictness(self, categories: Rows) -> Floats | float:
        """By what the edge of each series is multiplied: (S,), or one number without categories."""
        return self._strictness[categories] if self.names else float(self._strictness[NONE])

    def budget(self, categories: Rows) -> Floats | float:
        """Seconds between the false alarms that each healthy series may raise: (S,), or one number."""
        return self._budgets[categories] if self.names else float(self._budgets[NONE])

    def per_week(self) -> dict[str, float]:
        """False alarms promised per healthy series and week, by category; the empty name: all others."""
        names = [*self.names, ""]
        return {name: tail.WEEK / budget for name, budget in zip(names, self._budgets.tolist(), strict=True)}

    def _first(self, labels: Mapping[str, str]) -> int:
        """As in Prometheus, patterns match the whole value, and a missing label is an empty one."""
        for number, patterns in enumerate(self._patterns):
            if all(pattern.fullmatch(labels.get(name, "")) for name, pattern in patterns):
                return number
        return NONE


@dataclass(frozen=True, slots=True)
class Named:
    """The series that have a category: their `rows`, and their labels with that category, as text."""

    rows: Rows
    labels: Sequence[bytes]

    @classmethod
    def of(cls, names: Sequence[str], categories: Rows, rendered: Sequence[bytes]) -> Named:
        """`categories` (S,): the number of each series' category in `names`, or NONE."""
        some = categories != NONE
        return cls(np.flatnonzero(some), with_choice(rendered, "category", names, categories, some))

    def tables(self, judged: Mask) -> tuple[Table, ...]:
        """Which category the `judged` series (S,) have."""
        shown = np.where(judged[self.rows], 1.0, np.nan)
        return (Table(self.labels, {"anomaly_category_info": shown}),) if len(self.rows) else ()
