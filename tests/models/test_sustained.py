"""The sustained form of a score."""

from __future__ import annotations

import numpy as np

from exporter import columns
from exporter.models import sustained


def run(scores: list[float], step: float = 60.0) -> list[float]:
    state = columns.fresh(sustained.FIELDS, 1)
    here = np.ones(1, bool)
    return [float(sustained.follow(state, np.array([[it]]), here[None], step)[0, 0]) for it in scores]


def test_it_rises_slowly_and_falls_soon() -> None:
    """One strange minute hardly moves it, twenty pass 1, and ten calm ones bring it down."""
    found = run([2.0] * 20 + [0.0] * 10)
    assert found[0] < 0.3
    assert found[19] > 1
    assert found[-1] < 0.1 * found[19]


def test_one_point_counts_little() -> None:
    """A score without measure counts as LIMIT."""
    assert run([1e6]) == run([sustained.LIMIT])


def test_a_missing_point_changes_nothing() -> None:
    """Where there is no point the mean stays."""
    state = columns.fresh(sustained.FIELDS, 2)
    score = np.array([2.0, 2.0])
    sustained.follow(state, score[None], np.array([[True, False]]), 60.0)
    assert state["sustained"][0] > 0
    assert state["sustained"][1] == 0
