"""How a range is asked for: which times, in how many requests, and read ahead in the order of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from exporter.frame import Frame
from exporter.tsdb.numbers import Invalid, Values
from exporter.tsdb.settings import SERVER_POINTS

Answer: TypeAlias = tuple[Frame, Invalid]

READERS = 2
"""Threads of one read: the server works on a request while the answer before it is on its way."""

PROBE_POINTS = 16
"""Times asked for first when nobody knows how many series there are."""
FIRST_SHARE = 2
"""Of a long range the first request is half as large as it may be."""


@dataclass(frozen=True, slots=True)
class Span:
    """Evenly spaced Unix seconds from `start` to `end`, both included and both multiples of `step`."""

    start: int
    end: int
    step: int

    @staticmethod
    def within(start: float, end: float, step: int) -> Span:
        """The multiples of `step` in [start, end]; ValueError unless `step` is a whole number above 0."""
        if step < 1 or int(step) != step:
            raise ValueError(f"a step is a whole number of seconds, 1 or more, found {step}")
        step = int(step)
        return Span(int(-(-start // step)) * step, int(end // step) * step, step)

    def __len__(self) -> int:
        return max(0, (self.end - self.start) // self.step + 1)

    def times(self) -> NDArray[np.int64]:
        """The times themselves, shape (T,)."""
        return np.arange(self.start, self.end + 1, self.step, dtype=np.int64)

    def split(self, points: int) -> tuple[Span, Span]:
        """The first `points` times, and the rest, which may be empty."""
        middle = self.start + points * self.step
        return Span(self.start, min(self.end, middle - self.step), self.step), Span(
            middle, self.end, self.step
        )


def points_per_request(series: int, max_points: int) -> int:
    """How many times one request may cover when `series` answer it."""
    return max(1, min(SERVER_POINTS, max_points // max(1, series)))


def next_times(left: int, series: int | None, max_points: int, asked: int) -> int:
    """How many of the times `left` the next request covers, after `asked` others.

    The first is smaller, so that learning begins while the server reads on; where one is enough, it is one.
    The others are as large as they may be: VictoriaMetrics unpacks whole blocks for each.
    """
    if series is None:
        return PROBE_POINTS
    most = points_per_request(series, max_points)
    return most if asked or left <= most else -(-most // FIRST_SHARE)


def read_ahead(
    fetch: Callable[[Span], Callable[[], Answer]],
    span: Span,
    max_points: int,
    series: int | None,
    depth: int,
) -> Generator[Answer, None, None]:
    """Answers for `span` in the order of time, at most `depth` of them fetched before they are asked for.

    `fetch` runs in a thread beside; what it returns reads the answer, and that is done where it is asked for:
    parsing beside the learning gains nothing, because Python does one of them at a time, and costs the turns.
    `next_times` tells how long the requests are. With `series` None the first one is short and tells how many
    there are; an answer with more series makes the requests after it shorter.
    """
    pool = ThreadPoolExecutor(max_workers=min(READERS, depth), thread_name_prefix="range")
    pending: deque[Future[Callable[[], Answer]]] = deque()
    most, asked = series, 0
    try:
        while span or pending:
            while span and len(pending) < (depth if most is not None else 1):
                head, span = span.split(next_times(len(span), most, max_points, asked))
                pending.append(pool.submit(fetch, head))
                asked += 1
            frame, invalid = pending.popleft().result()()
            most = max(most or 0, len(frame.keys))
            yield frame, invalid
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def side_by_side(columns: Sequence[tuple[list[bytes], Values]], times: NDArray[np.int64]) -> Frame:
    """One frame of instant answers (keys, values), one for each of `times`, rows as they first appear."""
    every = dict.fromkeys(key for keys, _ in columns for key in keys)
    rows = {key: row for row, key in enumerate(every)}
    values = np.full((len(rows), len(times)), np.nan)
    for column, (keys, found) in enumerate(columns):
        values[[rows[key] for key in keys], column] = found
    return Frame(list(rows), times, values)
