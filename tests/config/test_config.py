"""The configuration: two keys suffice, everything else is said at once and in one line each."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.file import load, parse
from exporter.config.problems import ConfigError
from exporter.config.query import Query, Tuning
from exporter.models import MODELS

MINIMAL = """
tsdb: {url: "http://localhost:9090"}
queries:
  - name: request_rate
    expr: sum by (service) (rate(http_requests_total[5m]))
"""
BAD = Path(__file__).parent / "refused"


def problems(text: str, **environment: str) -> list[str]:
    """The lines with which `text` is refused."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "tidemark.yml", environment)
    return caught.value.lines()


def test_two_keys_suffice() -> None:
    """Where the TSDB is and one query make a whole configuration, with the documented defaults."""
    loaded = parse(MINIMAL)
    query = loaded.queries[0]
    assert loaded.tsdb.url == "http://localhost:9090"
    assert (query.step, query.offset, query.history) == (60, 30, 21 * 86_400)
    assert (query.direction, query.missing, query.model) == ("both", "skip", "seasonal")
    assert (query.domain.min, query.domain.max) == (-math.inf, math.inf)


def test_values_are_frozen() -> None:
    """A configuration in use cannot be changed under the feet of those who read it."""
    loaded = parse(MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        loaded.queries[0].name = "other"  # type: ignore[misc]


def test_scoring_is_the_default_of_every_query() -> None:
    """What stands in `scoring` holds for each query that does not say otherwise."""
    text = """
    tsdb: {url: "http://localhost:9090"}
    scoring: {interval: 30s, history: 7d, false_alarms: 1 per month}
    queries:
      - {name: a, expr: up}
      - {name: b, expr: up, step: 5m, false_alarms: 1 per day}
    """
    first, second = parse(text).queries
    assert (first.step, first.history, first.false_alarms) == (30, 7 * 86_400, 30 * 86_400)
    assert (second.step, second.history, second.false_alarms) == (300, 7 * 86_400, 86_400)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yml")), ids=lambda path: path.stem)
def test_bad_files_are_refused_with_exactly_these_lines(path: Path) -> None:
    """Every file in tests/config/refused is refused with the lines in its comments, no more and no fewer."""
    text = path.read_text()
    expected = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    assert problems(text) == expected


def test_a_wrong_default_is_said_once_where_it_stands() -> None:
    """A mistake in `scoring` is not repeated for each query that inherits it."""
    text = MINIMAL + "  - {name: b, expr: up}\nscoring: {history: long}\n"
    assert len(problems(text)) == 1
    assert "scoring.history" in problems(text)[0]


def test_environment_variables_are_expanded() -> None:
    """`${NAME}` in any text is replaced by the environment's value, and a missing one is an error."""
    text = 'tsdb: {url: "http://${HOST}:9090"}\nqueries: [{name: a, expr: up}]'
    assert parse(text, environment={"HOST": "vm"}).tsdb.url == "http://vm:9090"
    assert problems(text) == ["tidemark.yml:1: tsdb.url: the environment variable HOST is not set"]


def test_a_variable_cannot_inject_structure() -> None:
    """Expansion happens after parsing, so a value with YAML in it stays text."""
    text = "tsdb: {url: 'http://h:1'}\nqueries: [{name: a, expr: '${EXPR}'}]"
    assert parse(text, environment={"EXPR": "up, step: 9h"}).queries[0].expr == "up, step: 9h"


def test_a_secret_may_come_from_the_environment_and_is_not_shown() -> None:
    """A password from the environment is accepted and appears in no representation."""
    text = """
    tsdb: {url: "http://h:1", basic_auth: {username: u, password: "${SECRET}"}}
    queries: [{name: a, expr: up}]
    """
    loaded = parse(text, environment={"SECRET": "hunter2"})
    assert loaded.tsdb.basic_auth is not None
    assert loaded.tsdb.basic_auth.password is not None
    assert loaded.tsdb.basic_auth.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(loaded)


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    """A password written into the file is refused, and the message does not print it."""
    text = """
    tsdb: {url: "http://h:1", basic_auth: {username: u, password: hunter2}}
    queries: [{name: a, expr: up}]
    """
    (line,) = problems(text)
    assert "password_file" in line
    assert "hunter2" not in line


def test_secret_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    """A relative path in the file starts at the file, and the trailing newline of a secret is dropped."""
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "tidemark.yml").write_text(MINIMAL)
    loaded = load(tmp_path / "tidemark.yml")
    assert loaded.secret(Path("password")) == "hunter2"
    with pytest.raises(ConfigError, match="nowhere: cannot be read: No such file"):
        loaded.secret(Path("nowhere"))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A missing file is named with the reason."""
    with pytest.raises(ConfigError, match=r"none\.yml: cannot be read: No such file or directory$"):
        load(tmp_path / "none.yml")


def refusal(text: str) -> list[str]:
    """The lines with which `text` is refused, none if it is accepted."""
    try:
        parse(text, environment={})
    except ConfigError as error:
        return error.lines()
    return []


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    """Whatever the file holds, it is refused in lines of its own or accepted; nothing else escapes."""
    assert all(line.startswith("tidemark.yml") and "\n" not in line for line in refusal(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *("tsdb", "queries", "scoring", "url", "name", "expr", "step", "domain", "min", "x"),
                        *("packs", "parameters"),
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_structure_is_a_configuration_or_refused(tree: object) -> None:
    """Wrong types in any place are refused with a path, never with a crash."""
    assert all(line.startswith("tidemark.yml") for line in refusal(yaml.safe_dump(tree)))


def test_models_named_in_the_schema_are_the_models_there_are() -> None:
    """The names a file may use and the literal map of models are the same."""
    assert set(Query.model_fields["model"].annotation.__args__) == set(MODELS)  # type: ignore[union-attr]


def test_queries_can_override_every_default() -> None:
    """Whatever `scoring` may say about queries, a query may say for itself."""
    assert set(Tuning.model_fields) <= set(Query.model_fields)


def test_the_drift_section_is_that_of_every_query_without_its_own() -> None:
    """Drift is on without a section; a query's own section stands instead of the file's."""
    text = MINIMAL + "  - {name: b, expr: b, drift: {enabled: false}}\n"
    assert [query.watches_drift for query in parse(text).queries] == [True, False]
    one, two = parse(text + "drift: {window: 12h}\n").queries
    assert one.drift.window == 12 * 3600
    assert not two.watches_drift


@pytest.mark.parametrize("key", ["step: 2h", "outputs: [score]"])
def test_drift_is_off_where_it_would_say_nothing(key: str) -> None:
    """Points that are rarer than the hours it compares, and outputs without it, cost no memory for it."""
    text = MINIMAL + f"  - {{name: b, expr: b, {key}}}\n"
    assert [query.watches_drift for query in parse(text).queries] == [True, False]
