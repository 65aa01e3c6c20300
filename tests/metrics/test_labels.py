"""Labels as the text format has them: spelled within it, told apart from own ones, and read back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter.frame import DuplicateSeries
from exporter.metrics.exposition import QueryScores, Snapshot, Table
from exporter.metrics.labels import exposed_labels, read_labels, render_labels, with_choice

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


def test_own_labels_do_not_collide_with_those_of_the_source() -> None:
    """A source label `query` is kept as `exported_query`, and the metric name is dropped."""
    labels = (("__name__", "up"), ("job", "x"), ("query", "theirs"))
    assert exposed_labels(labels, "mine") == {"query": "mine", "job": "x", "exported_query": "theirs"}


def test_label_names_outside_the_text_format_are_spelled_within_it() -> None:
    """Dots and leading digits of OpenTelemetry names become underscores."""
    assert exposed_labels((("http.route", "/"), ("2xx", "1")), "q") == {
        "query": "q",
        "http_route": "/",
        "_2xx": "1",
    }


def test_labels_that_become_one_are_an_error() -> None:
    """Two labels of a series that would share a name are refused rather than merged."""
    with pytest.raises(DuplicateSeries, match="a_b"):
        exposed_labels((("a.b", "1"), ("a_b", "2")), "q")


def test_the_chosen_model_is_a_label() -> None:
    """Each scored series of an auto query names its model; a source label of that name makes way."""
    labels = [render_labels(it) for it in ({"a": "1"}, {"model": "m", "a": '",model="'}, {"a": "3"})]
    chosen = with_choice(
        labels, "model", ("seasonal", "quantile"), np.array([0, 1, 1]), np.array([True, True, False])
    )
    table = Table(chosen, {"anomaly_chosen_model_info": np.ones(2)})
    text = Snapshot.of(0, [QueryScores("q", 0, labels, ({},) * 3, {}, [table])]).text.decode()
    assert text.splitlines()[2:] == [
        'anomaly_chosen_model_info{a="1",model="seasonal"} 1.0',
        'anomaly_chosen_model_info{exported_model="m",a="\\",model=\\"",model="quantile"} 1.0',
    ]
    assert {tuple(it.labels) for family in text_string_to_metric_families(text) for it in family.samples}


@given(st.dictionaries(names, st.text(), max_size=4))
def test_labels_are_read_back_as_they_were(labels: dict[str, str]) -> None:
    """Quotes, backslashes and newlines in values survive the way through the text format."""
    assert read_labels(render_labels(labels)) == labels
