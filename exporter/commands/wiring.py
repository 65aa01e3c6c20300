"""Configuration -> running parts: the one start-up path of `run`, `once` and `check`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exporter.config import LoadedConfig
from exporter.telemetry import Telemetry
from exporter.tsdb.client import Client
from exporter.tsdb.settings import BasicAuth, Settings, Tls


def client(loaded: LoadedConfig, telemetry: Telemetry) -> Client:
    """The TSDB client of a configuration; ConfigError when a secret cannot be read."""

    def on_request(code: str, seconds: float) -> None:
        telemetry.count("tsdb_requests_total", code=code)
        telemetry.observe("tsdb_request_duration_seconds", seconds)
        telemetry.set("tsdb_up", code != "error")

    return Client(
        tsdb_settings(loaded),
        on_request=on_request,
        on_circuit=lambda is_open: telemetry.set("tsdb_circuit_open", is_open),
    )


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
        basic_auth=_basic_auth(loaded),
        tenant=tsdb.tenant,
        tenant_path=tsdb.tenant_path or "",
        tls=_tls(loaded),
        proxy_url=tsdb.proxy_url,
        compression=tsdb.compression,
        max_points=tsdb.points_per_request,
        max_response_bytes=tsdb.response_limit_bytes,
    )


def _headers(loaded: LoadedConfig) -> Mapping[str, str]:
    it = loaded.config.tsdb.authorization
    headers = dict(loaded.config.tsdb.headers)
    if it:
        secret = it.credentials.get_secret_value() if it.credentials else _secret(loaded, it.credentials_file)
        headers["Authorization"] = f"{it.type} {secret}"
    return headers


def _basic_auth(loaded: LoadedConfig) -> BasicAuth | None:
    it = loaded.config.tsdb.basic_auth
    if not it:
        return None
    password = it.password.get_secret_value() if it.password else _secret(loaded, it.password_file)
    return BasicAuth(it.username, password)


def _secret(loaded: LoadedConfig, path: Path | None) -> str:
    assert path is not None, "the schema asks for exactly one of the two forms of a secret"
    return loaded.secret(path)


def _tls(loaded: LoadedConfig) -> Tls:
    it = loaded.config.tsdb.tls_config
    files = {name: getattr(it, name) for name in ("ca_file", "cert_file", "key_file")}
    resolved = {name: path and loaded.resolve(path) for name, path in files.items()}
    return Tls(**resolved, server_name=it.server_name, insecure_skip_verify=it.insecure_skip_verify)
