"""How fast the TSDB client is, beside bare HTTP reads of the same answers from the real servers.

    python -m bench.tsdb [--runs 5] [--quick]

Prints markdown tables; every figure is the median of `--runs` runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import orjson

from bench.tables import print_table, seconds
from exporter.demo import servers
from exporter.tsdb import parse
from exporter.tsdb.client import EXACT, Client
from exporter.tsdb.ranges import Span, points_per_request
from exporter.tsdb.settings import Settings

STEP = 300
BLOCK = 7_200
SETTLE_SECONDS = 120.0


@dataclass(frozen=True)
class Load:
    """Back-filled history: `fleet` for range reads, and `crowd`, one sample per series, for instant reads."""

    series: int
    days: int
    crowd: int
    end: int

    @property
    def times(self) -> np.ndarray:
        """The times of `fleet`, Unix seconds."""
        return np.arange(self.end - self.days * 86_400 + STEP, self.end + 1, STEP)

    def values(self, times: np.ndarray) -> np.ndarray:
        """`fleet` at those times, shape (series, len(times)): a daily wave with noise."""
        noise = np.random.default_rng(int(times[0])).normal(0, 10, (self.series, len(times)))
        return 100 + 40 * np.sin(times / 86_400 * 2 * np.pi) + noise

    def labels(self, name: str, i: int) -> dict[str, str]:
        """Labels as of a scraped service."""
        return {
            "__name__": name,
            "instance": f"10.0.{i // 250}.{i % 250}:9100",
            "job": "node",
            "service": f"service-{i % 50}",
            "pod": f"pod-{i:06d}",
        }


def main() -> None:
    """Parse, then whole reads from both servers."""
    arguments = _arguments()
    load = Load(200, 2, 10_000, 0) if arguments.quick else Load(2_000, 14, 100_000, 0)
    load = Load(load.series, load.days, load.crowd, int(time.time()) // BLOCK * BLOCK - BLOCK)
    print_parse(load, arguments.runs)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-tsdb-")))
        started = {
            "VictoriaMetrics": stack.enter_context(victoria_metrics(root / "vm", load)),
            "Prometheus": stack.enter_context(prometheus(root / "prometheus", load)),
        }
        print_instant(started, load, arguments.runs)
        print_bootstrap(started, load, arguments.runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a small load, to see that everything runs")
    return parser.parse_args()


def in_turn(runs: int, *works: Callable[[], object]) -> list[float]:
    """Median seconds of each work, run one after the other so that a busy machine slows all of them alike."""
    took = [[seconds(work, 1) for work in works] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*took, strict=True)]


def print_parse(load: Load, runs: int) -> None:
    """Parsing alone, beside the JSON libraries."""
    instant = _instant_body(load, 10_000)
    times = load.times[:500]
    ranged = _range_body(load, times)
    points = load.series * len(times)

    def row(name: str, vector: Callable[[], object], matrix: Callable[[], object]) -> list[str]:
        per_series = seconds(vector, runs) / 10_000
        return [name, f"{per_series * 1e6:.2f}", f"{points / seconds(matrix, runs) / 1e6:.1f}"]

    rows = [
        row("exporter.tsdb.parse", lambda: parse.vector(instant), lambda: parse.matrix(ranged, times)),
        row(
            "orjson, then Python", lambda: _plain(orjson.loads, instant), lambda: _plain(orjson.loads, ranged)
        ),
        row("json, then Python", lambda: _plain(json.loads, instant), lambda: _plain(json.loads, ranged)),
    ]
    head = ["parser", "instant, µs per series", "range, million points/s"]
    print_table(
        f"Parsing: 10,000 series at one time; {load.series:,} series x {len(times)} times", head, rows
    )


def _plain(loads: Callable[[bytes], dict], body: bytes) -> list:
    result = loads(body)["data"]["result"]
    if result and "value" in result[0]:
        return [(row["metric"], float(row["value"][1])) for row in result]
    return [(row["metric"], [float(text) for _, text in row["values"]]) for row in result]


def _instant_body(load: Load, series: int) -> bytes:
    values = np.random.default_rng(1).normal(100, 10, series).tolist()
    rows = [
        {"metric": load.labels("crowd", i), "value": [load.end, repr(value)]}
        for i, value in enumerate(values)
    ]
    return orjson.dumps({"status": "success", "data": {"resultType": "vector", "result": rows}})


def _range_body(load: Load, times: np.ndarray) -> bytes:
    rows = [
        {
            "metric": load.labels("fleet", i),
            "values": [[at, repr(value)] for at, value in zip(times.tolist(), row, strict=True)],
        }
        for i, row in enumerate(load.values(times).tolist())
    ]
    return orjson.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})


def print_instant(urls: dict[str, str], load: Load, runs: int) -> None:
    """Whole instant reads, beside a bare HTTP read of the same answer."""
    rows = []
    for name, url in urls.items():
        for series in (10_000, 100_000):
            if series > load.crowd:
                continue
            expr = "crowd" if series == load.crowd else 'crowd{pod=~"pod-00.*"}'
            rows.append([name, f"{series:,}", *_instant_figures(url, expr, series, load.end + 60, runs)])
    head = ["server", "series", "bare read, ms", "client, ms", "client / bare"]
    print_table("Instant read: server, transfer and parsing", head, rows)


def _instant_figures(url: str, expr: str, series: int, at: int, runs: int) -> list[str]:
    with Client(Settings(url)) as client, bare() as http:
        assert len(client.instant(expr, at, STEP).keys) == series
        parameters = {"query": expr, "time": at, "step": STEP, "timeout": 30, **EXACT}
        plain, whole = in_turn(
            runs,
            lambda: http.get(f"{url}/api/v1/query", params=parameters).content,
            lambda: client.instant(expr, at, STEP),
        )
    return [f"{plain * 1e3:.1f}", f"{whole * 1e3:.1f}", f"{whole / plain:.2f}"]


def print_bootstrap(urls: dict[str, str], load: Load, runs: int) -> None:
    """The history of `fleet`, beside bare HTTP reads of the same requests one after the other."""
    points = load.series * len(load.times)
    rows = [[name, *_bootstrap_figures(url, load, points, runs)] for name, url in urls.items()]
    head = ["server", "bare reads, s", "client, s", "client / bare", "bare, Mpt/s", "client, Mpt/s"]
    title = f"Bootstrap: {load.series:,} series x {load.days} days x {STEP} s = {points / 1e6:.1f} M points"
    print_table(title, head, rows)


def _bootstrap_figures(url: str, load: Load, points: int, runs: int) -> list[str]:
    with Client(Settings(url)) as client, bare() as http:
        plain, whole = in_turn(runs, lambda: read_bare(http, url, load), lambda: _read_history(client, load))
    rates = (f"{points / it / 1e6:.2f}" for it in (plain, whole))
    return [f"{plain:.2f}", f"{whole:.2f}", f"{whole / plain:.2f}", *rates]


def _read_history(client: Client, load: Load) -> None:
    frames = client.range("fleet", load.times[0], load.end, STEP, series=load.series)
    assert sum(frame.values.size for frame in frames) == load.series * len(load.times)


def read_bare(http: httpx.Client, url: str, load: Load) -> None:
    """The requests of a bootstrap, one after the other, their answers thrown away."""
    rest = Span.within(int(load.times[0]), load.end, STEP)
    while rest:
        span, rest = rest.split(points_per_request(load.series, Settings(url).max_points))
        parameters = {"query": "fleet", "start": span.start, "end": span.end, "step": STEP, **EXACT}
        assert http.get(f"{url}/api/v1/query_range", params=parameters).content


def bare() -> httpx.Client:
    """A client that does nothing but ask and read."""
    return httpx.Client(headers={"Accept-Encoding": "identity"}, timeout=120, trust_env=False)


@contextmanager
def victoria_metrics(directory: Path, load: Load) -> Iterator[str]:
    """A VictoriaMetrics that holds `load`."""
    with servers.victoria_metrics(directory) as server:
        servers.import_json_lines(server.url, _json_lines(load), batch=50)
        servers.make_searchable(server.url)
        yield server.url


def _json_lines(load: Load) -> Iterator[bytes]:
    stamps = (load.times * 1_000).tolist()
    for i, row in enumerate(_days(load)):
        yield orjson.dumps({"metric": load.labels("fleet", i), "timestamps": stamps, "values": row.tolist()})
    for i in range(load.crowd):
        labels = load.labels("crowd", i)
        yield orjson.dumps({"metric": labels, "timestamps": [load.end * 1_000], "values": [i + 0.125]})


def _days(load: Load) -> np.ndarray:
    """`fleet` in full, the same numbers that Prometheus gets block by block."""
    return np.concatenate([load.values(times) for times in _blocks(load)], axis=1)


def _blocks(load: Load) -> Iterator[np.ndarray]:
    for start in range(load.end - load.days * 86_400, load.end + 1, BLOCK):
        times = load.times[(load.times >= start) & (load.times < start + BLOCK)]
        if len(times):
            yield times


@contextmanager
def prometheus(directory: Path, load: Load) -> Iterator[str]:
    """promtool reads a file once per block, so it is given one block after the other."""
    directory.mkdir()
    file = directory / "block.om"
    for times in _blocks(load):
        with file.open("w") as out:
            out.writelines(_openmetrics(load, times))
        servers.create_blocks(file, directory / "data")
    file.unlink()
    with servers.prometheus(directory) as server:
        _wait_until_compacted(server.url)
        yield server.url


def _openmetrics(load: Load, times: np.ndarray) -> Iterator[str]:
    yield "# TYPE fleet gauge\n"
    for i, row in enumerate(load.values(times).tolist()):
        labels = _text(load.labels("fleet", i))
        yield from (f"fleet{labels} {value} {at}\n" for at, value in zip(times.tolist(), row, strict=True))
    if times[-1] == load.end:
        yield "# TYPE crowd gauge\n"
        yield from (
            f"crowd{_text(load.labels('crowd', i))} {i + 0.125} {load.end}\n" for i in range(load.crowd)
        )
    yield "# EOF\n"


def _text(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__") + "}"


def _wait_until_compacted(url: str) -> None:
    """Prometheus joins the blocks after its start; wait until their number has stood still for a while."""
    deadline, before, since = time.monotonic() + SETTLE_SECONDS, "", time.monotonic()
    while time.monotonic() < min(deadline, since + 10):
        lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
        now = next(line for line in lines if line.startswith("prometheus_tsdb_blocks_loaded "))
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.5)


if __name__ == "__main__":
    main()
