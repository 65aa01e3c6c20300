"""The law from sizes to rarity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from exporter.groups.law import edge, learn

WEEK = 7 * 86_400.0


def test_the_edge_follows_the_budget() -> None:
    """A rarer budget has a higher edge, a longer step a lower one, and no budget makes it vanish."""
    assert edge(WEEK, 60) == pytest.approx(math.log(WEEK / 360))
    assert edge(4 * WEEK, 60) > edge(WEEK, 60) > edge(WEEK, 300) > edge(86_400, 300)
    assert edge(60, 3_600) == 2


def test_five_in_a_hundred_lie_beyond_the_quantile() -> None:
    """Sizes of the past have their own rarity as evidence."""
    sizes = np.abs(np.random.default_rng(0).standard_t(5, (1_000, 20)))
    law = learn(sizes)
    services = np.tile(np.arange(20), 1_000)
    assert (law.evidence(sizes.ravel(), services) > -math.log(0.05)).mean() == pytest.approx(0.05, abs=0.005)


def test_a_service_that_was_never_there_has_the_group_s_law() -> None:
    """Without sizes of its own a service has the law of all."""
    sizes = np.abs(np.random.default_rng(0).normal(size=(500, 3)))
    sizes[:, 1] = np.nan
    law = learn(sizes)
    assert law.quantile[1] == pytest.approx(law.quantile[-1])
    assert law.index[1] == pytest.approx(law.index[-1])


def test_a_long_outage_counts_as_few_points() -> None:
    """A hundred gross sizes in a row bend the tail less than a hundred scattered ones."""
    rng = np.random.default_rng(0)
    sizes = np.abs(rng.normal(size=(2_000, 5)))
    outage, scattered = sizes.copy(), sizes.copy()
    outage[500:600, 0] = 50
    scattered[::20, 0] = 50
    assert learn(sizes).index[-1] < learn(outage).index[-1] < learn(scattered).index[-1]
