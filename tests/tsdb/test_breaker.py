"""The circuit: when it opens, who may probe, and how it closes."""

from __future__ import annotations

import pytest

from exporter.tsdb.breaker import Breaker
from exporter.tsdb.errors import Retryable


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(failures=3, pause=30.0, clock=clock)
    for _ in range(3):
        breaker.enter()
        breaker.unanswered()
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    """Calls pass until the limit, then they are refused with the time of the next try."""
    breaker = opened(Clock())
    assert breaker.open
    with pytest.raises(Retryable, match="next try in 30 s") as caught:
        breaker.enter()
    assert caught.value.reason == "circuit_open"


def test_an_answer_in_between_starts_the_count_again() -> None:
    """Only failures in a row count: one slow query among good ones never opens the circuit."""
    breaker = Breaker(failures=2, pause=30.0, clock=Clock())
    for _ in range(10):
        breaker.unanswered()
        breaker.answered()
    assert not breaker.open


def test_one_call_probes() -> None:
    """After the pause exactly one call passes; the others are refused until it has come back."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 30.0
    breaker.enter()
    with pytest.raises(Retryable):
        breaker.enter()


def test_a_probe_that_is_answered_closes() -> None:
    """One answer is enough to go on."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31.0
    breaker.enter()
    breaker.answered()
    breaker.enter()
    assert not breaker.open


def test_a_probe_that_fails_starts_another_pause() -> None:
    """The pause counts from the failed probe."""
    clock = Clock()
    breaker = opened(clock)
    clock.now += 31.0
    breaker.enter()
    breaker.unanswered()
    clock.now += 29.0
    with pytest.raises(Retryable):
        breaker.enter()
    clock.now += 1.0
    breaker.enter()
