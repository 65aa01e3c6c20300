"""Which service calls which: what is wrong with that, and the pairs that are exposed, with their distance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Calls: TypeAlias = Mapping[str, Sequence[str]]
"""Service -> the services that it calls."""


def pairs(calls: Calls) -> list[tuple[str, str, int]]:
    """(service, one that it depends on, how many calls away it is), in the order of the file."""
    return [
        (service, it, distance) for service in calls for it, distance in _distances(calls, service).items()
    ]


def _distances(calls: Calls, start: str) -> dict[str, int]:
    """How many calls away each service is that `start` depends on; the shortest way counts."""
    found: dict[str, int] = {}
    reached, distance = [start], 0
    while reached:
        distance += 1
        fresh = dict.fromkeys(called for it in reached for called in calls.get(it, ()) if called not in found)
        found |= dict.fromkeys(fresh, distance)
        reached = list(fresh)
    return found


def faults(calls: Calls) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(place, message) of every call that cannot be: of itself, written twice, or closing a circle."""
    closed: set[frozenset[str]] = set()
    for service, those in calls.items():
        for at, called in enumerate(those):
            place = ("dependencies", service, at)
            if called == service:
                yield place, f"no service depends on itself, found {called!r}"
            elif called in those[:at]:
                yield place, f"every service may stand once, found {called!r} again"
            elif way := _way(calls, called, service):
                if frozenset(way) not in closed:
                    yield place, f"goes round in a circle: {' -> '.join((service, *way))}"
                closed.add(frozenset(way))


def _way(calls: Calls, start: str, end: str) -> tuple[str, ...]:
    """The services on the way of calls from `start` to `end`, both included; empty if none leads there."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        fresh = [it for it in calls.get(way[-1], ()) if it not in seen]
        seen.update(fresh)
        ways += [(*way, it) for it in fresh]
    return ()
