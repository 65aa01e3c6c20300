"""The last day and week of one series, read when somebody looks, within slots and limits of its own."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from exporter.frame import Floats, Frame, labels_of
from exporter.promql import only, scores_of
from exporter.shown.portrait import Picture, Portrait
from exporter.shown.status import Band
from exporter.tsdb.client import Client
from exporter.tsdb.errors import TsdbError

REACHES = (86_400, 7 * 86_400)
POINTS = 720
"""At most so many points are asked for, of each of the four families."""

SLOTS = 2
PATIENCE = 2.0
ENOUGH = 0.9
"""With this share of the points scraped, the expression is not asked as well."""

FAMILIES = ("anomaly_value", "anomaly_lower", "anomaly_upper", "anomaly_expected")


class Past:
    """Reads with `client`, which is for this alone: what the cycle asks never waits for a reader of pages."""

    def __init__(self, client: Client, patience: float = PATIENCE) -> None:
        """`patience`: seconds that a reader waits for one of the slots; then what is in memory must do."""
        self._client, self._patience = client, patience
        self._slots = threading.BoundedSemaphore(SLOTS)

    def close(self) -> None:
        """Close the client once nobody reads with it, or after a while; later readers get the memory."""
        for _ in range(SLOTS):
            self._slots.acquire(timeout=10)
        self._client.close()

    def pictures(self, of: Portrait) -> list[Picture]:
        """The day and the week; after a first failure the TSDB is not asked again."""
        if not self._slots.acquire(timeout=self._patience):
            return [_remembered(of, reach, "others are reading; try again") for reach in REACHES]
        try:
            return list(self._read(of))
        finally:
            self._slots.release()

    def _read(self, of: Portrait) -> Iterator[Picture]:
        trouble = ""
        for reach in REACHES:
            if not trouble:
                try:
                    yield self._picture(of, reach)
                    continue
                except TsdbError as error:
                    trouble = str(error)
            yield _remembered(of, reach, trouble)

    def _picture(self, of: Portrait, reach: int) -> Picture:
        """From the scores that the TSDB has scraped, and where there are none, from the expression."""
        scraped = self._scraped(of, reach)
        if scraped and _coverage(scraped.value) >= ENOUGH:
            return Picture(reach, _up_to_now(scraped, of), "scores")
        asked = self._anew(of, reach)
        if scraped and asked:
            return Picture(reach, _up_to_now(_filled(scraped, asked), of), "both")
        if scraped:
            return Picture(reach, _up_to_now(scraped, of), "scores")
        if asked:
            return Picture(reach, _up_to_now(asked, of), "expression")
        return _remembered(of, reach, "")

    def _scraped(self, of: Portrait, reach: int) -> Band | None:
        """What Tidemark exposed; None where the TSDB has nothing of it."""
        series = of.finding.series
        expr = scores_of(series.query, series.labels, of.others, FAMILIES)
        times, found = self._asked(expr, of, reach)
        rows = {dict(labels_of(key)).get("__name__", ""): values.tolist() for key, values in found.items()}
        missing = [math.nan] * len(times)
        bands = [rows.get(name, missing) for name in FAMILIES]
        return Band(times, *bands) if _coverage(bands[0]) else None

    def _anew(self, of: Portrait, reach: int) -> Band | None:
        """The query's own expression, with the band that is in memory; None where it has no value."""
        times, found = self._asked(only(of.expr, [of.key]), of, reach)
        values = found.get(of.key)
        if values is None or not np.isfinite(values).any():
            return None
        return _beside(times, values, of)

    def _asked(self, expr: str, of: Portrait, reach: int) -> tuple[list[int], dict[bytes, Floats]]:
        step = step_of(of, reach)
        end = int(of.now // step) * step
        frames = list(self._client.range(expr, end - reach, end, step, len(FAMILIES)))
        return [time for it in frames for time in it.times.tolist()], _joined(frames)


def step_of(of: Portrait, reach: int) -> int:
    """Seconds between the points of a picture: whole minutes, and never less than the query's own step."""
    return max(int(of.step), -(-reach // POINTS // 60) * 60)


def _joined(frames: Sequence[Frame]) -> dict[bytes, Floats]:
    """Each series over the times of all frames, NaN where a frame has it not."""
    ends = np.cumsum([0, *(len(it.times) for it in frames)]).tolist()
    out: dict[bytes, Floats] = {}
    for number, it in enumerate(frames):
        for row, key in enumerate(it.keys):
            values = out.setdefault(key, np.full(ends[-1], np.nan))
            values[ends[number] : ends[number + 1]] = it.values[row]
    return out


def _coverage(values: Sequence[float]) -> float:
    """The share of the values that are there."""
    return sum(map(math.isfinite, values)) / max(1, len(values))


def _filled(scraped: Band, asked: Band) -> Band:
    """What was exposed, and at times without it the value alone; both have the same times."""
    pairs = zip(scraped.value, asked.value, strict=True)
    value = [one if math.isfinite(one) else other for one, other in pairs]
    return replace(scraped, value=value)


def _up_to_now(band: Band, of: Portrait) -> Band:
    """With the point that the score is of, where it is newer than the last one."""
    if not of.time > band.times[-1]:
        return band
    now = of.finding.series
    return Band(
        [*band.times, of.time],
        [*band.value, now.value],
        [*band.lower, now.lower],
        [*band.upper, now.upper],
        [*band.expected, now.expected] if band.expected else (),
    )


def _beside(times: Sequence[int], values: Floats, of: Portrait) -> Band:
    """The values with the band that is in memory, each of its moments at the next time that was asked for."""
    lower, upper = np.full(len(times), np.nan), np.full(len(times), np.nan)
    recent = of.finding.recent
    if recent:
        at = np.searchsorted(times, recent.times)
        for row, low, high in zip(at.tolist(), recent.lower, recent.upper, strict=True):
            if row < len(times):
                lower[row], upper[row] = low, high
        for edge in (lower, upper):
            _bridge(edge)
    return Band(times, values.tolist(), lower.tolist(), upper.tolist())


def _bridge(edge: Floats) -> None:
    """Fill what lies between the first and the last value that is known."""
    known = np.flatnonzero(np.isfinite(edge))
    if len(known):
        between = np.arange(known[0], known[-1] + 1)
        edge[between] = np.interp(between, known, edge[known])


def _remembered(of: Portrait, reach: int, trouble: str) -> Picture:
    nothing = Band((), (), (), ())
    return Picture(reach, of.finding.recent or nothing, "memory", trouble)
