"""Panels and variables of Grafana dashboards as plain data, for Grafana 10 to 12."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "#8e8e8e"


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
    """A panel without its place: `kind` is Grafana's panel type, `unit` one of its unit ids."""

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


def stat(title: str, description: str, expr: str, unit: str = "short", alarm: float | None = None) -> Panel:
    """One number; red from `alarm` on."""
    steps = colours(GREEN) if alarm is None else colours(GREEN, (alarm, RED))
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area", "colorMode": "value"}
    return Panel(title, description, "stat", unit, [Query(expr)], 4, 4, steps, options=options)


def graph(title: str, description: str, unit: str, *queries: Query, **more: Any) -> Panel:
    """Lines over time, with a legend below and all values in the tooltip."""
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    options = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return Panel(title, description, "timeseries", unit, queries, options=options, **more)


def timeline(title: str, description: str, unit: str, query: Query, defaults: Json, **more: Any) -> Panel:
    """One coloured bar per series."""
    options = {"mergeValues": True, "rowHeight": 0.8, "showValue": "never", "legend": {"showLegend": False}}
    return Panel(
        title, description, "state-timeline", unit, [query], defaults=defaults, options=options, **more
    )


def colours(first: str, *above: tuple[float, str]) -> Json:
    """`first`, then another colour from each value on."""
    steps = [{"color": first, "value": None}, *({"color": c, "value": v} for v, c in above)]
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def line(name: str, colour: str, **custom: Any) -> Json:
    """How the line called `name` is drawn."""
    properties = [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]
    properties += [{"id": f"custom.{key}", "value": value} for key, value in custom.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def label_variable(name: str, label: str, query: str, all_value: str) -> Json:
    """A drop-down of label values, several at once, all of them at first."""
    return {
        "allValue": all_value,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "includeAll": True,
        "label": label,
        "multi": True,
        **_query_variable(name, query),
    }


def series_variable(name: str, label: str, expr: str) -> Json:
    """A drop-down of the series of `expr`, the highest first; its value is the text between the braces."""
    return {
        "label": label,
        **_query_variable(name, f"query_result({expr})"),
        "regex": "/\\{(.*)\\}/",
        "sort": 0,
    }


def datasource_variable() -> Json:
    """Which Prometheus or VictoriaMetrics to ask."""
    return {
        "current": {},
        "hide": 0,
        "label": "Data source",
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "type": "datasource",
    }


def _query_variable(name: str, query: str) -> Json:
    return {
        "datasource": DATASOURCE,
        "definition": query,
        "hide": 0,
        "name": name,
        "query": {"query": query, "refId": f"{name}-variable"},
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }
