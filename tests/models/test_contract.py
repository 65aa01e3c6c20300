"""What every model keeps, whatever it computes."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from exporter import tail
from exporter.models import MODELS
from exporter.models.contract import Model, Scores
from tests.models.histories import DAY, STEP, daily, fresh, replay, scores, times

LEARNT = 5 * DAY

TRAITS: dict[str, set[str]] = {
    "seasonal": {"alone", "learns", "level"},
    "holt_winters": {"alone", "learns", "level"},
    "quantile": {"alone", "learns", "level"},
    "rate_of_change": {"alone", "learns"},
    "stl": {"alone", "learns", "level"},
    "ets": {"alone", "learns", "level"},
    "peers": set(),
    "static": {"alone", "level"},
    "auto": {"alone", "learns", "level"},
}
"""What tells the models apart. alone: a series is judged without the others; learns: from its own past, by
which its edge is drawn; level: it goes on being strange while a wrong level lasts."""

BYTES = {"auto": 6_144}
"""State per series of the models that may keep more than 2 KB."""


def having(*traits: str) -> pytest.MarkDecorator:
    """Run the test for every model with all of `traits`."""
    return pytest.mark.parametrize("name", [name for name in MODELS if set(traits) <= TRAITS[name]])


def same(a: Scores, b: Scores) -> bool:
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name), equal_nan=True)
        for field in fields(Scores)
    )


def same_state(a: Model, b: Model) -> bool:
    return all(np.array_equal(a.state[key], b.state[key], equal_nan=True) for key in a.state)


def learnt(name: str, series: int = 1, **settings: object) -> Model:
    model = fresh(name, series, **settings)
    replay(model, times(LEARNT), daily(LEARNT, series))
    return model


def after(model: Model, values: list[float]) -> np.ndarray:
    """Scores of one series' next values."""
    at = times(LEARNT + len(values))[LEARNT:]
    return scores(replay(model, at, np.array(values)[:, None]))[:, 0]


def ordinary(points: int) -> list[float]:
    """What the history of `learnt` would have gone on with."""
    return daily(LEARNT + points, seed=7)[LEARNT:, 0].tolist()


@having()
def test_same_input_same_output(name: str) -> None:
    """Two models that see the same points say the same and know the same."""
    one, two = fresh(name, 3), fresh(name, 3)
    values = daily(3 * DAY, 3)
    first, second = replay(one, times(3 * DAY), values), replay(two, times(3 * DAY), values)
    assert all(map(same, first, second))
    assert same_state(one, two)


@having()
def test_input_is_left_alone(name: str) -> None:
    """A step changes neither the values nor the mask it is given."""
    model = fresh(name, 4)
    values, mask = np.array([1.0, np.nan, 3.0, -4.0]), np.array([True, True, False, True])
    kept, kept_mask = values.copy(), mask.copy()
    model.step(int(times(1)[0]), values, mask)
    assert np.array_equal(values, kept, equal_nan=True)
    assert np.array_equal(mask, kept_mask)


@having()
def test_scores_are_finite_or_absent(name: str) -> None:
    """Wild values yield scores that are at least 0 and never infinite."""
    rng = np.random.default_rng(3)
    values = daily(3 * DAY, 9)
    values[:, 6] = np.where(rng.random(len(values)) < 0.01, 1.7e308, 0)
    values[:, 7] = np.where(rng.random(len(values)) < 0.01, -1e29, 1e-9)
    values[-50:, 8] = 9.2e18
    values[:, 1] = rng.pareto(0.7, len(values)) * 1e9
    values[:, 2] = 0
    values[:, 3] = np.where(rng.random(len(values)) < 0.5, 1e-12, 1e12)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[-DAY:, 2] = 1e15
    for step in replay(fresh(name, 9), times(len(values)), values):
        for field in fields(Scores):
            assert not np.isinf(getattr(step, field.name)).any()
        known = ~np.isnan(step.score)
        assert (step.score[known] >= 0).all()
        assert (step.deviation[known] >= 0).all()
        assert (step.lower[known] <= step.upper[known]).all()


@having("learns")
def test_learning_series_is_absent(name: str) -> None:
    """Before the warm-up a series has no score; after two days it has."""
    steps = scores(replay(fresh(name, 1), times(2 * DAY + 1), daily(2 * DAY + 1)))
    assert np.isnan(steps[: 2 * DAY]).all()
    assert np.isfinite(steps[2 * DAY])


@having()
def test_missing_point_is_absent(name: str) -> None:
    """A NaN has no score, and neither has an infinity."""
    model = learnt(name, 2)
    step = model.step(int(times(LEARNT + 1)[-1]), np.array([np.nan, np.inf]), np.ones(2, bool))
    assert np.isnan(step.score).all()
    assert np.isnan(step.upper).all()


@having("learns")
def test_constant_series_reacts_to_its_first_change(name: str) -> None:
    """After days of one value, another value scores above 1; the constant itself scores 0."""
    for constant in (0.0, 5.0, -3e6):
        model = fresh(name, 1)
        history = np.full((4 * DAY, 1), constant)
        quiet = scores(replay(model, times(4 * DAY), history))[2 * DAY :]
        change = model.step(
            int(times(4 * DAY + 1)[-1]), np.array([constant + 1 + abs(constant)]), np.ones(1, bool)
        )
        assert (quiet == 0).all()
        assert change.score[0] > 1


@having("alone")
def test_gap_is_no_anomaly(name: str) -> None:
    """Hours or weeks without points are followed by an ordinary score."""
    for gap in (3_600, 7 * 3_600, 21 * 86_400):
        model = learnt(name)
        time = int(times(LEARNT)[-1]) + gap // STEP * STEP
        expected = 100 + 20 * np.sin(2 * np.pi * time / 86_400)
        assert model.step(time, np.array([expected]), np.ones(1, bool)).score[0] < 0.7


@having("level", "learns")
def test_a_shifted_day_outranks_ordinary_points(name: str) -> None:
    """The values of another time of day score above 1 and above all ordinary points of the day before."""
    model, plain = learnt(name), ordinary(2 * DAY)
    before = after_many(model, plain[:DAY], LEARNT)
    found = after_many(model, plain[DAY // 4 : DAY // 2], LEARNT + DAY)
    assert found.max() > max(1.0, before.max())


@having("alone")
@pytest.mark.parametrize("kind", ["spike", "step", "drop to zero"])
def test_planted_anomaly_outranks_ordinary_points(name: str, kind: str) -> None:
    """What is planted scores above 1 and above all ordinary points of the day before."""
    model, plain = learnt(name), ordinary(2 * DAY)
    before = after_many(model, plain[:DAY], LEARNT)
    planted = {
        "spike": [plain[DAY] + 60],
        "step": [value + 50 for value in plain[DAY : DAY + 12]],
        "drop to zero": [0.0] * 6,
    }[kind]
    found = after_many(model, planted, LEARNT + DAY)
    assert found.max() > max(1.0, before.max())


def after_many(model: Model, values: list[float], first: int) -> np.ndarray:
    at = times(first + len(values))[first:]
    return scores(replay(model, at, np.array(values)[:, None]))[:, 0]


@having("alone")
def test_masked_point_changes_nothing(name: str) -> None:
    """What may not be learnt is scored, and every later score and band is as if it had not been."""
    masked, other = learnt(name), learnt(name)
    at = int(times(LEARNT + 1)[-1])
    assert masked.step(at, np.array([500.0]), np.zeros(1, bool)).score[0] > 1
    other.step(at, np.array([np.nan]), np.ones(1, bool))
    plain = np.array(ordinary(20))[:, None]
    later = times(LEARNT + 21)[LEARNT + 1 :]
    for one, two in zip(replay(masked, later, plain), replay(other, later, plain), strict=True):
        assert same(replace(one, deviation=two.deviation), two)


@having()
def test_a_sunday_is_for_those_whose_day_it_is(name: str) -> None:
    """Every model can be told of it; nobody else's score or state depends on who has Sunday."""
    one, two = fresh(name, 6), fresh(name, 6)
    values, everyone = daily(2 * DAY, 6), np.ones(6, bool)
    for time, row in zip(times(2 * DAY), values, strict=True):
        plain = one.step(int(time), row, everyone)
        told = two.step(int(time), row, everyone, sunday=np.arange(6) >= 4)
        assert np.array_equal(told.score[:4], plain.score[:4], equal_nan=True)
        assert np.isfinite(told.score[4:]).tolist() == np.isfinite(plain.score[4:]).tolist()


@having("alone")
def test_series_do_not_touch_each_other(name: str) -> None:
    """Stepped side by side or alone, a series has the same scores and the same state."""
    values = daily(3 * DAY, 3)
    values[np.random.default_rng(1).random(values.shape) < 0.05] = np.nan
    together = fresh(name, 3)
    side_by_side = replay(together, times(3 * DAY), values)
    for column in range(3):
        alone = fresh(name, 1)
        steps = replay(alone, times(3 * DAY), values[:, [column]])
        assert np.array_equal(scores(steps)[:, 0], scores(side_by_side)[:, column], equal_nan=True)
        assert all(
            np.array_equal(alone.state[k][..., 0], together.state[k][..., column], equal_nan=True)
            for k in alone.state
        )


@having()
def test_replay_without_bands_knows_the_same(name: str) -> None:
    """Leaving the bands out changes neither scores nor state."""
    with_bands, without = fresh(name, 2), fresh(name, 2)
    allowed = np.ones(2, bool)
    for time, row in zip(times(3 * DAY), daily(3 * DAY, 2), strict=True):
        one = with_bands.step(int(time), row, allowed)
        two = without.step(int(time), row, allowed, band=False)
        assert np.array_equal(one.score, two.score, equal_nan=True)
        assert np.array_equal(one.deviation, two.deviation, equal_nan=True)
    assert np.isnan(two.upper).all()
    assert same_state(with_bands, without)


@having()
def test_state_survives_saving(name: str) -> None:
    """A model rebuilt from copies of its arrays goes on bit for bit."""
    model = learnt(name, 2)
    loaded = fresh(name, 2)
    loaded.state = {
        key: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape).copy() for key, a in model.state.items()
    }
    plain = daily(LEARNT + 50, 2, seed=9)[LEARNT:]
    at = times(LEARNT + 50)[LEARNT:]
    assert all(map(same, replay(model, at, plain), replay(loaded, at, plain)))
    assert same_state(model, loaded)


@having()
def test_state_has_series_on_its_last_axis_and_is_small(name: str) -> None:
    """Each array ends in the series axis, and one series takes at most 2 KB, or what BYTES allows."""
    model = fresh(name, 7)
    assert all(array.shape[-1] == 7 for array in model.state.values())
    assert sum(array.nbytes for array in model.state.values()) / 7 <= BYTES.get(name, 2_048)


@having()
def test_select_moves_and_renews_rows(name: str) -> None:
    """Rows can be reordered, dropped and added; an added one is a fresh series."""
    model, original = learnt(name, 3), learnt(name, 3)
    model.select(np.array([2, -1, 0]))
    new = fresh(name, 1)
    for key, array in model.state.items():
        assert np.array_equal(array[..., 0], original.state[key][..., 2], equal_nan=True)
        assert np.array_equal(array[..., 1], new.state[key][..., 0], equal_nan=True)
        assert np.array_equal(array[..., 2], original.state[key][..., 0], equal_nan=True)
    if "learns" in TRAITS[name]:
        assert model.ready().tolist() == [True, False, True]


@having()
def test_select_from_nothing(name: str) -> None:
    """A model of no series can take its first ones."""
    model = fresh(name, 0)
    model.select(np.array([-1, -1]))
    assert len(model.ready()) == 2
    assert not model.ready().any() or "learns" not in TRAITS[name]
    model.step(int(times(1)[0]), np.array([1.0, 2.0]), np.ones(2, bool))


@having()
def test_put_brings_in_series(name: str) -> None:
    """Series bootstrapped elsewhere replace the rows they are put to."""
    model, other = learnt(name, 3), fresh(name, 1)
    replay(other, times(LEARNT), daily(LEARNT, 1, seed=5) * 10)
    model.put(np.array([1]), other)
    assert all(
        np.array_equal(model.state[key][..., 1], other.state[key][..., 0], equal_nan=True)
        for key in model.state
    )


@having("learns")
@pytest.mark.parametrize("change", ["2024-03-31", "2024-10-27"])
def test_clock_change_is_no_anomaly(name: str, change: str) -> None:
    """A local daily shape goes on quietly over the change to and from summer time."""
    midnight = int(datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp())
    at = times(15 * DAY, midnight - 14 * 86_400)
    hours = np.where(at >= midnight + 3_600, 2 if change < "2024-06" else 1, 1 if change < "2024-06" else 2)
    values = 100 + 20 * np.sin(2 * np.pi * (at + hours * 3_600) / 86_400)
    values = values + np.random.default_rng(2).normal(0, 2, len(at))
    steps = scores(replay(fresh(name, 1, zone="Europe/Berlin"), at, values[:, None]))
    assert steps[-DAY:].max() < 1


@having("alone")
@pytest.mark.parametrize("direction", ["up", "down"])
def test_only_the_watched_direction_scores(name: str, direction: str) -> None:
    """With one direction watched, the other side scores 0 and its end of the band is absent."""
    sign = 1 if direction == "up" else -1
    watched, other = learnt(name, direction=direction), learnt(name, direction=direction)
    time = times(LEARNT + 1)[LEARNT:]
    strange = replay(watched, time, np.array([[100.0 + 80 * sign]]))[0]
    ignored = replay(other, time, np.array([[100.0 - 80 * sign]]))[0]
    assert strange.score[0] > 1
    assert ignored.score[0] == 0
    assert np.isnan(ignored.lower[0] if sign > 0 else ignored.upper[0])


@having("alone")
def test_small_deviations_do_not_alarm(name: str) -> None:
    """Below the configured absolute or relative deviation the score stays under 1."""
    at = times(LEARNT + 1)[LEARNT:]
    for settings in ({"minimum_deviation": 50.0}, {"minimum_relative_deviation": 0.5}):
        below, above = learnt(name, **settings), learnt(name, **settings)
        expected = float(replay(learnt(name, **settings), at, np.array([[100.0]]))[0].expected[0])
        smallest = settings.get("minimum_deviation", 0.5 * expected)
        assert replay(below, at, np.array([[expected + 0.98 * smallest]]))[0].score[0] < 1
        assert replay(above, at, np.array([[expected + 1.5 * smallest]]))[0].score[0] > 1


@having("learns")
def test_band_stays_in_the_domain(name: str) -> None:
    """Expected value and band never leave what the value can be."""
    model = fresh(name, 1, domain=(0.0, 1.0))
    share = np.clip(np.random.default_rng(4).normal(0.97, 0.03, (4 * DAY, 1)), 0, 1)
    for step in replay(model, times(4 * DAY), share)[2 * DAY :]:
        assert 0 <= step.lower[0] <= step.expected[0] <= step.upper[0] <= 1


@having("learns")
def test_a_larger_budget_scores_higher(name: str) -> None:
    """Who accepts an alarm a day gets a higher score for the same value than who accepts one a month."""
    model, at = learnt(name), int(times(LEARNT + 1)[-1])
    model.select(np.zeros(4, np.intp))
    strictness = np.array([tail.strictness(days * 86_400.0) for days in (1, 7, 30, 365)])
    step = model.step(at, np.full(4, 150.0), np.zeros(4, bool), strictness=strictness)
    assert np.all(np.diff(step.score) < 0)
    assert np.all(np.diff(step.upper - step.lower) > 0)


@having("learns")
def test_strictness_divides_the_score_and_is_not_learnt(name: str) -> None:
    """Up to the edge the score is divided by it; the state, and so all later scores, are the same."""
    one, two = learnt(name, 2), learnt(name, 2)
    values = daily(LEARNT + DAY, 2, seed=3)[LEARNT:]
    values[100:110] += 60
    everyone = np.ones(2, bool)
    for at, row in zip(times(LEARNT + DAY)[LEARNT:], values, strict=True):
        strict = one.step(int(at), row, everyone, strictness=np.array([0.5, 1.4]))
        plain = two.step(int(at), row, everyone)
        within = np.maximum(strict.score, plain.score) <= 1
        assert np.allclose((strict.score * [0.5, 1.4])[within], plain.score[within], rtol=1e-5)
        assert np.allclose(strict.deviation * [0.5, 1.4], plain.deviation, rtol=1e-5)
    assert same_state(one, two)


@having("alone")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"direction": "up"},
        {"direction": "down"},
        {"minimum_deviation": 15.0},
        {"minimum_relative_deviation": 0.2},
    ],
)
def test_score_passes_one_exactly_at_the_band(name: str, settings: dict[str, object]) -> None:
    """Just inside the band the score is below 1, just outside it is above, and at its end it is 1."""
    values = daily(LEARNT, 5) * np.array([1e-3, 1.0, 1e3, 1e7, 1.0])
    values[:, 4] = np.random.default_rng(6).pareto(2, LEARNT)
    model = fresh(name, 5, **settings)
    replay(model, times(LEARNT), values)
    for strictness in (1.0, 0.3, 0.66, 1.4):
        require_score_one_at_the_band(model, values[-1], strictness)


def require_score_one_at_the_band(model: Model, values: np.ndarray, strictness: float) -> None:
    at, nothing = int(times(LEARNT + 1)[-1]), np.zeros(5, bool)
    band = model.step(at, values, nothing, strictness=strictness)
    for end, sign in ((band.lower, -1), (band.upper, 1)):
        if np.isnan(end).all():
            continue
        reach = np.abs(end - band.expected)
        on, out, within = (
            model.step(at, end + sign * share * reach, nothing, band=False, strictness=strictness).score
            for share in (0, 1e-3, -1e-3)
        )
        assert np.allclose(on, 1, atol=3e-4)
        assert (out > 1).all()
        assert (within < 1).all()


@having()
def test_value_is_outside_the_band_when_it_scores_above_one(name: str) -> None:
    """Over a whole noisy history, score and band never disagree."""
    values = daily(4 * DAY, 3) + np.random.default_rng(8).standard_t(2, (4 * DAY, 3)) * 4
    for step, row in zip(replay(fresh(name, 3), times(len(values)), values), values, strict=True):
        known = ~np.isnan(step.score)
        outside = (row < step.lower) | (row > step.upper)
        assert (outside == (step.score > 1))[known].all()


@having("level")
def test_deviation_stays_up_while_an_incident_lasts(name: str) -> None:
    """The sustained form rises more slowly than the score, and is still up after two hours of a new level."""
    model = learnt(name)
    at = times(LEARNT + 24)[LEARNT:]
    steps = replay(model, at, np.array(ordinary(24))[:, None] + 60)
    assert steps[0].deviation[0] < steps[0].score[0]
    assert steps[-1].deviation[0] > 1


@having("alone")
def test_scores_fall_back_after_an_incident(name: str) -> None:
    """An hour after a short spike all is quiet again."""
    model = learnt(name)
    after(model, [180.0, 180.0])
    later = after_many(model, ordinary(2 * DAY)[:24], LEARNT + 2)
    assert later[12:].max() < 1


@having("learns")
def test_healthy_series_keep_the_budget(name: str) -> None:
    """Well-behaved series alarm at most twice a week each, once known."""
    weeks, series = 3, 20
    values = daily(weeks * 7 * DAY, series, noise=3.0)
    alarms = scores(replay(fresh(name, series), times(len(values)), values))[7 * DAY :] > 1
    starts = (alarms[1:] & ~alarms[:-1]).sum()
    assert starts / (series * (weeks - 1)) <= 2
