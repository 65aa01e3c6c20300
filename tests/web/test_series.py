"""The page of a series: what it says of it, and what it says where little is known."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.models.views import NAMES
from exporter.shown.portrait import Knowledge, Picture
from exporter.shown.status import Band, Finding, Links, Matches, StrangeSeries
from exporter.web.matches import matches_page
from exporter.web.series import EFFECTS, SOURCES, VIEWS, series_page
from tests.web.serving import NOW, Fixed, a_portrait
from tests.web.test_app import client
from tests.web.test_page import Page

EMPTY = Band((), (), (), ())


def shown(*pictures: Picture, **changes: Any) -> Page:
    """The page of a series."""
    it = a_portrait(**changes)
    return Page(series_page(it, pictures or Fixed().pictures(it)))


def test_the_page_says_how_strange_it_is_and_for_how_long() -> None:
    """Score, distance, side, age, value and band stand at the top."""
    page = shown()
    for text in ("Strange: score 3.50", "8.0 × the band above", "for 14 min", "Value 9, expected 1"):
        assert text in page.text
    assert "normal from 0 to 2" in page.text
    assert page.open == []


def test_the_page_says_why() -> None:
    """Sustained score, group and shares, confidence and what lowers it, and drift."""
    text = shown().text
    for it in (
        "75% its usual level at this hour, which expected 1",
        "joint score 4.25",
        "75% q",
        "25% other",
        "× 0.50: it is young",
        "× 0.85: it drifts",
        "score 3.5",
    ):
        assert it in text
    assert "points of the last day" not in text


def test_the_page_says_by_what_it_is_judged() -> None:
    """Model, budget and category, learning, level shift, forecast and the calendar of the moment."""
    text = shown().text
    for it in (
        "quantile, chosen by auto",
        "0.5 false alarms per week (category money)",
        "30,240 points",
        "-3.5",
        "In 1h 5, nine in ten from 4 to 6",
        "Until full 2 h",
        "calendar: scored, not learnt, from 2023-11-14 21:13:20 UTC",
    ):
        assert it in text


def test_each_picture_says_where_it_is_from() -> None:
    """The day from the TSDB, the week from memory, with the reason."""
    page = shown()
    assert SOURCES["scores"] in page.text
    assert SOURCES["memory"] in page.text
    assert "The TSDB did not give its past: no answer" in page.text
    named = [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]
    assert named[0] == "The last day: values from 1 to 9, 1 point of 2 outside of the band"


def test_where_nothing_is_known_of_the_past_the_page_says_so() -> None:
    """No picture is better than an empty one."""
    page = shown(Picture(86_400, EMPTY, "memory"))
    assert "Nothing is known of this time yet." in page.text
    assert "svg" not in [tag for tag, _ in page.tags]


@pytest.mark.parametrize(
    ("state", "words"),
    [("learning", "no score yet"), ("missing", "no point now"), ("paused", "a calendar says no_score")],
)
def test_a_series_without_a_score_says_why(state: str, words: str) -> None:
    """The state stands at the top, and nothing is said of a score."""
    nan = math.nan
    knowledge = Knowledge("seasonal", False, "both", 1.0, "", nan, 0.0, nan, nan)
    finding = Finding(StrangeSeries("q", {}, nan, nan, nan, nan, nan))
    nothing = {
        "confidence": nan,
        "doubts": {},
        "views": (),
        "joint": (),
        "windows": (),
        "ahead": (),
        "drift": None,
    }
    page = shown(state=state, finding=finding, deviation=nan, knowledge=knowledge, **nothing)
    assert f"{state}: {words}" in page.text
    assert "Strange" not in page.text
    assert "nothing yet" in page.text
    assert "scored and learnt as usual" in page.text


def test_a_normal_series_is_called_normal() -> None:
    """At or below the edge the page does not alarm."""
    finding = Finding(StrangeSeries("q", {}, 0.4, 1.2, 1.0, 0.0, 2.0))
    assert "Normal: score 0.40" in shown(finding=finding).text


def test_a_series_of_a_failing_query_is_marked() -> None:
    """What is shown may be old, and the page says so first."""
    assert "Its query is failing: what is shown here may be old." in shown(query_state="failing").text


def test_every_view_of_the_default_model_has_words() -> None:
    """What the model compares a value with is told in words."""
    assert set(VIEWS) == set(NAMES)


def test_every_effect_of_a_window_has_words() -> None:
    """A window's effect is told in words."""
    assert set(EFFECTS) == {"sunday", "no_learn", "no_score"}


@given(st.text(), st.text())
def test_no_label_becomes_markup(name: str, value: str) -> None:
    """Whatever a label holds, the page has the same elements."""
    plain, hostile = (
        shown(finding=Finding(StrangeSeries("q", labels, 2.0, 9.0, 1.0, 0.0, 2.0)))
        for labels in ({"a": "b"}, {name: value})
    )
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]


def test_a_series_is_named_by_its_query_and_all_of_its_labels() -> None:
    """The address has one label parameter for each; without them there is one clear line."""
    found = client().get("/series?query=q&label=service%3Da")
    assert (found.status_code, found.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "content-security-policy" in found.headers
    lost = client().get("/series?query=q&label=service%3Dnobody")
    assert (lost.status_code, lost.text.count("\n")) == (404, 1)
    assert "no query has such a series" in lost.text
    assert client().get("/series").status_code == 400


def test_with_fewer_labels_the_address_means_all_that_fit() -> None:
    """Several series are a list, one is its page, and none is a 404."""
    several = client().get("/series?label=service%3Da")
    assert "2 series." in Page(several.content).text
    assert Page(several.content).open == []
    assert "The last week" in client().get("/series?query=q").text
    assert client().get("/series?label=service%3Dz").status_code == 404


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("/d/tidemark-overview/?var-service=a", "../../series?label=service%3Da"),
        ("/d/tidemark-overview/?var-query=q&var-service=a", "../../series?query=q&label=service%3Da"),
        ("/d/tidemark-overview?var-query=q", "../series?query=q"),
        ("/d/uid/name?var-query=q&from=now-6h&to=now", "../../series?query=q"),
        ("/d/tidemark-services/?var-service=a", "../../series?label=service%3Da"),
        ("/d/tidemark-series/?var-query=q&var-series=service%3D%22a%22", "../../series?query=q"),
        ("/d/tidemark-node/?var-instance=m%3A9100", "../../series?label=instance%3Dm%3A9100"),
        ("/d/tidemark-overview/?var-service=gone", "../../"),
        ("/d/tidemark-overview/?var-service=a&var-service=b", "../../"),
        ("/d/tidemark-overview/", "../../"),
    ],
)
def test_the_links_of_alerts_work_without_grafana(link: str, leads_to: str) -> None:
    """A dashboard's address at Tidemark leads to the series of its variables, or else to the landing page."""
    answer = client().get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


def test_a_long_list_says_how_much_is_left_out() -> None:
    """What is not shown is counted, and what all have in common is said once."""
    found = a_portrait().finding
    page = Page(matches_page(Matches("1", NOW, Links(), "q", {"service": "a"}, 900, [found], {})))
    assert "900 series, of which the 1 strangest are shown." in page.text
    assert page.text.count("service=") == 1


def test_links_lead_back_and_on_below_any_prefix() -> None:
    """The landing page, JSON and metrics are relative; other programs are named as configured."""
    hrefs = [attrs["href"] for tag, attrs in shown().tags if tag == "a"]
    assert {"./", "metrics", "api/v1/series?query=q&label=service%3Da"} <= set(hrefs)
    assert any(str(it).startswith("http://prometheus/graph?g0.expr=") for it in hrefs)
    assert NOW
