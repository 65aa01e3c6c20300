"""The client against the real Prometheus and VictoriaMetrics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import numpy as np
import pytest

from exporter.demo.servers import import_json_lines, make_searchable
from exporter.promql import scores_of
from exporter.tsdb.client import Client
from exporter.tsdb.errors import Permanent
from exporter.tsdb.settings import SERVER_POINTS, Settings
from tests.tsdb.history import SERVICES, STEP, History

pytestmark = pytest.mark.servers


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients from an address and settings, and closes them."""
    with ExitStack() as stack:
        yield lambda url, **more: stack.enter_context(Client(Settings(url, **more)))


def service(key: bytes) -> str:
    """The service that a label object names."""
    return str(json.loads(key)["service"])


def by_service(keys: list[bytes], values: np.ndarray) -> np.ndarray:
    """Rows in the order of `SERVICES`."""
    rows = [service(key) for key in keys]
    return values[[rows.index(name) for name in SERVICES]]


def test_flavour_is_detected(connect: Connect, prometheus_url: str, victoria_metrics_url: str) -> None:
    """Each server is recognised for what it is."""
    assert connect(prometheus_url).flavour() == "prometheus"
    assert connect(victoria_metrics_url).flavour() == "victoriametrics"


@pytest.mark.parametrize("name", SERVICES)
def test_one_series_is_found_by_its_family_and_labels(
    connect: Connect, tsdb_url: str, history: History, name: str
) -> None:
    """What the page of a series asks gives one element under the name of its family, whatever its labels."""
    expr = scores_of("", {"service": name}, {"path"}, ("load", "other"))
    frames = list(connect(tsdb_url).range(expr, history.end - 3_600, history.end - 600, 60, 4))
    assert {key for it in frames for key in it.keys} == {b'{"__name__":"load"}'}


def test_instant_reads_every_series(connect: Connect, tsdb_url: str, history: History) -> None:
    """An instant read gives each series' value at that time, whatever characters its labels hold."""
    found = connect(tsdb_url).instant("load", history.start + 50 * STEP)
    np.testing.assert_allclose(by_service(found.keys, found.values), history.values[:, 50], rtol=1e-12)
    assert found.invalid == {"nan": 0, "inf": 0, "histogram": 0}


def test_range_reads_every_point_once(connect: Connect, tsdb_url: str, history: History) -> None:
    """Many small requests join to the history without gap or overlap, in the order of time."""
    client = connect(tsdb_url, max_points=600)
    frames = list(client.range("last_over_time(load[59s])", history.start, history.end, STEP))
    assert len(frames) > 5
    np.testing.assert_array_equal(np.concatenate([frame.times for frame in frames]), history.times)
    whole = np.concatenate([_spread(frame.keys, frame.values) for frame in frames], axis=1)
    np.testing.assert_allclose(whole, history.values, rtol=1e-12)


def _spread(keys: list[bytes], values: np.ndarray) -> np.ndarray:
    out = np.full((len(SERVICES), values.shape[1]), np.nan)
    for key, row in zip(keys, values, strict=True):
        out[SERVICES.index(service(key))] = row
    return out


def test_range_is_aligned_to_the_step(connect: Connect, tsdb_url: str, history: History) -> None:
    """Ragged bounds are drawn in to multiples of the step, so both servers give the same times."""
    (frame,) = connect(tsdb_url).range("load", history.start + 7, history.start + 613, 300, series=6)
    expected = [
        at for at in range(history.start, history.start + 613) if at % 300 == 0 and at > history.start
    ]
    assert frame.times.tolist() == expected


def test_range_equals_instant(connect: Connect, tsdb_url: str, history: History) -> None:
    """Every column of a range read is what an instant read at that time gives."""
    client = connect(tsdb_url)
    expr = "sum by (service) (rate(load[5m]))"
    (frame,) = client.range(expr, history.start + 600, history.start + 1200, STEP, series=6)
    for column, at in enumerate(frame.times.tolist()):
        found = client.instant(expr, at, STEP)
        np.testing.assert_allclose(
            by_service(found.keys, found.values),
            by_service(frame.keys, frame.values[:, column]),
            rtol=1e-9,
            atol=1e-9,
        )


def test_a_series_ends_alike_in_both_reads(connect: Connect, tsdb_url: str, history: History) -> None:
    """Told the step, an instant read finds a series that ended exactly as long as a range read does."""
    client = connect(tsdb_url)
    start = history.start + 195 * STEP
    (frame,) = client.range('load{service="cart"}', start, start + 20 * STEP, STEP, series=1)
    for at, value in zip(frame.times.tolist(), frame.values[0].tolist(), strict=True):
        assert len(client.instant('load{service="cart"}', at, STEP).keys) == int(not np.isnan(value))


def test_the_eleven_thousand_point_limit_is_kept(connect: Connect, tsdb_url: str, history: History) -> None:
    """A range of more than 11,000 points is read in several requests instead of being refused."""
    frames = list(connect(tsdb_url).range("load", history.start, history.end, 1, series=6))
    assert max(len(frame.times) for frame in frames) == SERVER_POINTS
    assert sum(len(frame.times) for frame in frames) == history.end - history.start + 1


def test_values_that_are_no_numbers(connect: Connect, prometheus_url: str, history: History) -> None:
    """0/0 and 1/0 are counted as nan and inf, and read as NaN."""
    client = connect(prometheus_url)
    nan, inf = client.instant("0 * load / 0", history.start), client.instant("-load / 0", history.start)
    assert (nan.invalid["nan"], inf.invalid["inf"]) == (6, 6)
    assert np.isnan(nan.values).all()
    assert np.isnan(inf.values).all()


def test_infinity_from_victoria_metrics(
    connect: Connect, victoria_metrics_url: str, history: History
) -> None:
    """VictoriaMetrics hands infinities over in a range as well, and they are counted."""
    heard: list[dict[str, int]] = []
    client = connect(victoria_metrics_url)
    (frame,) = client.range("load / 0", history.start, history.start + 60, 60, 6, on_invalid=heard.append)
    assert np.isnan(frame.values).all()
    assert heard == [{"nan": 0, "inf": 12, "histogram": 0}]


@pytest.mark.parametrize("expr", ["sum(", 'load{service=~"("}', "load[5m]"])
def test_check_refuses_in_the_words_of_the_server(connect: Connect, tsdb_url: str, expr: str) -> None:
    """An expression that the server cannot use is rejected for good, on one line that holds its address."""
    with pytest.raises(Permanent) as caught:
        connect(tsdb_url).check(expr)
    assert caught.value.reason == "rejected"
    assert tsdb_url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_check_accepts_what_returns_nothing(connect: Connect, tsdb_url: str) -> None:
    """A sound expression passes although no series answers it."""
    connect(tsdb_url).check("sum by (service) (rate(nobody_has_this[5m]))")


def test_an_expression_that_returns_nothing(connect: Connect, tsdb_url: str, history: History) -> None:
    """No series is an answer: an empty vector, and empty frames that still cover the time."""
    client = connect(tsdb_url)
    assert client.instant("nobody_has_this", history.end).keys == []
    (frame,) = client.range("nobody_has_this", history.start, history.start + 600, 60, series=1)
    assert frame.values.shape == (0, 11)


def test_a_very_long_expression(connect: Connect, tsdb_url: str, history: History) -> None:
    """An expression beyond any sensible address length is posted."""
    names = "|".join(f"service-{i}" for i in range(900))
    expr = f'load{{service=~"{names}|api"}}'
    assert [service(key) for key in connect(tsdb_url).instant(expr, history.end).keys] == ["api"]


def test_gzip_gives_the_same_bytes(connect: Connect, tsdb_url: str, history: History) -> None:
    """A compressed answer reads as the plain one."""
    plain, packed = (
        connect(tsdb_url, compression=how).instant("load", history.end) for how in ("identity", "gzip")
    )
    assert packed.keys == plain.keys
    np.testing.assert_array_equal(packed.values, plain.values)


def test_the_newest_seconds_are_not_shifted(connect: Connect, victoria_metrics_url: str) -> None:
    """A read at an explicit time within VictoriaMetrics' latency offset gives the point of that time."""
    now = int(time.time())
    times = [now - 60, now - 40, now - 20, now - 5]
    line = {
        "metric": {"__name__": "fresh"},
        "timestamps": [at * 1000 for at in times],
        "values": [1.0, 2.0, 3.0, 4.0],
    }
    import_json_lines(victoria_metrics_url, [json.dumps(line).encode()])
    make_searchable(victoria_metrics_url)
    client = connect(victoria_metrics_url)
    assert client.instant("fresh", now - 5).values.tolist() == [4.0]
    end = (now - 5) // 5 * 5
    (frame,) = client.range("fresh", end - 10, end, 5, series=1)
    assert frame.values[0].tolist() == [client.instant("fresh", at).values[0] for at in frame.times.tolist()]
    plain = httpx.get(
        f"{victoria_metrics_url}/api/v1/query", params={"query": "fresh", "time": now - 5}
    ).json()
    assert plain["data"]["result"][0]["value"][1] != "4"
