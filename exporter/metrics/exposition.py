"""Snapshot -> text: the scores of one cycle, frozen and rendered once, so that a scrape only sends bytes."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from types import MappingProxyType
from typing import Protocol

import numpy as np
import orjson
from isal import igzip

from exporter.config.query import Output
from exporter.frame import Floats
from exporter.metrics.published import PUBLISHED
from exporter.models.contract import Scores

EMPTY: Mapping[str, Floats] = MappingProxyType({})
OUTPUTS: Mapping[Output, tuple[str, ...]] = {
    "score": ("anomaly_score",),
    "deviation": ("anomaly_deviation",),
    "value": ("anomaly_value",),
    "band": ("anomaly_expected", "anomaly_lower", "anomaly_upper"),
    "quality": ("anomaly_input_quality_ratio", "anomaly_input_lag_seconds"),
    "confidence": ("anomaly_confidence",),
    "shift": ("anomaly_level_shift_timestamp_seconds", "anomaly_level_shift_size"),
    "drift": (),
}
"""The families that a query exposes at each point for each output it asks for; those of drift come hourly."""


@dataclass(frozen=True, slots=True)
class QueryScores:
    """What one query exposes at Unix second `time`: S series, and per family S values, NaN where absent.

    `labels` are the series' labels as text ready for the exposition, `series` the same as mappings; `tables`
    are what is said under labels of its own, such as a forecast by horizon. `facts` are not exposed: S values
    each, for who asks about one series; `models` names those that the fact `model` numbers.
    """

    query: str
    time: int
    labels: Sequence[bytes]
    series: Sequence[Mapping[str, str]]
    families: Mapping[str, Floats]
    tables: Sequence[Table] = ()
    facts: Mapping[str, Floats] = field(default_factory=dict)
    models: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class GroupScores:
    """What one group exposes at Unix second `time`: S services and the P queries it is made of.

    `services` are their labels with `group`, `score` is (S,), `contribution` (S, P), NaN where absent.
    `labels` are those of the scores and, service by service, of the contributions, ready for the exposition.
    """

    group: str
    time: int
    queries: tuple[str, ...]
    services: Sequence[Mapping[str, str]]
    score: Floats
    contribution: Floats
    labels: tuple[Sequence[bytes], Sequence[bytes]]

    def tables(self) -> tuple[Table, Table]:
        """The two families, each with the label sets of its rows."""
        score, share = self.labels
        return Table(score, {"anomaly_group_score": self.score}), Table(
            share, {"anomaly_group_contribution": self.contribution.ravel()}
        )


class Rendered(Protocol):
    """Families of one value per label set."""

    @property
    def labels(self) -> Sequence[bytes]: ...

    @property
    def families(self) -> Mapping[str, Floats]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """Label sets as text, and per family a value for each."""

    labels: Sequence[bytes]
    families: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class DriftScores:
    """What was found of the drift of one query, or group, in the window that ended at Unix second `time`."""

    name: str
    time: int
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The outcome of one cycle; handlers read it, nobody changes it."""

    time: float
    scores: tuple[QueryScores, ...]
    text: bytes
    gzipped: bytes
    groups: tuple[GroupScores, ...] = ()
    drifts: tuple[DriftScores, ...] = ()

    @classmethod
    def of(
        cls,
        time: float,
        scores: Iterable[QueryScores],
        groups: Iterable[GroupScores] = (),
        drifts: Iterable[DriftScores] = (),
    ) -> Snapshot:
        """Freeze and render what was found at Unix second `time`."""
        kept, joint, drifting = tuple(scores), tuple(groups), tuple(drifts)
        tables = [table for one in (kept, drifting) for it in one for table in it.tables]
        tables += [table for it in joint for table in it.tables()]
        text = render((*kept, *tables))
        return cls(time, kept, text, igzip.compress(text, 1, mtime=0), joint, drifting)


def exposed_families(
    outputs: Sequence[Output],
    values: Floats,
    scores: Scores,
    beside: Mapping[str, Floats] = EMPTY,
    always: Mapping[str, Floats] = EMPTY,
) -> dict[str, Floats]:
    """The families that `outputs` ask for, NaN wherever there is no score.

    `beside`: further families by name, (S,), of which those that are asked for are taken over; `always`: the
    same, of series without a score, too.
    """
    scored = np.isfinite(scores.score)
    families = {
        "anomaly_score": np.round(scores.score, 4),
        "anomaly_deviation": np.round(scores.deviation, 4),
        "anomaly_value": values,
        "anomaly_expected": scores.expected.astype(np.float32),
        "anomaly_lower": scores.lower.astype(np.float32),
        "anomaly_upper": scores.upper.astype(np.float32),
        **beside,
    }
    asked = [name for output in outputs for name in OUTPUTS[output]]
    shown = {it: np.where(scored, families[it], np.float32(np.nan)) for it in asked if it in families}
    return shown | {name: always[name] for name in asked if name in always}


def render(scores: Sequence[Rendered]) -> bytes:
    """The text format (version 0.0.4) of all score families; an empty family is left out."""
    return b"".join(part for family in PUBLISHED for part in _family(family.name, family.help, scores))


def _family(name: str, text: str, scores: Sequence[Rendered]) -> list[bytes]:
    parts = [_samples(name.encode(), it.labels, it.families[name]) for it in scores if name in it.families]
    return [f"# HELP {name} {text}\n# TYPE {name} gauge\n".encode(), *parts] if any(parts) else []


def _samples(name: bytes, labels: Sequence[bytes], values: Floats) -> bytes:
    present = np.isfinite(values)
    if not present.any():
        return b""
    if not present.all():
        labels, values = list(compress(labels, present.tolist())), values[present]
    numbers = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    lines = map(operator.add, labels, numbers.split(b","))
    return name + (b"\n" + name).join(lines) + b"\n"
