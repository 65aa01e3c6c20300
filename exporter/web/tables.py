"""Tables that stay tables for a screen reader where a narrow screen shows each row as a card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from exporter.web.markup import Node, tag

SHOWN_CHARACTERS = 200
"""Of a label value; longer ones are cut."""


def table(heading: str, columns: Iterable[str], rows: Iterable[Element]) -> Element:
    """A table named by the element with the id `heading`."""
    head = tag("tr", (tag("th", it, scope="col", role="columnheader") for it in columns), role="row")
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        tag("tbody", rows, role="rowgroup"),
        role="table",
        aria_labelledby=heading,
    )


def row(*cells: Element) -> Element:
    """One row of `heading` and `cell`."""
    return tag("tr", cells, role="row")


def heading(*content: Node | Iterable[Node]) -> Element:
    """The first cell, which names the row."""
    return tag("th", *content, scope="row", role="rowheader")


def cell(label: str, content: Node | Iterable[Node], class_: str = "") -> Element:
    """A cell; `label` repeats the name of its column where the screen is narrow."""
    return tag("td", tag("div", content), class_=class_, role="cell", data_label=label)


def label_set(labels: Mapping[str, str]) -> Element:
    """Labels as PromQL writes them, each value kept to its own direction of writing."""
    pairs: list[Node] = []
    for name, value in labels.items():
        shown = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
        pairs += [", " if pairs else "", f"{name}=", tag("bdi", f'"{shown}"')]
    return tag("code", "{", pairs, "}")
