"""How far a vector of residuals lies from 0, given how its members move together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exporter.frame import Floats, Mask, Rows

SHRINKAGE = 0.5
"""The covariance goes half the way to equal, unrelated members: relations are learnt, never relied on."""

TRIMMED = 0.9
"""The share of vectors, those nearest to 0, that a covariance is learnt from."""

FEWEST = 48
_SMALLEST_VARIANCE = 0.0025
_NORMAL_95 = 1.6448536269514722


class Distance:
    """A robust Mahalanobis distance: trimmed (Rousseeuw 1985) and shrunk (Ledoit and Wolf 2004).

    D² = xᵀ C⁻¹ x has the law of a squared distance in as many dimensions as there are members: `of` gives D
    over the root of the 95 % quantile of chi-square. Where a member is missing, C is that of the others
    alone, so that distances of 3 and of 6 members mean the same.
    """

    def __init__(self, vectors: Floats) -> None:
        """Learn the covariance of `vectors` (N, P), NaN where a member is missing."""
        size = np.sqrt(np.nanmean(np.square(vectors), axis=1))
        kept = vectors[size <= np.quantile(size, TRIMMED)]
        seen = np.isfinite(kept)
        filled = np.where(seen, kept, 0).astype(np.float64)
        pairs = seen.T.astype(np.float64) @ seen
        self.known: Mask = np.diagonal(pairs) >= FEWEST
        covariance = filled.T @ filled / np.maximum(pairs, 1)
        own = covariance.diagonal()[self.known]
        variance = max(float(own.mean()) if len(own) else 0.0, _SMALLEST_VARIANCE)
        equal = variance * np.eye(len(covariance))
        self.correlation = _largest_correlation(filled, seen)
        self.covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * equal

    def of(self, vectors: Floats) -> Floats:
        """D over its 95 % limit, (N,); 0 for a vector without members."""
        out = np.zeros(len(vectors))
        for rows, members, precision in self._alike(vectors):
            there = vectors[np.ix_(rows, members)].astype(np.float64)
            squared = np.einsum("ni,ij,nj->n", there, precision, there)
            out[rows] = np.sqrt(squared / _chi_square_95(len(members)))
        return out

    def shares(self, vectors: Floats) -> Floats:
        """The part of each member in D², x_i (C⁻¹ x)_i, (N, P); what is below 0 counts as 0."""
        out = np.zeros(vectors.shape)
        for rows, members, precision in self._alike(vectors):
            there = vectors[np.ix_(rows, members)].astype(np.float64)
            out[np.ix_(rows, members)] = np.maximum(there * (there @ precision), 0)
        return out

    def without(self, vectors: Floats) -> Floats:
        """What `of` gives with one member after the other put to 0, (N, P)."""
        out = np.zeros(vectors.shape)
        for rows, members, precision in self._alike(vectors):
            there = vectors[np.ix_(rows, members)].astype(np.float64)
            pulled = there @ precision
            squared = (there * pulled).sum(axis=1)[:, None]
            left = squared - 2 * there * pulled + np.square(there) * precision.diagonal()
            out[np.ix_(rows, members)] = np.sqrt(np.maximum(left, 0) / _chi_square_95(len(members)))
        return out

    def _alike(self, vectors: Floats) -> Iterator[tuple[Rows, Rows, Floats]]:
        """Vectors with the same members: their rows, the members, and the inverse of their covariance."""
        there = np.isfinite(vectors) & self.known
        if there.all():
            yield np.arange(len(vectors)), np.arange(vectors.shape[1]), np.linalg.inv(self.covariance)
            return
        packed = np.packbits(there, axis=1)
        patterns, which = np.unique(packed, axis=0, return_inverse=True)
        for number, pattern in enumerate(np.unpackbits(patterns, axis=1, count=vectors.shape[1])):
            members = np.flatnonzero(pattern)
            if len(members):
                own = self.covariance[np.ix_(members, members)]
                yield np.flatnonzero(which.ravel() == number), members, np.linalg.inv(own)


def _largest_correlation(filled: Floats, seen: Mask) -> float:
    """The largest |r| between two members, over the vectors (N, P) that have both; 0 where too few do."""
    there = seen.astype(np.float64)
    power = np.square(filled).T @ there
    size = np.sqrt(power * power.T)
    related = np.abs(filled.T @ filled) / np.where(size > 0, size, np.inf)
    related[there.T @ there < FEWEST] = 0
    np.fill_diagonal(related, 0)
    return float(related.max(initial=0))


def _chi_square_95(dimensions: int) -> float:
    """The 95 % quantile of chi-square (Wilson and Hilferty 1931); 2 % off in one dimension, less in more."""
    ninth = 2 / (9 * dimensions)
    return float(dimensions * (1 - ninth + _NORMAL_95 * ninth**0.5) ** 3)
