"""The page of several series that have something in common: a query, a service, any label."""

from __future__ import annotations

from exporter.shown.status import Matches
from exporter.web.findings import Around, finding_rows, findings_table
from exporter.web.markup import tag
from exporter.web.shell import header, page
from exporter.web.tables import label_set
from exporter.web.words import clock


def matches_page(found: Matches) -> bytes:
    """The strangest of the series that match, and how many there are."""
    common = [found.query, label_set(found.labels)] if found.labels else [found.query]
    title = tag("h2", *common, id="matches")
    more = found.total - len(found.findings)
    note = f"{found.total:,} series" + (
        f", of which the {len(found.findings):,} strangest are shown." if more else "."
    )
    around = Around(found.now, found.links, found.exprs, frozenset(found.labels))
    rows = findings_table("matches", [finding_rows(found.findings, around)])
    named = " ".join(filter(None, (found.query, *found.labels.values())))[:120]
    return page(
        f"{named} – Tidemark",
        header(tag("a", "Tidemark", href="./"), found.version, found.links),
        [tag("section", title, tag("p", note, class_="soft"), rows)],
        tag("footer", tag("p", tag("small", f"As of {clock(found.now)}"))),
    )
