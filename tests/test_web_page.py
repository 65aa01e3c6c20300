"""The landing page: what a person reads there, and that no label can break out of it."""

from __future__ import annotations

import base64
import hashlib
import math
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.status import NEXT_STEP, QueryStatus, Status, StrangeSeries
from exporter.web.page import CONTENT_SECURITY_POLICY, SHOWN_SERIES, landing_page

NOW = 1_700_000_000.0
READY = (True, "ready")
VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """The page as a browser reads it: its text, its tags, and what is open at the end."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.style = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.style += data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, with white space folded."""
        return " ".join("".join(f"{it} " for it in self.texts).split())


def strange(score: float = 2.0, **changes: Any) -> StrangeSeries:
    """A series above its band."""
    values = {"query": "q", "labels": {}, "value": 9.0, "expected": 5.0, "lower": 4.0, "upper": 6.0}
    return StrangeSeries(**{**values, "score": score, **changes})


def shown(
    queries: list[QueryStatus] | None = None,
    series: list[StrangeSeries] | None = None,
    ready: tuple[bool, str] = READY,
    **changes: Any,
) -> Page:
    """The page of a detector in that state."""
    return Page(landing_page(Status("1.2.3", "abc", NOW, queries or [], series or [], **changes), ready))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no picture, no sheet from outside; its one style is the one that the policy names."""
    page = shown([QueryStatus("q", "up", "scored")], [strange()])
    assert not {"script", "img", "iframe", "form"} & {tag for tag, _ in page.tags}
    assert [attrs["href"] for tag, attrs in page.tags if tag == "link"] == ["data:,"]
    assert not any("style" in attrs or any(it.startswith("on") for it in attrs) for _, attrs in page.tags)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert page.open == []


@given(st.text(), st.text(), st.text())
def test_no_text_from_outside_becomes_markup(name: str, value: str, detail: str) -> None:
    """Whatever stands in a label, an expression or a message, the page has the same elements."""
    plain = shown([QueryStatus("q", "e", "failing", detail="d")], [strange(labels={"a": "b"})])
    query = QueryStatus("q", value, "failing", detail=detail)
    hostile = shown([query], [strange(labels={name: value})], config_error=detail)
    extra = 1 if detail else 0
    assert len(hostile.tags) == len(plain.tags) + extra
    assert hostile.open == []


def test_a_label_with_markup_is_shown_as_it_is() -> None:
    """A script in a label value is text, inside its own direction."""
    page = shown(series=[strange(labels={"path": '<script>alert("1")</script>&amp;'})])
    assert '"<script>alert("1")</script>&amp;"' in page.text
    assert ("bdi", {}) in page.tags


def test_a_very_long_label_value_is_cut() -> None:
    """A value of many characters does not take the page over, and shows that it was cut."""
    page = shown(series=[strange(labels={"sql": "x" * 5000})])
    assert "x" * 200 + "…" in page.text
    assert "x" * 201 not in page.text


def test_the_strangest_series_come_first_and_only_so_many() -> None:
    """Series are sorted by score; the title counts those over the edge."""
    page = shown(series=[strange(it / 10, query=f"q{it:03}") for it in range(60)])
    names = [text for text in page.texts if text.startswith("q0")]
    assert names == [f"q{it:03}" for it in range(59, 59 - SHOWN_SERIES, -1)]
    assert "(50) Tidemark" in page.texts


def test_a_series_shows_its_value_against_its_band() -> None:
    """Score, value, expected value and range are there as numbers, with a picture of the same."""
    page = shown(series=[strange(3.456, value=1234567.8, expected=0.000012, lower=-0.5, upper=1500.0)])
    for text in ("3.46", "1,234,568", "1.2e-05", "-0.5 to 1,500"):
        assert text in page.text
    assert [attrs["aria-hidden"] for tag, attrs in page.tags if tag == "svg"] == ["true"]


@pytest.mark.parametrize("gap", [math.nan, math.inf])
def test_a_series_without_a_band_shows_no_picture(gap: float) -> None:
    """Where a bound is missing or infinite the numbers say so, and nothing is drawn."""
    page = shown(series=[strange(lower=gap)])
    assert "svg" not in [tag for tag, _ in page.tags]
    assert ("– to 6" if math.isnan(gap) else "inf to 6") in page.text


def test_values_at_the_ends_of_float64_do_not_break_the_page() -> None:
    """The widest band that floats allow still gives a page."""
    assert "1.798e+308" in shown(series=[strange(value=1.7976931348623157e308, lower=-1e308)]).text


def test_a_learning_query_shows_how_far_it_is() -> None:
    """Progress is a bar and a number."""
    page = shown([QueryStatus("q", "up", "learning", learning=7, bootstrap_ratio=0.43)])
    assert ("progress", "0.430") in [(tag, attrs.get("value")) for tag, attrs in page.tags]
    assert "learning 43%" in page.text.replace("43% 43%", "43%")
    assert "7 learning" in page.text


@pytest.mark.parametrize("reason", NEXT_STEP)
def test_a_failing_query_says_why_and_what_to_do(reason: str) -> None:
    """The reason, its detail and the next step stand beside the query."""
    page = shown([QueryStatus("q", "up(", "failing", reason=reason, detail="the server's words")])
    assert f"{reason}: the server's words" in page.text
    assert NEXT_STEP[reason] in page.text


def test_every_failure_reason_of_the_metrics_has_a_next_step() -> None:
    """The reasons of tidemark_query_failures_total and those that the page explains are the same."""
    reasons = "timeout unreachable http_4xx http_5xx rejected malformed partial duplicate too_large"
    assert set(NEXT_STEP) == {*reasons.split(), "circuit_open", "internal"}


def test_dropped_and_missing_series_are_counted_beside_the_scored() -> None:
    """Counts that are zero are left out."""
    page = shown([QueryStatus("q", "up", "scored", scored=1200, missing=2, dropped=3)])
    assert "1,200 scored, 2 missing, 3 dropped" in page.text


def test_what_is_wrong_with_the_detector_itself_stands_at_the_top() -> None:
    """Not ready, no TSDB and a refused configuration are each one notice."""
    page = shown(
        ready=(False, "the first cycle is under way"),
        tsdb_up=False,
        tsdb_url="http://tsdb:9090",
        config_error="line 3: queries: is required",
    )
    for text in (
        "Not ready: the first cycle",
        "does not answer: http://tsdb:9090",
        "line 3: queries: is required",
    ):
        assert text in page.text


def test_times_are_told_as_ages() -> None:
    """The last cycle and the last score are told in the largest unit that fits twice."""
    page = shown(
        [QueryStatus("q", "up", "scored", last_score_time=NOW - 7260)],
        last_cycle_time=NOW - 34,
        last_cycle_seconds=0.3124,
    )
    assert "The last cycle ended 34 s ago and took 0.3124 s." in page.text
    assert "2 h ago" in page.text
    assert "2023-11-14 22:13:20 UTC" in page.text


def test_tables_stay_tables_for_a_screen_reader() -> None:
    """Rows and cells carry their roles, because a narrow screen shows them as cards."""
    page = shown([QueryStatus("q", "up", "scored")], [strange()])
    roles = {tag: attrs.get("role") for tag, attrs in page.tags if tag in ("table", "tr", "td", "th")}
    assert roles == {"table": "table", "tr": "row", "td": "cell", "th": "rowheader"}
    labelled = [attrs["aria-labelledby"] for tag, attrs in page.tags if tag == "table"]
    assert set(labelled) <= {attrs.get("id") for _, attrs in page.tags}


def test_links_are_relative_so_that_a_prefix_does_not_break_them() -> None:
    """Own links work below any path; links from outside are kept as given."""
    page = shown(links={"Grafana": "http://localhost:3000/d/x?a=1&b=2"})
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == ["metrics", "-/ready", "http://localhost:3000/d/x?a=1&b=2"]
