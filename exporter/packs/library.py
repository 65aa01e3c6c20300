"""The packs that are shipped: queries whose names of metrics and labels a configuration may choose."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

_HERE = Path(__file__).parent
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A name that a pack leaves open: of a `metric` or a `label`, or a `pattern` of label values."""

    kind: str
    default: str

    def fault(self, value: str) -> str | None:
        """What is wrong with `value`; nothing if it can be put into the expressions."""
        if self.kind == "pattern":
            return _fault_of_pattern(value)
        form = _METRIC if self.kind == "metric" else _LABEL
        return None if form.fullmatch(value) else f"expected the name of a {self.kind}"

    def written(self, value: str) -> str:
        """`value` as it stands in an expression: a pattern stands within double quotes."""
        return json.dumps(value, ensure_ascii=False)[1:-1] if self.kind == "pattern" else value


@dataclass(frozen=True, slots=True)
class Pack:
    """A ready set of queries, and what it leaves open; `$name` in its texts is a parameter.

    `others` are metrics that not every source of this kind has, and those that only its rules read.
    """

    about: str
    parameters: Mapping[str, Parameter]
    templates: Sequence[str]
    entries: Sequence[Mapping[str, Any]]
    others: Sequence[str] = ()

    @property
    def subject(self) -> str:
        """The label that tells its series apart: its first parameter that is a label, else instance."""
        return next((it.default for it in self.parameters.values() if it.kind == "label"), "instance")

    def faults(self, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(parameter, message) of everything that is wrong with the parameters `given`."""
        for name, value in given.items():
            if name not in self.parameters:
                yield name, "is not a parameter of the pack" + _suggestion(name, list(self.parameters))
            elif fault := self.parameters[name].fault(value):
                yield name, f"{fault}, found {value!r}"

    def metrics(self, given: Mapping[str, str]) -> list[str]:
        """The metrics that the queries need, as `given` names them."""
        return [Template(it).substitute(self._names(given)) for it in self.templates]

    def further(self, given: Mapping[str, str]) -> list[str]:
        """The `others`, as `given` names them."""
        return [Template(it).substitute(self._names(given)) for it in self.others]

    def queries(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        """The queries as they would stand in `tidemark.yml`."""
        names = self._names(given)
        return [_filled(it, names) for it in self.entries]

    def _names(self, given: Mapping[str, str]) -> dict[str, str]:
        return {name: it.written(given.get(name, it.default)) for name, it in self.parameters.items()}


def names() -> list[str]:
    """The packs that there are."""
    return sorted(path.stem for path in _HERE.glob("*.yml"))


@cache
def pack(name: str) -> Pack:
    """The pack of that name, which must be one of `names()`."""
    content = yaml.safe_load((_HERE / f"{name}.yml").read_text(encoding="utf-8"))
    parameters = {key: Parameter(**it) for key, it in content["parameters"].items()}
    others = content.get("others", ())
    return Pack(content["about"], parameters, content["metrics"], content["queries"], others)


def unknown(name: str) -> str | None:
    """What to say of a pack that does not exist; nothing of one that does."""
    return None if name in names() else f"no pack has the name {name!r}; there are: {', '.join(names())}"


def _filled(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A query with its parameters in place: they stand in its expression, and in the labels of its peers."""
    peers = [Template(it).substitute(names) for it in entry.get("peers_by", ())]
    filled = {**entry, "expr": Template(entry["expr"]).substitute(names)}
    return filled | ({"peers_by": peers} if peers else {})


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f": did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"


def _fault_of_pattern(value: str) -> str | None:
    try:
        re.compile(value)
    except re.error as error:
        return f"expected a regular expression: {error}"
    return None
