"""What no key of the file says wrong by itself: keys that contradict each other, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from exporter.calendars import calendar, periods
from exporter.config import dependencies
from exporter.config.schema import Config, Group

Place: TypeAlias = tuple[str | int, ...]

OWN_LABELS = ("group", "query")
"""Labels that the joint families carry themselves."""


def contradictions(config: Config) -> Iterator[tuple[Place, str]]:
    """(place, message) of everything that does not fit together."""
    known = [query.name for query in config.queries]
    names = [group.name for group in config.groups]
    for at, group in enumerate(config.groups):
        if group.name in names[:at]:
            yield ("groups", at, "name"), f"every name may stand once, found {group.name!r} again"
        yield from ((("groups", at, *place), told) for place, told in _of_group(group, known))
    yield from dependencies.faults(config.dependencies)
    yield from _of_times(config)


def _of_times(config: Config) -> Iterator[tuple[Place, str]]:
    names = {period.name for period in config.periods}
    for at, spec in enumerate(config.calendars):
        if spec.name in names:
            yield ("calendars", at, "name"), f"every name may stand once, found {spec.name!r} again"
        names.add(spec.name)
        yield from ((("calendars", at, *place), told) for place, told in calendar.faults(spec))
    yield from ((("periods",), told) for told in periods.faults(config.periods))
    for at, it in enumerate(config.exclusions):
        if (it.start.tzinfo is None) != (it.end.tzinfo is None):
            yield ("exclusions", at), "expected an offset from UTC in both of from and to, or in neither"


def _of_group(group: Group, known: Sequence[str]) -> Iterator[tuple[Place, str]]:
    if not group.by:
        yield ("by",), "expected the labels that make a service, such as [service]"
    for at, label in enumerate(group.by):
        if label in OWN_LABELS:
            yield (
                ("by", at),
                f"{label!r} is a label of the group's own families: rename it with label_replace",
            )
        if label in group.by[:at]:
            yield ("by", at), f"every label may stand once, found {label!r} again"
    if len(group.queries) < 2:
        yield ("queries",), "expected at least two queries: a joint score needs something to join"
    for at, query in enumerate(group.queries):
        if query not in known:
            yield ("queries", at), f"no query has the name {query!r}" + _suggestion(query, known)
        if query in group.queries[:at]:
            yield ("queries", at), f"every query may stand once, found {query!r} again"


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"
