"""Reads dashboards with Grafana's own SDK, whose classes are generated from the published schema.

    PYTHONPATH=.servers/grafana-schema/10.1 python tests/grafana/schema.py grafana/dashboards/*.json

Prints a line for each field that the schema of that version does not know, and each value that it does not
allow. A program of its own, because each version of the SDK is a package of the same name.
"""

from __future__ import annotations

import enum
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

OF_PROMETHEUS = {"step", "textFormat", "titleFormat"}
"""Fields of an annotation that the Prometheus data source reads, and the schema of dashboards leaves out."""


def findings(dashboard: dict[str, Any]) -> Iterator[str]:
    """What the schema says against `dashboard`."""
    read = Dashboard.from_json(dashboard)
    yield from _lost(dashboard, _written(read), "$")
    yield from _wrong(read, "$")


def _written(read: Any) -> Any:
    return json.loads(json.dumps(read, cls=JSONEncoder))


def _lost(before: Any, after: Any, at: str) -> Iterator[str]:
    """What is no longer there once the SDK has read and written it: fields that it does not know."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from _lost(value, after[name], f"{at}.{name}")
            elif not (at.startswith("$.annotations.list") and name in OF_PROMETHEUS):
                yield f"{at}.{name}: unknown"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _lost(one, other, f"{at}[{place}]")
    elif before != after:
        yield f"{at}: {before!r} is read as {after!r}"


def _wrong(read: Any, at: str) -> Iterator[str]:
    """Values that are of another type, or none of the listed ones, at any depth."""
    if isinstance(read, list):
        for place, it in enumerate(read):
            yield from _wrong(it, f"{at}[{place}]")
    elif isinstance(read, dict):
        for name, it in read.items():
            yield from _wrong(it, f"{at}.{name}")
    elif type(read).__module__.startswith("grafana_foundation_sdk") and not isinstance(read, enum.Enum):
        for name, hint in typing.get_type_hints(type(read)).items():
            value = getattr(read, name)
            if not _fits(value, hint):
                yield f"{at}.{name}: {value!r} is no {hint}"
            yield from _wrong(value, f"{at}.{name}")


def _fits(value: Any, hint: Any) -> bool:
    kind, of = typing.get_origin(hint), typing.get_args(hint)
    if kind in (typing.Union, types.UnionType):
        return any(_fits(value, it) for it in of)
    if kind is list:
        return isinstance(value, list) and all(_fits(it, of[0]) for it in value)
    if kind is dict:
        return isinstance(value, dict) and all(_fits(it, of[1]) for it in value.values())
    if kind is typing.Literal:
        return value in of
    return hint is Any or _is(value, hint)


def _is(value: Any, wanted: type) -> bool:
    """Whether `value` is a `wanted`; the SDK leaves some objects and all listed values as they were read."""
    if wanted in (int, float) and not isinstance(value, bool):
        return isinstance(value, int | wanted)
    if issubclass(wanted, enum.Enum):
        return value in [it.value for it in wanted]
    if isinstance(value, dict) and hasattr(wanted, "from_json"):
        read = wanted.from_json(value)
        return not [*_lost(value, _written(read), "$"), *_wrong(read, "$")]
    return isinstance(value, wanted)


if __name__ == "__main__":
    register_default_plugins()
    for path in map(Path, sys.argv[1:]):
        for finding in findings(json.loads(path.read_text(encoding="utf-8"))):
            print(f"{path.name} {finding}")
