"""Local time of day and hour of week: the two clocks a season is kept on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from exporter.frame import Mask, Rows

SLOT = 900
SLOTS = 96
HOURS = 168
SUNDAY = 144
"""Its first hour."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Season:
    """Where one instant stands in local time.

    It lies between the centres of the day's slots `slot` and `next_slot`, `weight` (0 to 1) of the way.
    `hour`: hour of the week, from Monday 00:00. `half_hour`: half hours of local time since 1970, of which
    `half_hour % 48` is the one of the day.
    """

    slot: int
    next_slot: int
    weight: float
    hour: int
    half_hour: int
    sunday: Mask | None = None
    """Series (S,) for which it is an hour of Sunday, whatever the day."""

    def part(self, rows: Rows | slice) -> Season:
        """The same instant for only the series `rows`."""
        return self if self.sunday is None else replace(self, sunday=self.sunday[rows])

    def cells(self, size: int, rows: Rows | slice = slice(None)) -> tuple[int | Rows, Rows | slice]:
        """Where in an array by hour of the week, (HOURS, size), the `rows` stand now."""
        if self.sunday is None:
            return self.hour, rows
        hours = np.where(self.sunday, SUNDAY + self.hour % 24, self.hour)
        every = np.arange(size)[rows]
        return hours[every], every


class LocalClock:
    """Turns Unix seconds into local `Season`s; cheap while times step forward within one UTC offset."""

    def __init__(self, zone: str) -> None:
        """`zone`: an IANA name; `zoneinfo.ZoneInfoNotFoundError` when there is no such zone."""
        self._zone = ZoneInfo(zone)
        self._quarter = -1
        self._offset = 0

    def at(self, time: int, sunday: Mask | None = None) -> Season:
        """The season of Unix second `time`; `sunday` (S,): who stands in Sunday's hours."""
        local = time + self._offset_at(time)
        slot, weight = divmod(local % _DAY / SLOT - 0.5, 1.0)
        first = int(slot) % SLOTS
        # Unix day 0 was a Thursday
        hour = (local // 3600 + 72) % HOURS
        return Season(first, (first + 1) % SLOTS, weight, int(hour), int(local // 1800), sunday)

    def _offset_at(self, time: int) -> int:
        """The zone's offset from UTC in seconds; every zone of the database changes it on a quarter hour."""
        quarter = time // SLOT
        if quarter != self._quarter:
            delta = datetime.fromtimestamp(quarter * SLOT, UTC).astimezone(self._zone).utcoffset()
            self._offset = 0 if delta is None else int(delta.total_seconds())
            self._quarter = quarter
        return self._offset
