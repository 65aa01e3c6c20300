"""How ranges are cut, and read ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.frame import Frame
from exporter.tsdb.errors import Permanent
from exporter.tsdb.ranges import (
    PROBE_POINTS,
    Answer,
    Span,
    next_times,
    points_per_request,
    read_ahead,
    side_by_side,
)


def reader(series: int, asked: list[Span]) -> Callable[[Span], Answer]:
    """Answers with frames of `series` rows, and notes what was asked."""

    def read(span: Span) -> Answer:
        asked.append(span)
        times = span.times()
        frame = Frame([b"%d" % i for i in range(series)], times, np.tile(times.astype(float), (series, 1)))
        return frame, {}

    return read


def fetched(read: Callable[[Span], Answer]) -> Callable[[Span], Callable[[], Answer]]:
    """Answers that are there as soon as they are asked for, and only have to be handed over."""

    def fetch(span: Span) -> Callable[[], Answer]:
        answer = read(span)
        return lambda: answer

    return fetch


@given(st.integers(0, 10**6), st.integers(-(10**5), 10**6), st.integers(1, 4000), st.integers(1, 300))
def test_spans_are_aligned_and_split_without_loss(start: int, length: int, step: int, points: int) -> None:
    """A span holds exactly the multiples of the step within its bounds, however it is cut."""
    span = Span.within(start, start + length, step)
    expected = list(range(-(-start // step) * step, start + length + 1, step))
    assert span.times().tolist() == expected
    assert len(span) == len(expected)
    first, rest = span.split(points)
    assert first.times().tolist() + rest.times().tolist() == expected
    assert len(first) == min(points, len(expected))


@pytest.mark.parametrize("step", [0, -60, 0.5, 1.5])
def test_steps_are_whole_seconds(step: float) -> None:
    """Other steps are refused."""
    with pytest.raises(ValueError, match="whole number of seconds"):
        Span.within(0, 10, step)  # type: ignore[arg-type]


def test_requests_stay_within_both_bounds() -> None:
    """No request asks for more points per series than servers allow, nor for more points in all than told."""
    assert points_per_request(1, 2_000_000) == 11_000
    assert points_per_request(2_000, 2_000_000) == 1_000
    assert points_per_request(10**9, 2_000_000) == 1
    assert points_per_request(0, 5) == 5


@pytest.mark.parametrize("series", [None, 40])
def test_frames_come_in_the_order_of_time(series: int | None) -> None:
    """Read by two at once, the frames still join to the whole span."""
    asked: list[Span] = []
    span = Span(0, 60 * 999, 60)
    frames = [frame for frame, _ in read_ahead(fetched(reader(40, asked)), span, 4_000, series, depth=2)]
    np.testing.assert_array_equal(np.concatenate([frame.times for frame in frames]), span.times())
    assert max(len(it) for it in asked) == 100


def test_the_first_answer_tells_how_many_series_there_are() -> None:
    """Without a number given, a short request goes first and sizes the rest."""
    asked: list[Span] = []
    list(read_ahead(fetched(reader(100, asked)), Span(0, 60 * 999, 60), 5_000, None, depth=2))
    assert len(asked[0]) == PROBE_POINTS
    assert {len(it) for it in asked[2:-1]} == {50}


@pytest.mark.parametrize(
    ("times", "lengths"),
    [(1, [1]), (100, [100]), (101, [50, 51]), (170, [50, 100, 20]), (400, [50, 100, 100, 100, 50])],
)
def test_a_long_range_begins_with_a_small_request(times: int, lengths: list[int]) -> None:
    """A half, and then as much as allowed, unless one request is enough for all."""
    asked: list[Span] = []
    list(read_ahead(fetched(reader(40, asked)), Span(60, 60 * times, 60), 4_000, 40, depth=1))
    assert [len(it) for it in asked] == lengths


@given(st.integers(1, 10**6), st.integers(1, 10**5) | st.none(), st.integers(1, 10**7), st.integers(0, 9))
def test_no_request_is_empty_or_too_large(left: int, series: int | None, most: int, asked: int) -> None:
    """However many went before, the next request covers a time, and no more of them than allowed."""
    length = next_times(left, series, most, asked)
    assert 1 <= length <= (PROBE_POINTS if series is None else points_per_request(series, most))


def test_more_series_than_told_make_later_requests_shorter() -> None:
    """What was guessed too low is corrected on the way."""
    asked: list[Span] = []
    list(read_ahead(fetched(reader(100, asked)), Span(0, 60 * 999, 60), 5_000, 10, depth=1))
    assert [len(it) for it in asked[:4]] == [250, 50, 50, 50]


def test_no_more_is_read_ahead_than_allowed() -> None:
    """While the first frame is in use, only `depth` further requests have been made."""
    asked: list[Span] = []
    third = threading.Event()

    def read(span: Span) -> Answer:
        answer = reader(1, asked)(span)
        if len(asked) == 3:
            third.set()
        return answer

    frames = read_ahead(fetched(read), Span(0, 99, 1), 10, 1, depth=2)
    next(frames)
    next(frames)
    assert third.wait(10)
    assert len(asked) <= 3
    frames.close()


def test_answers_are_read_where_they_are_used() -> None:
    """They are fetched by threads beside, but parsed by the thread that takes the frames."""
    fetching, reading = set[int](), set[int]()

    def fetch(span: Span) -> Callable[[], Answer]:
        fetching.add(threading.get_ident())

        def read() -> Answer:
            reading.add(threading.get_ident())
            return reader(1, [])(span)

        return read

    assert len(list(read_ahead(fetch, Span(0, 99, 1), 10, 1, depth=2))) == 11
    assert reading == {threading.get_ident()}
    assert not fetching & reading


def test_two_requests_at_most_are_under_way() -> None:
    """One is worked on by the server while another is on its way, however many answers may lie ready."""
    under_way, most, lock, both = 0, 0, threading.Lock(), threading.Event()

    def read(span: Span) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 2:
                both.set()
        assert both.wait(10)
        with lock:
            under_way -= 1
        return reader(1, [])(span)

    assert len(list(read_ahead(fetched(read), Span(0, 99, 1), 10, 1, depth=5))) == 11
    assert most == 2


def test_an_error_ends_the_reading() -> None:
    """The error of a request comes out where its frame would have been."""

    def read(span: Span) -> Answer:
        if span.start >= 15:
            raise Permanent("rejected", "no")
        return reader(1, [])(span)

    frames = read_ahead(fetched(read), Span(0, 99, 1), 10, 1, depth=2)
    assert [next(frames)[0].times[0], next(frames)[0].times[0]] == [0, 5]
    with pytest.raises(Permanent):
        next(frames)


def test_an_empty_span_asks_nothing() -> None:
    """A range without a multiple of the step in it gives no frame."""
    assert list(read_ahead(fetched(reader(1, [])), Span.within(61, 119, 60), 10, None, depth=2)) == []


def test_instants_side_by_side() -> None:
    """Series that come and go between instant answers get one row each, NaN where they are absent."""
    frame = side_by_side(
        [([b"a", b"b"], np.array([1.0, 2.0])), ([], np.array([])), ([b"c", b"a"], np.array([3.0, 4.0]))],
        np.array([10, 20, 30]),
    )
    assert frame.keys == [b"a", b"b", b"c"]
    nan = np.nan
    np.testing.assert_array_equal(frame.values, [[1, nan, 4], [2, nan, nan], [nan, nan, 3]])
