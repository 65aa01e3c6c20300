"""The drift report's pictures and page, from values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.reports.drift import BINS, DriftReport, Hourly, QueryDrift, SeriesDrift, ServiceDrift, histogram
from exporter.reports.page import drift_page
from exporter.shown.status import DriftingSeries

NASTY = '<script>alert("x")</script>'


def test_both_histograms_lie_on_one_axis_and_sum_to_one() -> None:
    """The ends are those of all values, so a shift shows as one."""
    found = histogram(np.array([1.0, 2, 3, np.nan]), np.array([9.0, 9]))
    assert found is not None
    assert (found.edges[0], found.edges[-1], len(found.edges)) == (1, 9, BINS + 1)
    assert sum(found.reference) == pytest.approx(1)
    assert found.current[-1] == 1


@pytest.mark.parametrize("values", [[4.0, 4.0], [0.0, 0.0]])
def test_constant_values_have_a_histogram(values: list[float]) -> None:
    """An axis is made up around them."""
    found = histogram(np.array(values), np.array(values))
    assert found is not None
    assert max(found.current) == 1


@pytest.mark.parametrize("values", [[], [math.nan], [-1e308, 1e308]])
def test_what_cannot_be_drawn_is_no_histogram(values: list[float]) -> None:
    """Nothing known, or an axis without end."""
    assert histogram(np.array([1.0, 2]), np.array(values)) is None


def page(*series: SeriesDrift) -> str:
    """The page of one query in which `series` drift."""
    query = QueryDrift("load", f"sum({NASTY})", "ab" * 32, 1_700_000_000.0, True, 7, series)
    services = [ServiceDrift({"group": "service", "service": "a", "test": "mahalanobis"}, 6.1)]
    return drift_page(DriftReport(1_700_086_400.0, [query], services, ["young"])).decode()


def test_a_drifting_series_is_told_with_size_and_pictures() -> None:
    """Score, since when, how far, and two pictures whose text says the same."""
    found = DriftingSeries("load", {"service": NASTY}, 7.2, 1_700_050_000.0, 15.0, 1.1)
    shares = histogram(np.arange(50.0), np.arange(40.0, 60))
    text = page(SeriesDrift(found, shares, Hourly([0, 3600, 7200], [1.0, 2.0, 3.0])))
    assert "Score 7.2, since 2023-11-15 12:06:40 UTC, level 15 from like hours" in text
    assert text.count("<svg") == 2
    assert 'aria-label="Shares of hourly means from 0 to 59:' in text
    assert "mahalanobis" in text
    assert "young" in text


def test_every_text_is_escaped_and_nothing_is_fetched() -> None:
    """A label value cannot become a script, and the file needs no network."""
    found = DriftingSeries("load", {"service": NASTY}, 7.2, math.nan, math.nan, math.nan)
    text = page(SeriesDrift(found, None, None))
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "And 1 more series" in text


def test_a_quiet_query_says_so() -> None:
    """A report without drift is a report."""
    assert "None drifts." in page()
