"""The client over a fake network: retries, circuit, limits, and what is said about failures."""

from __future__ import annotations

import gzip
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import numpy as np
import pytest

from exporter.tsdb.client import Client
from exporter.tsdb.errors import Permanent, Retryable, TsdbError
from exporter.tsdb.settings import BasicAuth, Settings
from tests.tsdb.answers import answer, matrix_answer, vector_answer

SECRET = "correct-horse"
OK = vector_answer([({"service": "api"}, "1")])
SCALAR = b'{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}'

Handler = Callable[[httpx.Request], httpx.Response]


class World:
    """A client with a scripted server, a clock that only moves when told, and a record of all it did."""

    def __init__(self, *replies: httpx.Response | Exception | Handler, **settings: Any) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.seen: list[str] = []
        self.circuit: list[bool] = []
        self.now = 1_000.0
        self.client = Client(
            Settings(**{"url": "http://tsdb:9090/", "flavour": "prometheus", **settings}),
            transport=httpx.MockTransport(self.answer),
            clock=lambda: self.now,
            now=lambda: 1_700_000_100.0,
            wait=self.pause,
            on_request=lambda code, _: self.seen.append(code),
            on_circuit=self.circuit.append,
            chance=lambda: 1.0,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The next reply of the script; the last one stays."""
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    def pause(self, seconds: float) -> bool:
        """Time passes at once."""
        self.pauses.append(seconds)
        self.now += seconds
        return False

    def failure(self) -> TsdbError:
        """The error of one instant read."""
        with pytest.raises(TsdbError) as caught:
            self.client.instant("up", 1_700_000_060)
        return caught.value


def ok(_: httpx.Request) -> httpx.Response:
    """A sound answer."""
    return httpx.Response(200, content=OK)


def status(code: int, text: str = "", **headers: str) -> Handler:
    """An answer of that status."""
    return lambda _: httpx.Response(
        code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def parameters(request: httpx.Request) -> dict[str, str]:
    """What a request asked for, in its address or its form."""
    form = parse_qs((request.url.query or request.content).decode())
    return {name: values[0] for name, values in form.items()}


def test_an_instant_read() -> None:
    """One GET with expression, time and the server's own time limit, and nothing else."""
    world = World(ok, timeout=7.5)
    assert world.client.instant("up", 1_700_000_060).values.tolist() == [1.0]
    (request,) = world.requests
    assert (request.method, request.url.path) == ("GET", "/api/v1/query")
    assert parameters(request) == {"query": "up", "time": "1700000060", "timeout": "7.5"}
    assert world.seen == ["200"]


def test_victoria_metrics_is_asked_for_exact_points() -> None:
    """The cache and the latency offset are switched off, and an instant read may tell its step."""
    world = World(ok, flavour="victoriametrics")
    world.client.instant("up", 1_700_000_060, step=30)
    asked = parameters(world.requests[0])
    assert (asked["nocache"], asked["latency_offset"], asked["step"]) == ("1", "1ms", "30")


@pytest.mark.parametrize(("body", "flavour"), [(SCALAR, "prometheus"), (OK, "victoriametrics")])
def test_the_flavour_is_asked_once(body: bytes, flavour: str) -> None:
    """Detection costs one cheap query over a time without data."""
    world = World(lambda _: httpx.Response(200, content=body), flavour="auto")
    assert [world.client.flavour(), world.client.flavour()] == [flavour, flavour]
    (request,) = world.requests
    assert parameters(request) == {"query": "1", "time": "1"}


def test_the_newest_points_of_victoria_metrics_are_read_one_by_one() -> None:
    """At short steps, where a range would repeat older points, instant reads take the newest 40 s."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = parameters(request)
        if request.url.path.endswith("query"):
            return httpx.Response(200, content=vector_answer([({"a": "1"}, asked["time"])]))
        times = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
        return httpx.Response(200, content=matrix_answer([({"a": "1"}, [(at, str(at)) for at in times])]))

    world = World(reply, flavour="victoriametrics")
    frames = list(world.client.range("up", 1_700_000_000, 1_700_000_100, 10, series=1))
    assert [frame.times[-1] for frame in frames] == [1_700_000_060, 1_700_000_100]
    for frame in frames:
        np.testing.assert_array_equal(frame.values[0], frame.times)
    assert [request.url.path[-5:] for request in world.requests] == ["range"] + ["query"] * 4


def test_the_names_of_all_metrics() -> None:
    """One request, of the time that was asked for."""
    world = World(lambda _: httpx.Response(200, content=b'{"status":"success","data":["up","x:y:z"]}'))
    assert world.client.metrics(1_700_000_000, 1_700_003_600) == ["up", "x:y:z"]
    (request,) = world.requests
    assert request.url.path == "/api/v1/label/__name__/values"
    assert parameters(request) == {"start": "1700000000", "end": "1700003600"}


@pytest.mark.parametrize("body", [b'{"status":"success"}', b'{"status":"success","data":{"a":1}}', b"[]"])
def test_names_that_are_no_list_are_refused(body: bytes) -> None:
    """Whatever else answers there is no TSDB."""
    with pytest.raises(Permanent, match=r"list of label values|not the JSON of a TSDB"):
        World(lambda _: httpx.Response(200, content=body)).client.metrics(1, 2)


def test_long_expressions_are_posted() -> None:
    """Beyond the length that proxies accept, the expression travels as a form."""
    world = World(ok)
    expr = "up or " * 1_000 + "up"
    world.client.instant(expr, 1.5)
    (request,) = world.requests
    assert (request.method, request.url.query) == ("POST", b"")
    assert parameters(request)["query"] == expr


def test_check_asks_for_a_time_without_data() -> None:
    """The expression is parsed by the server, over 1970."""
    world = World(lambda _: httpx.Response(200, content=answer("vector", [])))
    world.client.check("up")
    assert parameters(world.requests[0])["time"] == "1"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ReadTimeout("timed out"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        *(status(code) for code in (408, 429, 500, 502, 503, 504)),
        lambda _: httpx.Response(200, content=OK[:-9]),
        lambda _: httpx.Response(200, content=b""),
    ],
)
def test_what_may_pass_is_tried_again(trouble: Any) -> None:
    """Two failures, then an answer: the caller sees the answer only."""
    world = World(trouble, trouble, ok)
    assert world.client.instant("up", 1).values.tolist() == [1.0]
    assert world.pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (status(400, '{"status":"error","error":"parse error\\n at 1:5"}'), "rejected", "parse error at 1:5"),
        (status(422, '{"status":"error","error":"too many series"}'), "rejected", "too many series"),
        (status(400, "Bad Request"), "http_4xx", "Bad Request"),
        (status(401, "who?"), "http_4xx", "credentials are missing or wrong"),
        (status(403, ""), "http_4xx", "may not read"),
        (status(404, "404 page not found"), "http_4xx", "no query API at this path"),
        (status(501, "no"), "http_5xx", "501"),
        (
            status(302, Location=f"https://u:{SECRET}@login/in?token={SECRET}"),
            "malformed",
            "https://login/in",
        ),
        (status(200, "<html><title>Sign in</title>"), "malformed", "<html>"),
        (status(200, '{"status":"success"}'), "malformed", "no data.result"),
        (status(200, '{"status":"success",}'), "malformed", "not the JSON"),
    ],
)
def test_what_cannot_pass_is_not_tried_again(reply: Handler, reason: str, words: str) -> None:
    """One request, one line with the address, the server's words and the reason of the catalogue."""
    world = World(reply)
    error = world.failure()
    assert isinstance(error, Permanent)
    assert (error.reason, len(world.requests)) == (reason, 1)
    assert words in str(error)
    assert "http://tsdb:9090" in str(error)
    assert "\n" not in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("trouble", "reason", "code"),
    [
        (httpx.ConnectError("refused"), "unreachable", "error"),
        (httpx.ConnectTimeout(""), "timeout", "error"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "unreachable", "error"),
        (status(503, "overloaded"), "http_5xx", "503"),
        (status(503, '{"errorType":"timeout","error":"query timed out"}'), "timeout", "503"),
        (status(429, "slow down"), "http_4xx", "429"),
        (lambda _: httpx.Response(200, content=OK[:50]), "malformed", "200"),
    ],
)
def test_what_never_passes_ends_with_its_reason(trouble: Any, reason: str, code: str) -> None:
    """After the retries the error is raised; every request was counted by its code."""
    world = World(trouble)
    error = world.failure()
    assert isinstance(error, Retryable)
    assert error.reason == reason
    assert world.seen == [code] * 4
    assert world.pauses == [0.5, 1.0, 2.0]


def test_the_server_says_when_to_come_back() -> None:
    """`Retry-After` is honoured up to a minute."""
    world = World(status(429, Retry_After="7"), ok)
    world.client.instant("up", 1)
    assert world.pauses == [7.0]
    world = World(status(503, Retry_After="3600"), ok)
    world.client.instant("up", 1)
    assert world.pauses == [60.0]


def test_no_retry_starts_late() -> None:
    """Slow failures are not multiplied: once the window is over, the last error counts."""

    def slow(_: httpx.Request) -> httpx.Response:
        world.now += 30.0
        raise httpx.ReadTimeout("timed out")

    world = World(slow)
    assert world.failure().reason == "timeout"
    assert len(world.requests) == 2


def test_a_stop_ends_the_retries() -> None:
    """When `wait` says so, no further request is made."""
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("refused")

    settings = Settings("http://tsdb", flavour="prometheus")
    with (
        Client(settings, httpx.MockTransport(refuse), wait=lambda _: True) as client,
        pytest.raises(Retryable),
    ):
        client.instant("up", 1)
    assert len(asked) == 1


def test_the_circuit_opens_and_closes() -> None:
    """Calls without any answer open it; then calls fail at once, and one that probes later closes it."""
    world = World(httpx.ConnectError("refused"), retries=0, circuit_failures=3, circuit_pause=30.0)
    assert [world.failure().reason for _ in range(5)] == ["unreachable"] * 3 + ["circuit_open"] * 2
    assert len(world.requests) == 3
    assert world.client.circuit_open
    world.now += 30.0
    world.replies = [ok]
    world.client.instant("up", 1)
    assert not world.client.circuit_open
    assert world.circuit == [False, False, True, True, True, False]


def test_errors_of_a_query_leave_the_circuit_alone() -> None:
    """A server that refuses or fails does answer: other queries go on."""
    world = World(
        status(422, '{"error":"no"}'), status(500), httpx.ConnectError("x"), retries=0, circuit_failures=2
    )
    assert [world.failure().reason for _ in range(3)] == ["rejected", "http_5xx", "unreachable"]
    assert not world.client.circuit_open


class Dripping(httpx.SyncByteStream):
    """A body that comes in pieces, and moves the clock."""

    def __init__(self, pieces: Iterator[bytes], step: Callable[[], None] = lambda: None) -> None:
        self.pieces, self.step, self.taken = pieces, step, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            self.step()
            yield piece


def test_a_large_answer_is_not_read_to_its_end() -> None:
    """Reading stops at the limit, so that an endless answer costs no memory."""
    body = Dripping(itertools.repeat(b"x" * 1_000))
    world = World(lambda _: httpx.Response(200, stream=body), max_response_bytes=10_000)
    error = world.failure()
    assert (error.reason, body.taken) == ("too_large", 11)
    assert "larger than 10,000 bytes" in str(error)


def test_a_compressed_answer_is_measured_unpacked() -> None:
    """A small file that unpacks to a large one is stopped as well."""
    packed = gzip.compress(b" " * 1_000_000)
    world = World(
        lambda _: httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"}),
        max_response_bytes=100_000,
    )
    assert world.failure().reason == "too_large"


def test_too_many_series() -> None:
    """More series than allowed are refused, with advice."""
    rows = [({"i": str(i)}, "1") for i in range(11)]
    world = World(lambda _: httpx.Response(200, content=vector_answer(rows)), max_series=10)
    error = world.failure()
    assert error.reason == "too_large"
    assert "11 series, at most 10" in str(error)


def test_an_answer_that_drips() -> None:
    """Bytes that keep coming do not outlast the time limit."""

    def tick() -> None:
        world.now += 9.0

    stream = Dripping(itertools.repeat(b" "), tick)
    world = World(lambda _: httpx.Response(200, stream=stream), retries=0)
    assert world.failure().reason == "timeout"
    assert stream.taken == 4


def test_an_answer_that_breaks_off() -> None:
    """A connection that ends in the middle is tried again, then malformed."""

    def broken() -> Iterator[bytes]:
        yield OK[:30]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    world = World(lambda _: httpx.Response(200, stream=Dripping(broken())))
    error = world.failure()
    assert (error.reason, len(world.requests)) == ("malformed", 4)
    assert "broke off" in str(error)


def test_half_a_history_is_asked_for_again() -> None:
    """A range answer that is cut, though its transfer ended well, is tried again; its frame is whole."""
    body = matrix_answer([({"a": "1"}, [(60, "1"), (120, "2")])])
    answers = iter([body[:-20], body])
    world = World(lambda _: httpx.Response(200, content=next(answers)))
    (frame,) = world.client.range("up", 60, 120, 60, series=1)
    assert (frame.values.tolist(), len(world.requests)) == ([[1, 2]], 2)


def test_what_is_wrong_with_a_history_names_the_address() -> None:
    """An answer in parts fails where its frame would be, names the address, and is not tried again."""
    body = matrix_answer([({"a": "1"}, [(60, "1")])]).replace(b"{", b'{"isPartial":true,', 1)
    world = World(lambda _: httpx.Response(200, content=body))
    with pytest.raises(TsdbError) as caught:
        list(world.client.range("up", 60, 60, 60, series=1))
    assert (caught.value.reason, len(world.requests)) == ("partial", 1)
    assert str(caught.value).startswith("http://tsdb:9090: ")


def test_a_broken_compression_is_tried_again() -> None:
    """Bytes that do not unpack are a broken answer."""
    world = World(lambda _: httpx.Response(200, content=b"nonsense", headers={"Content-Encoding": "gzip"}))
    assert world.failure().reason == "malformed"


def test_concurrency_is_bounded() -> None:
    """However many threads ask, no more requests than allowed are under way."""
    under_way, most, lock, full = 0, 0, threading.Lock(), threading.Event()

    def reply(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == 2:
                full.set()
        assert full.wait(10)
        with lock:
            under_way -= 1
        return httpx.Response(200, content=OK)

    world = World(reply, concurrency=2)
    threads = [threading.Thread(target=world.client.instant, args=("up", 1)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, len(world.requests)) == (2, 8)


def test_range_counts_what_is_no_number() -> None:
    """`on_invalid` hears of every frame."""
    rows = [({"a": "1"}, [(60, "NaN"), (120, "+Inf"), (180, "1")])]
    heard: list[dict[str, int]] = []
    world = World(lambda _: httpx.Response(200, content=matrix_answer(rows)))
    list(world.client.range("up", 60, 180, 60, series=1, on_invalid=heard.append))
    assert heard == [{"nan": 1, "inf": 1, "histogram": 0}]


def test_secrets_travel_but_never_show() -> None:
    """Passwords and tokens reach the server, and no error text."""
    world = World(status(401), basic_auth=BasicAuth("user", SECRET), headers={"X-Key": SECRET})
    assert SECRET not in str(world.failure())
    assert world.requests[0].headers["Authorization"].startswith("Basic ")
    assert world.requests[0].headers["X-Key"] == SECRET
