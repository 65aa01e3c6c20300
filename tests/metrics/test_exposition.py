"""The exposition: text that Prometheus reads back as exactly what was meant."""

import gzip
import subprocess
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter.config.query import Output
from exporter.demo.servers import find
from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.exposition import QueryScores, Snapshot, exposed_families, render
from exporter.metrics.labels import exposed_labels, render_labels
from exporter.metrics.published import OCCASIONAL, SCORES
from exporter.metrics.telemetry import Telemetry
from exporter.models.contract import Scores

label_values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


def query_scores(labels: list[dict[str, str]], values: list[float], query: str = "q") -> QueryScores:
    """One query that exposes `anomaly_score` alone."""
    series = [exposed_labels(tuple(sorted(it.items())), query) for it in labels]
    families = {"anomaly_score": np.array(values)}
    return QueryScores(query, 1_700_000_000, tuple(map(render_labels, series)), tuple(series), families)


def read_back(text: bytes) -> dict[tuple[tuple[str, str], ...], float]:
    """Every sample of an exposition, by its labels."""
    families = text_string_to_metric_families(text.decode())
    return {tuple(sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_the_whole_text_of_a_small_snapshot() -> None:
    """Help, type and one line per series stand there, a NaN score does not."""
    scores = query_scores([{"service": "a"}, {"service": "b"}, {"service": "c"}], [0.5, np.nan, 12.0])
    family = CATALOGUE["anomaly_score"]
    assert render([scores]).decode() == (
        f"# HELP anomaly_score {family.help}\n"
        "# TYPE anomaly_score gauge\n"
        'anomaly_score{query="q",service="a"} 0.5\n'
        'anomaly_score{query="q",service="c"} 12.0\n'
    )


def test_a_family_of_several_queries_stands_together() -> None:
    """The text format wants all samples of a family in one group, whichever query they come from."""
    text = render([query_scores([{"a": "1"}], [1.0], "one"), query_scores([{"a": "1"}], [2.0], "two")])
    assert text.count(b"# TYPE anomaly_score gauge") == 1
    assert text.index(b'query="one"') < text.index(b'query="two"')


def test_nothing_to_say_is_an_empty_text() -> None:
    """A snapshot without scores exposes no score family at all."""
    assert render([]) == b""
    assert render([query_scores([{"a": "1"}], [np.nan])]) == b""


def test_infinities_are_left_out() -> None:
    """An infinite value is no number to alert on."""
    assert render([query_scores([{"a": "1"}], [np.inf])]) == b""


@given(st.lists(label_values, min_size=1, max_size=8, unique=True))
def test_any_label_value_survives(values: list[str]) -> None:
    """Quotes, backslashes, newlines and any script come back as they were."""
    labels = [{"x": value} for value in values if value]
    scores = query_scores(labels, [float(i) for i in range(len(labels))])
    read = read_back(render([scores]))
    assert read == {(("query", "q"), ("x", it["x"])): float(i) for i, it in enumerate(labels)}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_any_finite_value_survives(values: list[float]) -> None:
    """Every finite float64 reads back bit for bit."""
    labels = [{"i": str(i)} for i in range(len(values))]
    read = read_back(render([query_scores(labels, values)]))
    assert list(read.values()) == values


def test_the_gzipped_text_is_the_text() -> None:
    """What a scrape gets compressed is what it would get plain."""
    snapshot = Snapshot.of(0, [query_scores([{"a": "1"}], [1.0])])
    assert gzip.decompress(snapshot.gzipped) == snapshot.text


def test_outputs_choose_the_families() -> None:
    """A query that asks for scores alone exposes one family, and all outputs make all there are."""
    ones = np.ones(2)
    scores = Scores(ones, ones, ones, ones, ones)
    assert set(exposed_families(("score",), ones, scores)) == {"anomaly_score"}
    every = {family.name: ones for family in (*SCORES, *OCCASIONAL)}
    assert set(exposed_families(get_args(Output), ones, scores, every)) == set(every)


def test_no_family_without_a_score() -> None:
    """Where there is no score, the value is absent too: a series is there as a whole or not at all."""
    one, nan = np.ones(1), np.full(1, np.nan)
    families = exposed_families(("score", "value"), one, Scores(nan, nan, nan, nan, nan))
    assert all(np.isnan(values).all() for values in families.values())


@pytest.mark.servers
def test_promtool_finds_nothing_to_mend() -> None:
    """`promtool check metrics` is content with the scores and with the metrics about itself."""
    scores = query_scores([{"a": "1"}], [1.0])
    every = QueryScores("q", 0, scores.labels, scores.series, {it.name: np.ones(1) for it in SCORES})
    telemetry = Telemetry()
    telemetry.count("query_failures_total", query="q", reason="timeout")
    text = render([every]) + telemetry.render()
    done = subprocess.run(
        [find("promtool"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
