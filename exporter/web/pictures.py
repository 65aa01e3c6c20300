"""Bands and values as SVG, drawn on the server; the numbers beside them say the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element

from exporter.shown.status import Band, StrangeSeries
from exporter.web.markup import Node, tag
from exporter.web.words import moment, number

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """From time and value to places in a picture `width` wide and `height` high, with a margin of 3."""

    start: float
    end: float
    low: float
    high: float
    width: float
    height: float

    def at(self, time: float, value: float) -> Point:
        """The place of a value that is finite."""
        x = self.width * (time - self.start) / (self.end - self.start)
        clipped = min(max(value, self.low), self.high)
        return x, 3 + (self.height - 6) * ((self.high - clipped) / (self.high - self.low))


def scale_of(band: Band, width: float, height: float) -> Scale | None:
    """A scale that shows all of the value and of its band; None where there is nothing to show."""
    every = [it for row in (band.value, band.lower, band.upper) for it in row if math.isfinite(it)]
    if len(band.times) < 2 or not every or not any(map(math.isfinite, band.value)):
        return None
    low, high = min(every), max(every)
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    return None if math.isinf(high - low) else Scale(band.times[0], band.times[-1], low, high, width, height)


def sparkline(band: Band | None) -> Node:
    """The last hours in one line; empty where there is nothing to draw."""
    scale = scale_of(band, 128, 32) if band else None
    if not band or not scale:
        return ""
    return tag("svg", drawn(band, scale), viewBox="0 0 128 32", class_="spark", aria_hidden="true")


def drawn(band: Band, scale: Scale) -> Iterator[Element]:
    """Band, expected value, value, and the value once more in colour where it is outside of the band."""
    for run in _runs(zip(band.times, band.lower, band.upper, strict=True)):
        above = [scale.at(time, upper) for time, _, upper in run]
        below = [scale.at(time, lower) for time, lower, _ in reversed(run)]
        yield tag("polygon", points=_points([*above, *below]), class_="band")
    for run in _runs(zip(band.times, band.expected, strict=False)):
        yield _line([scale.at(time, value) for time, value in run], "expected")
    for run in _runs(zip(band.times, band.value, strict=True)):
        yield _line([scale.at(time, value) for time, value in run], "value")
    for piece in _outside(band):
        yield _line([scale.at(time, value) for time, value in piece], "value out")


def chart(band: Band, about: str) -> Node:
    """A large picture, its scale at the side, its times below; empty where there is nothing to draw."""
    scale = scale_of(band, 720, 200)
    if not scale:
        return ""
    picture = tag(
        "svg",
        drawn(band, scale),
        viewBox="0 0 720 200",
        preserveAspectRatio="none",
        role="img",
        aria_label=about,
    )
    ends = (tag("span", number(it)) for it in (scale.high, (scale.high + scale.low) / 2, scale.low))
    marks = (scale.start + (scale.end - scale.start) * part / 4 for part in range(5))
    times = (tag("span", moment(it, scale.end - scale.start)) for it in marks)
    return tag(
        "div",
        tag("div", ends, class_="values", aria_hidden="true"),
        tag("div", picture, class_="drawing"),
        tag("div", times, class_="times", aria_hidden="true"),
        class_="chart",
    )


def beside_the_band(it: StrangeSeries) -> Node:
    """The band, the expected value and the value on one line, without a past."""
    marks = [it.lower, it.upper, it.expected, it.value]
    low, high = min(marks), max(marks)
    if not all(map(math.isfinite, marks)) or not math.isfinite(high - low) or low == high:
        return ""
    lower, upper, expected, value = (f"{4 + 92 * (mark - low) / (high - low):.1f}" for mark in marks)
    width = f"{max(1.0, float(upper) - float(lower)):.1f}"
    dot = "dot" if it.lower <= it.value <= it.upper else "dot out"
    return tag(
        "svg",
        tag("line", x1="0", x2="100", y1="8", y2="8", class_="rail"),
        tag("rect", x=lower, y="3", width=width, height="10", class_="band"),
        tag("line", x1=expected, x2=expected, y1="2", y2="14", class_="expected"),
        tag("circle", cx=value, cy="8", r="3.5", class_=dot),
        viewBox="0 0 100 16",
        preserveAspectRatio="none",
        class_="rule",
        aria_hidden="true",
    )


def _runs(columns: Iterable[tuple[float, ...]]) -> Iterator[list[tuple[float, ...]]]:
    """The stretches without a gap, of two points or more."""
    for known, run in groupby(columns, key=lambda it: all(map(math.isfinite, it))):
        stretch = list(run)
        if known and len(stretch) > 1:
            yield stretch


def _outside(band: Band) -> Iterator[list[Point]]:
    """The pieces of the value's line with an end outside of the band."""
    points = list(zip(band.times, band.value, band.lower, band.upper, strict=True))
    piece: list[Point] = []
    for (t1, v1, l1, u1), (t2, v2, l2, u2) in pairwise(points):
        out = not l1 <= v1 <= u1 or not l2 <= v2 <= u2
        if out and all(map(math.isfinite, (v1, l1, u1, v2, l2, u2))):
            piece = piece or [(t1, v1)]
            piece.append((t2, v2))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _line(points: Sequence[Point], class_: str) -> Element:
    return tag("polyline", points=_points(points), class_=class_)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
