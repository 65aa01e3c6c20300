"""The catalogue: every metric family that Tidemark exposes, with its type, labels and help text."""

from __future__ import annotations

from exporter.metrics.family import Family
from exporter.metrics.own import SELF
from exporter.metrics.published import PUBLISHED
from exporter.metrics.told import CALENDARS, QUERIES, SERVICES

CATALOGUE: dict[str, Family] = {
    family.name: family for family in (*PUBLISHED, *CALENDARS, *SERVICES, *QUERIES, *SELF)
}
