"""Who calls whom: the pairs that are exposed, and what cannot be."""

from __future__ import annotations

import pytest

from exporter.config.dependencies import Calls, faults, pairs


def test_each_call_is_a_pair() -> None:
    """A service that calls two others gives two pairs, and one more for each that those call."""
    calls = {"checkout": ("payments", "cart"), "cart": ("stock",)}
    assert pairs(calls) == [
        ("checkout", "payments", 1),
        ("checkout", "cart", 1),
        ("checkout", "stock", 2),
        ("cart", "stock", 1),
    ]
    assert not list(faults(calls))


def test_the_shortest_way_counts() -> None:
    """A service that is called both ways is as near as its direct call."""
    assert pairs({"a": ("b", "c"), "b": ("c",)}) == [("a", "b", 1), ("a", "c", 1), ("b", "c", 1)]


def test_two_ways_to_one_service_are_no_circle() -> None:
    """Many services share one below them."""
    assert not list(faults({"a": ("b", "c"), "b": ("d",), "c": ("d",)}))


@pytest.mark.parametrize(
    ("calls", "place", "told"),
    [
        ({"a": ("a",)}, ("a", 0), "no service depends on itself, found 'a'"),
        ({"a": ("b", "b")}, ("a", 1), "every service may stand once, found 'b' again"),
        ({"a": ("b",), "b": ("a",)}, ("a", 0), "goes round in a circle: a -> b -> a"),
        ({"x": ("a",), "a": ("b",), "b": ("a",)}, ("a", 0), "goes round in a circle: a -> b -> a"),
        (
            {"x": ("a",), "a": ("b",), "b": ("c",), "c": ("a",)},
            ("a", 0),
            "goes round in a circle: a -> b -> c -> a",
        ),
    ],
)
def test_a_call_that_cannot_be_is_told_once(calls: Calls, place: tuple[str, int], told: str) -> None:
    """The first entry of a circle, and each entry that is wrong by itself, has its place."""
    assert list(faults(calls)) == [(("dependencies", *place), told)]
