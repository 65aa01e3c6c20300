"""How the detector stands, in plain values that a page or a terminal can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class QueryStatus:
    """One query as it stands: counts of series by state, bootstrap 0 to 1, and why it fails where it does."""

    name: str
    expr: str
    state: Literal["learning", "scored", "failing"]
    scored: int = 0
    learning: int = 0
    missing: int = 0
    paused: int = 0
    dropped: int = 0
    bootstrap_ratio: float = 1.0
    last_score_time: float | None = None
    reason: str = ""
    detail: str = ""


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


@dataclass(frozen=True, slots=True)
class Status:
    """What the page shows; times in Unix seconds, `strange` in any order."""

    version: str
    revision: str
    now: float
    queries: Sequence[QueryStatus]
    strange: Sequence[StrangeSeries]
    last_cycle_time: float | None = None
    last_cycle_seconds: float | None = None
    tsdb_url: str = ""
    tsdb_up: bool = True
    config_sha256: str = ""
    config_loaded_time: float | None = None
    config_error: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
