"""The packs that a file names -> queries beside its own, before either is validated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from exporter.packs import library

Place: TypeAlias = tuple[str | int, ...]
Parameters: TypeAlias = Mapping[str, str]


def faults(tree: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """(place, message) of every pack that cannot be used; what is no pack at all is left to the schema."""
    seen: list[str] = []
    for at, name, given in _named(tree):
        if told := library.unknown(name):
            yield ("packs", at), told
        elif name in seen:
            yield ("packs", at), f"every pack may stand once, found {name!r} again"
        else:
            wrong = library.pack(name).faults(given)
            yield from ((("packs", at, "parameters", key), told) for key, told in wrong)
        seen.append(name)


def unpack(tree: dict[str, Any]) -> dict[Place, Place]:
    """Append the queries of the packs, none of which may be faulty, to those of the file.

    A query of the file replaces one of the same name. Returns the place of each appended query -> that of
    its pack.
    """
    own = tree.get("queries", [])
    if not isinstance(own, list):
        return {}
    taken = [it.get("name") for it in own if isinstance(it, dict)]
    added = [
        (at, query)
        for at, name, given in _named(tree)
        for query in library.pack(name).queries(given)
        if query["name"] not in taken
    ]
    if added:
        tree["queries"] = own + [query for _, query in added]
    return {("queries", row): ("packs", at) for row, (at, _) in enumerate(added, len(own))}


def _named(tree: Mapping[str, Any]) -> Iterator[tuple[int, str, Parameters]]:
    """(index, name, parameters that are text) of every entry of `packs` that has the shape of one."""
    packs = tree.get("packs")
    for at, entry in enumerate(packs if isinstance(packs, list) else ()):
        name = entry.get("name") if isinstance(entry, dict) else entry
        given = entry.get("parameters", {}) if isinstance(entry, dict) else {}
        if isinstance(name, str) and isinstance(given, dict):
            yield at, name, {key: value for key, value in given.items() if isinstance(value, str)}
