"""One series in full, out of a running cycle."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exporter.calendars.windows import Agenda, Window
from exporter.cycle.cycle import Cycle
from exporter.shown.portrait import Portrait
from exporter.shown.portraits import portrait
from exporter.shown.status import Links
from tests.curves import daily, replaced
from tests.cycles import NOW, STEP, Clock, new_cycle
from tests.fake_tsdb import FakeTsdb

JUMP = replaced(daily(), NOW - 3 * STEP, NOW + STEP, 1e6)
ENDED = replaced(daily(1), NOW + STEP, NOW + 9 * STEP, np.nan)
YOUNG = replaced(daily(2), 0, NOW - 20 * STEP, np.nan)


@pytest.fixture
def cycle(tmp_path: Path) -> Iterator[Cycle]:
    """A cycle over a query with a strange, an ended, and a young series."""
    series = [({"service": name}, curve) for name, curve in (("a", JUMP), ("b", ENDED), ("c", YOUNG))]
    it = new_cycle(FakeTsdb({"one": series, "two": []}), Clock(), tmp_path)
    it.pass_over()
    it.pass_over()
    yield it
    it.end()


def of(cycle: Cycle, **labels: str) -> Portrait:
    """The portrait of a series of `one`."""
    found = portrait(cycle, Links(), "one", labels)
    assert found
    return found


def test_a_strange_series_has_all_that_is_known(cycle: Cycle) -> None:
    """Score, beginning, model, promise and what it was learnt from."""
    it = of(cycle, service="a")
    assert (it.state, it.query_state, it.time) == ("scored", "scored", NOW)
    assert it.finding.series.score > 1
    assert it.finding.since == NOW - 3 * STEP
    assert it.deviation == it.deviation
    known = it.knowledge
    assert (known.model, known.chosen, known.category) == ("seasonal", False, "")
    assert known.false_alarms_per_week == pytest.approx(1)
    assert known.points > 400
    assert known.trained_since == NOW - 3 * 86_400


def test_the_model_tells_what_the_value_was_compared_with(cycle: Cycle) -> None:
    """Each view has its expectation and its share; the jump was far from what is usual at this hour."""
    found = {view.name: view for view in of(cycle, service="a").views}
    assert set(found) == {"usual", "recent", "next"}
    assert sum(it.share for it in found.values()) == pytest.approx(1)
    assert found["usual"].expected < 1e5


def test_the_confidence_is_the_product_of_its_factors(cycle: Cycle) -> None:
    """What is told against a score multiplies to the confidence."""
    it = of(cycle, service="a")
    assert it.doubts["youth"] < 1
    assert math.prod(it.doubts.values()) == pytest.approx(it.confidence, abs=0.01)


@pytest.mark.parametrize(("service", "state"), [("b", "missing"), ("c", "learning")])
def test_a_series_without_a_score_has_its_state(cycle: Cycle, service: str, state: str) -> None:
    """What ended is missing, what is young is learning, and neither has numbers."""
    cycle.clock.now += STEP  # type: ignore[attr-defined]
    cycle.pass_over()
    it = of(cycle, service=service)
    assert it.state == state
    assert math.isnan(it.finding.series.score)
    assert it.doubts == {}


def test_who_is_not_there_has_no_portrait(cycle: Cycle) -> None:
    """An unknown query, an unknown label value, and too few labels."""
    for query, labels in (("nothing", {}), ("one", {"service": "z"}), ("one", {})):
        assert portrait(cycle, Links(), query, labels) is None


def test_the_windows_of_the_moment_are_told(cycle: Cycle) -> None:
    """Those that hold now and are about the series."""
    matchers = ()
    windows = (
        Window(NOW - 60, NOW + 60, matchers, "exclusion"),
        Window(NOW + 60, NOW + 90, matchers, "exclusion"),
    )
    cycle.diary.windows.agenda = Agenda(configured=windows)
    assert [(it.reason, it.effect, it.start) for it in of(cycle, service="a").windows] == [
        ("exclusion", "no_learn", NOW - 60)
    ]


def test_a_series_of_a_failing_query_is_still_known(cycle: Cycle) -> None:
    """Its scores are gone, its labels and its model are not."""
    cycle.scorers["one"].lose()
    it = of(cycle, service="a")
    assert math.isnan(it.finding.series.score)
    assert it.knowledge.model == "seasonal"


def test_after_a_restart_a_series_is_known_before_the_first_cycle(cycle: Cycle, tmp_path: Path) -> None:
    """Scores, beginning, confidence and model come back with the state; forecasts and views follow."""
    before = of(cycle, service="a")
    cycle.save()
    again = new_cycle(FakeTsdb(), Clock(), tmp_path, "one", "two")
    after = of(again, service="a")
    again.end()
    assert after.finding.series == before.finding.series
    assert (after.finding.since, after.confidence) == (before.finding.since, before.confidence)
    assert (after.state, repr(after.knowledge)) == (before.state, repr(before.knowledge))
    assert after.views == []
