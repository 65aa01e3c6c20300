"""Seeded history that is back-filled into the real servers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

STEP = 60
POINTS = 720
SERVICES = ("api", "cart", 'quote " and \\ slash', "new\nline", "ünïcode <&>", '}],{"metric":{"a"]]},')


@dataclass(frozen=True)
class History:
    """`load{service=...}`, one row of `values` (S, T) per service; NaN where there is no sample."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def start(self) -> int:
        """The first time, Unix seconds."""
        return int(self.times[0])

    @property
    def end(self) -> int:
        """The last time, Unix seconds."""
        return int(self.times[-1])

    def samples(self) -> Iterator[tuple[str, list[int], list[float]]]:
        """Service, times and values of each series, without the gaps."""
        for service, row in zip(SERVICES, self.values, strict=True):
            there = ~np.isnan(row)
            yield service, self.times[there].tolist(), row[there].tolist()

    def json_lines(self) -> list[bytes]:
        """The series as VictoriaMetrics imports them."""
        return [
            json.dumps(
                {
                    "metric": {"__name__": "load", "service": service},
                    "timestamps": [time * 1000 for time in times],
                    "values": values,
                }
            ).encode()
            for service, times, values in self.samples()
        ]

    def write_openmetrics(self, path: Path) -> Path:
        """The series as promtool makes blocks of them."""
        with path.open("w", encoding="utf-8") as file:
            file.write("# TYPE load gauge\n")
            for service, times, values in self.samples():
                escaped = service.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
                file.writelines(
                    f'load{{service="{escaped}"}} {value} {at}\n'
                    for at, value in zip(times, values, strict=True)
                )
            file.write("# EOF\n")
        return path


def recent_history(seed: int = 7) -> History:
    """Twelve hours of minutes that ended an hour ago; the second series has two hours without samples."""
    end = int(time.time()) // 3600 * 3600 - 3600
    times = np.arange(end - (POINTS - 1) * STEP, end + 1, STEP, dtype=np.int64)
    values = np.random.default_rng(seed).normal(100, 10, (len(SERVICES), POINTS)).round(3)
    values[1, 200:320] = np.nan
    return History(times, values)
