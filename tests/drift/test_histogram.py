"""Histograms: buckets drift as a distribution, whatever their traffic does."""

from __future__ import annotations

import numpy as np

from exporter.drift.histogram import Histograms
from tests.drift.planted import DAY, WINDOW, filled, times

BOUNDS = ("0.1", "0.5", "1", "5", "+Inf")
SERIES = [{"query": "q", "service": name, "le": bound} for name in ("a", "b") for bound in BOUNDS]


def rates(days: int, late: float) -> np.ndarray:
    """Cumulative rates of two services; from the last 36 hours on `late` of a's requests are slow."""
    rng = np.random.default_rng(0)
    traffic = 100 + 60 * np.sin(2 * np.pi * times(days) / 86_400)[:, None] + rng.normal(0, 3, (days * DAY, 2))
    shares = np.tile(np.array([0.3, 0.4, 0.2, 0.08, 0.02]), (days * DAY, 2, 1))
    shares[-36 * 6 :, 0] = (1 - late) * shares[-36 * 6 :, 0] + late * np.array([0, 0, 0, 1, 0])
    shares *= rng.lognormal(0, 0.05, shares.shape)
    return (traffic[..., None] * np.cumsum(shares, axis=-1)).reshape(days * DAY, -1)


def found(late: float) -> dict[str, np.ndarray]:
    """The scores of both services."""
    (histograms,) = Histograms.find(SERIES)
    assert [it["service"] for it in histograms.labels] == ["a", "b"]
    return histograms.scores(filled(rates(29, late)).past(), WINDOW)


def test_slower_answers_are_a_drift() -> None:
    """A tenth of the requests in a higher bucket is severe, for that service alone."""
    scores = found(0.1)
    assert scores["combined"][0] > 5
    assert scores["combined"][1] < 3
    assert all(scores[test][0] > 2 for test in scores)


def test_more_traffic_of_the_same_kind_is_none() -> None:
    """The wave of the day changes every rate and no share."""
    assert max(score.max() for score in found(0.0).values()) < 3


def test_a_young_histogram_has_no_score() -> None:
    """Fewer than seven days are no reference."""
    (histograms,) = Histograms.find(SERIES)
    scores = histograms.scores(filled(rates(6, 0.0)).past(), WINDOW)
    assert all(np.isnan(score).all() for score in scores.values())


def test_a_histogram_that_is_gone_has_no_score() -> None:
    """Two hours without a point of any bucket, and it is absent, full as its window still is."""
    values = rates(29, 0.1)
    values[-3 * 6 :, : len(BOUNDS)] = np.nan
    (histograms,) = Histograms.find(SERIES)
    scores = histograms.scores(filled(values).past(), WINDOW)["combined"]
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])


def test_buckets_find_each_other() -> None:
    """Rows go by bound, histograms of other bounds apart; what has no `le`, or one bucket, is none."""
    series = [{"a": "1", "le": "+Inf"}, {"a": "1", "le": "2"}, {"a": "2", "le": "1"}, {"a": "3"}]
    series += [{"a": "4", "le": "x"}, {"a": "5", "le": "+Inf"}, {"a": "5", "le": "7"}]
    histograms = Histograms.find(series)
    assert [it.rows.tolist() for it in histograms] == [[[1, 0]], [[6, 5]]]
