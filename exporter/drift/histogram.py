"""Drift of histograms: how a window's observations fall into buckets, against the days of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.drift.hours import Past
from exporter.drift.jensen_shannon import distance
from exporter.drift.reference import LEAST_CHUNKS, SILENT, centre_and_sd
from exporter.frame import Floats, Mask, Rows
from exporter.metrics.labels import render_labels

BOUND = "le"
TESTS = ("jensen_shannon", "wasserstein")
FLOORS = (0.02, 0.02)
"""The least sd that counts, in each test's own unit: one part in fifty."""


@dataclass(frozen=True, slots=True)
class Histograms:
    """H histograms of the same B bounds: their labels without `le`, their series by rising bound (H, B)."""

    labels: list[dict[str, str]]
    bounds: Floats
    rows: Rows

    @classmethod
    def find(cls, series: Sequence[Mapping[str, str]]) -> list[Histograms]:
        """The histograms that `series` are the buckets of; nothing where a series has no `le`."""
        parts: dict[bytes, list[tuple[float, int]]] = {}
        labels: dict[bytes, dict[str, str]] = {}
        for row, it in enumerate(series):
            bound = _number(it.get(BOUND, ""))
            if bound is not None:
                rest = {name: value for name, value in it.items() if name != BOUND}
                key = render_labels(rest)
                labels[key] = rest
                parts.setdefault(key, []).append((bound, row))
        alike: dict[tuple[float, ...], list[bytes]] = {}
        for key, found in parts.items():
            found.sort()
            alike.setdefault(tuple(bound for bound, _ in found), []).append(key)
        return [
            cls([labels[it] for it in keys], np.array(bounds), _rows([parts[it] for it in keys]))
            for bounds, keys in alike.items()
            if len(bounds) > 1
        ]

    def shares(self, past: Past, window: int) -> Floats:
        """The share of each bucket in every window of `past`, (H, C, B), newest last; NaN where unknown.

        Prometheus' buckets are cumulative: the rate of a bound is that of all observations below it.
        """
        taken = past.take(self.rows.ravel())
        rates = taken.mean.astype(np.float64) * taken.unit + taken.anchor
        rates = rates[len(rates) % window :].reshape(-1, window, *self.rows.shape)
        known: Mask = np.asarray(np.isfinite(rates).all(axis=3))
        total = np.where(known[..., None], rates, 0).sum(axis=1)
        total[known.sum(axis=1) * 2 < window] = np.nan
        counts = np.maximum(np.diff(total, axis=-1, prepend=0), 0)
        whole = counts.sum(axis=-1, keepdims=True)
        shares: Floats = np.swapaxes(counts / np.where(whole > 0, whole, np.nan), 0, 1)
        return shares

    def scores(self, past: Past, window: int) -> dict[str, Floats]:
        """The drift score of each of TESTS for the last window, (H,): beyond what the days before it say."""
        shares = self.shares(past, window)
        reference, recent = shares[:, :-2], shares[:, -1:]
        enough = np.isfinite(reference[..., 0]).sum(axis=1) >= LEAST_CHUNKS
        usual = np.full((len(shares), 1, len(self.bounds)), np.nan)
        if enough.any():
            usual[enough, 0] = np.nanmean(reference[enough], axis=1)
        out = {}
        for name, measure, floor in zip(TESTS, (distance, self._moved), FLOORS, strict=True):
            centre, sd = centre_and_sd(measure(reference, usual))
            out[name] = np.maximum((measure(recent, usual)[:, 0] - centre) / np.maximum(sd, floor), 0)
        out["combined"] = np.fmax.reduce(list(out.values()))
        gone = ~np.isfinite(past.mean[-SILENT:, self.rows]).any(axis=(0, 2))
        return {name: np.where(gone, np.nan, score) for name, score in out.items()}

    def _moved(self, one: Floats, other: Floats) -> Floats:
        """Wasserstein distance over the buckets' places, as a share of all of them, (H, C)."""
        moved: Floats = np.abs(np.cumsum(one - other, axis=-1)).sum(axis=-1) / (len(self.bounds) - 1)
        return moved


def _number(bound: str) -> float | None:
    try:
        return float(bound)
    except ValueError:
        return None


def _rows(found: Sequence[Sequence[tuple[float, int]]]) -> Rows:
    return np.array([[row for _, row in it] for it in found], np.intp)
