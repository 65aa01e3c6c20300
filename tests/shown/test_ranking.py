"""The strangest series of a snapshot."""

import math

import numpy as np

from exporter.metrics.exposition import QueryScores, Snapshot
from exporter.shown.ranking import series_of, strangest


def snapshot(**scores: list[float]) -> Snapshot:
    """A query per name, whose series have these scores."""
    return Snapshot.of(0, [_query(name, values) for name, values in scores.items()])


def _query(name: str, values: list[float]) -> QueryScores:
    series = tuple({"query": name, "service": str(row)} for row in range(len(values)))
    families = {"anomaly_score": np.array(values), "anomaly_value": np.arange(len(values), dtype=float)}
    return QueryScores(name, 0, tuple(b"{} " for _ in values), series, families)


def test_the_highest_scores_come_first_whatever_their_query() -> None:
    """Scores are on one scale, so series of all queries stand in one order."""
    found = strangest(snapshot(one=[0.1, 3.0], two=[2.0, np.nan, 0.5]), 3)
    assert [(it.query, it.labels["service"], it.score) for it in found] == [
        ("one", "1", 3.0),
        ("two", "0", 2.0),
        ("two", "2", 0.5),
    ]


def test_series_without_a_score_are_left_out() -> None:
    """A series that is learning or missing is not in the order at all."""
    assert strangest(snapshot(one=[np.nan])) == []


def test_a_query_may_expose_no_score() -> None:
    """What is not exposed is NaN, the score too."""
    it = series_of(QueryScores("q", 0, (b"{} ",), ({"query": "q"},), {}), 0)
    assert math.isnan(it.score)


def test_a_family_that_is_not_among_the_outputs_is_nan() -> None:
    """A query that exposes no band has no expected value to show."""
    (found,) = strangest(snapshot(one=[1.0]))
    assert found.value == 0.0
    assert math.isnan(found.expected)
    assert found.labels == {"service": "0"}
