"""Reading answers: what is exact, what is counted, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.tsdb import parse
from exporter.tsdb.errors import Permanent, Retryable, TsdbError
from tests.tsdb.answers import HISTOGRAM, Labels, answer, matrix_answer, vector_answer

TIMES = np.arange(1_700_000_100, 1_700_000_100 + 5 * 300, 300, dtype=np.int64)
VECTOR = vector_answer([({"service": "api"}, "1.5"), ({"service": 'c"art\\'}, "-2e-05")])

names = st.sampled_from(["__name__", "service", "metric", "value", "values", "histogram"])
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    [
        '"]},{"metric":',
        '},"value":[1700000060,"',
        '},"values":[[',
        "]]}]",
        '"]}]',
        '"result":[{"metric":',
        "\n",
        "NaN",
    ]
)
label_sets = st.dictionaries(names, words, max_size=4)
numbers = st.floats(allow_nan=True, allow_infinity=True)


def written(value: float) -> str:
    """A float as a server writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def finite(value: float) -> float:
    """What is left of a value to score."""
    return value if math.isfinite(value) else math.nan


def test_keys_are_the_bytes_of_the_server() -> None:
    """Label objects come back untouched, values as floats in the same order."""
    found = parse.vector(VECTOR)
    assert found.keys == [b'{"service":"api"}', b'{"service":"c\\"art\\\\"}']
    assert found.values.tolist() == [1.5, -2e-05]


@given(st.lists(st.tuples(label_sets, numbers), max_size=6))
def test_vector_equals_the_plain_reading(rows: list[tuple[Labels, float]]) -> None:
    """Whatever stands in labels and values, the fast reading is the reading of `json`."""
    found = parse.vector(vector_answer([(labels, written(value)) for labels, value in rows]))
    assert [json.loads(key) for key in found.keys] == [labels for labels, _ in rows]
    np.testing.assert_array_equal(found.values, [finite(value) for _, value in rows])
    assert found.invalid["nan"] == sum(math.isnan(value) for _, value in rows)
    assert found.invalid["inf"] == sum(math.isinf(value) for _, value in rows)


@given(st.lists(st.tuples(label_sets, st.lists(numbers | st.none(), min_size=5, max_size=5)), max_size=6))
def test_matrix_equals_the_plain_reading(rows: list[tuple[Labels, list[float | None]]]) -> None:
    """Gaps, infinities and odd labels included, every sample stands in its row at its time."""
    there = [(labels, values) for labels, values in rows if any(value is not None for value in values)]
    body = matrix_answer([(labels, _samples(values)) for labels, values in there])
    found = parse.matrix(body, TIMES)
    assert [json.loads(key) for key in found.keys] == [labels for labels, _ in there]
    expected = [[math.nan if value is None else finite(value) for value in values] for _, values in there]
    np.testing.assert_array_equal(found.values, np.reshape(expected, (len(there), 5)))


def _samples(values: list[float | None]) -> list[tuple[int, str]]:
    return [(at, written(v)) for at, v in zip(TIMES.tolist(), values, strict=True) if v is not None]


@given(st.lists(st.tuples(label_sets, numbers), max_size=4), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_other_layouts_are_read_too(
    rows: list[tuple[Labels, float]], indent: int | str | None, sort: bool
) -> None:
    """An answer that a proxy has written anew, with spaces or another order of keys, reads the same."""
    document = json.loads(vector_answer([(labels, written(value)) for labels, value in rows]))
    result = [dict(reversed(row.items())) if sort else row for row in document["data"]["result"]]
    document["data"]["result"] = result
    found = parse.vector(json.dumps(document, indent=indent).encode())
    assert [json.loads(key) for key in found.keys] == [labels for labels, _ in rows]
    np.testing.assert_array_equal(found.values, [finite(value) for _, value in rows])


def test_other_layouts_of_a_range() -> None:
    """A range answer with spaces reads as one without."""
    body = matrix_answer([({"a": "1"}, [(int(TIMES[1]), "7")])])
    spaced = json.dumps(json.loads(body), indent=2).encode()
    np.testing.assert_array_equal(parse.matrix(spaced, TIMES).values, parse.matrix(body, TIMES).values)


def test_many_blocks() -> None:
    """Rows beyond one block of parsing, complete and incomplete ones mixed, keep their places."""
    rng = np.random.default_rng(3)
    times = np.arange(0, 60 * 3000, 60, dtype=np.int64)
    values = rng.normal(size=(40, 3000)).round(6)
    values[rng.random(values.shape) < 0.001] = np.nan
    values[5:30] = np.nan_to_num(values[5:30])
    rows = [
        ({"i": str(i)}, [(at, repr(v)) for at, v in zip(times.tolist(), row, strict=True) if v == v])
        for i, row in enumerate(values.tolist())
    ]
    np.testing.assert_array_equal(parse.matrix(matrix_answer(rows), times).values, values)


def test_a_histogram_in_a_later_block() -> None:
    """What is met only after many rows that are as usual is counted, and no row is read twice."""
    times = np.arange(0, 60 * 3000, 60, dtype=np.int64)
    plain = json.loads(matrix_answer([({}, [(at, "0.25") for at in times.tolist()])]))["data"]["result"][0]
    rows = [json.dumps(plain | {"metric": {"i": str(i)}}, separators=(",", ":")) for i in range(8)]
    rows += [f'{{"metric":{{"i":"8"}},"histograms":[[60,{HISTOGRAM}]]}}']
    found = parse.matrix(answer("matrix", rows), times)
    assert [json.loads(key)["i"] for key in found.keys] == [str(i) for i in range(9)]
    assert np.isfinite(found.values).sum(axis=1).tolist() == [3000] * 8 + [0]
    assert found.invalid == {"nan": 0, "inf": 0, "histogram": 1}


@pytest.mark.parametrize("text", ["1e+06", "1E6", "1000000", "100000000000000000000000", "5e-324", "-0"])
def test_forms_of_numbers(text: str) -> None:
    """Every way to write a number that a server uses is read."""
    assert parse.vector(vector_answer([({}, text)])).values.tolist() == [float(text)]


def test_differing_times_are_no_obstacle() -> None:
    """Samples of an instant answer need not carry the same time."""
    rows = ['{"metric":{"a":"1"},"value":[5,"1"]}', '{"metric":{"a":"2"},"value":[6.5,"2"]}']
    assert parse.vector(answer("vector", rows)).values.tolist() == [1, 2]


def test_scalar() -> None:
    """A scalar is one series without labels."""
    found = parse.vector(b'{"status":"success","data":{"resultType":"scalar","result":[1700000060,"42"]}}')
    assert (found.keys, found.values.tolist()) == ([b"{}"], [42.0])


def test_empty() -> None:
    """No series is a success."""
    assert parse.vector(answer("vector", [])).keys == []
    assert parse.matrix(answer("matrix", []), TIMES).values.shape == (0, 5)


def test_histograms_in_a_vector() -> None:
    """A native histogram is counted, has no value, and leaves the others alone."""
    rows = [
        f'{{"metric":{{"a":"1"}},"histogram":[1700000060,{HISTOGRAM}]}}',
        '{"metric":{"a":"2"},"value":[1700000060,"2"]}',
        '{"metric":{"a":"3"},"value":[1700000060,"NaN"]}',
        f'{{"metric":{{"a":"4"}},"histogram":[1700000060,{HISTOGRAM}]}}',
    ]
    found = parse.vector(answer("vector", rows))
    assert found.keys == [b'{"a":"1"}', b'{"a":"2"}', b'{"a":"3"}', b'{"a":"4"}']
    np.testing.assert_array_equal(found.values, [np.nan, 2.0, np.nan, np.nan])
    assert found.invalid == {"nan": 1, "inf": 0, "histogram": 2}


def test_histograms_in_a_matrix() -> None:
    """A row of histograms is empty; where a row has both, its floats are kept."""
    first, second = TIMES[:2].tolist()
    two = f"[[{first},{HISTOGRAM}],[{second},{HISTOGRAM}]]"
    rows = [
        f'{{"metric":{{"a":"1"}},"histograms":{two}}}',
        f'{{"metric":{{"a":"2"}},"values":[[{first},"2"]],"histograms":[[{second},{HISTOGRAM}]]}}',
        f'{{"metric":{{"a":"3"}},"values":[[{second},"3"]]}}',
        f'{{"metric":{{"a":"4"}},"histograms":{two}}}',
    ]
    found = parse.matrix(answer("matrix", rows), TIMES)
    nan = np.nan
    np.testing.assert_array_equal(found.values[:, :2], [[nan, nan], [2, nan], [nan, 3], [nan, nan]])
    assert found.invalid == {"nan": 0, "inf": 0, "histogram": 5}


def test_a_label_called_histogram() -> None:
    """A label of that name is a label."""
    found = parse.vector(vector_answer([({"histogram": "x", "histograms": "[["}, "1")]))
    assert found.invalid["histogram"] == 0


@pytest.mark.parametrize("extra", [',"warnings":["a store is down"]', ',"isPartial":true'])
@pytest.mark.parametrize("rows", [[], ['{"metric":{"a":"1"},"value":[1,"1"]}']])
def test_parts_are_failures(extra: str, rows: list[str]) -> None:
    """A warning or a partial answer is no success, and the server's words are passed on."""
    with pytest.raises(Permanent) as caught:
        parse.vector(answer("vector", rows, extra))
    assert caught.value.reason == "partial"
    assert "a store is down" in str(caught.value) or "isPartial" in str(caught.value)


def test_infos_are_no_failure() -> None:
    """Remarks that a newer Prometheus adds do not spoil an answer, nor does `isPartial: false`."""
    extra = ',"infos":["metric might not be a counter"],"isPartial":false,"warnings":[]'
    assert parse.vector(vector_answer([({}, "1")], extra=extra)).values.tolist() == [1]


@pytest.mark.parametrize(
    "body", [VECTOR, matrix_answer([({"a": "x"}, [(int(TIMES[0]), "1"), (int(TIMES[1]), "2")])])]
)
def test_no_half_answer_passes(body: bytes) -> None:
    """Cut anywhere, an answer is malformed; it is never read as a smaller one."""
    read = parse.vector if body is VECTOR else lambda part: parse.matrix(part, TIMES)
    for end in range(len(body)):
        with pytest.raises(TsdbError) as caught:
            read(body[:end])
        assert caught.value.reason == "malformed"


def test_half_an_answer_may_be_whole_next_time() -> None:
    """An answer that ends in the middle is worth another try, other text is not."""
    with pytest.raises(Retryable, match="ends in the middle"):
        parse.vector(VECTOR[:-20])
    with pytest.raises(Retryable, match="empty"):
        parse.vector(b"")
    with pytest.raises(Permanent, match="<html>"):
        parse.vector(b"<html>\n<body>Sign in</body></html>")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"status":"success"}',
        b'{"status":"success","data":{}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[7]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":"1"}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":"a","value":[1,"1"]}]}}',
    ],
)
def test_whole_but_wrong(body: bytes) -> None:
    """JSON of some other service is refused for good."""
    with pytest.raises(Permanent) as caught:
        parse.vector(body)
    assert caught.value.reason in ("malformed", "rejected")


@pytest.mark.parametrize("at", [int(TIMES[0]) - 300, int(TIMES[-1]) + 300, int(TIMES[0]) + 1])
def test_times_that_nobody_asked_for(at: int) -> None:
    """Samples beside the asked times are an error, not points moved in time."""
    with pytest.raises(Permanent, match="not asked for"):
        parse.matrix(matrix_answer([({}, [(at, "1")])]), TIMES)


def test_a_matrix_where_a_vector_was_expected() -> None:
    """`up[5m]` gives many values per series: the message says what it gives."""
    with pytest.raises(Permanent, match="gives a matrix, expected a vector"):
        parse.vector(matrix_answer([({}, [(1, "1")])]))


def test_errors_under_status_200() -> None:
    """A server that calls a refusal a success of HTTP is still heard."""
    with pytest.raises(Permanent, match="no such function") as caught:
        parse.vector(b'{"status":"error","errorType":"bad_data","error":"no such function"}')
    assert caught.value.reason == "rejected"
