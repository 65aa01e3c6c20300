"""HTTP status to error: what may succeed at the next try, what never will, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from exporter.tsdb.answer import error_type, words_of
from exporter.tsdb.errors import Permanent, Retryable, TsdbError

PASSING = frozenset({500, 502, 503, 504})
TOO_LATE = frozenset({"timeout", "canceled"})


def refusal(status: int, headers: httpx.Headers, body: bytes) -> TsdbError:
    """The error that an answer of any status but 200 stands for."""
    words = words_of(body)
    if 300 <= status < 400:
        return Permanent(
            "malformed", f"redirects ({status}) to {_place(headers)}: put the final address into url"
        )
    if status == 408 or (status >= 422 and error_type(body) in TOO_LATE):
        return Retryable("timeout", f"the TSDB gave up ({status}): {words}")
    if status in (400, 422) and body.lstrip().startswith(b"{"):
        return Permanent("rejected", f"the TSDB refused the expression ({status}): {words}")
    if status == 429:
        return Retryable("http_4xx", f"too many requests (429): {words}", retry_after(headers))
    if status in PASSING:
        return Retryable("http_5xx", f"the TSDB failed ({status}): {words}", retry_after(headers))
    if status >= 500:
        return Permanent("http_5xx", f"the TSDB failed ({status}): {words}")
    return Permanent("http_4xx", f"{_ADVICE.get(status, 'the request was refused')} ({status}): {words}")


_ADVICE = {
    401: "credentials are missing or wrong, check basic_auth or authorization",
    403: "these credentials may not read, check them and the tenant",
    404: "there is no query API at this path, check url and the tenant in it",
    407: "the proxy wants other credentials, check proxy_url",
}


def retry_after(headers: httpx.Headers, now: datetime | None = None) -> float | None:
    """Seconds that the header `Retry-After` asks for, as a number or a date; None without one."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _place(headers: httpx.Headers) -> str:
    """Where a redirect leads, without user, password and parameters."""
    parts = urlsplit(headers.get("Location", ""))
    host = f"{parts.scheme}://{parts.hostname}" if parts.hostname else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}{parts.path}"
