"""Exclusions: who is hidden, who does not teach, who has Sunday, at any time, and at little cost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exporter.calendars.exclusions import Exclusions
from exporter.calendars.windows import REASONS, Agenda, Window, Windows
from exporter.matchers import fits, patterns

SERIES = [{"query": "rate", "service": name} for name in ("a", "b", "c")]
NOW = 1_700_000_000


def window(start: int, end: int, service: str, reason: str = "silence", effect: str = "no_learn") -> Window:
    """A window around NOW for the services of a pattern."""
    return Window(NOW + start, NOW + end, patterns({"service": service}), reason, effect)  # type: ignore[arg-type]


def exclusions(*found: Window) -> Exclusions:
    """Over three services."""
    return Exclusions(Windows(Agenda(configured=found)), SERIES)


def test_without_a_window_everybody_teaches() -> None:
    """Nobody is hidden, nobody has Sunday, and no reason is given."""
    taken = exclusions().at(NOW)
    assert taken.learn.all()
    assert (taken.hidden, taken.sunday, dict(taken.reasons)) == (None, None, {})


def test_each_effect_touches_those_it_is_about() -> None:
    """No score implies no learning; a Sunday is learnt from."""
    it = exclusions(
        window(0, 10, "a"), window(0, 10, "b", effect="no_score"), window(0, 10, "c", "calendar", "sunday")
    )
    taken = it.at(NOW + 5)
    assert taken.learn.tolist() == [False, False, True]
    assert taken.hidden is not None
    assert taken.hidden.tolist() == [False, True, False]
    assert taken.sunday is not None
    assert taken.sunday.tolist() == [False, False, True]


def test_a_point_is_counted_under_one_reason() -> None:
    """Where windows overlap, the first reason in the order of REASONS counts."""
    taken = exclusions(window(0, 10, "a|b", "alert"), window(0, 10, "b|c", "exclusion")).at(NOW)
    assert {reason: mask.tolist() for reason, mask in taken.reasons.items()} == {
        "exclusion": [False, True, True],
        "alert": [True, False, False],
    }


def test_a_window_has_its_begin_but_not_its_end() -> None:
    """Windows that follow each other share no point."""
    it = exclusions(window(10, 20, "a"))
    assert [bool(it.at(NOW + second).learn[0]) for second in (9, 10, 19, 20)] == [True, False, False, True]


def test_what_becomes_known_counts_from_the_next_point() -> None:
    """A swapped agenda is seen at once."""
    windows = Windows()
    it = Exclusions(windows, SERIES)
    assert it.at(NOW).learn.all()
    windows.agenda = Agenda(heard=(window(0, 100, "a"),))
    assert it.at(NOW + 1).learn.tolist() == [False, True, True]


def test_between_two_edges_the_same_answer_is_given() -> None:
    """Nothing is worked out anew while no window begins or ends."""
    it = exclusions(window(0, 3_600, "a"))
    assert it.at(NOW) is it.at(NOW + 3_599)
    assert it.at(NOW + 3_600) is it.at(NOW + 3_601)


spans = st.tuples(st.integers(-2_000_000, 2_000_000), st.integers(1, 1_500_000))
chosen = st.tuples(spans, st.sampled_from(["a", "a|b", ".*", "d"]), st.sampled_from(REASONS))


@given(st.lists(chosen, max_size=6), st.lists(st.integers(-2_500_000, 2_500_000), min_size=1, max_size=20))
def test_any_windows_at_any_times_are_as_one_by_one(
    given_: list[tuple[tuple[int, int], str, str]], times: list[int]
) -> None:
    """Over weeks, jumps and steps back, the masks are what asking each window would give."""
    found = [window(start, start + length, pattern, why) for (start, length), pattern, why in given_]
    it = exclusions(*found)
    for time in times:
        out = [
            any(one.holds(NOW + time) and fits(one.matchers, labels) for one in found) for labels in SERIES
        ]
        taken = it.at(NOW + time)
        assert np.array_equal(taken.learn, ~np.array(out))
        assert sum(mask.sum() for mask in taken.reasons.values()) == sum(out)
