"""The section of the landing page that says what is strange now, service by service."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from exporter.status import Finding, Service, Status, StrangeSeries
from exporter.web.addresses import dashboard, graph, runbook, series_page
from exporter.web.markup import Node, tag
from exporter.web.pictures import beside_the_band, sparkline
from exporter.web.shell import linked
from exporter.web.tables import cell, heading, label_set, row
from exporter.web.words import number, plural, span

COLUMNS = ("Series", "Score", "Since", "Value", "Distance", "Last hours", "More")


def strange(status: Status) -> Element:
    """Services with series beyond the edge, or else the series that come nearest to it."""
    found, title = status.strange, tag("h2", "Strange now", id="strange")
    exprs = {it.name: it.expr for it in status.queries}
    if found.services:
        services = (_service(it, status, exprs) for it in found.services)
        return tag("section", title, tag("p", _summary(status)), _table(services), _others(status))
    if not found.nearest:
        return tag("section", title, tag("p", "No series has a score yet.", class_="soft"))
    text = "Nothing is beyond the edge of normal, which is a score of 1. Nearest to it:"
    rows = tag("tbody", (_row(it, status, exprs) for it in found.nearest), role="rowgroup")
    return tag("section", title, tag("p", text, class_="soft"), _table(iter([rows])))


def _summary(status: Status) -> str:
    found = status.strange
    series = plural(found.total_series, "series is", "series are")
    return f"{series} beyond the edge of normal, in {plural(found.total_services, 'service')}."


def _others(status: Status) -> Node:
    found = status.strange
    services = found.total_services - len(found.services)
    if not services:
        return ""
    series = found.total_series - sum(it.count for it in found.services)
    return tag("p", f"and {plural(services, 'more service')} with {series:,} series", class_="more")


def _table(bodies: Iterator[Element]) -> Element:
    head = tag("tr", (tag("th", it, scope="col", role="columnheader") for it in COLUMNS), role="row")
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        bodies,
        role="table",
        aria_labelledby="strange",
        class_="findings",
    )


def _service(service: Service, status: Status, exprs: dict[str, str]) -> Element:
    name = tag("bdi", service.name) if service.name else "Series without a service"
    count = tag("span", f" {service.count:,} series", class_="soft")
    columns = str(len(COLUMNS))
    head = tag("th", name, count, scope="rowgroup", colspan=columns, class_="service", role="rowheader")
    rows = (_row(it, status, exprs) for it in service.findings)
    more = service.count - len(service.findings)
    rest = tag("td", f"and {more:,} more", colspan=columns, class_="more", role="cell")
    return tag("tbody", row(head), rows, [row(rest)] if more else (), role="rowgroup")


def _row(finding: Finding, status: Status, exprs: dict[str, str]) -> Element:
    it, grouped = finding.series, bool(status.strange.services)
    labels = {name: value for name, value in it.labels.items() if not (grouped and name == "service")}
    name = linked(tag("strong", it.query), series_page(it.query, it.labels))
    since = span(status.now - finding.since) if finding.since == finding.since else "–"
    return row(
        heading(name, *((" ", label_set(labels)) if labels else ())),
        cell("Score", f"{it.score:.2f}", "number over" if it.score > 1 else "number"),
        cell("Since", since, "when"),
        cell("Value", _value(it), "number"),
        cell("Distance", distance(it), "when"),
        cell("Last hours", sparkline(finding.recent) or beside_the_band(it), "picture"),
        cell("More", _links(it, status, exprs.get(it.query, "")), "links"),
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


def _links(it: StrangeSeries, status: Status, expr: str) -> Iterator[Node]:
    places = {
        "PromQL": graph(status.links, expr) if expr else "",
        "Grafana": dashboard(status.links, it.query, it.labels),
        "Runbook": runbook(status.links, "AnomalySeries"),
    }
    about = f"{it.query} {' '.join(it.labels.values())}".strip()[:200]
    for text, href in places.items():
        if href:
            yield tag("a", text, href=href, aria_label=f"{text} of {about}")
            yield " "
