"""What would have happened: the same scorers over past times, and their happenings above the edge."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from exporter.frame import Floats
from exporter.models.contract import Scores
from exporter.query.record import APART
from exporter.query.scorer import Scorer
from exporter.query.sensitivity import Sensitivity
from exporter.shown.status import Band

CHUNK = 6 * 3_600
"""Seconds that are read at once; newcomers join at the end of each."""

AROUND = 40
"""Points before the highest score of a happening that a picture shows."""

WEEK = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Happening:
    """One stretch of a series above the edge, Unix seconds, told by the point with the highest score.

    Points that lie within half an hour of each other, or three steps, are one.
    """

    labels: Mapping[str, str]
    start: int
    end: int
    peak: int
    score: float
    value: float
    expected: float
    lower: float
    upper: float
    band: Band | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """One query between two Unix seconds.

    `weeks`: series-weeks with a score; `happenings`: how many there were above the edge, real incidents
    included; `promised`: false alarms that the sensitivity allows a series in a week; `worst` come first.
    """

    query: str
    start: int
    end: int
    series: int
    points: int
    weeks: float
    happenings: int
    promised: float
    worst: Sequence[Happening]

    @property
    def per_week(self) -> float:
        """Happenings per series and week; NaN where nothing was scored."""
        return self.happenings / self.weeks if self.weeks else math.nan


def backtest(
    scorer: Scorer, start: float, end: float, top: int, progress: Callable[[float], None]
) -> Backtest:
    """Learn the history before `start`, then score every point up to `end`; TsdbError where it cannot.

    The scorer must be fresh. Series that appear on the way are learnt from their own past, as live.
    """
    offset = scorer.query.offset
    scorer.advance(start + offset)
    heard = _Listener(scorer)
    scorer.listener = heard.point
    time = start
    while time < end:
        time = min(end, time + max(CHUNK, 10 * scorer.query.step))
        scorer.advance(time + offset)
        scorer.meet()
        heard.turn()
        progress((time - start) / (end - start))
    found = sorted(heard.happenings(), key=lambda it: -it.score)
    weeks = heard.points * scorer.query.step / WEEK
    promised = Sensitivity(scorer.query).per_week().get("", math.nan)
    span = (int(start), int(end))
    return Backtest(
        scorer.query.name, *span, heard.series, heard.points, weeks, len(found), promised, found[:top]
    )


@dataclass
class _Listener:
    """Collects happenings point by point; the hot loop looks only at rows above the edge."""

    scorer: Scorer
    points: int = 0
    series: int = 0
    _open: dict[bytes, Happening] = field(default_factory=dict)
    _closed: list[Happening] = field(default_factory=list)
    _rows: tuple[bytes, ...] = ()
    _past: deque[tuple[int, Floats]] = field(default_factory=lambda: deque(maxlen=AROUND))

    def point(self, time: int, values: Floats, scores: Scores) -> None:
        """Take in one point of all series."""
        judged = np.isfinite(scores.score)
        count = int(judged.sum())
        self.points += count
        self.series = max(self.series, count)
        marks = (values, scores.lower, scores.upper, scores.expected)
        self._past.append((time, np.array(marks, np.float32)))
        above = np.flatnonzero(judged & (scores.score > 1))
        for row in above.tolist():
            self._beyond(time, row, float(scores.score[row]), [float(it[row]) for it in marks])

    def turn(self) -> None:
        """From now on the rows may be others; if they are, the past of rows means nothing any more."""
        rows = tuple(self.scorer.series.roster.keys)
        if rows != self._rows:
            self._past.clear()
            self._rows = rows

    def happenings(self) -> Iterator[Happening]:
        """All of them, once the last point was heard."""
        yield from self._closed
        yield from self._open.values()

    def _beyond(self, time: int, row: int, score: float, marks: list[float]) -> None:
        key = self.scorer.series.roster.rendered[row]
        before = self._open.get(key)
        apart = max(APART, 3 * self.scorer.query.step)
        if before and time - before.end > apart:
            self._closed.append(self._open.pop(key))
            before = None
        if before and before.score >= score:
            self._open[key] = replace(before, end=time)
            return
        labels = {name: it for name, it in self.scorer.series.roster.labels[row].items() if name != "query"}
        value, lower, upper, expected = marks
        start = before.start if before else time
        told = (score, value, expected, lower, upper)
        self._open[key] = Happening(labels, start, time, time, *told, self._band(row))

    def _band(self, row: int) -> Band | None:
        if len(self._past) < 2:
            return None
        times = [float(time) for time, _ in self._past]
        value, lower, upper, expected = np.array([it[:, row] for _, it in self._past]).T.tolist()
        return Band(times, value, lower, upper, expected)
