"""What is foretold, out of the forecasts of a snapshot, one entry per series and horizon or limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from exporter.metrics.exposition import Snapshot, Table
from exporter.metrics.labels import read_labels

AHEAD = ("forecast_value", "forecast_lower", "forecast_upper")
LEFT = "forecast_seconds_to_limit"


def ahead(snapshot: Snapshot) -> Iterator[tuple[Mapping[str, str], dict[str, float]]]:
    """Labels, `query` and `horizon` among them, with value, lower and upper in the unit of the query."""
    for labels, numbers in _rows(snapshot, AHEAD):
        yield labels, dict(zip(("value", "lower", "upper"), numbers, strict=True))


def left(snapshot: Snapshot) -> list[tuple[Mapping[str, str], float]]:
    """Labels, `query` and `limit` among them, and seconds until the limit is reached, the nearest first."""
    return sorted(
        ((labels, seconds) for labels, (seconds,) in _rows(snapshot, (LEFT,))), key=lambda it: it[1]
    )


def _rows(
    snapshot: Snapshot, names: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, str], tuple[float, ...]]]:
    for table in (it for scores in snapshot.scores for it in scores.tables):
        if names[0] in table.families:
            yield from _known(table, names)


def _known(table: Table, names: tuple[str, ...]) -> Iterator[tuple[Mapping[str, str], tuple[float, ...]]]:
    columns = [table.families[name].tolist() for name in names]
    for rendered, numbers in zip(table.labels, zip(*columns, strict=True), strict=True):
        if not math.isnan(numbers[0]):
            yield read_labels(rendered), numbers
