"""What can go wrong between Tidemark and the TSDB: one error, in two kinds."""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "timeout",
    "unreachable",
    "http_4xx",
    "http_5xx",
    "rejected",
    "malformed",
    "partial",
    "too_large",
    "circuit_open",
    "internal",
]


class TsdbError(Exception):
    """A request that gave no usable answer.

    `reason` is a value of the label `reason` in the catalogue; the text is one line that says what happened,
    where, and what to do. It never holds a secret.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(" ".join(message.split()))
        self.reason: Reason = reason


class Retryable(TsdbError):
    """The same request may succeed later; `after` is the wait in seconds that the server asked for."""

    def __init__(self, reason: Reason, message: str, after: float | None = None) -> None:
        super().__init__(reason, message)
        self.after = after


class Permanent(TsdbError):
    """The same request will fail again until somebody changes something."""
