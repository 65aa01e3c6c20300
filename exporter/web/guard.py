"""What the web config file puts in front of every endpoint: a password, and headers on the response."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import bcrypt

from exporter.web.config import WebConfigFile

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

REMEMBERED = 100
BCRYPT_BYTES = 72
UNKNOWN_USER_HASH = "$2b$10$HdwMT0krBx1PG18tN933DOVWYqzwbxX3C13p4QPLYbQB2AG/ibiJe"


class BasicAuth:
    """ASGI middleware: 401 unless the request names a user of the file with the right password.

    Accepted passwords are remembered by a salted digest, so a scrape costs a lookup and not a bcrypt.
    Guesses run one at a time, off the event loop, and are forgotten: they starve neither scrape nor cycle.
    """

    def __init__(self, app: App, web_config: WebConfigFile) -> None:
        self._app = app
        self._web_config = web_config
        self._salt = secrets.token_bytes(16)
        self._accepted: dict[bytes, None] = {}
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        users = self._web_config.current().basic_auth_users
        if scope["type"] != "http" or not users or await self._allowed(scope, users):
            await self._app(scope, receive, send)
        else:
            await _refuse(send)

    async def _allowed(self, scope: Scope, users: dict[str, str]) -> bool:
        given = _credentials(scope)
        if given is None:
            return False
        user, password = given
        known = users.get(user)
        return await self._matches(user, password, known or UNKNOWN_USER_HASH) and known is not None

    async def _matches(self, user: str, password: bytes, hashed: str) -> bool:
        key = self._digest(user, password, hashed)
        if key in self._accepted:
            return True
        async with self._one_at_a_time:
            accepted = await asyncio.to_thread(bcrypt.checkpw, password[:BCRYPT_BYTES], hashed.encode())
        if accepted:
            self._remember(key)
        return accepted

    def _digest(self, user: str, password: bytes, hashed: str) -> bytes:
        parts = (self._salt, user.encode(), hashed.encode(), password)
        return hashlib.sha256(b"".join(len(part).to_bytes(4) + part for part in parts)).digest()

    def _remember(self, key: bytes) -> None:
        while len(self._accepted) >= REMEMBERED:
            del self._accepted[next(iter(self._accepted))]
        self._accepted[key] = None


class ConfiguredHeaders:
    """ASGI middleware: the headers of the file on every response, in place of those an endpoint sets."""

    def __init__(self, app: App, web_config: WebConfigFile) -> None:
        self._app = app
        self._web_config = web_config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        configured = self._web_config.current().http_server_config.headers
        added = [(name.lower().encode(), value.encode()) for name, value in configured.items()]
        names = {name for name, _ in added}

        async def send_with_headers(message: Message) -> None:
            if added and message["type"] == "http.response.start":
                message["headers"] = [it for it in message["headers"] if it[0] not in names] + added
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _credentials(scope: Scope) -> tuple[str, bytes] | None:
    """User and password of the Authorization header, or None."""
    value = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, encoded = value.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user.decode(errors="replace"), password) if colon else None


async def _refuse(send: Send) -> None:
    body = b"a user and a password are needed\n"
    headers = [
        (b"www-authenticate", b'Basic realm="tidemark", charset="UTF-8"'),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
