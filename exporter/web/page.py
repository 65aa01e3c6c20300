"""The landing page: what is strange now and how every query is doing, as HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from exporter.shown.status import DriftingSeries, QueryStatus, Status
from exporter.web.addresses import graph, runbook, series_page
from exporter.web.findings import strange
from exporter.web.markup import Node, tag
from exporter.web.shell import header, linked, page
from exporter.web.tables import cell, heading, label_set, row, table
from exporter.web.words import ago, clock, number, plural


def landing_page(status: Status, ready: tuple[bool, str]) -> bytes:
    """The page; `ready` as the source tells it."""
    main = (_state(status, ready), strange(status), _queries(status), _drifting(status))
    return page(_title(status), header("Tidemark", status.version, status.links), main, _footer(status))


def _title(status: Status) -> str:
    over = status.strange.total_series
    return f"({over:,}) Tidemark" if over else "Tidemark"


def _state(status: Status, ready: tuple[bool, str]) -> Element:
    scored = sum(it.scored for it in status.queries)
    healthy = sum(it.state == "scored" for it in status.queries)
    counts = f"{healthy} of {len(status.queries)} queries are scored, {scored:,} series."
    return tag(
        "section",
        tag("h2", "State"),
        tag("p", counts, " ", _last_cycle(status)),
        _notices(status, ready),
        class_="state-of-all",
    )


def _last_cycle(status: Status) -> str:
    if status.last_cycle_time is None:
        return "No cycle has ended yet."
    took = "" if status.last_cycle_seconds is None else f" and took {number(status.last_cycle_seconds)} s"
    return f"The last cycle ended {ago(status.now, status.last_cycle_time)}{took}."


def _notices(status: Status, ready: tuple[bool, str]) -> Iterable[Node]:
    if not ready[0]:
        yield tag("p", f"Not ready: {ready[1]}", class_="notice wait")
    if not status.tsdb_up:
        yield tag("p", f"The TSDB does not answer: {status.tsdb_url}", class_="notice")
    if status.config_error:
        text = f"The configuration was not reloaded, the one before stays in use: {status.config_error}"
        yield tag("p", text, class_="notice")


def _queries(status: Status) -> Element:
    columns = ("Query", "State", "Series", "Last score")
    rows = (_query_row(it, status) for it in status.queries)
    return tag("section", tag("h2", "Queries", id="queries"), table("queries", columns, rows))


def _query_row(it: QueryStatus, status: Status) -> Element:
    last = "never" if it.last_score_time is None else ago(status.now, it.last_score_time)
    expr = linked(tag("code", it.expr), graph(status.links, it.expr), class_="quiet")
    return row(
        heading(
            tag("a", tag("strong", it.name), href=series_page(it.name, {}), class_="quiet"), tag("br"), expr
        ),
        cell("State", _query_state(it)),
        cell("Series", _series(it)),
        cell("Last score", last, "when"),
    )


def _query_state(it: QueryStatus) -> Iterable[Node]:
    yield tag("span", it.state, class_=f"state {it.state}")
    if it.state == "learning" and it.bootstrap_ratio < 1:
        share = f"{it.bootstrap_ratio:.0%}"
        yield from (" ", tag("progress", share, value=f"{it.bootstrap_ratio:.3f}", aria_label="History read"))
        yield f" {share} of the history read"
    if it.state == "failing":
        yield tag("p", ": ".join(filter(None, (it.reason, it.detail))))
    if it.next_step:
        yield tag("p", it.next_step, class_="soft")


def _series(it: QueryStatus) -> str:
    counts = {"scored": it.scored, "learning": it.learning, "missing": it.missing}
    counts |= {"paused": it.paused, "dropped": it.dropped}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


def _drifting(status: Status) -> Element:
    found, title = status.drifting, tag("h2", "Drift", id="drift")
    if not found.total:
        return tag(
            "section", title, tag("p", "No series drifts: no drift score is 3 or more.", class_="soft")
        )
    note = f"{plural(found.total, 'series', 'series')} whose last day is not like its past: score 3 or more."
    columns = ("Series", "Drift score", "Since", "Shift", "Movement")
    rows = (_drift_row(it, status) for it in found.series)
    more = found.total - len(found.series)
    return tag(
        "section",
        title,
        tag("p", note, " ", linked("Runbook", runbook(status.links, "DriftModerate")), class_="soft"),
        table("drift", columns, rows),
        tag("p", f"and {more:,} more") if more else "",
    )


def _drift_row(it: DriftingSeries, status: Status) -> Element:
    name = linked(tag("strong", it.query), series_page(it.query, it.labels))
    since = ago(status.now, it.since) if it.since == it.since else "–"
    return row(
        heading(name, " ", label_set(it.labels)),
        cell("Drift score", f"{it.score:.1f}", "number over" if it.score >= 5 else "number"),
        cell("Since", since, "when"),
        cell("Shift", f"{it.shift:+.4g}" if it.shift == it.shift else "–", "number"),
        cell("Movement", f"{number(it.movement_ratio)} times", "number"),
    )


def _footer(status: Status) -> Element:
    loaded = "" if status.config_loaded_time is None else f", loaded {clock(status.config_loaded_time)}"
    config = f"configuration {status.config_sha256[:12]}{loaded}" if status.config_sha256 else ""
    facts = (f"As of {clock(status.now)}", status.tsdb_url, config, f"revision {status.revision}")
    return tag("footer", tag("p", tag("small", " · ".join(filter(None, facts)))))
