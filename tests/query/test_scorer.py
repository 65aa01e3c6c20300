"""One query's place in time: bootstrap, live points and gaps are the same steps."""

from collections.abc import Callable

import httpx
import numpy as np
import pytest

from exporter.cycle.persistence import restore, saved
from exporter.frame import DuplicateSeries
from exporter.query.population import Stopped
from exporter.tsdb.errors import TsdbError
from tests.curves import DAY, between, daily, replaced
from tests.fake_tsdb import FakeTsdb
from tests.scorers import NOW, STEP, query, scorer, scores, services, turn


def test_a_bootstrap_ends_with_scores() -> None:
    """After its first turn a query has learnt its history and exposes the score of the newest point."""
    it = scorer(services("a", "b"))
    turn(it, NOW)
    assert it.time == NOW
    assert set(scores(it)) == {"a", "b"}
    assert it.counts == {"scored": 2, "learning": 0, "missing": 0, "paused": 0}
    assert it.progress == 1.0


def test_history_is_not_asked_for_again() -> None:
    """A live turn is one instant read."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    before = len(tsdb.asked)
    turn(it, NOW + STEP)
    assert [path for path, _ in tsdb.asked[before:]] == ["/api/v1/query"]
    assert it.time == NOW + STEP


def test_nothing_is_asked_before_the_next_point_is_due() -> None:
    """Within one step the scores stand, and the TSDB is left alone."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    before, standing = len(tsdb.asked), it.scores
    turn(it, NOW + STEP - 1)
    assert (len(tsdb.asked), it.scores) == (before, standing)


def test_the_offset_is_kept() -> None:
    """A point is read only once it is `offset` old."""
    it = scorer(services("a"), offset="90s")
    assert it.target(NOW + 89) == NOW - STEP
    assert it.target(NOW + 90) == NOW


def test_live_points_and_a_gap_give_the_same_state() -> None:
    """After a pause of any length the state is what it would have been."""
    tsdb = services("a", "b")
    live, paused = scorer(tsdb), scorer(tsdb)
    for it in (live, paused):
        turn(it, NOW)
    for later in range(1, 41):
        turn(live, NOW + later * STEP)
    turn(paused, NOW + 40 * STEP)
    for name, array in live.series.model.state.items():
        np.testing.assert_array_equal(array, paused.series.model.state[name], err_msg=name)
    assert scores(live) == scores(paused)


def test_counts_that_are_absent_may_mean_zero() -> None:
    """With `missing: zero` a series that stops while others go on is a fall to zero, and strange."""
    tsdb = services("a")
    tsdb.series["rate"].append(({"service": "b"}, between(daily(1), 0, NOW + 1)))
    it = scorer(tsdb, missing="zero")
    turn(it, NOW)
    turn(it, NOW + STEP)
    assert it.scores is not None
    assert it.scores.families["anomaly_value"].tolist()[1] == 0
    assert scores(it)["b"] > 1


def test_an_empty_answer_is_never_a_fall_to_zero() -> None:
    """When nothing at all is returned the source is silent, and even counts are missing."""
    tsdb = services("a")
    it = scorer(tsdb, missing="zero")
    turn(it, NOW)
    tsdb.series["rate"] = []
    turn(it, NOW + STEP)
    assert scores(it) == {}


def test_an_incident_scores_above_one() -> None:
    """A value far from what the hour usually brings lies beyond the edge of normal."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(), NOW, np.inf, 300.0))]})
    it = scorer(tsdb)
    turn(it, NOW - STEP)
    assert scores(it)["a"] < 1
    turn(it, NOW)
    assert scores(it)["a"] > 1


def test_an_expression_without_series_waits_for_them() -> None:
    """Nothing returned is no failure; the first series that comes is scored by its history."""
    tsdb = FakeTsdb({"rate": []})
    it = scorer(tsdb)
    turn(it, NOW)
    turn(it, NOW + STEP)
    assert scores(it) == {}
    tsdb.series["rate"] = [({"service": "a"}, daily())]
    turn(it, NOW + 2 * STEP)
    turn(it, NOW + 3 * STEP)
    assert set(scores(it)) == {"a"}


def test_duplicates_after_dropping_the_name_are_an_error() -> None:
    """Series that would be exposed as one fail the query, with what to do about it."""
    tsdb = FakeTsdb({"rate": [({"__name__": name, "service": "a"}, daily()) for name in ("x", "y")]})
    with pytest.raises(DuplicateSeries, match="sum by, label_replace"):
        scorer(tsdb).advance(NOW)


def test_a_clock_that_goes_back_a_little_is_waited_out() -> None:
    """Within two steps the scorer waits until time has caught up."""
    it = scorer(services("a"))
    turn(it, NOW)
    turn(it, NOW - STEP)
    assert it.time == NOW


def test_a_clock_that_goes_back_far_means_a_new_start() -> None:
    """What was learnt from a future that did not come is thrown away."""
    it = scorer(services("a"))
    turn(it, NOW)
    turn(it, NOW - DAY)
    assert it.time == NOW - DAY
    assert set(scores(it)) == {"a"}


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (lambda _: httpx.Response(500, text="oops"), "http_5xx"),
        (lambda _: httpx.Response(200, text="<html>hello</html>"), "malformed"),
        (
            lambda _: httpx.Response(422, json={"status": "error", "errorType": "execution", "error": "no"}),
            "rejected",
        ),
    ],
)
def test_a_failed_read_is_caught_up(trouble: Callable[[httpx.Request], httpx.Response], reason: str) -> None:
    """A turn that fails changes nothing; the next one reads what was missed."""
    tsdb = services("a")
    it, steady = scorer(tsdb), scorer(tsdb)
    turn(it, NOW)
    tsdb.trouble = trouble
    with pytest.raises(TsdbError) as caught:
        turn(it, NOW + STEP)
    assert caught.value.reason == reason
    tsdb.trouble = None
    turn(it, NOW + 2 * STEP)
    turn(steady, NOW)
    turn(steady, NOW + STEP)
    turn(steady, NOW + 2 * STEP)
    assert scores(it) == scores(steady)


def test_invalid_samples_are_counted_and_absent() -> None:
    """NaN and infinities of the source are no values, and a counter says how many came."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    tsdb.series["rate"][0] = ({"service": "a"}, lambda times: np.full(len(times), np.inf))
    turn(it, NOW + STEP)
    assert scores(it) == {}
    text = it.reader.around.telemetry.render().decode()
    assert 'tidemark_input_invalid_samples_total{query="rate",reason="inf"} 1.0' in text


def test_a_stop_ends_a_bootstrap_between_two_points() -> None:
    """A stopping exporter does not wait for three weeks of history."""
    it = scorer(services("a"))
    it.reader.around.stop.set()
    with pytest.raises(Stopped):
        turn(it, NOW)


def test_new_settings_keep_what_was_learnt() -> None:
    """Direction, floors and budget change the next score, not the memory."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(), NOW + STEP, np.inf, 0.0))]})
    it = scorer(tsdb)
    turn(it, NOW)
    it.adopt(query(direction="up"), it.reader.around)
    tsdb.asked.clear()
    turn(it, NOW + STEP)
    assert scores(it)["a"] == 0
    assert tsdb.count("/query_range") == 0


def test_requests_are_sized_by_what_answers() -> None:
    """A query that keeps ten of many series asks for no more points at once than the limit allows."""
    tsdb = services(*(f"s{number}" for number in range(200)))
    it = scorer(tsdb, max_series=10)
    turn(it, NOW)
    spans = [
        (float(form["end"]) - float(form["start"])) / STEP + 1
        for path, form in tsdb.asked
        if path.endswith("query_range")
    ]
    assert max(spans) * 200 <= it.reader.around.source.settings.max_points  # type: ignore[attr-defined]
    assert len(scores(it)) == 10
    assert it.dropped == 190


def test_a_renamed_count_is_not_zero_for_a_moment() -> None:
    """When the same labels arrive under other bytes, the first point is the value, not a zero."""
    tsdb = FakeTsdb({"rate": [({"__name__": "x", "service": "a"}, daily()), ({"service": "b"}, daily(1))]})
    it = scorer(tsdb, missing="zero")
    turn(it, NOW)
    tsdb.series["rate"][0] = ({"__name__": "y", "service": "a"}, daily())
    turn(it, NOW + STEP)
    assert it.scores is not None
    assert it.scores.families["anomaly_value"].tolist()[0] > 0


def test_a_longer_offset_is_waited_out() -> None:
    """Reading older points from now on throws nothing away."""
    tsdb = services("a")
    it = scorer(tsdb)
    turn(it, NOW)
    it.adopt(query(offset="1h"), it.reader.around)
    tsdb.asked.clear()
    turn(it, NOW + STEP)
    assert it.time == NOW
    assert tsdb.asked == []


def test_an_absurd_value_spoils_nothing() -> None:
    """A number near the end of float64 is clipped for the model, and the next points are scored."""
    tsdb = FakeTsdb({"rate": [({"service": "a"}, replaced(daily(), NOW - DAY, NOW - DAY + STEP, 1e300))]})
    it = scorer(tsdb)
    turn(it, NOW)
    assert scores(it)["a"] < 1


def test_peers_are_grouped_by_their_labels() -> None:
    """With `peers_by`, members are compared within their group, also those that join later."""
    members = [
        ({"cluster": cluster, "pod": str(pod)}, daily(seed=pod, level=level))
        for cluster, level in (("a", 100.0), ("b", 5_000.0))
        for pod in range(6)
    ]
    late, curve = members[-1]
    members[-1] = late, between(curve, NOW - STEP / 2, NOW + DAY)
    it = scorer(FakeTsdb({"rate": members}), model="peers", peers_by=["cluster"])
    turn(it, NOW - STEP)
    assert it.counts["scored"] == 11
    for later in range(3):
        turn(it, NOW + later * STEP)
    assert it.counts["scored"] == 12
    assert it.scores is not None
    assert max(it.scores.families["anomaly_score"]) < 1
    expected = it.scores.families["anomaly_expected"]
    assert (expected > 1_000).sum() == 6


def test_a_static_query_follows_its_configuration() -> None:
    """Changed ends take effect without new learning."""
    it = scorer(services("a"), model="static", normal={"min": 0, "max": 1_000})
    turn(it, NOW)
    assert it.scores is not None
    assert it.scores.families["anomaly_upper"][0] == 1_000
    it.adopt(query(model="static", normal={"min": 0, "max": 500}), it.reader.around)
    turn(it, NOW + STEP)
    assert it.scores.families["anomaly_upper"][0] == 500


def test_an_auto_query_names_the_model_of_each_series() -> None:
    """The snapshot names the model of every scored series and says why; the counts by model add up."""
    it = scorer(services("a", "b"), model="auto")
    turn(it, NOW)
    assert it.scores is not None
    (table,) = it.scores.tables
    named = [labels.decode() for labels in table.labels]
    why = table.families["anomaly_chosen_model_width_ratio"].tolist()
    assert all(
        ratio == 1 if '"seasonal"' in name else ratio < 1 for name, ratio in zip(named, why, strict=True)
    )
    models = [name.split("model=")[1].strip('"} ') for name in named]
    assert len(models) == 2
    told = it.reader.around.telemetry.render().decode()
    for name in ("seasonal", "holt_winters", "quantile", "rate_of_change"):
        assert f'anomaly_model_series{{model="{name}",query="rate"}} {models.count(name)}.0' in told
    kept = saved(it)
    assert kept is not None
    again = scorer(services("a", "b"), model="auto")
    assert restore(again, kept, NOW)
    turn(again, NOW + STEP)
    turn(it, NOW + STEP)
    assert scores(again) == scores(it)
