"""Pictures that only reports have: two histograms on one axis, hours in a row, bars of days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from exporter.reports.drift import Histogram, Hourly
from exporter.shown.status import Band
from exporter.web.markup import Node, tag
from exporter.web.pictures import drawn, scale_of
from exporter.web.words import number

WIDTH, HEIGHT = 320.0, 96.0


def histogram(it: Histogram | None) -> Node:
    """The reference as an area and the window as bars, with both ends of the axis."""
    if it is None:
        return ""
    top = max(*it.reference, *it.current)
    each = WIDTH / len(it.current)
    reference = [_bar(at, each, share / top, "band", 0) for at, share in enumerate(it.reference)]
    current = [_bar(at, each, share / top, "now", each / 4) for at, share in enumerate(it.current)]
    ends = (
        tag("text", number(it.edges[0]), x="0", y=f"{HEIGHT + 14:.0f}"),
        tag("text", number(it.edges[-1]), x=f"{WIDTH:.0f}", y=f"{HEIGHT + 14:.0f}", text_anchor="end"),
    )
    shares = ", ".join(
        f"{then:.0%} then {now:.0%}" for then, now in zip(it.reference, it.current, strict=True)
    )
    label = f"Shares of hourly means from {number(it.edges[0])} to {number(it.edges[-1])}: {shares}"
    return _picture([*reference, *current, *ends], label, "histogram")


def hours(it: Hourly | None, since: float) -> Node:
    """A line of hourly means, with a mark where the change began (NaN: nowhere)."""
    if it is None:
        return ""
    none = [math.nan] * len(it.times)
    band = Band([float(time) for time in it.times], list(it.means), none, none)
    scale = scale_of(band, WIDTH, HEIGHT)
    if not scale:
        return ""
    x = "" if math.isnan(since) else f"{scale.at(since, scale.low)[0]:.1f}"
    mark = [tag("line", x1=x, x2=x, y1="0", y2=f"{HEIGHT:.0f}", class_="mark")] if x else []
    return _picture([*mark, *drawn(band, scale)], "Hourly means of the last 30 days", "hours")


def days(counts: Sequence[float], names: Sequence[str]) -> Node:
    """A bar for each day; nothing where all are 0."""
    top = max(counts, default=0)
    if not top:
        return ""
    each = WIDTH / len(counts)
    bars = [_bar(at, each, count / top, "now", 2) for at, count in enumerate(counts)]
    places = (f"{(at + 0.5) * each:.0f}" for at in range(len(counts)))
    words = [
        tag("text", name, x=x, y=f"{HEIGHT + 14:.0f}", text_anchor="middle")
        for name, x in zip(names, places, strict=True)
    ]
    label = ", ".join(f"{name}: {count:g}" for name, count in zip(names, counts, strict=True))
    return _picture([*bars, *words], label, "days")


def _bar(at: int, each: float, share: float, class_: str, margin: float) -> Element:
    height = HEIGHT * share
    return tag(
        "rect",
        x=f"{at * each + margin:.1f}",
        y=f"{HEIGHT - height:.1f}",
        width=f"{each - 2 * margin:.1f}",
        height=f"{height:.1f}",
        class_=class_,
    )


def _picture(parts: Sequence[Element], label: str, class_: str, below: float = 18) -> Element:
    box = f"0 0 {WIDTH:.0f} {HEIGHT + below:.0f}"
    return tag("svg", parts, viewBox=box, role="img", aria_label=label, class_=class_)
