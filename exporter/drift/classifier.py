"""Domain classifier: how well the hours of the window can be told from those of the reference."""

from __future__ import annotations

import numpy as np

from exporter.drift.reference import centre_and_sd
from exporter.frame import Floats, Mask

FLOOR = 0.08
"""The least sd of an AUC: 0.74 is a score of 3 at most, where 0.5 is chance."""

BLOCK = 6
"""Hours of one block go to the same fold: neighbours are alike, and would betray each other."""

RIDGE = 0.3
"""Share of the mean variance that is added to each: a day's 24 hours say little about so many directions."""

PART = 32


def drift_scores(features: Floats, window: int, known: Mask) -> Floats:
    """The drift of K services by a classifier two-sample test (Lopez-Paz and Oquab 2017), (K,).

    `features` (K, H, P): of each hour and member, oldest first, NaN where missing; the last `window` hours
    are compared with those `known` (K, H) to be of the reference. The classifier is a linear discriminant
    over the members, their sizes and their products in pairs, learnt on half of the blocks of hours and tried
    on the other half; the statistic is its area under the ROC curve. Every window of the reference is told
    from the rest of it in the same way: score = (AUC - centre) / sd, at least 0; NaN where too little is
    known.
    """
    out = np.full(len(features), np.nan)
    for part in (slice(start, start + PART) for start in range(0, len(features), PART)):
        areas = _areas(_expanded(features[part]), window, known[part])
        centre, sd = centre_and_sd(areas[:, :-1])
        out[part] = np.maximum((areas[:, -1] - centre) / np.maximum(sd, FLOOR), 0)
    return out


def _expanded(features: Floats) -> Floats:
    """The members, their sizes and the roots of their products, (K, H, F); an hour with a gap is all NaN."""
    first, second = np.triu_indices(features.shape[2], 1)
    products = features[..., first] * features[..., second]
    together = np.sign(products) * np.sqrt(np.abs(products))
    out = np.concatenate([features, np.abs(features), together], axis=-1)
    out[~np.isfinite(out).all(axis=-1)] = np.nan
    return out


def _areas(features: Floats, window: int, known: Mask) -> Floats:
    """The AUC of each window of (K, H, F), (K, C), the newest last; NaN where half of a window is unknown."""
    hours = features.shape[1] // window * window
    features, known = features[:, -hours:], known[:, -hours:].copy()
    there = np.isfinite(features[..., 0])
    known &= there
    chunks = hours // window
    white = _whitened(np.where(there[..., None], features, 0), known)
    fold = np.arange(hours) // BLOCK % 2 == 0
    both = [_area(white, there, known, fold == side, chunks) for side in (True, False)]
    enough = there.reshape(len(there), chunks, window).sum(axis=-1) * 2 >= window
    enough[:, :-1] &= known.reshape(len(there), chunks, window).sum(axis=-1)[:, :-1] * 2 >= window
    return np.where(enough, np.mean(both, axis=0), np.nan)


def _whitened(features: Floats, known: Mask) -> Floats:
    """Rotated and scaled so that the reference has no correlations, but for the ridge."""
    weight = known[..., None]
    count = np.maximum(weight.sum(axis=1, keepdims=True), 1)
    centred = features - (features * weight).sum(axis=1, keepdims=True) / count
    spread = np.einsum("khf,khg->kfg", centred * weight, centred) / count
    size = features.shape[-1]
    ridge = RIDGE * np.einsum("kff->k", spread) / size + 1e-9
    lower = np.linalg.cholesky(spread + ridge[:, None, None] * np.eye(size))
    return np.swapaxes(np.linalg.solve(lower, np.swapaxes(centred, 1, 2)), 1, 2)


def _area(white: Floats, there: Mask, known: Mask, learnt: Mask, chunks: int) -> Floats:
    """The AUC of each of C chunks on the hours not `learnt`, of discriminants learnt on others, (K, C)."""
    own = np.kron(np.eye(chunks, dtype=bool), np.ones(white.shape[1] // chunks, bool))
    inside = (own & learnt)[None] & there[:, None]
    outside = (~own & learnt)[None] & known[:, None]
    apart = _mean(white, inside) - _mean(white, outside)
    marks = np.einsum("khf,kcf->kch", white, apart)
    ours = np.where((own & ~learnt)[None] & there[:, None], marks, np.nan)
    theirs = np.where((~own & ~learnt)[None] & known[:, None], marks, np.nan)
    return np.stack([_beaten(ours[:, it], theirs[:, it]) for it in range(chunks)], axis=1)


def _mean(white: Floats, chosen: Mask) -> Floats:
    """The mean over the `chosen` (K, C, H) hours of each chunk, (K, C, F)."""
    count = np.maximum(chosen.sum(axis=-1), 1)[..., None]
    mean: Floats = np.einsum("khf,kch->kcf", white, chosen.astype(white.dtype)) / count
    return mean


def _beaten(ours: Floats, theirs: Floats) -> Floats:
    """The share of pairs in which our mark is the higher, (K,): Mann and Whitney's U over its most."""
    both = np.argsort(np.argsort(np.concatenate([ours, theirs], axis=1), axis=1), axis=1) + 1.0
    first, second = (np.isfinite(it).sum(axis=1) for it in (ours, theirs))
    rank = np.where(np.isfinite(ours), both[:, : ours.shape[1]], 0).sum(axis=1)
    pairs = first * second
    return np.where(pairs > 0, (rank - first * (first + 1) / 2) / np.maximum(pairs, 1), np.nan)
