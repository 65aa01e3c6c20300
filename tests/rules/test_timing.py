"""When the page of a service comes and goes, at the intervals people run and with groups out of step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.timeline import Pulses, page_states

START = 900
INTERVALS = [(10, 30), (15, 60), (30, 60), (60, 60)]

pytestmark = [
    pytest.mark.parametrize("late", [False, True], ids=["in step", "out of step"]),
    pytest.mark.parametrize(("interval", "step"), INTERVALS, ids=[f"{a}s/{b}s" for a, b in INTERVALS]),
]


def states(directory: Path, pulses: Pulses, interval: int, step: int, late: bool) -> list[tuple[int, str]]:
    """State changes of the page; times count from START, and so do `pulses`."""
    shifted = [(START + a, START + b) for a, b in pulses]
    end = shifted[-1][1] + 600
    found = page_states(directory, shifted, interval=interval, step=step, late=late, end=end)
    return [(time - START, state) for time, state in found]


def test_a_clear_incident_pages_within_three_minutes_and_ends_once(
    tmp_path: Path, interval: int, step: int, late: bool
) -> None:
    """Pending within a minute, firing within three, resolved within five of the end, in between no change."""
    (pending, firing, over) = states(tmp_path, [(0, 600)], interval, step, late)
    assert (pending[1], firing[1], over[1]) == ("pending", "firing", "")
    assert pending[0] <= 60
    assert firing[0] <= 180
    assert 0 < over[0] - 600 <= 300


def test_one_strange_minute_does_not_page(tmp_path: Path, interval: int, step: int, late: bool) -> None:
    """A single point beyond the edge on all signals becomes pending at most."""
    assert "firing" not in {state for _, state in states(tmp_path, [(0, 60)], interval, step, late)}


def test_rare_single_points_do_not_add_up(tmp_path: Path, interval: int, step: int, late: bool) -> None:
    """One strange minute in five is not persistent."""
    pulses = [(i * 300, i * 300 + 60) for i in range(5)]
    assert "firing" not in {state for _, state in states(tmp_path, pulses, interval, step, late)}


@pytest.mark.parametrize(("on", "off"), [(180, 60), (180, 120), (180, 180), (120, 60)])
def test_an_incident_with_pauses_is_one_page(
    tmp_path: Path, interval: int, step: int, late: bool, on: int, off: int
) -> None:
    """Pauses of up to three minutes neither resolve the page nor repeat it."""
    pulses = [(i * (on + off), i * (on + off) + on) for i in range(4)]
    fired = [state for _, state in states(tmp_path, pulses, interval, step, late) if state == "firing"]
    assert len(fired) == 1
