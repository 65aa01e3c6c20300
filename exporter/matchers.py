"""Matchers as in Alertmanager and PromQL: whole values, and a missing label is an empty one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

import numpy as np

from exporter.frame import Mask, Rows

Operator: TypeAlias = Literal["=", "!=", "=~", "!~"]
_WRITTEN = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*')


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; ValueError for a pattern that is no regular expression."""

    name: str
    operator: Operator
    value: str
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator not in get_args(Operator):
            raise ValueError(f"expected one of =, !=, =~ and !~, found {self.operator!r}")
        plain = self.operator in ("=", "!=")
        try:
            pattern = re.compile(re.escape(self.value) if plain else self.value)
        except re.error as error:
            raise ValueError(f"expected a regular expression: {error}") from None
        object.__setattr__(self, "_pattern", pattern)

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{json.dumps(self.value, ensure_ascii=False)}"

    def accepts(self, value: str) -> bool:
        """Whether a label may have this value."""
        return bool(self._pattern.fullmatch(value)) == (self.operator in ("=", "=~"))


Matchers: TypeAlias = tuple[Matcher, ...]


def parse(text: str) -> Matcher:
    """The matcher written as `name="value"`; ValueError says what was expected."""
    found = _WRITTEN.fullmatch(text)
    if not found:
        raise ValueError('expected a matcher such as severity="critical" or alertname!~"Test.*"')
    name, operator, value = found.groups()
    try:
        return Matcher(name, cast(Operator, operator), json.loads(value))
    except json.JSONDecodeError:
        raise ValueError('expected a text in double quotes, with \\ only before " and \\') from None


def patterns(match: Mapping[str, str]) -> Matchers:
    """Label name to regular expression, as the sections of the configuration have it."""
    return tuple(Matcher(name, "=~", pattern) for name, pattern in match.items())


def fits(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether one label set has all that is asked."""
    return all(it.accepts(labels.get(it.name, "")) for it in matchers)


class Selection:
    """Which of S series matchers choose; each distinct value of a label is looked at once."""

    def __init__(self, series: Sequence[Mapping[str, str]]) -> None:
        self._series = series
        self._labels: dict[str, tuple[list[str], Rows]] = {}

    def of(self, matchers: Iterable[Matcher]) -> Mask:
        """The series that all `matchers` accept, (S,)."""
        chosen = np.ones(len(self._series), bool)
        for it in matchers:
            values, codes = self._values(it.name)
            chosen &= np.array([it.accepts(value) for value in values], bool)[codes]
        return chosen

    def _values(self, name: str) -> tuple[list[str], Rows]:
        """The distinct values of a label, and the number of each series' own, (S,)."""
        if name not in self._labels:
            numbers: dict[str, int] = {}
            codes = [numbers.setdefault(labels.get(name, ""), len(numbers)) for labels in self._series]
            self._labels[name] = (list(numbers), np.array(codes, np.intp))
        return self._labels[name]
