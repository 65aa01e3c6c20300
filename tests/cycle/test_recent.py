"""The last hours of the bands: thinned, bounded, and found by the labels of a series."""

from __future__ import annotations

import numpy as np

from exporter.cycle.recent import APART, KEPT, Recent, Traces
from exporter.metrics.exposition import QueryScores

START = 1_700_000_000


def scores(time: int, *services: str, families: tuple[str, ...] = ("value", "lower", "upper")) -> QueryScores:
    """A query whose values are the times."""
    labels = tuple(f'{{service="{it}"}} '.encode() for it in services)
    values = {f"anomaly_{name}": np.full(len(services), float(time - START)) for name in families}
    return QueryScores("q", time, labels, (), values)


def test_moments_are_minutes_apart_and_only_so_many() -> None:
    """A point each minute leaves one moment in five minutes, and of those the newest."""
    recent = Recent()
    for minute in range(400):
        recent.take([scores(START + 60 * minute, "a")], ["q"])
    times = [it.time for it in recent.moments("q")]
    assert len(times) == KEPT
    assert set(np.diff(times)) == {APART}
    assert times[-1] > START + 60 * 400 - 2 * APART


def test_a_series_keeps_its_trace_while_others_come_and_go() -> None:
    """A trace follows the labels, not the row; before a series was there, nothing is known of it."""
    recent = Recent()
    for time, services in ((0, "a"), (300, "ba"), (600, "ba"), (900, "b")):
        recent.take([scores(START + time, *services)], ["q"])
    traces = Traces(recent.moments("q"))
    np.testing.assert_array_equal(traces.of(b'{service="a"} ')[0], [0, 300, 600, np.nan])
    np.testing.assert_array_equal(traces.of(b'{service="b"} ')[2], [np.nan, 300, 600, 900])
    assert np.isnan(traces.of(b'{service="c"} ')).all()
    assert traces.times() == [START, START + 300, START + 600, START + 900]


def test_a_query_without_a_band_has_no_moments() -> None:
    """What does not expose its band is not drawn, and what is no longer configured is let go of."""
    recent = Recent()
    recent.take([scores(START, "a", families=("value",))], ["q"])
    assert recent.moments("q") == ()
    recent.take([scores(START, "a")], ["q"])
    recent.take([], ["other"])
    assert recent.moments("q") == ()
