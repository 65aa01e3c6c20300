"""The landing page: what is strange now and how every query is doing, as HTML that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from xml.etree.ElementTree import Element

from exporter.status import NEXT_STEP, QueryStatus, Status, StrangeSeries
from exporter.web.markup import Node, document, tag

STYLE = files("exporter.web").joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
SHOWN_SERIES = 20
SHOWN_CHARACTERS = 200


def landing_page(status: Status, ready: tuple[bool, str]) -> bytes:
    """The page as UTF-8 HTML; every label, expression and message in it is escaped."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", _title(status)),
        tag("link", rel="icon", href="data:,"),
        tag("style", STYLE),
    )
    main = tag("main", _state(status, ready), _strange(status), _queries(status))
    return document(tag("html", head, tag("body", _header(status), main, _footer(status)), lang="en"))


def _title(status: Status) -> str:
    over = sum(it.score >= 1 for it in status.strange)
    return f"({over}) Tidemark" if over else "Tidemark"


def _header(status: Status) -> Element:
    links = {"Metrics": "metrics", "Ready": "-/ready", **status.links}
    return tag(
        "header",
        tag("h1", "Tidemark"),
        tag("span", f"version {status.version}", class_="soft"),
        tag("nav", (tag("a", text, href=href) for text, href in links.items()), aria_label="Elsewhere"),
    )


def _state(status: Status, ready: tuple[bool, str]) -> Element:
    scored = sum(it.scored for it in status.queries)
    healthy = sum(it.state == "scored" for it in status.queries)
    counts = f"{healthy} of {len(status.queries)} queries are scored, {scored:,} series."
    return tag(
        "section", tag("h2", "State"), tag("p", counts, " ", _last_cycle(status)), _notices(status, ready)
    )


def _last_cycle(status: Status) -> str:
    if status.last_cycle_time is None:
        return "No cycle has ended yet."
    took = "" if status.last_cycle_seconds is None else f" and took {_number(status.last_cycle_seconds)} s"
    return f"The last cycle ended {_ago(status.now, status.last_cycle_time)}{took}."


def _notices(status: Status, ready: tuple[bool, str]) -> Iterable[Node]:
    if not ready[0]:
        yield tag("p", f"Not ready: {ready[1]}", class_="notice wait")
    if not status.tsdb_up:
        yield tag("p", f"The TSDB does not answer: {status.tsdb_url}", class_="notice")
    if status.config_error:
        text = f"The configuration was not reloaded, the one before stays in use: {status.config_error}"
        yield tag("p", text, class_="notice")


def _strange(status: Status) -> Element:
    top = sorted(status.strange, key=lambda it: -it.score)[:SHOWN_SERIES]
    title = tag("h2", "Strange now", id="strange")
    if not top:
        return tag("section", title, tag("p", "No series has a score yet.", class_="soft"))
    note = f"The {len(top)} series furthest from normal. A score of 1 is the edge of normal."
    columns = ("Series", "Score", "Value", "Expected", "Normal range", "Picture")
    return tag(
        "section", title, tag("p", note, class_="soft"), _table("strange", columns, map(_strange_row, top))
    )


def _strange_row(it: StrangeSeries) -> Element:
    over = "number over" if it.score >= 1 else "number"
    return _row(
        tag("th", tag("strong", it.query), " ", _labels(it.labels), scope="row", role="rowheader"),
        _cell("Score", f"{it.score:.2f}", over),
        _cell("Value", _number(it.value), "number"),
        _cell("Expected", _number(it.expected), "number"),
        _cell("Normal range", f"{_number(it.lower)} to {_number(it.upper)}", "number"),
        _cell("Picture", _picture(it)),
    )


def _labels(labels: Mapping[str, str]) -> Element:
    pairs: list[Node] = []
    for name, value in labels.items():
        shown = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
        pairs += [", " if pairs else "", f"{name}=", tag("bdi", f'"{shown}"')]
    return tag("code", "{", pairs, "}")


def _picture(it: StrangeSeries) -> Node:
    """The band, the expected value and the value on one line; the numbers beside it say the same."""
    marks = [it.lower, it.upper, it.expected, it.value]
    low, high = min(marks), max(marks)
    if not all(map(math.isfinite, marks)) or not math.isfinite(high - low) or low == high:
        return ""
    lower, upper, expected, value = (f"{4 + 92 * (mark - low) / (high - low):.1f}" for mark in marks)
    width = f"{max(1.0, float(upper) - float(lower)):.1f}"
    dot = "value" if it.lower <= it.value <= it.upper else "value out"
    return tag(
        "svg",
        tag("line", x1="0", x2="100", y1="8", y2="8", class_="rail"),
        tag("rect", x=lower, y="3", width=width, height="10", class_="band"),
        tag("line", x1=expected, x2=expected, y1="2", y2="14", class_="expected"),
        tag("circle", cx=value, cy="8", r="3.5", class_=dot),
        viewBox="0 0 100 16",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _queries(status: Status) -> Element:
    columns = ("Query", "State", "Series", "Last score")
    rows = (_query_row(it, status.now) for it in status.queries)
    return tag("section", tag("h2", "Queries", id="queries"), _table("queries", columns, rows))


def _query_row(it: QueryStatus, now: float) -> Element:
    last = "never" if it.last_score_time is None else _ago(now, it.last_score_time)
    return _row(
        tag("th", tag("strong", it.name), tag("br"), tag("code", it.expr), scope="row", role="rowheader"),
        _cell("State", tag("div", _query_state(it))),
        _cell("Series", _series(it)),
        _cell("Last score", last, "when"),
    )


def _query_state(it: QueryStatus) -> Iterable[Node]:
    yield tag("span", it.state, class_=f"state {it.state}")
    if it.state == "learning" and it.bootstrap_ratio < 1:
        share = f"{it.bootstrap_ratio:.0%}"
        yield from (" ", tag("progress", share, value=f"{it.bootstrap_ratio:.3f}", aria_label="History read"))
        yield f" {share} of the history read"
    if it.state == "failing":
        yield tag("p", ": ".join(filter(None, (it.reason, it.detail))))
        yield tag("p", NEXT_STEP.get(it.reason, "See the log."), class_="soft")


def _series(it: QueryStatus) -> str:
    counts = {"scored": it.scored, "learning": it.learning, "missing": it.missing}
    counts |= {"paused": it.paused, "dropped": it.dropped}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


def _footer(status: Status) -> Element:
    loaded = "" if status.config_loaded_time is None else f", loaded {_clock(status.config_loaded_time)}"
    config = f"configuration {status.config_sha256[:12]}{loaded}" if status.config_sha256 else ""
    facts = (f"As of {_clock(status.now)}", status.tsdb_url, config, f"revision {status.revision}")
    return tag("footer", tag("p", tag("small", " · ".join(filter(None, facts)))))


def _table(heading: str, columns: Iterable[str], rows: Iterable[Element]) -> Element:
    """A table that stays one for a screen reader where a narrow screen shows each row as a card."""
    head = tag("tr", (tag("th", it, scope="col", role="columnheader") for it in columns), role="row")
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        tag("tbody", rows, role="rowgroup"),
        role="table",
        aria_labelledby=heading,
    )


def _row(*cells: Element) -> Element:
    return tag("tr", cells, role="row")


def _cell(label: str, content: Node, class_: str = "") -> Element:
    return tag("td", content, class_=class_, role="cell", data_label=label)


def _number(value: float) -> str:
    """Four significant digits, without an exponent where that stays readable."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else f"{value}"
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.4g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ago(now: float, time: float) -> str:
    seconds = max(0.0, now - time)
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _clock(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
