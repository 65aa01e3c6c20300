"""What the input is worth: impossible values, missing points, standstill, silence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cycle.persistence import restore, saved
from exporter.query.quality import DAY, KINDS, SILENT, Quality
from tests.curves import daily, replaced
from tests.fake_tsdb import FakeTsdb
from tests.scorers import NOW, STEP, scorer, scores, services, turn

MINUTE = 60.0
ANY = (-math.inf, math.inf)
RATIO = (0.0, 1.0)


def fed(values: np.ndarray, step: float = MINUTE, domain: tuple[float, float] = ANY) -> Quality:
    """The quality of series after `values` (T, S)."""
    values = values.reshape(len(values), -1)
    quality = Quality(step, domain, rows=values.shape[1])
    for i, row in enumerate(values):
        quality.steps([int(i * step)], row[None])
    return quality


def noise(points: int, seed: int = 0) -> np.ndarray:
    """A series that moves at every point."""
    return np.random.default_rng(seed).normal(10, 1, points)


def told(it: object, name: str, **labels: str) -> float:
    """A figure of the query `rate` on /metrics; 0 where it is not there."""
    text = it.reader.around.telemetry.render().decode()  # type: ignore[attr-defined]
    wanted = ",".join(f'{key}="{value}"' for key, value in sorted({"query": "rate", **labels}.items()))
    found = [line.split()[-1] for line in text.splitlines() if line.startswith(f"{name}{{{wanted}}} ")]
    return float(found[0]) if found else 0.0


def test_quality_follows_the_last_day() -> None:
    """Half of the points missing for days is a half; a series not yet born misses nothing."""
    points = np.array([noise(5 * 288), noise(5 * 288)]).T
    points[::2, 0] = math.nan
    points[:1_400, 1] = math.nan
    assert fed(points, 300.0).state["share"] == pytest.approx([0.5, 1], abs=0.01)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(-0.1, "below_domain"), (1.2, "above_domain"), (0.0, None), (1.0, None), (1 + 1e-12, None), (0.4, None)],
)
def test_impossible_values_are_left_out_and_counted(value: float, reason: str | None) -> None:
    """Beyond an end of the domain a value becomes absent; at the end, and beyond by rounding, it stays."""
    values = np.array([0.5, value, math.nan])
    counts = Quality(MINUTE, RATIO, rows=3).refuse(values)
    assert {name: count for name, count in counts.items() if count} == ({reason: 1} if reason else {})
    assert np.isnan(values).tolist() == [False, reason is not None, True]


def test_points_count_alike_singly_and_together() -> None:
    """Half hours taken in at once leave what their points leave one by one, to rounding."""
    values = np.array([noise(600, seed) for seed in range(6)]).T
    values[np.random.default_rng(1).random(values.shape) < 0.1] = math.nan
    values[100:, 0], values[:200, 1], values[::3, 2] = 4.0, math.nan, 0.0
    one, other = Quality(300.0, ANY, rows=6), Quality(300.0, ANY, rows=6)
    times = list(range(300, 300 * 601, 300))
    for begin in range(0, 600, 6):
        other.steps(times[begin : begin + 6], values[begin : begin + 6])
        for point in range(begin, begin + 6):
            one.steps([times[point]], values[point : point + 1])
    assert one.stuck.tolist() == other.stuck.tolist() == [True] + [False] * 5
    for name, array in one.state.items():
        np.testing.assert_allclose(other.state[name], array, rtol=1e-4, err_msg=name)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=20))
def test_without_a_domain_nothing_is_impossible(values: list[float]) -> None:
    """Every number stays where the query names no domain."""
    before, after = np.array(values), np.array(values)
    assert Quality(MINUTE, ANY, rows=len(values)).refuse(after) == {}
    np.testing.assert_array_equal(before, after)


def test_a_series_that_froze_is_stuck() -> None:
    """Noise that stands still for over an hour is stuck, its points are no longer good; it recovers."""
    values = np.concatenate([noise(1_000), np.full(200, 7.0)])
    frozen = fed(values)
    assert frozen.stuck.tolist() == [True]
    assert frozen.state["share"][0] < 0.95
    assert fed(np.concatenate([values, noise(31, 1)])).stuck.tolist() == [False]


@pytest.mark.parametrize(
    "values",
    [
        np.concatenate([noise(1_000), np.full(50, 7.0)]),
        np.tile(np.concatenate([noise(720), np.full(720, 3.0)]), 4),
        np.full(3_000, 7.0),
        np.concatenate([noise(1_000), np.zeros(500)]),
        np.concatenate([np.clip(noise(1_000) / 20, 0, 0.99), np.ones(500)]),
        np.concatenate([np.repeat(noise(20), 5), np.full(500, 2.0)]),
    ],
    ids=["an hour has not passed", "every night", "never moved", "at zero", "at an end", "hardly ever moved"],
)
def test_what_may_rest_is_not_stuck(values: np.ndarray) -> None:
    """A standstill is told only where it is new, long, and not at a natural end."""
    assert fed(values, domain=(-math.inf, 1.0) if values.max() <= 1 else ANY).stuck.tolist() == [False]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.full(100, 7.0), "constant"),
        (np.zeros(100), "constant"),
        (np.concatenate([noise(500), np.full(7 * 288 + 1, 7.0)]), "constant"),
        (np.concatenate([noise(500), np.full(6 * 288, 7.0)]), "varying"),
        (np.where(np.arange(4_000) % 20, 0.0, noise(4_000)), "zero_dominated"),
        (np.concatenate([noise(4_000), np.where(np.arange(8_000) % 50, 0.0, 1.0)]), "zero_dominated"),
        (np.where(np.arange(4_000) % 5, 0.0, noise(4_000)), "varying"),
        (np.append(np.zeros(4_000), math.nan), None),
    ],
    ids=["ever", "ever 0", "for a week", "for six days", "sparse", "become sparse", "often 0", "not here"],
)
def test_kinds(values: np.ndarray, kind: str | None) -> None:
    """A series that is here never moves, is mostly 0, or varies."""
    counts = fed(values, 300.0).kinds(np.isfinite(values[-1:]))
    assert {name for name, count in counts.items() if count} == ({kind} if kind else set())


def test_a_query_counts_its_series_by_kind() -> None:
    """A wave varies, a flat line is constant, and both are told."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "flat"}, lambda at: np.full(len(at), 5.0)))
    it = scorer(tsdb)
    turn(it, NOW)
    kinds = {it_: told(it, "anomaly_input_kind_series", kind=it_) for it_ in KINDS}
    assert kinds == {"constant": 1, "zero_dominated": 0, "varying": 1}


def test_a_pause_does_not_make_a_standstill() -> None:
    """Missing points are no repetition of the last one."""
    assert fed(np.concatenate([noise(1_000), np.full(500, math.nan)])).state["still"].tolist() == [0]


def test_silence_is_told_for_a_day() -> None:
    """Quality and lag go on after the last point, and end after a day."""
    quality = fed(np.array([noise(100)] * 3).T)
    shown = quality.told(NOW, np.array([NOW, NOW - 3_600, NOW - int(SILENT) - 1]))
    np.testing.assert_array_equal(shown["anomaly_input_lag_seconds"], [0, 3_600, math.nan])
    np.testing.assert_array_equal(shown["anomaly_input_quality_ratio"], [1, 1, math.nan])


def test_a_vanished_series_has_no_score_but_a_lag() -> None:
    """A missing metric never looks like a traffic cliff: the score is gone, the silence is told."""
    tsdb = services("a", "b")
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"] = tsdb.series["rate"][:1]
    turn(it, NOW + STEP)
    assert set(scores(it)) == {"a"}
    assert it.scores is not None
    assert it.scores.families["anomaly_input_lag_seconds"].tolist() == [0, STEP]
    assert told(it, "anomaly_input_available_ratio") == 0.5
    assert told(it, "tidemark_query_series", state="missing") == 1


def test_a_count_that_fell_to_zero_is_a_cliff() -> None:
    """A real 0 is a value: it is scored, and strange."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(), NOW, NOW + 4 * STEP, 0.0))]})
    it = scorer(tsdb, domain={"min": 0})
    for i in range(3):
        turn(it, NOW + i * STEP)
    assert scores(it)["a"] > 1
    assert it.scores is not None
    assert it.scores.families["anomaly_input_quality_ratio"][0] > 0.99


def test_impossible_values_have_no_score_and_teach_nothing() -> None:
    """Negative values of a rate are absent, in history as now, and the series without them is the same."""
    bad = replaced(daily(), NOW - DAY, NOW - DAY + 3_600, -5.0)
    gap = replaced(daily(), NOW - DAY, NOW - DAY + 3_600, math.nan)
    one, other = (
        scorer(FakeTsdb({"rate": [({"service": "a"}, curve)]}), domain={"min": 0}) for curve in (bad, gap)
    )
    for it in (one, other):
        turn(it, NOW)
    assert told(one, "tidemark_input_invalid_samples_total", reason="below_domain") == 6
    assert scores(one) == scores(other)


def test_quality_survives_a_restart_and_newcomers() -> None:
    """What is known of the input is saved, and those who join bring their own."""
    tsdb = services("a", "b")
    before, after = scorer(tsdb), scorer(tsdb)
    turn(before, NOW)
    state = saved(before)
    assert state is not None
    assert restore(after, state, NOW)
    for name, array in before.series.quality.state.items():
        np.testing.assert_array_equal(array, after.series.quality.state[name], err_msg=name)
    tsdb.series["rate"].append(({"service": "late"}, daily(7)))
    for later in (1, 2):
        turn(after, NOW + later * STEP)
    assert after.series.quality.state["moves"][2] == pytest.approx(576, abs=3)


def test_a_reload_keeps_what_is_known() -> None:
    """Other settings of the same query change the domain, not the past."""
    it = scorer(services("a"))
    turn(it, NOW)
    moves = it.series.quality.state["moves"].copy()
    it.adopt(it.query.model_copy(update={"stuck_after": 60.0}), it.reader.around)
    turn(it, NOW + STEP)
    assert it.series.quality.state["moves"] == moves + 1
