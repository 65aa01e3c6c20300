"""The body of a scrape: whether it is gzipped, and how a long one is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.web.guard import Receive, Scope, Send

SLICE_BYTES = 256 * 1024


class Sliced:
    """An ASGI response of ready bytes, sent in slices: the client reads while the rest is written."""

    def __init__(self, body: bytes | Sequence[bytes], headers: Mapping[str, str]) -> None:
        self._parts = [body] if isinstance(body, bytes) else body
        length = {"Content-Length": str(sum(map(len, self._parts)))}
        fields = {**headers, **length}.items()
        self._headers = [(name.lower().encode(), value.encode()) for name, value in fields]

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send status 200, the headers, and for any method but HEAD the body."""
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        for part in self._parts if scope["method"] != "HEAD" else ():
            view = memoryview(part)
            for start in range(0, len(view), SLICE_BYTES):
                slice_ = bytes(view[start : start + SLICE_BYTES])
                await send({"type": "http.response.body", "body": slice_, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def accepts_gzip(accept_encoding: Sequence[str]) -> bool:
    """Whether the Accept-Encoding headers name gzip, or `*`, with a weight above 0 (RFC 9110, 12.5.3)."""
    weights = dict(
        _weighted(coding) for line in accept_encoding for coding in line.split(",") if coding.strip()
    )
    named = [weights[it] for it in ("gzip", "x-gzip") if it in weights]
    return (max(named) if named else weights.get("*", 0.0)) > 0


def _weighted(coding: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in coding.split(";"))
    weight = next((it[2:] for it in parameters if it.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0
