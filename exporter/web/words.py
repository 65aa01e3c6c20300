"""Numbers and times as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))


def number(value: float) -> str:
    """Four significant digits, without an exponent where that stays readable."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else f"{value}"
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.4g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(seconds: float) -> str:
    """A duration in the largest unit that fits twice."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def ago(now: float, time: float) -> str:
    """How long ago a time was."""
    return f"{span(now - time)} ago"


def clock(time: float) -> str:
    """A time to the second."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment(time: float, reach: float) -> str:
    """A time on an axis that is `reach` seconds long."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M" if reach <= 2 * 86_400 else "%d %b")


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
