"""All that can be said of one series, in plain values that a page or a program can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from exporter.shown.status import Band, DriftingSeries, Finding, Links, State


@dataclass(frozen=True, slots=True)
class Joint:
    """The score of the group that the series belongs to, and each query's share in it, summing to 1."""

    group: str
    score: float
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class View:
    """One way in which the model looks at a value: what it expected, and its share in the score, 0 to 1."""

    name: str
    expected: float
    share: float


@dataclass(frozen=True, slots=True)
class Held:
    """A window that holds now for the series: why, what it does, and from when to when (Unix seconds)."""

    reason: str
    effect: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is foretold for a horizon, written as a duration; values in the unit of the query."""

    horizon: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the model of the series is and knows; times in Unix seconds, NaN or empty where there is nothing.

    `false_alarms_per_week`: the promise; `category`: whose promise that is, empty where it is the query's.
    """

    model: str
    chosen: bool
    direction: str
    false_alarms_per_week: float
    category: str
    points: float
    trained_since: float
    shift_time: float
    shift_size: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """One series as it stands; `key` and `others` serve to find its past.

    `doubts`: the factors of the confidence, 1 where nothing speaks against the score.
    """

    version: str
    now: float
    links: Links
    expr: str
    step: float
    state: Literal["scored", "learning", "missing", "paused"]
    query_state: State
    time: float
    finding: Finding
    deviation: float
    knowledge: Knowledge
    confidence: float = math.nan
    doubts: Mapping[str, float] = field(default_factory=dict)
    views: Sequence[View] = ()
    joint: Sequence[Joint] = ()
    windows: Sequence[Held] = ()
    ahead: Sequence[Ahead] = ()
    seconds_to_limit: Mapping[str, float] = field(default_factory=dict)
    drift: DriftingSeries | None = None
    key: bytes = b""
    others: frozenset[str] = frozenset()


Source: TypeAlias = Literal["scores", "expression", "both", "memory"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A stretch of the past `reach` seconds long, where it is from, and what went wrong, if anything.

    `scores`: the TSDB's record of what Tidemark exposed; `expression`: the query asked anew, with the band
    that is in memory; `both`: the first where it is, else the value of the second; `memory`: neither.
    """

    reach: float
    band: Band
    source: Source
    trouble: str = ""
