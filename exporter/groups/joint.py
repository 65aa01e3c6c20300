"""The fitted model of a group: vectors of residuals in, joint scores and contributions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exporter.frame import Floats, Mask
from exporter.groups.distance import Distance
from exporter.groups.forest import Forest
from exporter.groups.law import Law, learn
from exporter.groups.members import Key, Table
from exporter.query.residuals import unbounded

Method = Literal["isolation_forest", "mahalanobis"]

FOREST_WEIGHT = 1 / 8
"""A vector that the forest finds as rare as the edge of one view doubles its distance, about."""

PRICE_OF_LOOKING = 0.25
"""Of m series the strangest is m times as often beyond a level; 0.1 of score is 1.5 times (docs/score.md)."""

SAMPLES = 100_000
FEWEST_VECTORS = 96
_SMALLEST = 1e-9


class TooShort(Exception):
    """There are too few vectors of at least two members to learn from."""


@dataclass(frozen=True, slots=True)
class Joint:
    """What was learnt from the past of a group at Unix second `time`; nothing in it changes."""

    time: float
    distance: Distance
    forest: Forest | None
    law: Law
    services: dict[Key, int]

    @property
    def known(self) -> Mask:
        """Of which queries there was a past, (P,)."""
        return self.distance.known

    def members(self, vectors: Floats) -> Floats:
        """`vectors` (..., P) without the members that were never learnt."""
        return np.where(self.known, vectors, np.nan)

    def evidence(self, vectors: Floats, keys: Sequence[Key]) -> Floats:
        """-ln of how rare `vectors` (N, P) of the services `keys` are, (N,)."""
        services = np.array([self.services.get(key, -1) for key in keys], np.intp)
        return self.law.evidence(_sizes(self.distance, self.forest, vectors), services)

    def scores(self, vectors: Floats, keys: Sequence[Key], edge: float) -> Floats:
        """The joint scores of `vectors` (N, P) of the services `keys`, (N,): 1 at the `edge`.

        A service is at least as strange as its strangest member, less the price of having looked at several.
        """
        members = np.isfinite(vectors).sum(axis=1)
        strangest = np.fmax.reduce(unbounded(vectors), axis=1)
        single = strangest - PRICE_OF_LOOKING * np.log(np.maximum(members, 1))
        joint: Floats = np.fmax(self.evidence(vectors, keys) / edge, single)
        return joint

    def contributions(self, vectors: Floats) -> Floats:
        """The share of each member of `vectors`, (N, P): rows sum to 1, NaN where a member is missing."""
        shares = self._differences(vectors) if self.forest else self.distance.shares(vectors)
        there = np.isfinite(vectors)
        shares = np.where(there, np.maximum(shares, 0), 0)
        silent = shares.sum(axis=1) < _SMALLEST
        shares[silent] = np.abs(np.where(there, vectors, 0))[silent] + _SMALLEST * there[silent]
        total = np.maximum(shares.sum(axis=1, keepdims=True), _SMALLEST**2)
        return np.where(there, shares / total, np.nan)

    def _differences(self, vectors: Floats) -> Floats:
        """How much smaller each vector is with one member put to 0, (N, P)."""
        assert self.forest
        count, width = vectors.shape
        filled = np.where(np.isfinite(vectors), vectors, 0)
        zeroed = np.repeat(filled[:, None], width, axis=1)
        zeroed[:, np.arange(width), np.arange(width)] = 0
        found = self.forest.evidence(np.concatenate((filled, zeroed.reshape(-1, width))))
        whole = self.distance.of(vectors) * (1 + FOREST_WEIGHT * found[:count])
        left = self.distance.without(vectors) * (1 + FOREST_WEIGHT * found[count:].reshape(count, width))
        return whole[:, None] - left


def _sizes(distance: Distance, forest: Forest | None, vectors: Floats) -> Floats:
    """The size of each vector, (N,): its distance, which has no end, raised by the forest's find."""
    sizes = distance.of(vectors)
    if forest:
        sizes *= 1 + FOREST_WEIGHT * forest.evidence(np.where(np.isfinite(vectors), vectors, 0))
    return sizes


def fit(past: Table, method: Method, time: float) -> Joint:
    """Learn from `past`, vectors (T, K, P) of K services; TooShort where that is not enough.

    At most SAMPLES vectors are used, at evenly spaced times; the same past gives the same model.
    """
    thin = -(-past.values[..., 0].size // SAMPLES)
    values = past.values[::thin] if thin > 1 else past.values
    usable = np.isfinite(values).sum(axis=2) >= 2
    if usable.sum() < FEWEST_VECTORS:
        raise TooShort
    vectors = values[usable]
    distance = Distance(vectors)
    if distance.known.sum() < 2:
        raise TooShort
    vectors = np.where(distance.known, vectors, np.nan)
    forest = Forest(np.where(np.isfinite(vectors), vectors, 0)) if method == "isolation_forest" else None
    sizes = np.full(usable.shape, np.nan)
    sizes[usable] = _sizes(distance, forest, vectors)
    return Joint(time, distance, forest, learn(sizes), {key: at for at, key in enumerate(past.keys)})
