"""Evidence as a function of the value, and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.models.law import Law, carried


def law(series: int, seed: int = 0) -> Law:
    """A law of three views with random places, reaches and tails over many orders of magnitude."""
    rng = np.random.default_rng(seed)
    unit = 10.0 ** rng.uniform(-6, 9, series)
    centres = unit * (5 + rng.normal(0, 2, (3, series)) * rng.choice([0, 1, 4], series))
    reach = (unit * 10.0 ** rng.uniform(-1.5, 1, (3, series))).astype(np.float32)
    index = rng.uniform(0.03, 0.8, (3, series)).astype(np.float32)
    experience = rng.uniform(40, 5_000, series).astype(np.float32)
    lean = np.exp(rng.uniform(-0.5, 0.5, (6, series))).astype(np.float32)
    sided = np.vstack((index, index)) * lean
    return Law(
        centres,
        centres[None, 1],
        ramp=reach.min(axis=0)[None],
        width=reach,
        slope=np.expm1(3 * sided) * lean,
        index=sided,
        experience=experience[None],
    )


def total(it: Law, distance: np.ndarray, side: int, carry: float = 0.0) -> np.ndarray:
    """The evidence that counts, at `distance` (S,) from the expected value; `carry` from the point before."""
    sides = np.full((1, len(distance)), side, np.float32)
    x = it.expected + side * distance.astype(np.float64)
    left = carried(np.full(sides.shape, carry, np.float32), sides)
    counted: np.ndarray = it.doubted((evidence(it, x, sides).sum(axis=1) + left) * it.fade(distance))[0]
    return counted


def evidence(it: Law, x: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """That of each view for `x` (1, S), (1, V, S)."""
    return it.evidence(((x[:, None] - it.centres) / it.width).astype(np.float32), sides)


@pytest.mark.parametrize("side", [1, -1])
def test_no_evidence_at_the_expected_value(side: int) -> None:
    """Where the value is expected the evidence is 0, whatever single views think."""
    it = law(200)
    assert (total(it, np.zeros(200, np.float32), side) == 0).all()


@pytest.mark.parametrize("side", [1, -1])
def test_evidence_rises_with_the_distance(side: int) -> None:
    """On either side, further away is never less strange."""
    it = law(200)
    distances = it.width.max(axis=0) * np.logspace(-4, 6, 60, dtype=np.float32)[:, None]
    totals = np.array([total(it, distance, side) for distance in distances])
    assert (np.diff(totals, axis=0) >= -1e-4).all()


@given(st.integers(0, 10_000), st.sampled_from([1, -1]), st.floats(2, 60), st.floats(0, 1.5))
def test_distance_inverts_evidence(seed: int, side: int, target: float, carry: float) -> None:
    """At the distance found, the evidence is the target, to a hundred-thousandth of a score."""
    it = law(20, seed)
    targets, left = np.full(20, target, np.float32), np.full(20, carry * side, np.float32)
    distance = it.distances(targets, left)[0 if side > 0 else 1]
    assert (distance > 0).all()
    assert np.allclose(total(it, distance, side, carry * side), targets, atol=2e-3)


def test_views_on_the_other_side_are_silent() -> None:
    """A view that expected an even higher value adds nothing to a value that is too high for the others."""
    one = np.ones((3, 1), np.float32)
    both, each = np.ones((6, 1), np.float32), np.ones((1, 1), np.float32)
    it = Law(np.array([[0.0], [0.0], [50.0]]), np.zeros((1, 1)), each, one, both, both, each)
    found = evidence(it, np.array([[10.0]]), each)
    assert found[0, :, 0] == pytest.approx([np.log(11.0), np.log(11.0), 0])


def test_each_side_has_its_own_tail() -> None:
    """The same distance is rarer below than above where the tail above is the heavier one."""
    one, each = np.ones((3, 1), np.float32), np.ones((1, 1), np.float32)
    index = np.vstack((2 * one, one))
    it = Law(np.zeros((3, 1)), np.zeros((1, 1)), each, one, np.ones((6, 1), np.float32), index, each)
    above, below = evidence(it, np.array([[5.0]]), each), evidence(it, np.array([[-5.0]]), -each)
    assert below == pytest.approx(2 * above)
    high, low = it.distances(np.full(1, 3.0, np.float32), np.zeros(1, np.float32))
    assert high > 2 * low


def test_what_is_carried_counts_on_its_own_side() -> None:
    """Evidence left behind by a value above adds to a value above, and nothing to one below."""
    one = np.ones((1, 1), np.float32)
    assert carried(1.5 * one, one) == pytest.approx(1.5)
    assert carried(1.5 * one, -one) == 0


def test_points_are_judged_alike_alone_and_together() -> None:
    """What a value of one time gets does not hang on the others that are judged with it."""
    rng, alone = np.random.default_rng(3), law(20)
    x, sides = alone.expected + rng.normal(0, 1, (4, 20)), rng.choice([-1, 1], (4, 20)).astype(np.float32)
    strange = ((x[:, None] - alone.centres) / alone.width).astype(np.float32)
    together = alone.evidence(strange, sides)
    for time in range(4):
        only = slice(time, time + 1)
        np.testing.assert_array_equal(alone.evidence(strange[only], sides[only]), together[only])
