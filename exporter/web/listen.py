"""Listen addresses -> bound sockets, before any work starts, so that a port in use is known at once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

BACKLOG = 2048

_REASONS = {
    errno.EADDRINUSE: "another process has this port; stop it, or choose one with --web.listen-address",
    errno.EACCES: "this user may not use this port; choose one above 1023 with --web.listen-address",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class CannotListen(Exception):
    """An address cannot be listened on; the message is one line that says why and what to do."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}")


def listen(addresses: Sequence[str]) -> list[socket.socket]:
    """Bound, listening sockets in the order of `addresses`: `:10063`, `127.0.0.1:0`, `[::1]:10063`, `host:1`.

    No host means every interface, IPv4 and IPv6; port 0 any free port. After CannotListen none stays bound.
    """
    bound: list[socket.socket] = []
    try:
        for address in addresses:
            bound += [_bind(address)]
    except CannotListen:
        for it in bound:
            it.close()
        raise
    return bound


def urls(sockets: Sequence[socket.socket], scheme: str = "http") -> list[str]:
    """A URL for each socket that a person on this machine can open."""
    return [f"{scheme}://{_reachable(*it.getsockname()[:2])}/" for it in sockets]


def _bind(address: str) -> socket.socket:
    host, port = _split(address)
    try:
        return _everywhere(port) if not host else _on_host(host, port)
    except socket.gaierror as error:
        raise CannotListen(address, f"{host} is not known here: {error.strerror}") from None
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
        raise CannotListen(address, reason) from None


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    well_formed = colon and port.isascii() and port.isdecimal() and int(port) < 65536
    if not well_formed or (":" in host and not bracketed):
        raise CannotListen(address, "expected HOST:PORT, :PORT or [IPv6]:PORT with a port up to 65535")
    return host[1:-1] if bracketed else host, int(port)


def _everywhere(port: int) -> socket.socket:
    try:
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise
        return socket.create_server(("", port), backlog=BACKLOG)  # a machine without IPv6


def _on_host(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = min(found, key=lambda it: it[0] != socket.AF_INET)
    return socket.create_server(place[:2], family=family, backlog=BACKLOG)


def _reachable(host: str, port: int) -> str:
    if host in ("::", "0.0.0.0"):
        return f"localhost:{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
