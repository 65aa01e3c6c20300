"""The landing page: what a person reads there, and that no label can break out of it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.shown.status import (
    NEXT_STEP,
    STATE_STEP,
    Band,
    Drifting,
    DriftingSeries,
    Finding,
    Links,
    QueryStatus,
    Service,
    Status,
    Strange,
    StrangeSeries,
)
from exporter.web.addresses import DASHBOARD
from exporter.web.page import landing_page
from exporter.web.shell import CONTENT_SECURITY_POLICY

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


def finding(
    score: float = 2.0, since: float = NOW - 840, recent: Band | None = None, **changes: Any
) -> Finding:
    """A series above its band."""
    values = {"query": "q", "labels": {}, "value": 9.0, "expected": 5.0, "lower": 4.0, "upper": 6.0}
    return Finding(StrangeSeries(**{**values, "score": score, **changes}), since, recent)


def service(*findings: Finding, name: str = "payments", count: int | None = None) -> Service:
    """A service with these findings, of `count` in all."""
    return Service(name, len(findings) if count is None else count, findings)


def strange(*services: Service, more_services: int = 0, more_series: int = 0) -> Strange:
    """These services, and others that are only counted."""
    series = sum(it.count for it in services)
    return Strange(services, len(services) + more_services, series + more_series)


def shown(
    queries: list[QueryStatus] | None = None,
    found: Strange | None = None,
    ready: tuple[bool, str] = READY,
    **changes: Any,
) -> Page:
    """The page of a detector in that state."""
    status = Status("1.2.3", "abc", NOW, queries or [], found or Strange(), **changes)
    return Page(landing_page(status, ready))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no picture, no sheet from outside; its one style is the one that the policy names."""
    page = shown([QueryStatus("q", "up", "scored")], strange(service(finding())))
    assert not {"script", "img", "iframe", "form"} & {tag for tag, _ in page.tags}
    assert [attrs["href"] for tag, attrs in page.tags if tag == "link"] == ["data:,"]
    assert not any("style" in attrs or any(it.startswith("on") for it in attrs) for _, attrs in page.tags)
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert page.open == []


@given(st.text(), st.text(), st.text())
def test_no_text_from_outside_becomes_markup(name: str, value: str, detail: str) -> None:
    """Whatever stands in a label, an expression or a message, the page has the same elements."""
    plain = shown(
        [QueryStatus("q", "e", "failing", detail="d")], strange(service(finding(labels={"a": "b"})))
    )
    query = QueryStatus("q", value, "failing", detail=detail)
    hostile = shown([query], strange(service(finding(labels={name: value}))), config_error=detail)
    extra = 1 if detail else 0
    assert len(hostile.tags) == len(plain.tags) + extra
    assert hostile.open == []


def test_a_label_with_markup_is_shown_as_it_is() -> None:
    """A script in a label value is text, inside its own direction."""
    page = shown(found=strange(service(finding(labels={"path": '<script>alert("1")</script>&amp;'}))))
    assert '"<script>alert("1")</script>&amp;"' in page.text
    assert ("bdi", {}) in page.tags


def test_a_very_long_label_value_is_cut() -> None:
    """A value of many characters does not take the page over, and shows that it was cut."""
    page = shown(found=strange(service(finding(labels={"sql": "x" * 5000}))))
    assert "x" * 200 + "…" in page.text
    assert "x" * 201 not in page.text


def test_findings_stand_under_their_service_and_the_rest_is_counted() -> None:
    """Each service names how many of its series are strange; what is not shown is counted."""
    found = strange(
        service(finding(5.0, labels={"service": "payments"}), count=7),
        service(finding(2.0, labels={"instance": "a"}), name=""),
        more_services=3,
        more_series=2_000,
    )
    page = shown(found=found)
    for text in ("payments 7 series", "and 6 more", "Series without a service 1 series"):
        assert text in page.text
    assert "2,008 series are beyond the edge of normal, in 5 services." in page.text
    assert "and 3 more services with 2,000 series" in page.text
    assert "(2,008) Tidemark" in page.texts
    assert 'service= "payments"' not in page.text


def test_a_finding_says_how_far_how_long_and_on_which_side() -> None:
    """Score, value, expected value, distance in bands, direction and age are there as text."""
    page = shown(found=strange(service(finding(3.456, value=1234567.8, expected=0.0, lower=-1, upper=1000))))
    for text in ("3.46", "1,234,568", "expected 0", "1,234.6 × the band above", "14 min"):
        assert text in page.text
    below = shown(found=strange(service(finding(value=3.0))))
    assert "2.0 × the band below" in below.text


def test_where_nothing_is_strange_the_nearest_series_are_shown() -> None:
    """The page says that all is normal, and which series come nearest to the edge."""
    page = shown(found=Strange(nearest=[finding(0.7, math.nan, query="calm")]))
    assert "Nothing is beyond the edge of normal" in page.text
    assert "calm" in page.text
    assert "Tidemark" in page.texts
    assert "No series has a score yet." in shown().text


def test_a_row_leads_to_its_series_and_to_other_programs() -> None:
    """The series page, the graph of the expression, the dashboard and the runbook are one click away."""
    links = Links("http://grafana", "http://prometheus", "http://prometheus/graph", "http://docs")
    row = finding(labels={"service": "a b", "path": "/x?y&z"})
    page = shown([QueryStatus("q", 'up{a="b"}', "scored")], strange(service(row)), links=links)
    hrefs = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert "series?query=q&label=service%3Da+b&label=path%3D%2Fx%3Fy%26z" in hrefs
    assert "http://prometheus/graph?g0.expr=up%7Ba%3D%22b%22%7D&g0.tab=0&g0.range_input=6h" in hrefs
    dashboard = "http://grafana/d/tidemark-series/?var-query=q&var-service=a+b&var-series="
    assert dashboard + "query%3D%22q%22%2Cservice%3D%22a+b%22%2Cpath%3D%22%2Fx%3Fy%26z%22" in hrefs
    assert "http://docs/AnomalySeries.md" in hrefs


def test_the_dashboard_that_rows_lead_to_is_there() -> None:
    """Its identifier and its variables are those of the shipped dashboards."""
    shipped = Path(__file__).parents[2] / "grafana" / "dashboards"
    found = {it["uid"]: it for it in (json.loads(path.read_text()) for path in shipped.glob("*.json"))}
    variables = {it["name"] for it in found[DASHBOARD]["templating"]["list"]}
    assert {"query", "service"} <= variables


def test_without_addresses_there_are_no_links_to_other_programs() -> None:
    """A link that nobody configured is left out, and the texts stay."""
    page = shown([QueryStatus("q", "up", "scored")], strange(service(finding())))
    assert not {"Grafana", "PromQL", "Runbook"} & set(page.texts)


def test_the_last_hours_are_a_picture_with_what_is_outside_in_colour() -> None:
    """Band and value are drawn; the stretch outside of the band once more."""
    band = Band([0, 300, 600, 900], [1, 1, 9, math.nan], [0, 0, 0, 0], [2, 2, 2, 2])
    page = shown(found=strange(service(finding(recent=band))))
    classes = [attrs.get("class") for tag, attrs in page.tags if tag in ("polygon", "polyline")]
    assert classes == ["band", "value", "value out"]
    assert [attrs["aria-hidden"] for tag, attrs in page.tags if tag == "svg"] == ["true"]


def test_without_a_past_the_value_stands_beside_its_band() -> None:
    """Right after a start the picture is that of the moment."""
    page = shown(found=strange(service(finding())))
    assert [attrs["class"] for tag, attrs in page.tags if tag == "circle"] == ["dot out"]


@pytest.mark.parametrize("gap", [math.nan, math.inf])
def test_a_series_without_a_band_shows_no_picture(gap: float) -> None:
    """Where a bound is missing or infinite nothing is drawn."""
    page = shown(found=strange(service(finding(lower=gap))))
    assert "svg" not in [tag for tag, _ in page.tags]


def test_values_at_the_ends_of_float64_do_not_break_the_page() -> None:
    """The widest band that floats allow still gives a page."""
    row = finding(value=1.7976931348623157e308, lower=-1e308)
    assert "1.798e+308" in shown(found=strange(service(row))).text
    band = Band([0, 300, 600], [1.7e308, -1.7e308, 0], [0, 0, 0], [1, 1, 1])
    assert shown(found=strange(service(finding(recent=band)))).open == []


@given(st.lists(st.tuples(*[st.floats(allow_subnormal=False)] * 3), max_size=12))
def test_any_past_can_be_drawn(points: list[tuple[float, float, float]]) -> None:
    """Gaps, infinities and constant stretches give finite coordinates or no picture."""
    band = Band(list(range(len(points))), *([it[i] for it in points] for i in range(3)))
    page = shown(found=strange(service(finding(recent=band))))
    for tag, attrs in page.tags:
        if tag in ("polygon", "polyline"):
            places = [float(it) for pair in str(attrs["points"]).split() for it in pair.split(",")]
            assert all(-1 <= it <= 130 for it in places)


def test_drift_shows_since_when_and_how_much() -> None:
    """Each series that drifts has its score, its age, its shift and its movement."""
    row = DriftingSeries("q", {"service": "search"}, 5.43, NOW - 50 * 3600, -12.5, 1.25)
    page = shown(drifting=Drifting([row], 9))
    for text in ("9 series whose last day", "5.4", "2 days ago", "-12.5", "1.25 times", "and 8 more"):
        assert text in page.text
    assert "No series drifts" in shown().text


@pytest.mark.parametrize("state", STATE_STEP)
def test_a_query_without_scores_says_what_to_do(state: Any) -> None:
    """Every state that gives no scores has its next step beside it."""
    assert STATE_STEP[state] in shown([QueryStatus("q", "up", state)]).text


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
    assert "raise max_series" in page.text


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
    page = shown([QueryStatus("q", "up", "scored")], strange(service(finding())))
    roles = {tag: attrs.get("role") for tag, attrs in page.tags if tag in ("table", "tr", "td", "th")}
    assert roles == {"table": "table", "tr": "row", "td": "cell", "th": "rowheader"}
    labelled = [attrs["aria-labelledby"] for tag, attrs in page.tags if tag == "table"]
    assert set(labelled) <= {attrs.get("id") for _, attrs in page.tags}


def test_links_are_relative_so_that_a_prefix_does_not_break_them() -> None:
    """Own links work below any path; links from outside are kept as given."""
    page = shown(links=Links(grafana="http://localhost:3000"))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == ["#content", "metrics", "api/v1/status", "-/ready", "http://localhost:3000"]
