"""Silences and past alerts on real servers: what was a known outage leaves no trace in the edge of normal."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from exporter.calendars.timetable import Alertmanager as Section
from exporter.calendars.timetable import Incidents
from exporter.calendars.windows import Agenda
from exporter.config.schema import Config
from exporter.cycle.cycle import Cycle
from exporter.demo import servers
from exporter.diary.alertmanager import Alertmanager
from exporter.diary.diary import Times
from exporter.matchers import fits
from exporter.metrics.telemetry import Telemetry
from exporter.store import Store
from exporter.tsdb.client import Client
from exporter.tsdb.settings import Settings
from tests.curves import DAY, daily

pytestmark = pytest.mark.servers

STEP, HOUR, WEEK = 600, 3_600, 7 * DAY
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
LOST = 25.0
"""How much less everything is during an outage; an ordinary day swings by 30 and scatters by 2."""

SERVICES = {"silenced": (0,), "plain": (0,), "alerted": (-3 * DAY,), "well": ()}
"""When services had an outage of six hours, in seconds from the silence; a week later all but `well` do."""


@dataclass
class Clock:
    """The wall clock, ahead by as much as the test says."""

    ahead: float = 0

    def time(self) -> float:
        """Wall time."""
        return time.time() + self.ahead

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


@dataclass(frozen=True)
class Ground:
    """The servers, and the point of time at which the silence began."""

    prometheus: str
    alertmanager: str
    begin: int


def openmetrics(begin: int) -> Iterator[str]:
    """Fourteen days before `begin` and eight after it."""
    times = np.arange(begin - 14 * DAY, begin + 8 * DAY, STEP)
    yield "# TYPE rate gauge"
    for service, outages in SERVICES.items():
        values = daily(1)(times - begin)  # the same whenever the test runs
        again = (outages[0] + 10 * DAY if outages[0] < 0 else WEEK,) if outages else ()
        for outage in (*outages, *again):
            out = (times >= begin + outage) & (times < begin + outage + 6 * HOUR)
            values = np.where(out, values - LOST, values)
        for at, value in zip(times.tolist(), values.tolist(), strict=True):
            yield f'rate{{service="{service}"}} {value} {at}'
    yield "# TYPE ALERTS gauge"
    fired = 'ALERTS{alertname="Down",alertstate="firing",severity="critical",service="alerted"}'
    for at in range(begin - 3 * DAY, begin - 3 * DAY + 6 * HOUR, 60):
        yield f"{fired} 1 {at}"
    yield "# EOF\n"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A Prometheus that knows all of it, and an Alertmanager with a silence of six hours from now on."""
    directory = tmp_path_factory.mktemp("training")
    with servers.alertmanager(directory / "alertmanager", CONFIG) as alertmanager:
        begin = int(time.time()) // STEP * STEP + STEP
        (directory / "history.om").write_text("\n".join(openmetrics(begin)))
        servers.create_blocks(directory / "history.om", directory / "data")
        silence(alertmanager.url, begin, 'service="silenced"')
        with servers.prometheus(directory) as prometheus:
            yield Ground(prometheus.url, alertmanager.url, begin)


def silence(alertmanager: str, begin: int, matcher: str) -> None:
    """Six hours from `begin`, made with amtool as a person would."""
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(it)) for it in (begin, begin + 6 * HOUR))
    command = [servers.find("amtool"), "silence", "add", matcher, "alertname=Down", "--comment=planned"]
    options = [f"--alertmanager.url={alertmanager}", f"--start={start}", f"--end={end}", "--author=test"]
    subprocess.run([*command, *options], check=True, capture_output=True)


@contextmanager
def cycle(ground: Ground, clock: Clock, directory: Path) -> Iterator[Cycle]:
    """A cycle that listens to both servers."""
    query = {"name": "rate", "expr": "rate", "offset": "0s", "history": "14d", "warm_up": "2d"}
    sections = {"alertmanager": {"urls": [ground.alertmanager]}, "scoring": {"interval": "10m"}}
    config = Config.model_validate(
        {"tsdb": {"url": ground.prometheus}, "queries": [query | {"step": "10m"}], **sections}
    )
    labels = Section.model_validate({"urls": [ground.alertmanager]}).alert_labels
    reader = Alertmanager(Settings(ground.alertmanager), Incidents(), labels)
    parts = (Telemetry(), Store(directory / "state"), threading.Event(), clock, Times(Agenda(), (reader,)))
    with Client(Settings(ground.prometheus)) as client:
        yield Cycle(config, client, *parts)
    reader.close()


def found(it: Cycle, family: str) -> dict[str, float]:
    """A family of the newest point, by service."""
    (scores,) = it.snapshot.scores
    values = scores.families[family].tolist()
    return {labels["service"]: value for labels, value in zip(scores.series, values, strict=True)}


def widths(it: Cycle) -> dict[str, float]:
    """How wide each service's band is, against that of the service that was always well."""
    upper, lower = found(it, "anomaly_upper"), found(it, "anomaly_lower")
    well = upper["well"] - lower["well"]
    return {service: (upper[service] - lower[service]) / well for service in SERVICES}


def test_a_silenced_outage_leaves_the_edge_and_the_next_one_is_caught(ground: Ground, tmp_path: Path) -> None:
    """A week later the band is as if nothing had been, and the same outage is well above the edge."""
    clock = Clock(ground.begin - time.time())
    with cycle(ground, clock, tmp_path) as it:
        it.pass_over()
        it.diary.settle()
        clock.ahead += WEEK - STEP
        it.pass_over()
        wide = widths(it)
        assert wide["silenced"] == pytest.approx(1, abs=0.03)
        assert wide["alerted"] == pytest.approx(1, abs=0.03)
        assert wide["plain"] > 1.08
        hour = []
        for _ in range(6):
            clock.ahead += STEP
            it.pass_over()
            hour.append(found(it, "anomaly_score"))
        mean = {service: float(np.mean([scores[service] for scores in hour])) for service in SERVICES}
        assert min(mean["silenced"], mean["alerted"]) > 1.2 * mean["plain"]
        assert min(mean["silenced"], mean["alerted"]) > 1
        assert mean["well"] < 0.5


def test_what_is_left_out_is_told(ground: Ground, tmp_path: Path) -> None:
    """The shares are exported by reason, and so is that the Alertmanager answers."""
    clock = Clock(ground.begin - time.time())
    with cycle(ground, clock, tmp_path) as it:
        it.pass_over()
        it.diary.settle()
        clock.ahead += DAY
        it.pass_over()
        told = it.telemetry.render().decode()
        assert f'tidemark_alertmanager_up{{alertmanager="{ground.alertmanager}"}} 1.0' in told
        assert 'tidemark_events_total{event="incidents_read",result="success"}' in told
        ratio = it.scorers["rate"].series.record.excluded_ratio()
        points = it.scorers["rate"].series.record.state["points"].sum()
        counts = {reason: round(share * points) for reason, share in ratio.items()}
        # Prometheus shows an alert for five minutes more, where no rule says that it ended
        assert counts in ({"silence": 36, "alert": 36}, {"silence": 36, "alert": 37})


def test_an_alert_that_fires_now_is_heard_of(ground: Ground) -> None:
    """A real alert is a window for its service; a warning, and Tidemark's own page, are none."""
    sent = [
        {"alertname": name, "severity": severity, "service": "firing"}
        for name, severity in (("Down", "critical"), ("Slow", "warning"), ("AnomalyService", "critical"))
    ]
    httpx.post(
        f"{ground.alertmanager}/api/v2/alerts", json=[{"labels": it} for it in sent], trust_env=False
    ).raise_for_status()
    with closing(Alertmanager(Settings(ground.alertmanager), Incidents(), ())) as reader:
        heard = [it for it in reader.read(time.time() + HOUR).values() if it.reason == "alert"]
    assert [fits(it.matchers, {"service": "firing", "query": "rate"}) for it in heard] == [True]


def test_victoria_metrics_remembers_alerts_too(tmp_path: Path) -> None:
    """What vmalert wrote as ALERTS a day ago is not learnt from: it was an incident of its service."""
    now = int(time.time()) // STEP * STEP
    fired = np.arange(now - DAY, now - DAY + 6 * HOUR, 60)
    names = {"alertname": "Down", "alertstate": "firing", "severity": "critical"}
    alert = {"__name__": "ALERTS", "service": "alerted", **names}
    samples = [(alert, fired, np.ones(len(fired)))]
    times = np.arange(now - 3 * DAY, now + 1, STEP)
    samples += [
        ({"__name__": "rate", "service": it}, times, daily(1)(times - now)) for it in ("alerted", "well")
    ]
    with servers.victoria_metrics(tmp_path / "vm") as tsdb:
        lines = [
            {"metric": metric, "timestamps": (at * 1000).tolist(), "values": values.tolist()}
            for metric, at, values in samples
        ]
        servers.import_json_lines(tsdb.url, [json.dumps(it).encode() for it in lines])
        servers.make_searchable(tsdb.url)
        with cycle(Ground(tsdb.url, tsdb.url, now), Clock(), tmp_path) as it:
            it.pass_over()
            left_out = it.scorers["rate"].series.record.state["excluded_alert"].tolist()
    rows = [labels["service"] for labels in it.scorers["rate"].series.roster.labels]
    assert dict(zip(rows, left_out, strict=True)) == {"alerted": pytest.approx(36, abs=1), "well": 0}
