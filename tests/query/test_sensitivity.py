"""How sensitive a series is watched: by query or category, and never at the price of what was learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import tail
from exporter.config.file import parse
from exporter.config.problems import ConfigError
from exporter.config.query import Query
from exporter.cycle.persistence import fingerprint
from exporter.durations import parse_budget, parse_sensitivity
from exporter.query.population import Population
from exporter.query.sensitivity import Sensitivity
from tests.scorers import NOW, STEP, query, scorer, scores, services, turn

DAY = 86_400.0
CATEGORIES = [
    {"name": "payment", "match": {"service": "pay.*|checkout"}, "sensitivity": "high"},
    {"name": "batch", "match": {"service": "batch", "env": ""}, "sensitivity": "1 per 2 months"},
]


def file(scoring: str = "{}", queries: str = "[{name: a, expr: up}]", categories: str = "[]") -> str:
    """A configuration with these three sections."""
    return f'tsdb: {{url: "http://h:1"}}\nscoring: {scoring}\ncategories: {categories}\nqueries: {queries}\n'


def refusal(text: str) -> list[str]:
    """The lines with which `text` is refused."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.lines()


def assigned(categories: list[dict[str, Any]], *labels: dict[str, str]) -> list[int]:
    """The category of each label set."""
    return Sensitivity(query(categories=categories)).categories(labels).tolist()


def test_words_stand_for_budgets() -> None:
    """`high` allows more false alarms than `normal`, and `low` fewer."""
    budgets = [parse_sensitivity(word) for word in ("high", "normal", "low")]
    assert budgets == [DAY, 7 * DAY, 30 * DAY]
    assert parse_sensitivity("2 per week") == 3.5 * DAY


@given(
    st.tuples(st.floats(1, 1000), st.floats(1, 1000)),
    st.sampled_from(["hour", "day", "week", "month", "year"]),
)
def test_more_expected_alarms_mean_a_lower_edge(counts: tuple[float, float], period: str) -> None:
    """Whoever expects more alarms in the same time is never given a higher edge of normal."""
    few, many = sorted(round(count, 1) for count in counts)
    edges = [tail.strictness(parse_budget(f"{count} per {period}")) for count in (few, many)]
    assert edges[0] >= edges[1] > 0


def test_the_first_category_that_matches_counts() -> None:
    """Patterns match the whole value, a missing label is an empty one, and all of a category must match."""
    found = assigned(
        [*CATEGORIES, {"name": "all", "match": {"service": ".+"}, "sensitivity": "low"}],
        {"service": "payments"},
        {"service": "batch"},
        {"service": "batch", "env": "test"},
        {"service": "repay"},
        {"job": "x"},
    )
    assert found == [0, 1, 2, 2, -1]


def test_a_query_that_names_its_sensitivity_means_all_its_series() -> None:
    """Categories are the file's; a query with a budget of its own is not subject to them."""
    text = file(
        "{sensitivity: low}",
        "[{name: a, expr: up}, {name: b, expr: up, sensitivity: high},"
        " {name: c, expr: up, false_alarms: 1 per day}]",
        "[{name: payment, match: {service: pay}, sensitivity: high}]",
    )
    first, second, third = parse(text).queries
    assert (first.budget, [it.name for it in first.categories]) == (30 * DAY, ["payment"])
    assert (second.budget, second.categories) == (DAY, ())
    assert (third.budget, third.categories) == (DAY, ())


def test_a_query_may_have_categories_of_its_own() -> None:
    """They replace those of the file."""
    text = file(
        queries="[{name: a, expr: up, categories: [{name: x, match: {a: b}, sensitivity: low}]}]",
        categories="[{name: y, match: {c: d}, sensitivity: high}]",
    )
    assert [it.name for it in parse(text).queries[0].categories] == ["x"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            file(queries="[{name: a, expr: up, sensitivity: high, false_alarms: 1 per day}]"),
            "tidemark.yml:4: queries[0]: expected only one of sensitivity and false_alarms",
        ),
        (
            file("{sensitivity: high, false_alarms: 1 per day}"),
            "tidemark.yml:2: scoring: expected only one of sensitivity and false_alarms",
        ),
        (
            file("{sensitivity: extreme}"),
            "tidemark.yml:2: scoring.sensitivity: expected low, normal, high, or a rate of false alarms per "
            "series, such as '2 per month', found 'extreme'",
        ),
        (
            file(categories="[{name: x, match: {service: '('}, sensitivity: low}]"),
            "tidemark.yml:3: categories[0].match.service: expected a regular expression: missing ), "
            "unterminated subpattern at position 0, found '('",
        ),
        (
            file(categories="[{name: x, match: {}, sensitivity: low}]"),
            "tidemark.yml:3: categories[0].match: expected at least one entry",
        ),
        (
            file(categories="[{name: x, match: {a: b}, sensitivty: low}]"),
            "tidemark.yml:3: categories[0].sensitivity: is required",
        ),
        (
            file(categories=f"[{', '.join(2 * ['{name: x, match: {a: b}, sensitivity: low}'])}]"),
            "tidemark.yml:3: categories: expected every name once, found twice: x",
        ),
    ],
)
def test_a_mistake_is_one_line_where_it_stands(text: str, line: str) -> None:
    """Two budgets, unknown words and categories that cannot match are said once, with what was expected."""
    lines = refusal(text)
    assert lines[0] == line
    assert all("queries" not in it for it in lines[1:])


def test_each_series_is_judged_by_its_category() -> None:
    """The strictness is one number without categories, and one per series of the roster with them."""
    keys = [b'{"service":"batch"}', b'{"service":"other"}', b'{"service":"pay"}']
    alike = Population(query(sensitivity="low"), "UTC", keys)
    assert alike.strictness == pytest.approx(tail.strictness(30 * DAY))
    population = Population(query(categories=CATEGORIES), "UTC", keys)
    wanted = [tail.strictness(days * DAY) for days in (60, 7, 1)]
    assert np.allclose(population.strictness, wanted)
    population.keep(np.array([2, 0]))
    population.join(Population(query(categories=CATEGORIES), "UTC", keys[1:2]))
    assert np.allclose(population.strictness, np.array(wanted)[[2, 0, 1]])


def test_series_with_a_category_are_named() -> None:
    """The category of each scored series is exposed; series without one, or without a score, have none."""
    keys = [b'{"service":"batch"}', b'{"service":"other"}', b'{"service":"pay"}', b'{"service":"checkout"}']
    named = Population(query(categories=CATEGORIES), "UTC", keys).named
    (table,) = named.tables(np.array([True, True, True, False]))
    shown = dict(zip(table.labels, table.families["anomaly_category_info"].tolist(), strict=True))
    assert shown.pop(b'{query="rate",service="checkout",category="payment"} ') != 1
    assert shown == {
        b'{query="rate",service="batch",category="batch"} ': 1,
        b'{query="rate",service="pay",category="payment"} ': 1,
    }
    assert Population(query(), "UTC", keys).named.tables(np.ones(4, bool)) == ()


def test_a_new_sensitivity_moves_the_next_score_and_nothing_else() -> None:
    """After a reload the scores are those of a scorer that always had the new sensitivity."""
    tsdb = services("checkout", "b")
    it, other = scorer(tsdb), scorer(tsdb, categories=CATEGORIES, sensitivity="low")
    plain = scorer(tsdb)
    for one in (it, other, plain):
        turn(one, NOW)
    tsdb.asked.clear()
    it.adopt(other.query, it.reader.around)
    for one in (it, other, plain):
        turn(one, NOW + STEP)
    assert tsdb.count("/query_range") == 0
    assert scores(it) == scores(other)
    assert scores(it)["checkout"] > scores(plain)["checkout"]
    assert scores(it)["b"] < scores(plain)["b"]


def test_what_was_learnt_fits_any_sensitivity() -> None:
    """The fingerprint of saved state does not know of budgets and categories."""
    one, two = query(), query(categories=CATEGORIES, sensitivity="high")
    assert fingerprint(one, "UTC") == fingerprint(two, "UTC")


def test_promises_are_told_per_category() -> None:
    """False alarms per week, by category, and under no name for all other series."""
    told = Sensitivity(Query.model_validate({"name": "q", "expr": "up", "categories": CATEGORIES})).per_week()
    assert told == pytest.approx({"payment": 7, "batch": 7 / 60, "": 1})


def test_how_fast_a_query_adapts_is_a_word_or_a_duration() -> None:
    """`fast`, `normal` and `slow` stand for durations; anything else is refused in one line."""
    lasting = [query(adapts=it).adapts for it in ("fast", "normal", "slow", "12h")]
    assert lasting == [3_600, 6 * 3_600, 2 * DAY, 12 * 3_600]
    (line,) = refusal(file("{adapts: never}"))
    assert line == (
        "tidemark.yml:2: scoring.adapts: expected fast, normal, slow, "
        "or a duration such as 12h, found 'never'"
    )
