"""Which points of a past are taken in together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from exporter.calendars.exclusions import Treatment

MOST = 8
VALUES = 16_384
"""More points at once save little; more values do not fit into the processor's cache, and cost more."""

HALF_HOUR = 1_800


def together_at_most(series: int) -> int:
    """How many points of so many series are best taken in together."""
    return min(max(VALUES // max(series, 1), 1), MOST)


def stretches(
    times: Sequence[int], step: float, treated: Callable[[int], Treatment], most: int
) -> Iterator[tuple[slice, Treatment]]:
    """Cut `times` into stretches of at most `most` points that are `treated` alike, in their order.

    Each ends with the first point of a half hour, if it comes to that: there models draw their laws anew, and
    cannot take in two points at once.
    """
    begin = 0
    while begin < len(times):
        treatment, half_hour = treated(times[begin]), _before(times[begin], step)
        end = begin + 1
        while (
            end < min(len(times), begin + most)
            and _before(times[end], step) == half_hour
            and treated(times[end]) is treatment
        ):
            end += 1
        yield slice(begin, end), treatment
        begin = end


def _before(time: int, step: float) -> int:
    """The half hour of the point before `time`."""
    return int((time - step) // HALF_HOUR)
