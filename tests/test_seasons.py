"""The local clocks: day slots and hour of week, over clock changes too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pytest

from exporter.seasons import HOURS, SLOTS, LocalClock


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_slot_centres_have_no_weight_on_their_neighbour() -> None:
    """At the middle of a quarter hour its slot counts alone; at its end both neighbours count half."""
    clock = LocalClock("UTC")
    centre, border = clock.at(unix("2024-01-01T00:07:30+00:00")), clock.at(unix("2024-01-01T00:15:00+00:00"))
    assert (centre.slot, centre.weight) == (0, 0)
    assert (border.slot, border.next_slot, border.weight) == (0, 1, 0.5)


def test_midnight_lies_between_the_last_slot_and_the_first() -> None:
    """The day is a circle."""
    season = LocalClock("UTC").at(unix("2024-01-02T00:00:00+00:00"))
    assert (season.slot, season.next_slot, season.weight) == (SLOTS - 1, 0, 0.5)


def test_the_week_begins_on_monday() -> None:
    """Hour 0 is Monday 00:00 local time, the last hour Sunday 23:00."""
    clock = LocalClock("UTC")
    assert clock.at(unix("2024-01-01T00:30:00+00:00")).hour == 0
    assert clock.at(unix("2024-01-07T23:59:59+00:00")).hour == HOURS - 1


def test_half_hours_count_on_in_local_time() -> None:
    """The half hour's number grows by one each half hour, and names the half hour of the local day."""
    clock = LocalClock("Asia/Kolkata")
    first = clock.at(unix("2024-01-01T09:00:00+05:30"))
    assert first.half_hour % 48 == 18
    assert clock.at(unix("2024-01-01T09:30:00+05:30")).half_hour == first.half_hour + 1


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"]
)
def test_agrees_with_the_calendar_through_the_year(zone: str) -> None:
    """Slot and hour are those of the zone's wall clock at any time of the year."""
    clock = LocalClock(zone)
    for time in (
        np.random.default_rng(0).integers(unix("2023-01-01T00:00Z"), unix("2025-01-01T00:00Z"), 500).tolist()
    ):
        local = datetime.fromtimestamp(time, ZoneInfo(zone))
        season = clock.at(time)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        assert season.hour == local.weekday() * 24 + local.hour
        assert (season.slot + 0.5 + season.weight) * 900 % 86_400 == pytest.approx(seconds % 86_400)


@pytest.mark.parametrize(("before", "after"), [("2024-03-31T00:59:59Z", 2), ("2024-10-27T00:59:59Z", 0)])
def test_clock_changes_take_effect_at_their_second(before: str, after: int) -> None:
    """Berlin's hour of the day jumps by one, and falls back by one, at 01:00 UTC."""
    clock = LocalClock("Europe/Berlin")
    time = unix(before)
    assert (clock.at(time + 1).hour - clock.at(time).hour) == after


def test_time_may_step_back_and_jump() -> None:
    """The remembered offset never leaks into another time."""
    clock = LocalClock("Europe/Berlin")
    summer, winter = unix("2024-07-01T12:00:00Z"), unix("2024-01-01T12:00:00Z")
    hours = [clock.at(time).hour % 24 for time in (summer, winter, summer, winter)]
    assert hours == [14, 13, 14, 13]


def test_an_unknown_zone_is_an_error() -> None:
    """A zone that is not in the database is refused when the clock is made."""
    with pytest.raises(ZoneInfoNotFoundError):
        LocalClock("Mars/Olympus")


def test_utc_needs_no_offset() -> None:
    """In UTC, local time is Unix time."""
    time = unix("2024-05-05T05:05:05Z")
    assert LocalClock("UTC").at(time).half_hour == time // 1800
    assert datetime.fromtimestamp(time, UTC).hour == LocalClock("UTC").at(time).hour % 24
