"""An isolation forest, and how rare its answer is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from exporter.frame import Floats
from exporter.tail import BEYOND, BODY

TREES = 100
SAMPLE = 256
SEED = 0
_EULER = 0.5772156649015329
_SMALLEST = 1e-6


class Forest:
    """Trees that part points at random; strange points are alone soon (Liu, Ting and Zhou 2008).

    The forest's own score ends at 1 however far a point lies, so it is read as a rank among `vectors`, and
    beyond the last twentieth of them as an exponential tail. What it finds is bounded; the magnitude of a
    joint score comes from its distance.
    """

    def __init__(self, vectors: Floats) -> None:
        """Grow the trees on `vectors` (N, P), float32 without NaN; the same vectors give the same forest."""
        from sklearn.ensemble import IsolationForest  # half a second, which only groups pay

        grown = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLE, len(vectors)), random_state=SEED)
        grown.fit(vectors)
        self._trees = [(it.tree_, _path_lengths(it.tree_)) for it in grown.estimators_]
        self._usual = _average_path(min(SAMPLE, len(vectors)))
        self._ranked = np.sort(self.score(vectors))
        self._quantile = float(np.quantile(self._ranked, 1 - BEYOND))
        beyond = self._ranked[self._ranked > self._quantile] - self._quantile
        self._excess = max(float(beyond.mean()) if len(beyond) else 0.0, _SMALLEST)

    def score(self, vectors: Floats) -> Floats:
        """2^(-mean path length / usual path length), (N,): 0 to 1, about 0.5 for a usual point."""
        wanted = np.ascontiguousarray(vectors, np.float32)
        total = np.zeros(len(wanted))
        for tree, lengths in self._trees:
            total += lengths[tree.apply(wanted)]
        scores: Floats = np.exp2(total / (-len(self._trees) * self._usual))
        return scores

    def evidence(self, vectors: Floats) -> Floats:
        """-ln of the share of points that are as strange, (N,)."""
        score = self.score(vectors)
        as_strange = len(self._ranked) - np.searchsorted(self._ranked, score, "left")
        rank = -np.log((as_strange + 1) / (len(self._ranked) + 1))
        tail = BODY + (score - self._quantile) / self._excess
        evidence: Floats = np.where(score > self._quantile, tail, np.minimum(rank, BODY))
        return evidence


def _path_lengths(tree: Any) -> Floats:
    """Per node of a tree: its depth, and the average path that its points would still have."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # parents stand before their children
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    depth += [_average_path(size) for size in tree.n_node_samples.tolist()]
    return depth


def _average_path(size: int) -> float:
    """The mean length of an unsuccessful search in a binary tree of `size` points."""
    if size <= 1:
        return 0.0
    if size == 2:
        return 1.0
    return 2 * (math.log(size - 1) + _EULER) - 2 * (size - 1) / size
