"""A mail server on loopback that keeps what a real Alertmanager sends."""

from __future__ import annotations

import base64
import email
import queue
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default

from tests.loopback import serving


@dataclass(frozen=True)
class Mailbox:
    """HOST:PORT of the server, who logged in with which password, and the mails it took."""

    smarthost: str
    logins: list[tuple[str, str]] = field(default_factory=list)
    mails: queue.SimpleQueue[Message] = field(default_factory=queue.SimpleQueue)

    def next(self, seconds: float = 60.0) -> Message:
        """The next mail; queue.Empty when none comes within `seconds`."""
        return self.mails.get(timeout=seconds)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A server that accepts every login and every mail."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler)
    server.daemon_threads = True
    with serving(server) as address:
        it = Mailbox(address)
        server.RequestHandlerClass = _handler(it)
        yield it


def _handler(to: Mailbox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 127.0.0.1 ESMTP")
            for line in self.rfile:
                self._answer(*line.decode().strip().partition(" ")[::2])

        def _answer(self, verb: str, rest: str) -> None:
            if verb == "EHLO":
                self._say("250-127.0.0.1\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                to.logins.append((user, password))
                self._say("235 welcome")
            elif verb == "DATA":
                self._say("354 go on")
                to.mails.put(email.message_from_bytes(self._data(), policy=default))
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")

        def _data(self) -> bytes:
            lines = iter(self.rfile.readline, b".\r\n")
            return b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)

        def _say(self, words: str) -> None:
            self.wfile.write(words.encode() + b"\r\n")

    return Handler
