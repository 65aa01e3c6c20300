"""Panels of Grafana dashboards as plain data, and their places on the grid, for Grafana 10 to 12."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24


@dataclass(frozen=True)
class Query:
    """One PromQL question of a panel; `instant` asks for the end of the time range only."""

    expr: str
    legend: str = "__auto"
    instant: bool = False
    table: bool = False

    def target(self, number: int) -> Json:
        """As Grafana stores it, with its letter."""
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": "table" if self.table else "time_series",
            "instant": self.instant,
            "legendFormat": self.legend,
            "range": not self.instant,
            "refId": chr(ord("A") + number),
        }


@dataclass(frozen=True)
class Panel:
    """A panel without its place: `kind` is Grafana's panel type, `unit` one of its unit ids.

    `reach` replaces the time range of the dashboard, as in `30d`.
    """

    title: str
    description: str
    kind: str
    unit: str
    queries: Sequence[Query]
    width: int = 12
    height: int = 8
    defaults: Mapping[str, Any] | None = None
    overrides: Sequence[Json] = ()
    options: Mapping[str, Any] | None = None
    transformations: Sequence[Json] = ()
    reach: str = ""

    def json(self, number: int, x: int, y: int) -> Json:
        """As Grafana stores it, at column `x` of 24 and line `y`."""
        return {
            "datasource": DATASOURCE,
            "description": self.description,
            "fieldConfig": {
                "defaults": {"unit": self.unit, **(self.defaults or {})},
                "overrides": list(self.overrides),
            },
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "id": number,
            "options": dict(self.options or {}),
            "targets": [query.target(i) for i, query in enumerate(self.queries)],
            **({"timeFrom": self.reach} if self.reach else {}),
            "title": self.title,
            "transformations": list(self.transformations),
            "type": self.kind,
        }


@dataclass(frozen=True)
class Row:
    """A titled row and the panels below it, laid out from left to right."""

    title: str
    panels: Sequence[Panel]


def lay_out(rows: Iterable[Row]) -> list[Json]:
    """All rows with their panels, numbered and placed below each other."""
    placed: list[Json] = []
    y = 0
    for row in rows:
        position = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        head = {"collapsed": False, "gridPos": position, "panels": [], "title": row.title, "type": "row"}
        placed.append({**head, "id": len(placed) + 1})
        y += 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            placed.append(panel.json(len(placed) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return placed
