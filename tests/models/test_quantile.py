"""Seasonal quantiles: a median, and a scatter of its own above and below it."""

from __future__ import annotations

import numpy as np

from tests.models.histories import DAY, daily, fresh, replay, scores, times


def skewed(points: int, series: int = 1, seed: int = 0) -> np.ndarray:
    """Latencies: a floor of 10 and a log-normal rest, larger by day than by night."""
    at = times(points)
    size = np.exp(1 + 0.5 * np.sin(2 * np.pi * at / 86_400))
    rest = np.random.default_rng(seed).lognormal(0, 0.8, (points, series))
    return 10 + size[:, None] * rest


def test_the_median_is_expected() -> None:
    """About half of the values lie above the expected value, by day and by night."""
    values = skewed(14 * DAY)
    steps = replay(fresh("quantile", 1), times(len(values)), values)
    above = values[7 * DAY :, 0] > np.array([step.expected[0] for step in steps[7 * DAY :]])
    day = (times(len(values))[7 * DAY :] % 86_400) < 43_200
    assert 0.42 < above[day].mean() < 0.58
    assert 0.42 < above[~day].mean() < 0.58


def test_the_band_is_as_skewed_as_the_values() -> None:
    """Where values reach far up and hardly down, so does the band; a symmetrical model's does not."""
    values = skewed(14 * DAY)
    at = times(len(values))
    last = {name: replay(fresh(name, 1), at, values)[-1] for name in ("quantile", "holt_winters")}
    shares = {
        name: float(((it.upper - it.expected) / (it.expected - it.lower))[0]) for name, it in last.items()
    }
    assert shares["quantile"] > 1.5 * shares["holt_winters"]


def test_a_fall_below_the_floor_is_strange() -> None:
    """A latency that was never under 10 and falls to 0 passes the edge."""
    model, values = fresh("quantile", 1), skewed(10 * DAY)
    replay(model, times(len(values)), values)
    fallen = model.step(int(times(len(values) + 1)[-1]), np.zeros(1), np.ones(1, bool))
    assert fallen.score[0] > 1


def test_heavy_skew_keeps_the_budget() -> None:
    """Log-normal series pass the edge at most twice a week each."""
    values = skewed(21 * DAY, 10, seed=3)
    found = scores(replay(fresh("quantile", 10), times(len(values)), values))[7 * DAY :] > 1
    starts = (found[1:] & ~found[:-1]).sum()
    assert starts / (10 * 2) <= 2


def test_noisy_nights_are_told_from_quiet_days() -> None:
    """The band is wider at the time of day at which values scatter more."""
    points = 14 * DAY
    night = (times(points) % 86_400) >= 43_200
    noise = np.random.default_rng(5).normal(0, 1, points) * np.where(night, 8, 1)
    steps = replay(fresh("quantile", 1), times(points), (100 + noise)[:, None])
    width = np.array([step.upper[0] - step.lower[0] for step in steps[10 * DAY :]])
    later = night[10 * DAY :]
    assert width[later].mean() > 3 * width[~later].mean()


def test_hourly_steps_work() -> None:
    """With one point an hour a spike stands out, and the rest is quiet."""
    points = 14 * 24
    values = daily(points, 3, step=3_600)
    model = fresh("quantile", 3, step=3_600.0)
    found = scores(replay(model, times(points, step=3_600), values))
    spike = model.step(int(times(points + 1, step=3_600)[-1]), np.full(3, 300.0), np.ones(3, bool))
    assert (found[7 * 24 :] > 1).mean() < 5e-3
    assert (spike.score > 1).all()
