"""The endpoints over the latest snapshot; docs/http.md describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter.shown.portrait import Picture, Portrait
from exporter.shown.status import Matches, Status
from exporter.web.addresses import series_page as series_address
from exporter.web.api import Document, encoded, queries_document, series_document, status_document
from exporter.web.body import Sliced, accepts_gzip
from exporter.web.config import WebConfigFile
from exporter.web.guard import BasicAuth, ConfiguredHeaders
from exporter.web.matches import matches_page
from exporter.web.page import landing_page
from exporter.web.series import series_page
from exporter.web.shell import CONTENT_SECURITY_POLICY

log = structlog.get_logger(__name__)

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BESIDE = {"var-series", "var-datasource", "var-job", "var-team"}
"""Variables of dashboards that are no labels of a series."""
UNKNOWN = "no query has such a series now; the landing page and /metrics list them"
LIFECYCLE_OFF = "this endpoint is off; start Tidemark with --web.enable-lifecycle, or send it a signal"


class Source(Protocol):
    """What the endpoints show. Called from worker threads, at any time, by several at once."""

    def metrics(self, gzipped: bool) -> bytes | Sequence[bytes]:
        """The body of /metrics, whole or in parts: text format 0.0.4, or gzip members of it."""

    def ready(self) -> tuple[bool, str]:
        """Whether the first cycle is over, and one line that says so or what is awaited."""

    def status(self) -> Status:
        """What the landing page shows."""

    def portrait(self, query: str, labels: Mapping[str, str]) -> Portrait | None:
        """What the page of a series shows; None where there is no such series."""

    def matches(self, query: str, labels: Mapping[str, str]) -> Matches:
        """The series of a query, or of all if it is empty, that have these labels."""

    def pictures(self, of: Portrait, /) -> Sequence[Picture]:
        """The last day and week of a series; may take a few seconds."""


def create_app(
    source: Source,
    *,
    reload: Callable[[], tuple[bool, str]],
    leave: Callable[[], None],
    lifecycle_enabled: bool = False,
    external_url: str = "",
    web_config: WebConfigFile | None = None,
) -> Starlette:
    """The ASGI application.

    `reload` answers (took effect, one line); `leave` asks the process to stop. HTTP reaches both only with
    `lifecycle_enabled`. With a path in `external_url` the endpoints also answer below that path.
    """
    endpoints = Endpoints(source, reload, leave, lifecycle_enabled)
    prefix = urlsplit(external_url).path.rstrip("/")
    routes = endpoints.routes()
    mounted: list[BaseRoute] = [Mount(prefix, routes=routes)] if prefix else []
    guards = (
        [Middleware(ConfiguredHeaders, web_config), Middleware(BasicAuth, web_config)] if web_config else []
    )
    return Starlette(
        routes=[*mounted, *routes],
        middleware=[*guards, Middleware(OneLineErrors)],
        exception_handlers={HTTPException: _plain_error},
    )


class Endpoints:
    """One method for each path; plain functions, so that none of them blocks the event loop."""

    def __init__(
        self,
        source: Source,
        reload: Callable[[], tuple[bool, str]],
        leave: Callable[[], None],
        lifecycle_enabled: bool,
    ) -> None:
        self._source = source
        self._reload = reload
        self._leave = leave
        self._lifecycle_enabled = lifecycle_enabled

    def routes(self) -> list[Route]:
        """The paths and their methods; GET brings HEAD with it."""
        return [
            Route("/", self.landing, methods=["GET"]),
            Route("/series", self.series, methods=["GET"]),
            Route("/d/{dashboard:path}", self.dashboard, methods=["GET"]),
            Route("/api/v1/status", self.api_status, methods=["GET"]),
            Route("/api/v1/queries", self.api_queries, methods=["GET"]),
            Route("/api/v1/series", self.api_series, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
            Route("/-/healthy", self.healthy, methods=["GET"]),
            Route("/-/ready", self.ready, methods=["GET"]),
            Route("/-/reload", self.reload, methods=["POST", "PUT"]),
            Route("/-/quit", self.quit, methods=["POST", "PUT"]),
        ]

    def landing(self, _: Request) -> Response:
        """The page for people."""
        return _html(landing_page(self._source.status(), self._source.ready()))

    def series(self, request: Request) -> Response:
        """The page of one series, or of several; 404 where there is none, 400 where none is named."""
        query, labels = _named(request)
        found = self._source.portrait(query, labels)
        if not found:
            several = self._source.matches(query, labels)
            if several.total > 1:
                return _html(matches_page(several))
            if not several.total:
                raise HTTPException(404, UNKNOWN)
            one = several.findings[0].series
            found = self._source.portrait(one.query, one.labels)
        if not found:
            raise HTTPException(404, UNKNOWN)
        return _html(series_page(found, self._source.pictures(found)))

    def dashboard(self, request: Request) -> Response:
        """What the link of an alert leads to where Tidemark stands in for Grafana: the series it is about."""
        home = "../" * (1 + request.path_params["dashboard"].count("/"))
        given = {
            name.removeprefix("var-"): request.query_params.getlist(name)
            for name in request.query_params
            if name.startswith("var-") and name not in BESIDE
        }
        one = {name: values[0] for name, values in given.items() if len(values) == 1 and values[0]}
        query, labels = one.pop("query", ""), one
        known = (query or labels) and self._source.matches(query, labels).total
        return RedirectResponse(series_address(query, labels, home) if known else home, 303)

    def api_status(self, _: Request) -> Response:
        """What the landing page says, as JSON."""
        return _json(status_document(self._source.status(), self._source.ready()))

    def api_queries(self, _: Request) -> Response:
        """The state of every query, as JSON."""
        return _json(queries_document(self._source.status()))

    def api_series(self, request: Request) -> Response:
        """One series as JSON; its past only with `past=true`, because the TSDB is asked for it."""
        query, labels = _named(request)
        found = self._source.portrait(query, labels) if query else None
        if not found:
            raise HTTPException(404, UNKNOWN)
        wanted = request.query_params.get("past") == "true"
        return _json(series_document(found, self._source.pictures(found) if wanted else ()))

    def metrics(self, request: Request) -> Sliced:
        """The latest snapshot, gzipped when the client asks for it."""
        gzipped = accepts_gzip(request.headers.getlist("accept-encoding"))
        headers = {"Content-Type": METRICS_TYPE, "Vary": "Accept-Encoding"}
        return Sliced(
            self._source.metrics(gzipped), headers | ({"Content-Encoding": "gzip"} if gzipped else {})
        )

    def healthy(self, _: Request) -> Response:
        """200 as long as the process answers."""
        return _line("healthy")

    def ready(self, _: Request) -> Response:
        """200 after the first cycle, 503 with the reason before it."""
        ready, reason = self._source.ready()
        return _line(reason, 200 if ready else 503)

    def reload(self, request: Request) -> Response:
        """Read the configuration again; 500 with the reason when the file before it stays in force."""
        self._refuse_lifecycle(request)
        done, message = self._reload()
        return _line(message, 200 if done else 500)

    def quit(self, request: Request) -> Response:
        """Stop the process gracefully."""
        self._refuse_lifecycle(request)
        self._leave()
        return _line("stopping")

    def _refuse_lifecycle(self, request: Request) -> None:
        if not self._lifecycle_enabled:
            raise HTTPException(403, LIFECYCLE_OFF)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise HTTPException(403, "a page of another site may not call this endpoint")


def _named(request: Request) -> tuple[str, dict[str, str]]:
    """The query, empty for any, and the labels that the address names."""
    query = request.query_params.get("query", "")
    pairs = [it.partition("=") for it in request.query_params.getlist("label")]
    if not (query or pairs) or not all(equals for _, equals, _ in pairs):
        raise HTTPException(400, "name a series by query=NAME and label=NAME=VALUE for each of its labels")
    return query, {name: value for name, _, value in pairs}


def _html(page: bytes) -> Response:
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _json(document: Document) -> Response:
    return Response(encoded(document), media_type="application/json", headers={"Cache-Control": "no-store"})


def _line(text: str, status: int = 200) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={"Cache-Control": "no-store"})


def _plain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = "no such page; try /, /metrics, /-/healthy or /-/ready"
    text = hint if error.detail == "Not Found" else error.detail
    if "/api/" in request.url.path:
        return Response(encoded({"error": text}), error.status_code, error.headers, "application/json")
    return PlainTextResponse(f"{text}\n", error.status_code, headers=error.headers)


class OneLineErrors:
    """ASGI middleware: an exception of an endpoint becomes one log line and a 500, not a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            log.error("http request failed", path=scope.get("path"), error=f"{type(error).__name__}: {error}")
            log.debug("http request failed", exc_info=True)
            await _line("internal error; the log has the reason", 500)(scope, receive, send)
