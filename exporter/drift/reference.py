"""The reference: what like hours were, how far they strayed, and what each test says of its own days."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exporter.drift import COMBINED, MEAN, MOVEMENT, TESTS, Test
from exporter.drift.hours import DAYS, HOURS, Past
from exporter.drift.like import WEEK, expected, median, profile
from exporter.drift.windows import LEVELS, Windows
from exporter.frame import Floats, Mask, Rows

LEAST_CHUNKS = 7
SCALE_CHUNKS = 14
FLOOR = 0.05
"""A typical residual is at least so much of the spread of all hours, or of the log movement."""

STILL = 1e-3
"""Movement below so much of the spread of all hours counts as this much."""

RESOLUTION = 0.02
"""Nothing below so much of a series' unit is told apart."""

LARGEST = 12.0
"""Residuals are clipped here: one absurd hour is no drift."""

WORST = 2.5
"""How many sds the farthest of some 25 days lies away; of 25 normal values it is 2.0, of real days more."""

WANDER = 1.25
"""The sd of a held shift is at least so many times the median day's shift: series that wander shift often."""

SILENT = 2
"""A series without a point in so many hours is not there: it has no score, however full its window is."""

CHUNK = 256
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Reference:
    """What was normal until Unix hour `end`; windows are `window` hours. Arrays have the series last.

    `learnt` (S,): Unix hour until which each series was learnt. `anchor`, `unit` (S,): what the next ones are
    relative to. `profile` (2, 168, S): mean and log movement by hour of the week (UTC). `scale` (2, S):
    typical residual. `still` (S,): log of the least movement that counts. `grid` (2, 32, S): quantiles of the
    residuals. `centre`, `sd` (tests, S): each test's statistic over the days of the reference. `days`
    (DAYS, S): the signed shift of each of them, newest last. NaN where too little is known. About 1 KB per
    series.
    """

    end: int
    window: int
    arrays: Arrays

    @classmethod
    def learn(cls, past: Past, window: int) -> Reference:
        """Learn from all of `past`."""
        size = len(past.unit)
        arrays = unknown(size) | {"anchor": past.anchor.copy(), "unit": past.unit.copy()}
        arrays["learnt"][...] = past.end
        for part in _parts(size):
            features = np.full((2, past.mean[:, part].shape[1], HOURS), np.nan, np.float32)
            features[MEAN, :, -past.span :] = past.mean[:, part].T
            features[MOVEMENT, :, -past.span :] = past.movement[:, part].T
            _learn({name: array[..., part] for name, array in arrays.items()}, features, past.end, window)
        return cls(past.end, window, arrays)

    def known(self) -> Mask:
        """Of which series it knows enough, (S,)."""
        known: Mask = np.isfinite(self.arrays["scale"][MEAN])
        return known

    def sha256(self) -> str:
        """The identity of the reference."""
        digest = hashlib.sha256(f"{self.end} {self.window}".encode())
        for name in sorted(self.arrays):
            digest.update(np.ascontiguousarray(self.arrays[name]).tobytes())
        return digest.hexdigest()

    def residuals(self, past: Past) -> Floats:
        """Residuals of the hours of `past` in typical residuals, (2, S, span), float32."""
        residual = self.differences(past)
        residual /= self.arrays["scale"][:, :, None]
        return np.clip(residual, -LARGEST, LARGEST)

    def differences(self, past: Past) -> Floats:
        """What the hours of `past` are beyond like hours, (2, S, span): in `unit`, and in log movement."""
        unit = self.arrays["unit"]
        mean = past.mean * (past.unit / unit) + (past.anchor - self.arrays["anchor"]) / unit
        movement = _lifted(past.movement + np.log(past.unit / unit), self.arrays["still"])
        at = np.arange(past.end - past.span, past.end) % WEEK
        features = np.stack([mean, movement]).astype(np.float32)
        features -= self.arrays["profile"][:, at]
        return np.ascontiguousarray(np.swapaxes(features, 1, 2))

    def scores(self, past: Past) -> dict[str, Floats]:
        """The drift score of each test for the last window of `past`, and `combined`, each (S,).

        (statistic - centre) / sd, at least 0; NaN where the reference or the window knows too little.
        """
        residual = self.residuals(past.last(self.window))
        out = np.full((len(TESTS), len(past.unit)), np.nan)
        for part in _parts(len(past.unit)):
            windows = [
                Windows.of(residual[it, part, None], self.arrays["grid"][it][:, part].T.astype(np.float32))
                for it in (MEAN, MOVEMENT)
            ]
            for row, test in enumerate(TESTS.values()):
                out[row, part] = _statistic(test, windows[test.feature])[:, 0]
        out = np.maximum((out - self.arrays["centre"]) / self.arrays["sd"], 0)
        out[:, ~np.isfinite(past.mean[-SILENT:]).any(axis=0)] = np.nan
        scores = dict(zip(TESTS, out, strict=True))
        scores["combined"] = np.fmax.reduce([scores[name] for name in COMBINED])
        return scores

    def shift(self, past: Past) -> Floats:
        """The signed median shift of the last window, (S,), in typical residuals; NaN if half is unknown."""
        residual = self.residuals(past.last(self.window))[MEAN]
        return median(residual, self.window // 2)

    def take(self, rows: Rows) -> Reference:
        """Rearranged so that new row i is old row `rows[i]`, or unknown where that is -1."""
        taken = unknown(len(rows))
        for name, array in self.arrays.items():
            taken[name][..., rows >= 0] = array[..., rows[rows >= 0]]
        return Reference(self.end, self.window, taken)


def unknown(size: int) -> Arrays:
    """The arrays of a reference that knows nothing of `size` series."""
    shapes: dict[str, tuple[type, tuple[int, ...]]] = {
        "learnt": (np.float32, ()),
        "anchor": (np.float64, ()),
        "unit": (np.float64, ()),
        "profile": (np.float16, (2, WEEK)),
        "scale": (np.float32, (2,)),
        "still": (np.float32, ()),
        "grid": (np.float16, (2, len(LEVELS))),
        "centre": (np.float32, (len(TESTS),)),
        "sd": (np.float32, (len(TESTS),)),
        "days": (np.float16, (DAYS,)),
    }
    return {name: np.full((*shape, size), np.nan, kind) for name, (kind, shape) in shapes.items()}


def _parts(size: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, size, CHUNK))


def _learn(arrays: Arrays, features: Floats, end: int, window: int) -> None:
    """Fill `arrays` of one part of the series from `features` (2, S, HOURS), oldest hour first."""
    several = np.isfinite(features[MEAN]).sum(axis=-1, keepdims=True) > 1
    spread = np.nanstd(np.where(several, features[MEAN], 0), axis=-1)
    arrays["still"][...] = np.log(STILL * spread + 1e-9)
    features[MOVEMENT] = _lifted(features[MOVEMENT].T, arrays["still"]).T
    least = np.stack([FLOOR * spread + RESOLUTION, np.full(len(spread), FLOOR)])
    for it, feature in enumerate(features):
        arrays["profile"][it] = profile(feature, end)
        residual = feature - expected(feature)
        scale = _typical(residual, window)
        arrays["scale"][it] = np.where(scale == scale, np.maximum(scale, least[it]), np.nan)
        residual /= arrays["scale"][it][:, None]
        _learn_tests(arrays, it, np.clip(residual, -LARGEST, LARGEST), window)


def _learn_tests(arrays: Arrays, feature: int, residual: Floats, window: int) -> None:
    """What each test of one feature says of the days of the reference; `residual` (S, HOURS)."""
    chunks = residual[:, residual.shape[1] % window :].reshape(len(residual), -1, window)
    grid = Windows.of(residual[:, None], residual[:, :1]).quantiles()[:, 0]
    arrays["grid"][feature] = grid.T
    shift = median(chunks, window // 2)[:, -DAYS:]
    if feature == MEAN:
        arrays["days"][-shift.shape[1] :] = shift.T
    wander = WANDER * median(np.abs(shift), LEAST_CHUNKS)
    windows = Windows.of(chunks, grid)
    for row, test in enumerate(TESTS.values()):
        if test.feature == feature:
            centre, sd = centre_and_sd(_statistic(test, windows))
            floor = np.maximum(wander, test.floor) if test.held else test.floor
            arrays["centre"][row], arrays["sd"][row] = centre, np.maximum(sd, floor)


def _statistic(test: Test, windows: Windows) -> Floats:
    """The statistic of each window, NaN where less than half of it is known."""
    known = windows.count * 2 >= windows.values.shape[-1]
    return np.where(known, test.statistic(windows), np.nan)


def _lifted(movement: Floats, still: Floats) -> Floats:
    """`movement` (hours, S) on top of the least that counts."""
    lifted: Floats = np.maximum(movement, still) + np.log1p(np.exp(-np.abs(movement - still)))
    return lifted


def _typical(residual: Floats, window: int) -> Floats:
    """The median over the last days of their mean absolute residual, (S,)."""
    size = np.abs(residual[:, residual.shape[1] % window :]).reshape(len(residual), -1, window)
    count = (size == size).sum(axis=-1)
    mean = np.where(count * 2 >= window, np.nansum(size, axis=-1) / np.maximum(count, 1), np.nan)
    enough = (mean == mean).sum(axis=-1) >= LEAST_CHUNKS
    return np.where(enough, median(mean[:, -SCALE_CHUNKS * 24 // window :]), np.nan)


def centre_and_sd(statistic: Floats) -> tuple[Floats, Floats]:
    """Centre and sd over the days of the reference, (S,): their median, and the farthest over WORST."""
    centre = median(statistic, LEAST_CHUNKS)
    stray = np.abs(statistic - centre[:, None])
    return centre, np.fmax.reduce(np.where(stray == stray, stray, 0), axis=-1) / WORST
