"""A dashboard as a whole, as Grafana stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana import links
from grafana.panels import Json, Row, lay_out

SCHEMA_VERSION = 38
"""That of Grafana 10.0; later ones read it and bring it up to their own."""


@dataclass(frozen=True)
class Sheet:
    """What differs between dashboards; `name` is that of the file, `since` the time range at first."""

    name: str
    title: str
    description: str
    variables: Sequence[Json]
    rows: Sequence[Row]
    annotations: Sequence[Json] = ()
    pages: Sequence[Json] = field(default_factory=list)
    since: str = "now-6h"
    refresh: str = "30s"

    def json(self) -> Json:
        """The whole dashboard."""
        return {
            "annotations": {"list": list(self.annotations)},
            "description": self.description,
            "editable": False,
            "graphTooltip": 1,
            "links": [links.siblings(), *self.pages],
            "panels": lay_out(self.rows),
            "refresh": self.refresh,
            "schemaVersion": SCHEMA_VERSION,
            "tags": [links.TAG],
            "templating": {"list": list(self.variables)},
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "title": f"Tidemark / {self.title}",
            "uid": links.uid(self.name),
        }
