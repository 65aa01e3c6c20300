"""The tail laws: quantile, index, shrinkage, and the edge."""

from __future__ import annotations

import numpy as np
import pytest

from exporter import tail
from exporter.frame import Floats

WEEK = 7 * 86_400.0


class Learner:
    """One view's tail over S series, fed point by point."""

    def __init__(self, series: int = 1) -> None:
        shape = (1, series)
        self.state = {name: np.zeros(shape, np.float32) for name in ("excess", "exceedances", "run")}
        self.state["log_quantile"] = np.full(shape, tail.PRIOR_LOG_QUANTILE, np.float32)
        self.count = np.zeros(series, np.float32)

    def feed(self, sizes: np.ndarray, weight: float = 1.0) -> None:
        for size in sizes.astype(np.float32):
            weights = np.full(len(size), weight, np.float32)
            self.count += weights
            kappa = tail.curvature(self.index())
            tail.learn(self.state, size[None], kappa, self.count, weights)

    def index(self) -> Floats:
        return tail.index(self.state["excess"], self.state["exceedances"])


def draw(points: int, law: str, series: int = 20) -> np.ndarray:
    rng = np.random.default_rng(0)
    if law == "normal":
        return np.abs(rng.normal(size=(points, series)))
    return rng.pareto(1 / 0.5, (points, series))


@pytest.mark.parametrize("law", ["normal", "pareto"])
def test_quantile_is_found(law: str) -> None:
    """After many points the quantile leaves about the stated share beyond it."""
    learner, sizes = Learner(20), draw(20_000, law)
    learner.feed(sizes)
    beyond = (draw(20_000, law) > np.exp(learner.state["log_quantile"])).mean()
    assert beyond == pytest.approx(tail.BEYOND, abs=0.01)


def test_heavy_tail_has_the_larger_index() -> None:
    """The index of Pareto sizes is near its true value, that of normal sizes near 0 and below the prior."""
    indices = []
    for law in ("normal", "pareto"):
        learner = Learner(20)
        learner.feed(draw(20_000, law))
        indices.append(float(learner.index().mean()))
    assert indices[0] < tail.PRIOR_INDEX < indices[1]
    assert indices[1] == pytest.approx(0.5, abs=0.1)


def test_a_young_tail_is_the_prior() -> None:
    """With no points learnt, index and quantile are what is believed beforehand."""
    learner = Learner()
    assert learner.index() == pytest.approx(tail.PRIOR_INDEX)
    assert np.log(tail.shrunk_quantile(learner.state["log_quantile"], learner.count)) == pytest.approx(
        tail.PRIOR_LOG_QUANTILE
    )


def test_own_quantile_takes_over_with_experience() -> None:
    """The more points, the nearer the used quantile comes to the learnt one."""
    learnt = np.full((1, 3), 2.0, np.float32)
    used = np.log(tail.shrunk_quantile(learnt, np.array([100, 1_000, 100_000], np.float32)))[0]
    assert tail.PRIOR_LOG_QUANTILE < used[0] < used[1] < used[2] < 2.0
    assert used[2] == pytest.approx(2.0, abs=0.02)


def test_law_leaves_the_share_beyond_its_quantile() -> None:
    """By construction P(U > q) is BEYOND for every index."""
    index = np.array([0.05, 0.2, 0.8, 2.0], np.float32)
    kappa = tail.curvature(index.copy())
    assert (1 + kappa) ** (-1 / index) == pytest.approx(tail.BEYOND, rel=1e-3)


def test_one_long_outage_teaches_less_than_many_rare_points() -> None:
    """A run of strange points moves the index less than as many strange points on their own."""
    quiet, strange = np.full((2_000, 1), 0.5), 30.0
    run, scattered = quiet.copy(), quiet.copy()
    run[1_000:1_050] = strange
    scattered[1_000:2_000:20] = strange
    indices = []
    for sizes in (run, scattered):
        learner = Learner()
        learner.feed(sizes)
        indices.append(float(learner.index()[0, 0]))
    assert indices[0] < 0.7 * indices[1]


def test_nothing_is_learnt_without_weight() -> None:
    """Weight 0 leaves quantile, index and run as they were."""
    learner = Learner()
    learner.feed(draw(500, "normal", 1))
    before = [
        array.copy()
        for array in (
            learner.state["log_quantile"],
            learner.state["excess"],
            learner.state["exceedances"],
            learner.state["run"],
        )
    ]
    learner.feed(np.full((50, 1), 100.0), weight=0.0)
    after = [
        learner.state["log_quantile"],
        learner.state["excess"],
        learner.state["exceedances"],
        learner.state["run"],
    ]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_edge_rises_with_the_budget() -> None:
    """Fewer allowed alarms mean a higher edge, and a budget of any length has one."""
    factors = [tail.strictness(days * 86_400.0) for days in (1 / 24, 1, 7, 30, 365)]
    assert factors == sorted(factors)
    assert factors[0] > 0
    assert tail.strictness(WEEK) == 1
    assert tail.edge(60.0) == pytest.approx(tail.EDGE)


def test_edge_falls_with_the_step() -> None:
    """Fewer points a week have fewer chances to be strange."""
    edges = [tail.edge(step) for step in (15.0, 60.0, 300.0, 3_600.0)]
    assert edges == sorted(edges, reverse=True)
