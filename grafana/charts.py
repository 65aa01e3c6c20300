"""The kinds of panels that the dashboards draw, and how their lines and cells look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grafana.panels import Json, Panel, Query

GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "#8e8e8e"
ORANGE, PURPLE = "orange", "purple"
DASHES = {"fill": "dash", "dash": [6, 6]}
STACKED: Json = {"custom": {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}, "min": 0}
ZERO: Json = {"min": 0}
RATIO: Json = {"min": 0, "max": 1}
NEVER_SHOWN = ("Time", "job")


@dataclass(frozen=True)
class Column:
    """A column of a table that shows the value of `expr`; coloured from `steps` on."""

    name: str
    expr: str
    unit: str = "short"
    steps: tuple[tuple[float, str], ...] = ()

    def look(self) -> Json:
        """Unit and colours of its cells."""
        properties: list[Json] = [{"id": "unit", "value": self.unit}, {"id": "decimals", "value": 2}]
        if self.steps:
            properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
            properties += [{"id": key, "value": it} for key, it in colours(GREEN, *self.steps).items()]
        return {"matcher": {"id": "byName", "options": self.name}, "properties": properties}


def stat(
    title: str,
    description: str,
    expr: str,
    unit: str = "short",
    alarm: float | None = None,
    *,
    below: bool = False,
    **more: Any,
) -> Panel:
    """One number; red from `alarm` on, or `below` it."""
    first, then = (RED, GREEN) if below else (GREEN, RED)
    steps = colours(GREEN) if alarm is None else colours(first, (alarm, then))
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area", "colorMode": "value"}
    return Panel(title, description, "stat", unit, [Query(expr)], 4, 4, steps, options=options, **more)


def graph(title: str, description: str, unit: str, *queries: Query, **more: Any) -> Panel:
    """Lines over time, with a legend below and all values in the tooltip."""
    legend = {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True}
    options = {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    return Panel(title, description, "timeseries", unit, queries, options=options, **more)


def timeline(title: str, description: str, unit: str, query: Query, defaults: Json, **more: Any) -> Panel:
    """One coloured bar per series."""
    options = {
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
    }
    return Panel(
        title, description, "state-timeline", unit, [query], defaults=defaults, options=options, **more
    )


def bars(title: str, description: str, unit: str, query: Query, **more: Any) -> Panel:
    """One horizontal bar for each series at the end of the time range."""
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"]},
        "showUnfilled": True,
    }
    return Panel(title, description, "bargauge", unit, [query], options=options, **more)


def table(
    title: str,
    description: str,
    *columns: Column,
    links: Mapping[str, Json] | None = None,
    hidden: Iterable[str] = (),
    ascending: bool = False,
    **more: Any,
) -> Panel:
    """A row per label set at the end of the time range, sorted by the first column.

    `links` leads on from the columns of labels, `hidden` are labels that are not shown. Metric names are
    taken off, so that rows of different metrics are merged.
    """
    leads = [
        {"matcher": {"id": "byName", "options": label}, "properties": [{"id": "links", "value": [link]}]}
        for label, link in (links or {}).items()
    ]
    first = columns[0].name
    return Panel(
        title,
        description,
        "table",
        "none",
        [Query(f"max without () ({it.expr})", instant=True, table=True) for it in columns],
        defaults={"custom": {"align": "auto", "filterable": True}},
        overrides=[*(it.look() for it in columns), *leads],
        options={"showHeader": True, "sortBy": [{"displayName": first, "desc": not ascending}]},
        transformations=_one_table(columns, (*NEVER_SHOWN, *hidden)),
        **{"width": 24, "height": 9, **more},
    )


def _one_table(columns: tuple[Column, ...], hidden: Iterable[str]) -> list[Json]:
    """The answers side by side; an only one is called Value, several Value #A and so on."""
    if len(columns) == 1:
        names = {"Value": columns[0].name}
    else:
        names = {f"Value #{chr(ord('A') + i)}": it.name for i, it in enumerate(columns)}
    shown = {"excludeByName": dict.fromkeys(hidden, True), "renameByName": names}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": shown}]


def colours(first: str, *above: tuple[float, str]) -> Json:
    """`first`, then another colour from each value on."""
    steps = [{"color": first, "value": None}, *({"color": c, "value": v} for v, c in above)]
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def edge(at: float) -> Json:
    """Lines in the colours of the palette, and a red one at the value `at`."""
    return {
        **colours("transparent", (at, RED)),
        "color": {"mode": "palette-classic"},
        "custom": {"thresholdsStyle": {"mode": "line"}},
        "min": 0,
    }


def line(name: str, colour: str, **custom: Any) -> Json:
    """How the line called `name` is drawn."""
    properties = [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]
    properties += [{"id": f"custom.{key}", "value": value} for key, value in custom.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def dashed(name: str, colour: str) -> Json:
    """A thin line of dashes, for what others are compared with."""
    return line(name, colour, lineStyle=DASHES, lineWidth=1)
