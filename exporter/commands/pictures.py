"""Bands and values in a line of text; they say the same without colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from rich.text import Text

from exporter.shown.status import Band

Row: TypeAlias = tuple[float, float, float]
"""Value, lower and upper edge."""

BARS = "▁▂▃▄▅▆▇█"
OUT = "yellow"


def rail(value: float, lower: float, expected: float, upper: float, width: int = 15) -> Text:
    """The band as `[──┼──]` and the value as `●` on one line; empty where one of them is unknown."""
    marks = (lower, upper, expected, value)
    low, high = min(marks), max(marks)
    if not all(map(math.isfinite, marks)) or low == high or math.isinf(high - low):
        return Text("")
    left, right, middle, dot = (round((it - low) / (high - low) * (width - 1)) for it in marks)
    line = [" "] * width
    line[left : right + 1] = "─" * (right + 1 - left)
    line[left], line[right], line[middle] = "[", "]", "┼"
    line[dot] = "●"
    text = Text("".join(line))
    if not lower <= value <= upper:
        text.stylize(OUT, dot, dot + 1)
    return text


def sparkline(band: Band | None, width: int = 30, *, whole: bool = False) -> Text:
    """The last `width` values as bars from the lowest to the highest; all of the band where it is `whole`.

    `·` is a gap; values outside of the band have a colour, and stand for all that share their bar.
    """
    if band is None:
        return Text("")
    every = list(zip(band.value, band.lower, band.upper, strict=True))
    rows = _thinned(every, width) if whole else every[-width:]
    known = [value for value, _, _ in rows if math.isfinite(value)]
    if not known or math.isinf(max(known) - min(known)):
        return Text("")
    text = Text()
    for row in rows:
        text.append(_bar(row[0], known), OUT if _is_out(row) else None)
    return text


def _is_out(row: Row) -> bool:
    value, lower, upper = row
    return value < lower or value > upper


def _thinned(rows: Sequence[Row], width: int) -> list[Row]:
    """At most `width` of the rows: of each stretch the first that is out of the band, else the last."""
    size = -(-len(rows) // width) or 1
    stretches = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [next(filter(_is_out, it), it[-1]) for it in stretches]


def _bar(value: float, known: Sequence[float]) -> str:
    low, high = min(known), max(known)
    if not math.isfinite(value):
        return "·"
    return BARS[0] if low == high else BARS[round((value - low) / (high - low) * (len(BARS) - 1))]
