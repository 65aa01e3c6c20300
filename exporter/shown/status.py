"""How the detector stands, in plain values that a page or a terminal can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

NEXT_STEP = {
    "timeout": "The TSDB took too long: try the expression there, narrow it, or raise tsdb.timeout.",
    "unreachable": "Check that the TSDB runs and that tsdb.url is right from this machine.",
    "http_4xx": "Check tsdb.url and its credentials, headers and tenant.",
    "http_5xx": "The TSDB is in trouble: look at its log.",
    "rejected": "Mend the expression; `tidemark check` shows what the TSDB says of it.",
    "malformed": "Something else than a TSDB answered: check tsdb.url and any proxy before it.",
    "partial": "The TSDB warned or left data out: look at its storage nodes and its log.",
    "duplicate": "Two series have the same labels: aggregate with `sum by (...)`, or drop a label less.",
    "too_large": "Narrow the expression, or raise the limits of the query.",
    "circuit_open": "Requests rest because the TSDB kept failing; they start again by themselves.",
    "internal": "This is a fault of Tidemark: please report it with the log.",
}


State: TypeAlias = Literal["learning", "scored", "stale", "empty", "paused", "failing"]

STATE_STEP: Mapping[State, str] = {
    "learning": "Scores come by themselves once the history is read and the warm-up is over.",
    "stale": "Its newest points are late: see how old the data in the TSDB is, and how long a cycle takes.",
    "empty": "The expression returns no series: try it in the TSDB, and look for a changed name or label.",
    "paused": "A calendar with score_as: no_score is in force; scores come back when it ends.",
}
"""What to do, or to wait for, while a query does not fail and gives no scores either."""

DROPPED_STEP = "More series than max_series: aggregate the expression, or raise max_series of the query."


@dataclass(frozen=True, slots=True)
class QueryStatus:
    """One query as it stands: counts of series by state, bootstrap 0 to 1, and why it fails where it does."""

    name: str
    expr: str
    state: State
    scored: int = 0
    learning: int = 0
    missing: int = 0
    paused: int = 0
    dropped: int = 0
    bootstrap_ratio: float = 1.0
    last_score_time: float | None = None
    reason: str = ""
    detail: str = ""
    model: str = ""

    @property
    def next_step(self) -> str:
        """What a person can do; empty where nothing is to be done."""
        if self.state == "failing":
            return NEXT_STEP.get(self.reason, "See the log.")
        return STATE_STEP.get(self.state) or (DROPPED_STEP if self.dropped else "")


@dataclass(frozen=True, slots=True)
class StrangeSeries:
    """One scored series of the last cycle; values in the unit of the query, NaN where there is none."""

    query: str
    labels: Mapping[str, str]
    score: float
    value: float
    expected: float
    lower: float
    upper: float

    @property
    def direction(self) -> Literal["above", "below", ""]:
        """On which side of the expected value it is; empty where that is not known."""
        if self.value > self.expected:
            return "above"
        return "below" if self.value < self.expected else ""

    @property
    def times_band(self) -> float:
        """Distance from the expected value over that of the edge on the same side; NaN where unknown."""
        edge = self.upper if self.direction == "above" else self.lower
        width = abs(edge - self.expected)
        return abs(self.value - self.expected) / width if width > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the past, oldest first: Unix seconds and values in the unit of the query, NaN for gaps."""

    times: Sequence[float]
    value: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]
    expected: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A series beyond the edge, since when (Unix seconds, NaN: not known), and its last hours."""

    series: StrangeSeries
    since: float = math.nan
    recent: Band | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """The series of one service that are beyond the edge: how many, and the strangest of them first.

    `name` is empty for series without the label `service`.
    """

    name: str
    count: int
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Strange:
    """What is beyond the edge now: the services with the strangest series, and how much there is in all.

    `nearest`: where nothing is beyond the edge, the series that come nearest to it.
    """

    services: Sequence[Service] = ()
    total_services: int = 0
    total_series: int = 0
    nearest: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class DriftingSeries:
    """A series whose drift score is 3 or more: since when, and how its values moved; NaN where unknown.

    `shift` in the unit of the query, `movement_ratio` without unit: 1 is as before.
    """

    query: str
    labels: Mapping[str, str]
    score: float
    since: float
    shift: float
    movement_ratio: float


@dataclass(frozen=True, slots=True)
class Drifting:
    """The series that drift most, and how many there are in all."""

    series: Sequence[DriftingSeries] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """Where the pages of other programs are, without a slash at the end; empty where nobody said.

    `graph`: the page that draws the expression which is appended to it.
    """

    grafana: str = ""
    prometheus: str = ""
    graph: str = ""
    runbooks: str = ""


@dataclass(frozen=True, slots=True)
class Matches:
    """The series that have some labels: how many, the strangest of them first, and the PromQL by query."""

    version: str
    now: float
    links: Links
    query: str
    labels: Mapping[str, str]
    total: int
    findings: Sequence[Finding]
    exprs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Status:
    """What the landing page shows; times in Unix seconds."""

    version: str
    revision: str
    now: float
    queries: Sequence[QueryStatus]
    strange: Strange = field(default_factory=Strange)
    drifting: Drifting = field(default_factory=Drifting)
    last_cycle_time: float | None = None
    last_cycle_seconds: float | None = None
    interval: float = math.nan
    tsdb_url: str = ""
    tsdb_up: bool = True
    config_sha256: str = ""
    config_loaded_time: float | None = None
    config_error: str = ""
    links: Links = field(default_factory=Links)
