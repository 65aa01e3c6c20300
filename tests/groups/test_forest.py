"""The isolation forest, read from flat trees."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import IsolationForest

from exporter.groups.forest import SEED, TREES, Forest
from tests.groups.vectors import QUERIES, healthy


def test_the_scores_are_those_of_the_library() -> None:
    """Reading the trees at once changes no score."""
    past, now = healthy().reshape(-1, QUERIES), healthy(times=20, seed=1).reshape(-1, QUERIES)
    theirs = IsolationForest(n_estimators=TREES, max_samples=256, random_state=SEED).fit(past)
    np.testing.assert_allclose(Forest(past).score(now), -theirs.score_samples(now), rtol=1e-6)


def test_evidence_is_a_rank_with_a_tail() -> None:
    """Usual vectors have the evidence of their rank, stranger ones than ever seen have more than any rank."""
    past = healthy().reshape(-1, QUERIES)
    forest = Forest(past)
    assert (forest.evidence(past) > 3).mean() < 0.06
    assert forest.evidence(np.full((1, QUERIES), 5, np.float32))[0] > np.quantile(
        forest.evidence(past), 0.999
    )


def test_a_constant_past_can_be_learnt() -> None:
    """Vectors that are all the same give a forest that finds them usual."""
    forest = Forest(np.zeros((200, 3), np.float32))
    assert np.isfinite(forest.evidence(np.zeros((2, 3), np.float32))).all()
