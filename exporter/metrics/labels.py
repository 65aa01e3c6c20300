"""Labels of series as the text format has them: which, how they are written, read back, and added to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from exporter.frame import DuplicateSeries, Labels, Mask, Rows

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_]")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', re.DOTALL)


def exposed_labels(labels: Labels, query: str) -> dict[str, str]:
    """The labels a series is exposed with: its own, without the metric name, and `query`.

    A source label called `query` becomes `exported_query`; characters that the text format cannot carry
    in a name become `_`. DuplicateSeries when two labels end up with one name.
    """
    out = {"query": query}
    for name, value in labels:
        if name == "__name__" or not value:
            continue
        exposed = "exported_query" if name == "query" else _ILLEGAL.sub("_", name)
        exposed = f"_{exposed}" if exposed[:1].isdigit() else exposed
        if exposed in out:
            raise DuplicateSeries(f"two labels of one series would both be exposed as {exposed!r}")
        out[exposed] = value
    return out


def render_labels(labels: Mapping[str, str]) -> bytes:
    """`{a="b",c="d"} ` with the escapes of the text format, ready to be put before a value."""
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}} ".encode()


def read_labels(rendered: bytes) -> dict[str, str]:
    """The labels that `render_labels` made `rendered` of."""
    return {name: _plain(value) for name, value in _PAIR.findall(rendered.decode())}


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


def with_choice(
    labels: Sequence[bytes], name: str, values: Sequence[str], chosen: Rows, shown: Mask
) -> list[bytes]:
    """The `labels` of the series in `shown` (S,), each with the label `name` of its number in `chosen`."""
    ends, named = [_end(name, value) for value in values], name.encode()
    rows = np.flatnonzero(shown)
    pairs = zip(rows.tolist(), chosen[rows].tolist(), strict=True)
    return [_without(labels[row], named)[:-2] + ends[number] for row, number in pairs]


def with_label(labels: Sequence[bytes], name: str, value: str) -> list[bytes]:
    """The rendered `labels` of some series, each with one label more."""
    end, named = _end(name, value), name.encode()
    return [_without(it, named)[:-2] + end for it in labels]


def _end(name: str, value: str) -> bytes:
    return f',{name}="{value.translate(_ESCAPES)}"}} '.encode()


def _without(labels: bytes, name: bytes) -> bytes:
    """A source label called `name` makes way, as `exported_name`."""
    if name + b'="' not in labels:
        return labels
    renamed = b"exported_" + name
    while renamed + b'="' in labels:
        renamed = b"exported_" + renamed
    return re.sub(rb"([{,])" + name + rb'="', rb"\g<1>" + renamed + b'="', labels)
