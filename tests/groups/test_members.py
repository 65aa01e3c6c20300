"""From series to services."""

from __future__ import annotations

import numpy as np

from exporter.groups.members import Membership, tabulate


def series(*services: str) -> list[dict[str, str]]:
    """A series per name, each on an instance of its own."""
    return [{"service": it, "instance": str(i)} for i, it in enumerate(services)]


def test_of_several_series_the_strangest_speaks() -> None:
    """Where one query has several series of a service, the one farthest from 0 counts, with its sign."""
    members = Membership.of(series("a", "b", "a", "a"), ["service"])
    values = np.array([0.5, 1.0, -2.0, np.nan])
    assert dict(zip(members.keys, members.strangest(values).tolist(), strict=True)) == {
        ("a",): -2.0,
        ("b",): 1.0,
    }


def test_a_service_without_a_number_has_none() -> None:
    """Where all series of a service are missing, the member is missing."""
    members = Membership.of(series("a", "a", "b"), ["service"])
    found = members.strangest(np.array([np.nan, np.nan, 1.0]))
    assert np.isnan(found[0])
    assert found[1] == 1


def test_a_series_without_the_label_belongs_to_no_service() -> None:
    """A series that lacks one of the labels is left out."""
    labels = [{"service": "a", "zone": "x"}, {"service": "a"}, {"zone": "x"}]
    members = Membership.of(labels, ["service", "zone"])
    assert members.keys == (("a", "x"),)
    assert members.strangest(np.array([1.0, 9.0, 9.0])).tolist() == [1.0]


def test_services_of_all_queries_are_put_side_by_side() -> None:
    """A service that only one query knows is a row, too; a silent query is a column of nothing."""
    one, two = (Membership.of(series(*names), ["service"]) for names in (("a", "b"), ("c", "b")))
    table = tabulate([(one, np.array([1.0, 2.0])), None, (two, np.array([3.0, 4.0]))])
    assert table.keys == (("a",), ("b",), ("c",))
    nan = np.nan
    np.testing.assert_array_equal(table.values, [[1, nan, nan], [2, nan, 4], [nan, nan, 3]])


def test_a_past_is_put_side_by_side_over_time() -> None:
    """Values over times keep their times in front."""
    members = Membership.of(series("a", "a"), ["service"])
    table = tabulate([(members, np.array([[1.0, -2.0], [3.0, 0.0]])), None])
    assert table.values.shape == (2, 1, 2)
    assert table.values[:, 0, 0].tolist() == [-2.0, 3.0]


def test_nothing_is_nothing() -> None:
    """No series and no queries give an empty table."""
    empty = Membership.of([], ["service"])
    assert tabulate([(empty, np.zeros(0)), None]).keys == ()
    assert tabulate([None, None]).values.shape == (0, 2)
