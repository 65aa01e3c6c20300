"""One dashboard for each pack, made from its queries: what is strange, and the band of each query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from exporter.packs import library
from grafana import links, marks
from grafana.band import of_strangest
from grafana.charts import RED, Column, edge, graph, table
from grafana.panels import Json, Panel, Query, Row
from grafana.sheet import Sheet
from grafana.variables import datasource, label, status


def names() -> list[str]:
    """The packs that there are."""
    return library.names()


def sheet(name: str) -> Sheet:
    """The dashboard of a pack: the label that its series are told apart by can be chosen."""
    pack = library.pack(name)
    of, asked = pack.subject, _any(pack)
    chosen = f'{asked}, {of}=~"${of}"'
    return Sheet(
        name,
        f"Pack {name}",
        f"The queries of the pack {name}: {pack.about}.",
        [
            datasource(),
            label(of, of, f"label_values(anomaly_score{{{asked}}}, {of})", ".*"),
            status(),
        ],
        [
            Row("Now", [_scores(chosen, of), _strangest(chosen, of)]),
            *(Row(entry["name"], list(_of(entry, of))) for entry in pack.entries),
        ],
        [marks.alerts(f'{of}=~"${of}", {of}!=""'), marks.calendars(), marks.deployments()],
        [links.status("Status page"), links.page(f"The pack {name}", f"packs/{name}.md")],
    )


def unit(entry: Mapping[str, Any]) -> str:
    """Grafana's unit of a query: shares have a domain up to 1, latencies are in seconds."""
    if entry.get("domain", {}).get("max") == 1:
        return "percentunit"
    if entry.get("signal") == "latency":
        return "s"
    return "bytes" if entry["name"].endswith("_bytes") else "short"


def _any(pack: library.Pack) -> str:
    return f'query=~"{"|".join(it["name"] for it in pack.entries)}"'


def _to_series(link: Callable[..., Json], of: str) -> Json:
    """By service where there is one; an instance cannot be chosen there."""
    return link("This series", "series", "query", *(["service"] if of == "service" else []))


def _scores(chosen: str, of: str) -> Panel:
    return graph(
        "Highest score by query",
        "0 is the expected value, 1 the edge of normal.",
        "none",
        Query(f"max by (query, {of}) (anomaly_score{{{chosen}}})", f"{{{{{of}}}}} {{{{query}}}}"),
        defaults={**edge(1), "links": [_to_series(links.point, of)]},
        width=24,
    )


def _strangest(chosen: str, of: str) -> Panel:
    top = f"topk(20, max without () (anomaly_score{{{chosen}}}))"
    return table(
        "Strangest series",
        "The twenty highest scores of the pack's queries now, with value and expectation.",
        Column("score", top, "none", ((1, RED),)),
        *(Column(it, f"anomaly_{it}{{{chosen}}} and {top}") for it in ("value", "expected")),
        links={"query": _to_series(links.cell, of)},
    )


def _of(entry: Mapping[str, Any], of: str) -> Iterator[Panel]:
    query = entry["name"]
    matchers = f'query="{query}", {of}=~"${of}"'
    yield of_strangest(f"{query}: value and band", matchers, unit(entry))
    yield graph(
        f"{query}: score",
        "The score of each series of the query; 1 is the edge of normal.",
        "none",
        Query(f"anomaly_score{{{matchers}}}", f"{{{{{of}}}}}"),
        defaults={**edge(1), "links": [_to_series(links.point, of)]},
    )


SHEETS = {name: partial(sheet, name) for name in names()}
