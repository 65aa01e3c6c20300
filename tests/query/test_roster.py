"""The roster: a row stays a series' own while others come and go."""

import numpy as np
import pytest

from exporter.frame import DuplicateSeries
from exporter.query.roster import Roster

A, B, C = (b'{"__name__":"up","service":"%s"}' % it for it in (b"a", b"b", b"c"))


def test_a_key_finds_its_row() -> None:
    """Known keys give their rows in the order asked, unknown ones -1."""
    roster = Roster("q", [A, B])
    assert roster.locate([B, C, A]).tolist() == [1, -1, 0]
    assert roster.locate([]).tolist() == []


def test_newcomers_are_appended() -> None:
    """Adding series moves no row that is there."""
    roster = Roster("q", [A])
    roster.add([B, C])
    assert roster.locate([A, B, C]).tolist() == [0, 1, 2]
    assert roster.rendered[2] == b'{query="q",service="c"} '


def test_a_selection_keeps_order_and_times() -> None:
    """A roster of some rows knows them, when they were seen, and no others."""
    roster = Roster("q", [A, B, C])
    roster.last_seen[:] = [10, 20, 30]
    kept = roster.selected(np.array([2, 0]))
    assert kept.locate([A, B, C]).tolist() == [1, -1, 0]
    assert kept.last_seen.tolist() == [30, 10]


def test_a_series_written_in_another_order_is_the_same() -> None:
    """The label set is the identity, not the bytes with which a server writes it."""
    roster = Roster("q", [b'{"a":"1","b":"2"}'])
    assert roster.unknown([b'{"b":"2","a":"1"}']) == []
    assert roster.locate([b'{"b":"2","a":"1"}']).tolist() == [0]


def test_series_that_differ_only_in_the_metric_name_are_refused() -> None:
    """The metric name is not exposed, so two names with the same labels would be one series."""
    roster = Roster("q")
    with pytest.raises(DuplicateSeries, match="the metric name is dropped"):
        roster.unknown([A, A.replace(b"up", b"down")])


def test_a_known_series_under_two_names_at_once_is_refused() -> None:
    """A second name for a series that is there too cannot be told from it."""
    roster = Roster("q", [A])
    with pytest.raises(DuplicateSeries):
        roster.unknown([A, A.replace(b"up", b"down")])
    with pytest.raises(DuplicateSeries):
        roster.locate([A, A])
