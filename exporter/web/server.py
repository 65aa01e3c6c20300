"""The server that answers requests on bound sockets until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from exporter.web.config import CurrentContext, WebConfigFile

CONNECTIONS = 512
KEEP_ALIVE_SECONDS = 150
STOP_SECONDS = 5
STOP_POLL_SECONDS = 0.1


class StopSignal(Protocol):
    """A threading.Event, or anything like it."""

    def is_set(self) -> bool:
        """True once the server must stop."""


def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    stop: StopSignal,
    web_config: WebConfigFile | None = None,
) -> None:
    """Answer requests on bound `sockets` until `stop` is set, then finish those under way and close.

    Blocks; meant for the main thread. Signal handlers are the caller's and are left alone.
    """
    context = web_config.context() if web_config else None
    settings = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    settings.load()
    settings.ssl = CurrentContext(web_config) if web_config and context else None
    asyncio.run(_until_stopped(_Server(settings), list(sockets), stop))


async def _until_stopped(server: uvicorn.Server, sockets: list[socket.socket], stop: StopSignal) -> None:
    async def watch() -> None:
        while not stop.is_set():
            await asyncio.sleep(STOP_POLL_SECONDS)
        server.should_exit = True

    watching = asyncio.create_task(watch())
    await server.serve(sockets)
    watching.cancel()


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
