"""Durations in Prometheus syntax (`1h30m`, `250ms`) and false-alarm budgets in words (`1 per week`)."""

from __future__ import annotations

import re

_UNITS = {
    "y": 365 * 86_400.0,
    "w": 7 * 86_400.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
_DURATION = re.compile(r"(?=.)" + "".join(rf"(?:(\d+){unit})?" for unit in _UNITS))
_BUDGET = re.compile(r"(\d+(?:\.\d+)?) per (?:(\d+) )?(hour|day|week|month|year)s?")
SENSITIVITIES = {"low": "1 per month", "normal": "1 per week", "high": "1 per day"}
"""What the words stand for."""

ADAPTS = {"fast": "1h", "normal": "6h", "slow": "2d"}
"""After how long a level that lasts is the new normal, in words."""

_PERIODS = {
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 7 * 86_400.0,
    "month": 30 * 86_400.0,
    "year": 365 * 86_400.0,
}


def parse_duration(text: str) -> float:
    """Seconds of a Prometheus duration; ValueError says what was expected."""
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError("expected a duration in Prometheus syntax, such as 30s, 5m, 1h30m or 14d")
    return sum(
        int(count) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True) if count
    )


def format_duration(seconds: float) -> str:
    """The shortest Prometheus duration for `seconds`, to the millisecond."""
    left, parts = round(seconds * 1000), []
    for name, unit in _UNITS.items():
        count, left = divmod(left, round(unit * 1000))
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def parse_budget(text: str) -> float:
    """Mean seconds between false alarms of one healthy series, from words such as `1 per week`."""
    found = _BUDGET.fullmatch(text.strip())
    if not found or float(found[1]) == 0:
        raise ValueError("expected a rate of false alarms per series, such as '1 per week' or '2 per month'")
    return _PERIODS[found[3]] * int(found[2] or 1) / float(found[1])


def parse_sensitivity(text: str) -> float:
    """The same, from `low`, `normal`, `high` or a budget."""
    try:
        return parse_budget(SENSITIVITIES.get(text, text))
    except ValueError:
        raise ValueError(
            "expected low, normal, high, or a rate of false alarms per series, such as '2 per month'"
        ) from None


def parse_adapts(text: str) -> float:
    """Seconds after which a level is the new normal, from `fast`, `normal`, `slow` or a duration."""
    try:
        return parse_duration(ADAPTS.get(text, text))
    except ValueError:
        raise ValueError("expected fast, normal, slow, or a duration such as 12h") from None
