"""A webhook on loopback that keeps what a real Alertmanager sends."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.loopback import serving

Message = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Receiver:
    """Where it listens, and the (path, JSON body) pairs it was sent."""

    url: str
    messages: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)

    def next(self, seconds: float = 60.0) -> Message:
        """The next message; queue.Empty when none comes within `seconds`."""
        return self.messages.get(timeout=seconds)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A webhook that accepts every POST."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    with serving(server) as address:
        it = Receiver(f"http://{address}")
        server.RequestHandlerClass = _handler(it)
        yield it


def _handler(to: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            to.messages.put((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler
