"""The chain that models with one residual share."""

from __future__ import annotations

import numpy as np
import pytest

from exporter import tail
from exporter.frame import Floats
from exporter.models import MODELS, chain, confirmation
from exporter.models.contract import Settings
from exporter.models.idea import Lesson, Now, gain
from exporter.models.residual import CHUNK, Residual
from tests.models.histories import DAY, STEP, daily, fresh, replay, scores, times


class Zero(Residual):
    """Expects 0 for ever; the values are its residuals."""

    edge = 8.0

    def expect(self, now: Now) -> Floats:
        return np.zeros(len(now.state["count"]))

    def learn(self, now: Now, lesson: Lesson) -> None:
        """There is nothing."""


class TwoSides(Zero):
    """The same, with a tail for either side."""

    tails = 2


def taught(model: Residual, values: np.ndarray) -> Residual:
    replay(model, times(len(values)), values)
    return model


def test_evidence_of_the_edge_is_score_one() -> None:
    """A fresh series has the prior's law: its evidence over the edge is the score, were it confirmed."""
    model = Zero(Settings(step=60.0, warm_up=0.0), 1)
    model.state["scale"][:] = 1
    step = model.step(0, np.array([27.0]), np.ones(1, bool))
    kappa = np.exp(tail.PRIOR_INDEX * tail.BODY) - 1
    evidence = np.log(1 + kappa * 27 / 2.7) / tail.PRIOR_INDEX
    assert step.score[0] == pytest.approx(1 + confirmation.ALONE * (evidence / 8.0 - 1), rel=1e-4)


def test_two_tails_know_their_side() -> None:
    """Where values reach ten times farther up than down, so does the band of a model with two tails."""
    rng = np.random.default_rng(0)
    noise = np.abs(rng.normal(0, 1, (10 * DAY, 1)))
    values = np.where(rng.random(noise.shape) < 0.5, 10 * noise, -noise)
    at = int(times(len(values) + 1)[-1])
    ends = {}
    for kind in (Zero, TwoSides):
        model = taught(kind(Settings(step=STEP), 1), values)
        model.state["carry"][:] = 0
        step = model.step(at, np.zeros(1), np.ones(1, bool))
        ends[kind] = step.upper[0] / -step.lower[0]
    assert ends[Zero] == pytest.approx(1)
    assert 7 < ends[TwoSides] < 14


def test_a_fifth_of_the_evidence_counts_again() -> None:
    """The second of two equal points on one side scores higher; on the other side it does not."""
    values = np.random.default_rng(1).normal(0, 1, (5 * DAY, 1)) * np.ones(3)
    model = taught(Zero(Settings(step=STEP), 3), values)
    nothing = np.ones(3, bool)
    at = times(len(values) + 2)[-2:]
    model.step(int(at[0]), np.array([6.0, -6.0, 0.0]), nothing)
    found = model.step(int(at[1]), np.full(3, 6.0), nothing).score
    assert found[0] > 1.1 * found[1]
    assert found[1] == pytest.approx(found[2], rel=0.02)


def test_more_series_than_a_chunk() -> None:
    """Chunks are invisible: the last series of many has the scores it has alone."""
    size, points = CHUNK + 3, 30
    values = daily(points, 1) * np.ones(size)
    values[:, -1] += np.random.default_rng(6).normal(0, 9, points)
    many, alone = fresh("holt_winters", size, warm_up=0.0), fresh("holt_winters", 1, warm_up=0.0)
    together = scores(replay(many, times(points), values))[:, -1]
    assert np.array_equal(
        together, scores(replay(alone, times(points), values[:, [-1]]))[:, 0], equal_nan=True
    )


def test_what_lasts_is_learnt_in_full_in_the_end() -> None:
    """The bound on what a point teaches grows while strange points go on."""
    values = np.random.default_rng(2).normal(0, 1, (5 * DAY, 1))
    model = taught(Zero(Settings(step=STEP), 1), values)
    before = float(model.state["scale"][0, 0])
    replay(model, times(5 * DAY + DAY // 24)[5 * DAY :], np.full((DAY, 1), 30.0)[: DAY // 24])
    short = float(model.state["scale"][0, 0])
    replay(model, times(7 * DAY)[5 * DAY + DAY // 24 :], np.full((2 * DAY - DAY // 24, 1), 30.0))
    assert short < 1.1 * before
    assert model.state["scale"][0, 0] > 2 * before


def test_gain_is_a_plain_mean_first() -> None:
    """Young series take plain means; old ones forget with the memory; nothing is learnt without weight."""
    weight = np.array([1, 1, 0], np.float32)
    young = weight / np.array([4, 1e6, 4], np.float32)
    share = gain(weight, young, 60.0, 3_600.0)
    assert share == pytest.approx([0.25, -np.expm1(-1 / 60), 0], rel=1e-5)


@pytest.mark.parametrize("model", [it for it in MODELS.values() if issubclass(it, Residual)])
def test_no_field_has_two_meanings(model: type[Residual]) -> None:
    """A model's own fields do not stand in the chain's, but for the peers' scale, which is fixed."""
    assert set(model.own) & set(chain.fields(model.tails)) <= {"scale"}
