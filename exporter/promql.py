"""PromQL that Tidemark writes itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from exporter.frame import labels_of

FEW = 20
"""Up to this many series are asked for by name; beyond it the whole expression is the shorter question."""


_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_READ_OTHERWISE = {"inf", "nan", "without", "by", "on", "ignoring", "group_left", "group_right", "bool"}


def only(expr: str, keys: Sequence[bytes]) -> str:
    """`expr`, kept to the series that `keys` name (all of them if there are many or they have no labels)."""
    series = [[(n, v) for n, v in labels_of(key) if n != "__name__"] for key in keys]
    names = sorted({name for labels in series for name, _ in labels})
    if not names or len(keys) > FEW or not all(map(_is_plain, names)):
        return expr
    wanted = " or ".join(_vector(labels) for labels in series)
    return f"({expr}\n) and on ({', '.join(names)}) ({wanted})"


def scores_of(query: str, labels: Mapping[str, str], others: Iterable[str], families: Sequence[str]) -> str:
    """What a TSDB that scrapes Tidemark knows of one series: an element per family, under its name.

    `others`: labels that further series of the query have and this one has not.
    """
    names = f'__name__=~"{"|".join(families)}"'
    wanted = {"query": query, **labels, **dict.fromkeys(sorted(set(others) - set(labels)), "")}
    asked = ", ".join(f"{name}={_quoted(value)}" for name, value in wanted.items())
    return f"max by (__name__) ({{{names}, {asked}}})"


def matchers(labels: Mapping[str, str]) -> str:
    """`labels` as they stand between the braces of a selector."""
    return ",".join(f"{name}={_quoted(value)}" for name, value in labels.items())


def _is_plain(name: str) -> bool:
    """Whether every server reads `name` as a label in a list of labels."""
    return bool(_NAME.fullmatch(name)) and name.lower() not in _READ_OTHERWISE


def _vector(labels: Sequence[tuple[str, str]]) -> str:
    """An instant vector of one element with exactly `labels`."""
    out = "vector(1)"
    for name, value in labels:
        # '$' would name a capture group of the (empty) regular expression
        out = f'label_replace({out}, "{name}", {_quoted(value.replace("$", "$$"))}, "", "")'
    return out


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
