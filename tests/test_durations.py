"""Durations and budgets as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.durations import format_duration, parse_budget, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5_400),
        ("14d", 14 * 86_400),
        ("2w", 14 * 86_400),
        ("1y", 365 * 86_400),
        ("250ms", 0.25),
        ("1m30s500ms", 90.5),
    ],
)
def test_prometheus_durations_are_read(text: str, seconds: float) -> None:
    """Every unit of Prometheus' duration syntax counts, alone and combined."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "30s5m", "5M", "5m ", "1h1h"])
def test_other_spellings_are_refused(text: str) -> None:
    """What Prometheus would refuse is refused, with an example of what is meant."""
    with pytest.raises(ValueError, match="such as 30s, 5m, 1h30m"):
        parse_duration(text)


@given(st.integers(0, 10**9))
def test_format_and_parse_are_inverse(milliseconds: int) -> None:
    """A formatted duration reads back as the same number of seconds."""
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 per week", 7 * 86_400),
        ("2 per week", 3.5 * 86_400),
        ("1 per 2 weeks", 14 * 86_400),
        ("0.5 per day", 2 * 86_400),
        ("1 per month", 30 * 86_400),
    ],
)
def test_budgets_are_words(text: str, seconds: float) -> None:
    """A budget is the mean time between false alarms of one series, said as a rate."""
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "weekly", "0 per week", "1 per fortnight", "-1 per week", "1/week"])
def test_unclear_budgets_are_refused(text: str) -> None:
    """A budget that is no rate is refused, with an example of one."""
    with pytest.raises(ValueError, match="such as '1 per week'"):
        parse_budget(text)
