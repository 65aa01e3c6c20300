"""Each series is judged by the candidate that draws the narrowest band."""

from __future__ import annotations

import numpy as np

from exporter.models.auto import CANDIDATES, FEWEST, Auto
from exporter.models.contract import Model, Settings
from tests.models.histories import DAY, STEP, daily, replay, scores, times


def taught(values: np.ndarray, **settings: object) -> Auto:
    model = Auto(Settings(step=STEP, **settings), values.shape[1])  # type: ignore[arg-type]
    replay(model, times(len(values)), values)
    return model


def different(points: int) -> np.ndarray:
    """A daily wave; a heavily skewed latency that scatters at night; a random walk."""
    rng = np.random.default_rng(0)
    night = (times(points) % 86_400) >= 43_200
    skewed = 10 + np.exp(np.where(night, 1.5, 0)) * rng.lognormal(0, 1.2, points)
    walk = 500 + np.cumsum(rng.normal(0, 3, points))
    return np.stack((daily(points)[:, 0], skewed, walk), axis=1)


def chosen(model: Auto) -> list[str]:
    names, numbers = model.choices()
    return [names[number] for number in numbers]


def test_different_series_have_different_models() -> None:
    """The choice differs for series of different kinds, and the reasons show why."""
    model = taught(different(10 * DAY))
    assert len(set(chosen(model))) > 1
    reasons = model.reasons()
    assert reasons[0].tolist() == [1, 1, 1]
    for row, name in enumerate(chosen(model)):
        assert name == "seasonal" or reasons[list(CANDIDATES).index(name), row] < 1


def test_scores_are_those_of_the_chosen_model() -> None:
    """What auto says of a series is what the chosen model says by itself."""
    values = different(10 * DAY)
    model = taught(values)
    at = times(10 * DAY + 1)[-1:]
    steps = replay(model, at, values[-1:] + 5)
    for row, name in enumerate(chosen(model)):
        alone: Model = CANDIDATES[name](Settings(step=STEP), 1)
        replay(alone, times(10 * DAY), values[:, [row]])
        step = replay(alone, at, values[-1:, [row]] + 5)[0]
        assert steps[0].score[row] == step.score[0]
        assert steps[0].upper[row] == step.upper[0]


def test_the_default_judges_until_there_is_reason() -> None:
    """In the first day after the warm-up it is the first candidate."""
    model = taught(different(2 * DAY + (FEWEST - 1) * DAY // 24))
    assert chosen(model) == ["seasonal"] * 3
    assert np.isnan(model.reasons()).all()


def test_the_choice_does_not_flap() -> None:
    """Over three weeks of like behaviour a series changes its model at most twice."""
    model = Auto(Settings(step=STEP), 3)
    values, at = different(21 * DAY), times(21 * DAY)
    seen = []
    for day in range(21):
        part = slice(day * DAY, (day + 1) * DAY)
        replay(model, at[part], values[part])
        seen.append(model.choices()[1])
    changes = (np.diff(np.array(seen), axis=0) != 0).sum(axis=0)
    assert (changes <= 2).all()


def test_the_choice_does_not_hang_on_the_sensitivity() -> None:
    """Stricter or not, the same models judge."""
    values, everyone = different(6 * DAY), np.ones(3, bool)
    one, two = Auto(Settings(step=STEP), 3), Auto(Settings(step=STEP), 3)
    for at, row in zip(times(6 * DAY), values, strict=True):
        one.step(int(at), row, everyone, band=False)
        two.step(int(at), row, everyone, band=False, strictness=np.array([0.4, 1.5, 3.0]))
    assert chosen(one) == chosen(two)
    assert all(np.array_equal(one.state[name], two.state[name]) for name in one.state)


def test_a_spike_is_found_whoever_judges() -> None:
    """Whatever was chosen, an ordinary day stays below 1 and a spike passes it."""
    values = different(10 * DAY)
    model = taught(values)
    spike = replay(model, times(10 * DAY + 1)[-1:], values.max(axis=0, keepdims=True) * 20)
    assert (scores(spike) > 1).all()
