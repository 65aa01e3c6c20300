"""Configuration -> running parts: the one start-up path of `run`, `once` and `check`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, TypeVar
from zoneinfo import ZoneInfo

from exporter.calendars import ical
from exporter.calendars.calendar import Calendar, Occurrences
from exporter.calendars.timetable import Exclusion
from exporter.calendars.windows import Agenda, Window, unix
from exporter.config.file import LoadedConfig
from exporter.config.problems import ConfigError, Problem
from exporter.diary import incidents
from exporter.diary.alertmanager import Alertmanager
from exporter.diary.diary import Times
from exporter.kinds import Http
from exporter.matchers import patterns
from exporter.metrics.telemetry import Telemetry
from exporter.shown.past import SLOTS
from exporter.tsdb.client import Client
from exporter.tsdb.settings import BasicAuth, Settings, Tls

T = TypeVar("T")

READER_TIMEOUT = 5.0
READER_SERIES, READER_BYTES = 50, 16 * 2**20


def client(loaded: LoadedConfig, telemetry: Telemetry, stop: threading.Event) -> Client:
    """The TSDB client of a configuration; it gives up once `stop` is set. ConfigError for unusable files."""

    def on_request(code: str, seconds: float) -> None:
        telemetry.count("tsdb_requests_total", code=code)
        telemetry.observe("tsdb_request_duration_seconds", seconds)
        telemetry.set("tsdb_up", code != "error")

    def on_circuit(is_open: bool) -> None:
        telemetry.set("tsdb_circuit_open", is_open)

    try:
        settings = tsdb_settings(loaded)
        return Client(settings, wait=stop.wait, on_request=on_request, on_circuit=on_circuit)
    except ValueError as error:
        raise ConfigError(str(loaded.path), [Problem(0, "tsdb", str(error))]) from None


def reader(loaded: LoadedConfig, telemetry: Telemetry, stop: threading.Event) -> Client:
    """A client for people who look at pages: it gives up early and holds up nobody else."""
    settings = replace(
        tsdb_settings(loaded),
        timeout=min(READER_TIMEOUT, loaded.config.tsdb.timeout),
        retries=0,
        concurrency=SLOTS,
        max_series=READER_SERIES,
        max_response_bytes=READER_BYTES,
    )

    def on_request(code: str, seconds: float) -> None:
        telemetry.count("tsdb_requests_total", code=code)
        telemetry.observe("tsdb_request_duration_seconds", seconds)

    return Client(settings, wait=stop.wait, on_request=on_request)


def times(loaded: LoadedConfig) -> Times:
    """The windows of a configuration, its files read; ConfigError for unusable ones."""
    zone = ZoneInfo(loaded.config.scoring.time_zone)
    excluded = [_exclusion(it, zone) for it in loaded.config.exclusions]
    agenda = Agenda(calendars(loaded), (*excluded, *_incidents(loaded)))
    return Times(agenda, tuple(_alertmanagers(loaded)))


def calendars(loaded: LoadedConfig) -> tuple[Calendar, ...]:
    """The calendars of a configuration, their files read; ConfigError for unusable ones."""
    zone, specs = loaded.config.scoring.time_zone, loaded.config.calendars
    return tuple(Calendar(it, zone, _events(loaded, at, it.file)) for at, it in enumerate(specs))


def _exclusion(spec: Exclusion, zone: ZoneInfo) -> Window:
    return Window(unix(spec.start, zone), unix(spec.end, zone), patterns(spec.match), "exclusion")


def _events(loaded: LoadedConfig, at: int, path: Path | None) -> Sequence[Occurrences]:
    """The events of a calendar's file; none without one."""
    zone = ZoneInfo(loaded.config.scoring.time_zone)
    return _read(loaded, f"calendars[{at}].file", path, lambda it: ical.events(it.encode(), zone))


def _incidents(loaded: LoadedConfig) -> Sequence[Window]:
    zone, spec = ZoneInfo(loaded.config.scoring.time_zone), loaded.config.incidents
    return _read(loaded, "incidents.file", spec.file if spec else None, lambda it: incidents.listed(it, zone))


def _read(
    loaded: LoadedConfig, key: str, path: Path | None, read: Callable[[str], Sequence[T]]
) -> Sequence[T]:
    try:
        return read(loaded.resolve(path).read_text()) if path else ()
    except OSError as error:
        told = f"{path} cannot be read: {error.strerror}"
    except ValueError as error:
        told = f"{path}: {error}"
    raise ConfigError(str(loaded.path), [Problem(0, key, told)])


def _alertmanagers(loaded: LoadedConfig) -> Iterator[Alertmanager]:
    spec, bad = loaded.config.alertmanager, loaded.config.bad_times
    if not spec or not bad:
        return
    for url in spec.urls:
        try:
            yield Alertmanager(Settings(url, **_http(loaded, spec)), bad, spec.alert_labels)
        except ValueError as error:
            raise ConfigError(str(loaded.path), [Problem(0, "alertmanager", str(error))]) from None


def tsdb_settings(loaded: LoadedConfig) -> Settings:
    """What the client needs, with secrets read from their files; ConfigError when one cannot be read."""
    tsdb = loaded.config.tsdb
    return Settings(
        url=tsdb.url,
        flavour=tsdb.flavour,
        concurrency=tsdb.concurrency,
        retries=tsdb.retries,
        tenant=tsdb.tenant,
        tenant_path=tsdb.tenant_path or "",
        compression=tsdb.compression,
        max_points=tsdb.points_per_request,
        max_series=tsdb.series_limit,
        max_response_bytes=tsdb.response_limit_bytes,
        **_http(loaded, tsdb),
    )


class _Http(TypedDict):
    """The part of the settings that every server has."""

    timeout: float
    headers: Mapping[str, str]
    bearer_token_file: Path | None
    basic_auth: BasicAuth | None
    tls: Tls
    proxy_url: str | None


def _http(loaded: LoadedConfig, http: Http) -> _Http:
    return _Http(
        timeout=http.timeout,
        headers=_headers(loaded, http),
        bearer_token_file=_bearer_file(loaded, http),
        basic_auth=_basic_auth(loaded, http),
        tls=_tls(loaded, http),
        proxy_url=http.proxy_url,
    )


def _headers(loaded: LoadedConfig, http: Http) -> Mapping[str, str]:
    it = http.authorization
    headers = dict(http.headers)
    if it and it.credentials:
        headers["Authorization"] = f"{it.type} {it.credentials.get_secret_value()}"
    elif it and it.credentials_file and it.type != "Bearer":
        headers["Authorization"] = f"{it.type} {loaded.secret(it.credentials_file)}"
    return headers


def _bearer_file(loaded: LoadedConfig, http: Http) -> Path | None:
    """The file of a bearer token, which the client reads for every request, so that tokens may rotate."""
    it = http.authorization
    return _readable(loaded, it.credentials_file) if it and it.type == "Bearer" else None


def _basic_auth(loaded: LoadedConfig, http: Http) -> BasicAuth | None:
    it = http.basic_auth
    if not it:
        return None
    password = it.password.get_secret_value() if it.password else ""
    return BasicAuth(it.username, password, _readable(loaded, it.password_file))


def _readable(loaded: LoadedConfig, path: Path | None) -> Path | None:
    """The absolute path of a secret file; ConfigError now, not at the first request, if it is not there."""
    if path:
        loaded.secret(path)
    return path and loaded.resolve(path)


def _tls(loaded: LoadedConfig, http: Http) -> Tls:
    it = http.tls_config
    files = {name: getattr(it, name) for name in ("ca_file", "cert_file", "key_file")}
    resolved = {name: path and loaded.resolve(path) for name, path in files.items()}
    return Tls(**resolved, server_name=it.server_name, insecure_skip_verify=it.insecure_skip_verify)
