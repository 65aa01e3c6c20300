"""Configuration -> running parts: the one start-up path of `run`, `once` and `check`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from exporter.config import ConfigError, LoadedConfig, Problem
from exporter.telemetry import Telemetry
from exporter.tsdb.client import Client
from exporter.tsdb.settings import BasicAuth, Settings, Tls


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


def tsdb_settings(loaded: LoadedConfig) -> Settings:
    """What the client needs, with secrets read from their files; ConfigError when one cannot be read."""
    tsdb = loaded.config.tsdb
    return Settings(
        url=tsdb.url,
        flavour=tsdb.flavour,
        timeout=tsdb.timeout,
        concurrency=tsdb.concurrency,
        retries=tsdb.retries,
        headers=_headers(loaded),
        bearer_token_file=_bearer_file(loaded),
        basic_auth=_basic_auth(loaded),
        tenant=tsdb.tenant,
        tenant_path=tsdb.tenant_path or "",
        tls=_tls(loaded),
        proxy_url=tsdb.proxy_url,
        compression=tsdb.compression,
        max_points=tsdb.points_per_request,
        max_series=tsdb.series_limit,
        max_response_bytes=tsdb.response_limit_bytes,
    )


def _headers(loaded: LoadedConfig) -> Mapping[str, str]:
    it = loaded.config.tsdb.authorization
    headers = dict(loaded.config.tsdb.headers)
    if it and it.credentials:
        headers["Authorization"] = f"{it.type} {it.credentials.get_secret_value()}"
    elif it and it.credentials_file and it.type != "Bearer":
        headers["Authorization"] = f"{it.type} {loaded.secret(it.credentials_file)}"
    return headers


def _bearer_file(loaded: LoadedConfig) -> Path | None:
    """The file of a bearer token, which the client reads for every request, so that tokens may rotate."""
    it = loaded.config.tsdb.authorization
    return _readable(loaded, it.credentials_file) if it and it.type == "Bearer" else None


def _basic_auth(loaded: LoadedConfig) -> BasicAuth | None:
    it = loaded.config.tsdb.basic_auth
    if not it:
        return None
    password = it.password.get_secret_value() if it.password else ""
    return BasicAuth(it.username, password, _readable(loaded, it.password_file))


def _readable(loaded: LoadedConfig, path: Path | None) -> Path | None:
    """The absolute path of a secret file; ConfigError now, not at the first request, if it is not there."""
    if path:
        loaded.secret(path)
    return path and loaded.resolve(path)


def _tls(loaded: LoadedConfig) -> Tls:
    it = loaded.config.tsdb.tls_config
    files = {name: getattr(it, name) for name in ("ca_file", "cert_file", "key_file")}
    resolved = {name: path and loaded.resolve(path) for name, path in files.items()}
    return Tls(**resolved, server_name=it.server_name, insecure_skip_verify=it.insecure_skip_verify)
