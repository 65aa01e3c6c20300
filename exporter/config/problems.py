"""What is wrong in `tidemark.yml`, in one line each: its place, what was found, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from exporter.config.consistency import Place
from exporter.config.query import Tuning
from exporter.config.schema import Config

SECRETS = ("password", "credentials")
"""Keys whose values are never shown."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in the file: its line (0 when it has none), its path, and what to write."""

    line: int
    path: str
    message: str


class ConfigError(Exception):
    """The file cannot be used; `problems` names every reason, in the order of the file."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = sorted(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """`file:line: path: message`, one line per problem."""
        return [
            ": ".join(
                filter(None, (f"{self.source}:{it.line}" if it.line else self.source, it.path, it.message))
            )
            for it in self.problems
        ]


def problems_of(error: ValidationError, lines: Mapping[Place, int]) -> Iterator[Problem]:
    """What does not fit the schema, once each; `lines`: where each place of the file stands."""
    for it in error.errors(include_url=False):
        place: Place = it["loc"]
        written = place[:-1] if it["type"] == "missing" else place
        if written not in lines and _inherited(place):
            continue  # said once, where it stands in `scoring`
        if it["type"] == "too_short" and it["input"]:
            continue  # an echo of the entries that are wrong themselves
        if place == ("queries",) and it["type"] in ("missing", "too_short") and ("packs", 0) in lines:
            continue  # an echo of packs that are wrong themselves
        yield Problem(line_of(lines, place), dotted(place), _message(it))


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of `place`, or of the nearest section around it that stands in the file."""
    return next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), 0)


def _inherited(place: Place) -> bool:
    return (
        len(place) > 2 and place[0] == "queries" and place[2] in {*Tuning.model_fields, "categories", "drift"}
    )


_EXPECTED = {
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "model_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "tuple_type": "expected a list",
    "path_type": "expected a path",
}


def _message(it: Mapping[str, Any]) -> str:
    """One line: what was expected, and what was found where that can be shown."""
    context, found = it.get("ctx", {}), it["input"]
    match it["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known key" + _suggestion(it["loc"])
        case "value_error":
            message = str(context["error"])
        case "literal_error":
            message = f"expected {context['expected']}"
        case "too_short":
            return "expected at least one entry"
        case kind:
            message = _EXPECTED.get(kind) or it["msg"].replace("Input should be", "expected")
    shown = isinstance(found, str | int | float | list) and it["loc"][-1:] and it["loc"][-1] not in SECRETS
    return f"{message}, found {str(found)[:60]!r}" if shown and "found" not in message else message


def _suggestion(place: Place) -> str:
    known = [field.alias or name for name, field in _section(place[:-1]).items()]
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f": did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"


def _section(place: Place) -> Mapping[str, Any]:
    """The fields of the section at `place`, following the annotations of the schema."""
    model: type[BaseModel] = Config
    for part in place:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        model = next(it for it in options if isinstance(it, type) and issubclass(it, BaseModel))
    return model.model_fields


def dotted(place: Place) -> str:
    """A place as people write it: `queries[0].expr`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
