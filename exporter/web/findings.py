"""The section of the landing page that says what is strange now, service by service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from exporter.shown.status import Finding, Links, Service, Status, Strange, StrangeSeries
from exporter.web.addresses import dashboard, graph, runbook, series_page
from exporter.web.markup import Node, tag
from exporter.web.pictures import beside_the_band, sparkline
from exporter.web.shell import linked
from exporter.web.tables import cell, heading, label_set, row
from exporter.web.words import number, plural, span

COLUMNS = ("Series", "Score", "Since", "Value", "Distance", "Last hours", "More")


@dataclass(frozen=True, slots=True)
class Around:
    """What all rows of a page share: time, addresses, PromQL by query, and labels that go without saying."""

    now: float
    links: Links
    exprs: Mapping[str, str]
    hidden: frozenset[str] = frozenset()


def strange(status: Status) -> Element:
    """Services with series beyond the edge, or else the series that come nearest to it."""
    found, title = status.strange, tag("h2", "Strange now", id="strange")
    exprs = {it.name: it.expr for it in status.queries}
    around = Around(
        status.now, status.links, exprs, frozenset({"service"}) if found.services else frozenset()
    )
    if found.services:
        services = (_service(it, around) for it in found.services)
        return tag(
            "section", title, tag("p", _summary(found)), findings_table("strange", services), _others(found)
        )
    if not found.nearest:
        return tag("section", title, tag("p", "No series has a score yet.", class_="soft"))
    text = "Nothing is beyond the edge of normal, which is a score of 1. Nearest to it:"
    rows = findings_table("strange", [finding_rows(found.nearest, around)])
    return tag("section", title, tag("p", text, class_="soft"), rows)


def findings_table(name: str, bodies: Iterable[Element]) -> Element:
    """A table of groups of rows, named by the element with the id `name`."""
    head = tag("tr", (tag("th", it, scope="col", role="columnheader") for it in COLUMNS), role="row")
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        bodies,
        role="table",
        aria_labelledby=name,
        class_="findings",
    )


def finding_rows(findings: Iterable[Finding], around: Around) -> Element:
    """A group of rows, one for each series."""
    return tag("tbody", (_row(it, around) for it in findings), role="rowgroup")


def _summary(found: Strange) -> str:
    series = plural(found.total_series, "series is", "series are")
    return f"{series} beyond the edge of normal, in {plural(found.total_services, 'service')}."


def _others(found: Strange) -> Node:
    services = found.total_services - len(found.services)
    if not services:
        return ""
    series = found.total_series - sum(it.count for it in found.services)
    return tag("p", f"and {plural(services, 'more service')} with {series:,} series", class_="more")


def _service(service: Service, around: Around) -> Element:
    every = series_page("", {"service": service.name})
    name = tag("bdi", service.name) if service.name else "Series without a service"
    count = tag("span", f" {service.count:,} series", class_="soft")
    columns = str(len(COLUMNS))
    title = tag("a", name, href=every, class_="quiet")
    head = tag("th", title, count, scope="rowgroup", colspan=columns, class_="service", role="rowheader")
    body = finding_rows(service.findings, around)
    body.insert(0, row(head))
    if more := service.count - len(service.findings):
        rest = tag("a", f"and {more:,} more", href=every)
        body.append(row(tag("td", rest, colspan=columns, class_="more", role="cell")))
    return body


def _row(finding: Finding, around: Around) -> Element:
    it = finding.series
    labels = {name: value for name, value in it.labels.items() if name not in around.hidden}
    name = linked(tag("strong", it.query), series_page(it.query, it.labels))
    since = span(around.now - finding.since) if finding.since == finding.since else "–"
    return row(
        heading(name, *((" ", label_set(labels)) if labels else ())),
        cell(
            "Score",
            "–" if it.score != it.score else f"{it.score:.2f}",
            "number over" if it.score > 1 else "number",
        ),
        cell("Since", since, "when"),
        cell("Value", _value(it), "number"),
        cell("Distance", distance(it), "when"),
        cell("Last hours", sparkline(finding.recent) or beside_the_band(it), "picture"),
        cell("More", _links(it, around), "links"),
    )


def _value(it: StrangeSeries) -> Iterator[Node]:
    yield tag("strong", number(it.value))
    yield tag("br")
    yield tag("span", f"expected {number(it.expected)}", class_="soft")


def distance(it: StrangeSeries) -> str:
    """How far the value is from the expected one, against the edge on that side."""
    if it.times_band != it.times_band:
        return it.direction or "–"
    return f"{it.times_band:,.1f} × the band {it.direction}".rstrip()


def _links(it: StrangeSeries, around: Around) -> Iterator[Node]:
    expr = around.exprs.get(it.query, "")
    places = {
        "PromQL": graph(around.links, expr) if expr else "",
        "Grafana": dashboard(around.links, it.query, it.labels),
        "Runbook": runbook(around.links, "AnomalySeries"),
    }
    about = f"{it.query} {' '.join(it.labels.values())}".strip()[:200]
    for text, href in places.items():
        if href:
            yield tag("a", text, href=href, aria_label=f"{text} of {about}")
            yield " "
