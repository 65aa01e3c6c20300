"""The pages in a real Chromium: content, keyboard, small screens, thousands of findings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from exporter.cycle.recent import APART, KEPT, Recent
from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.metrics.labels import render_labels
from exporter.shown.findings import PER_SERVICE, SERVICES, strange
from exporter.shown.status import QueryStatus, Status
from exporter.web.app import create_app
from tests.shown.week import shop
from tests.web.chromium import Browser, browser
from tests.web.serving import NOW, Fixed, serving

pytestmark = pytest.mark.browser

SERIES = "/series?query=request_seconds&label=service%3Dpayments"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One tab for all tests."""
    with browser(tmp_path_factory.mktemp("profile")) as it:
        yield it


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tidemark that has watched a shop through an incident."""
    with shop(tmp_path_factory.mktemp("shop")) as address:
        yield address


def overflows(tab: Browser) -> bool:
    """Whether the page is wider than the window."""
    return bool(tab.run("document.documentElement.scrollWidth > window.innerWidth"))


def test_the_status_page_shows_the_incident(tab: Browser, url: str) -> None:
    """The slow and failing service stands first, with its beginning, and the bad query with its reason."""
    tab.resize(1200)
    tab.open(url)
    text = tab.text()
    assert "payments 2 series" in text
    assert "30 min" in text
    assert text.index("error_ratio") < text.index("queue_length")
    assert "rejected: http://tsdb:9090" in text
    assert tab.run("document.querySelectorAll('svg.spark').length") >= 3


def test_the_page_of_a_series_is_one_click_away(tab: Browser, url: str) -> None:
    """A click on a finding leads to its band over a day and a week, and a click there leads back."""
    tab.open(url)
    tab.forget_events()
    tab.run("[...document.links].find(it => it.textContent == 'request_seconds').click()")
    tab.wait_for_load()
    text = tab.text()
    for words in ("Strange: score", "The last day", "The last week", "calendar: scored", "money"):
        assert words in text
    assert tab.run("document.querySelectorAll('.chart polygon').length") == 2
    tab.forget_events()
    tab.run("[...document.links].find(it => it.textContent == 'Tidemark').click()")
    tab.wait_for_load()
    assert "Strange now" in tab.text()


def test_a_service_leads_to_all_of_its_series(tab: Browser, url: str) -> None:
    """A click on its name lists what is scored of it, strange or not."""
    tab.open(url)
    tab.forget_events()
    tab.run("[...document.links].find(it => it.textContent == 'payments').click()")
    tab.wait_for_load()
    assert "3 series." in tab.text()
    assert "request_rate" in tab.text()
    assert not overflows(tab)


def test_nothing_comes_from_elsewhere_and_nothing_breaks_the_policy(tab: Browser, url: str) -> None:
    """A page is one request; the policy lets its style in, so nothing is refused."""
    for page in ("/", SERIES):
        tab.open(url + page)
        assert [it for it in tab.requested if not it.startswith("data:")] == [url + page]
        assert tab.run("getComputedStyle(document.querySelector('section')).borderTopWidth") == "1px"


def test_the_keyboard_reaches_everything(tab: Browser, url: str) -> None:
    """The first stop skips to the content; after it come all links in the order in which they stand."""
    tab.open(url)
    count = tab.run("document.links.length")
    reached = []
    for _ in range(count):
        tab.press("Tab")
        reached.append(tab.run("[...document.links].indexOf(document.activeElement)"))
    assert reached == list(range(count))
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.open(url)
    tab.press("Tab")
    assert tab.run("document.activeElement.textContent") == "Skip to the content"
    assert tab.run("document.activeElement.getBoundingClientRect().left") >= 0
    tab.press("Enter")
    assert tab.run("location.hash") == "#content"
    tab.press("Tab")
    assert tab.run("document.activeElement.closest('main') != null")


@pytest.mark.parametrize("page", ["/", SERIES])
def test_a_phone_shows_it_all_without_scrolling_sideways(tab: Browser, url: str, page: str) -> None:
    """At 360 pixels nothing is wider than the screen, and rows have become cards with named values."""
    tab.resize(360, phone=True)
    tab.open(url + page)
    assert not overflows(tab)
    if page == "/":
        assert tab.run("getComputedStyle(document.querySelector('tbody tr')).display") == "block"
        assert tab.run("getComputedStyle(document.querySelector('td'), '::before').content") == '"Score"'
    tab.resize(1200)


@pytest.mark.parametrize("page", ["/", SERIES])
@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_light_and_in_dark(tab: Browser, url: str, page: str, dark: bool) -> None:
    """Every text has a contrast of at least 4.5 to 1 with what is behind it (WCAG 2, AA)."""
    tab.darken(dark)
    tab.open(url + page)
    assert tab.run(CONTRAST) >= 4.5
    background = tab.run("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(18, 22, 28)") is dark
    tab.darken(False)


CONTRAST = """
(() => {
  const light = it => { const [r, g, b] = it.match(/[\\d.]+/g).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = it => { const own = getComputedStyle(it).backgroundColor;
    return own == 'rgba(0, 0, 0, 0)' && it.parentElement ? behind(it.parentElement) : own; };
  const written = [...document.body.querySelectorAll('*')].filter(it =>
    [...it.childNodes].some(one => one.nodeType == 3 && one.textContent.trim()) &&
    it.getClientRects().length);
  return Math.min(...written.map(it => { const [a, b] = [getComputedStyle(it).color, behind(it)].map(light);
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }));
})()
"""


class Storm(Fixed):
    """Five thousand series beyond the edge, in a hundred services, each with three hours of past."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(0)
        series = [
            {"query": "requests", "service": f"service-{it % 100:02}", "path": f"/v1/{it}/" + "long" * 20}
            for it in range(5_000)
        ]
        labels, recent = tuple(map(render_labels, series)), Recent()
        for step in range(KEPT):
            values = {f"anomaly_{it}": random.normal(size=5_000) for it in ("value", "expected")}
            values |= {"anomaly_lower": np.full(5_000, -2.0), "anomaly_upper": np.full(5_000, 2.0)}
            values["anomaly_score"] = 1.01 + random.exponential(size=5_000)
            scores = QueryScores("requests", int(NOW) + step * APART, labels, series, values)
            recent.take([scores], ["requests"])
        self.snapshot, self.recent = Snapshot.of(NOW, [scores]), recent

    def status(self) -> Status:
        """As the exporter puts it together, from the snapshot and the moments."""
        found = strange(self.snapshot, self.recent)
        return Status("1.2.3", "abc", NOW, [QueryStatus("requests", "up", "scored", scored=5_000)], found)


def test_five_thousand_findings_are_a_page_of_moderate_length(tab: Browser) -> None:
    """The strangest of each service are shown with their pictures, and the rest is counted."""
    app = create_app(Storm(), reload=lambda: (True, ""), leave=lambda: None)
    with serving(app) as [(host, port)]:
        for width, phone in ((1200, False), (360, True)):
            tab.resize(width, phone=phone)
            tab.open(f"http://{host}:{port}/")
            text = tab.text()
            assert "5,000 series are beyond the edge of normal, in 100 services." in text
            assert f"and {100 - SERVICES} more services with 3,000 series" in text
            assert tab.run("document.querySelectorAll('svg.spark').length") == SERVICES * PER_SERVICE
            assert tab.run("document.getElementsByTagName('*').length") < 10_000
            assert tab.run("document.documentElement.outerHTML.length") < 1_000_000
            assert not overflows(tab)
    tab.resize(1200)
