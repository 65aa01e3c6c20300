"""The detector's metrics about itself, kept in a registry of their own and rendered by prometheus_client."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from exporter import __version__
from exporter.metrics.family import Family
from exporter.metrics.own import SELF
from exporter.metrics.told import CALENDARS, QUERIES, SERVICES

Metric: TypeAlias = Counter | Gauge | Histogram

_KINDS: dict[str, type[Metric]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


def revision() -> str:
    """The source revision of this build; images set it, elsewhere it is unknown."""
    return os.environ.get("TIDEMARK_REVISION", "unknown")


class Telemetry:
    """Every family about a query or about itself, by its name without the prefix `tidemark_`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._metrics = {
            family.name.removeprefix("tidemark_"): self._made(family)
            for family in (*CALENDARS, *SERVICES, *QUERIES, *SELF)
        }
        self.set("build_info", 1, version=__version__, revision=revision(), python=platform.python_version())

    def _made(self, family: Family) -> Metric:
        options = {"buckets": _BUCKETS} if family.kind == "histogram" else {}
        return _KINDS[family.kind](
            family.name,
            family.help,
            family.labels,
            registry=self.registry,
            **options,  # type: ignore[arg-type]
        )

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        metric = self._child(name, labels)
        assert isinstance(metric, Gauge)
        metric.set(value)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        metric = self._child(name, labels)
        assert isinstance(metric, Counter)
        metric.inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        metric = self._child(name, labels)
        assert isinstance(metric, Histogram)
        metric.observe(value)

    def forget_query(self, query: str) -> None:
        """Drop every series of a query that is no longer configured."""
        for metric in self._metrics.values():
            if "query" in metric._labelnames:
                metric.remove_by_labels({"query": query})

    def replace_all(self, name: str, query: str, values: Mapping[str, float], label: str) -> None:
        """Make `values`, by what stands in `label`, the only series that a gauge has of `query`."""
        self._metrics[name].remove_by_labels({"query": query})
        for it, value in values.items():
            self.set(name, value, **{"query": query, label: it})

    def forget_group(self, group: str) -> None:
        """Drop every series of a group that is no longer configured."""
        for metric in self._metrics.values():
            if "group" in metric._labelnames:
                metric.remove_by_labels({"group": group})

    def forget_drift(self, query: str) -> None:
        """Drop what is said of the drift of a query that is no longer watched."""
        for name, metric in self._metrics.items():
            if name.startswith("drift_"):
                metric.remove_by_labels({"query": query})

    def clear(self, *names: str) -> None:
        """Drop every series of these families."""
        for name in names:
            self._metrics[name].clear()

    def replace(self, name: str, **labels: str) -> None:
        """Make `labels` the only series of an info gauge."""
        self._metrics[name].clear()
        self.set(name, 1, **labels)

    def replace_query(self, name: str, query: str, **labels: str) -> None:
        """Make `labels` the only series that an info gauge has of `query`."""
        self._metrics[name].remove_by_labels({"query": query})
        self.set(name, 1, query=query, **labels)

    def render(self) -> bytes:
        """The text format of all of it, as it stands now."""
        return generate_latest(self.registry)

    def _child(self, name: str, labels: dict[str, str]) -> Metric:
        metric = self._metrics[name]
        return metric.labels(**labels) if labels else metric
