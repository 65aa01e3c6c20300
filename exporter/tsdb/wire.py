"""One request over HTTP: who asks, how it is compressed, how long and how large an answer may be."""

from __future__ import annotations

import base64
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx

from exporter import __version__
from exporter.tsdb.errors import Permanent, Retryable, TsdbError
from exporter.tsdb.settings import Settings, Tls, require_header_text

LONG_QUERY = 2_000
"""Encoded parameters beyond this many characters are sent as a form: proxies refuse long addresses."""
CONNECT_SECONDS = 5.0
LOCAL_SUFFIXES = (".local", ".internal", ".svc", ".cluster.local", ".localhost")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, read to its end and decompressed."""

    status: int
    headers: httpx.Headers
    body: bytes


class Wire:
    """Sends one request at a time per caller, and reads its answer within the bounds of the settings."""

    def __init__(
        self, settings: Settings, transport: httpx.BaseTransport | None, clock: Callable[[], float]
    ) -> None:
        self._settings, self._clock = settings, clock
        self.url = settings.url.rstrip("/") + "/".join(["", *filter(None, settings.tenant_path.split("/"))])
        self._http = httpx.Client(
            transport=transport,
            verify=_trust(settings) if transport is None and settings.url.startswith("https") else True,
            proxy=settings.proxy_url,
            headers=_headers(settings),
            timeout=httpx.Timeout(
                settings.timeout, connect=min(CONNECT_SECONDS, settings.timeout), pool=None
            ),
            limits=httpx.Limits(max_connections=settings.concurrency),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def ask(self, path: str, parameters: Mapping[str, str]) -> Reply:
        """Get (or post, where long) `path`; Retryable when no whole answer came, Permanent when too large."""
        request = self._request(path, parameters)
        started = False
        try:
            reply = self._http.send(request, stream=True)
            started = True
            try:
                return Reply(reply.status_code, reply.headers, self._read(reply))
            finally:
                reply.close()
        except httpx.TimeoutException:
            raise self._too_slow() from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _broken(error, started) from None

    def _request(self, path: str, parameters: Mapping[str, str]) -> httpx.Request:
        url, headers = self.url + path, _authorization(self._settings)
        name = self._settings.tls.server_name
        extensions = {"sni_hostname": name} if name else {}
        if len(urlencode(parameters)) > LONG_QUERY:
            return self._http.build_request(
                "POST", url, data=parameters, headers=headers, extensions=extensions
            )
        return self._http.build_request("GET", url, params=parameters, headers=headers, extensions=extensions)

    def _read(self, reply: httpx.Response) -> bytes:
        """The body, given up once it is too large, or not at its end in time however often bytes arrive."""
        deadline = self._clock() + self._settings.timeout
        most, size, parts = self._settings.max_response_bytes, 0, []
        for part in reply.iter_bytes():
            size += len(part)
            if size > most:
                words = f"the answer is larger than {most:,} bytes: narrow the expression, or raise the limit"
                raise Permanent("too_large", words)
            if self._clock() > deadline:
                raise self._too_slow()
            parts.append(part)
        return b"".join(parts)

    def _too_slow(self) -> Retryable:
        seconds = self._settings.timeout
        return Retryable(
            "timeout", f"no whole answer within {seconds:g} s: narrow the expression, or raise timeout"
        )


def _broken(error: httpx.TransportError | httpx.DecodingError, started: bool) -> TsdbError:
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return Permanent(
            "internal", f"the request cannot be sent ({type(error).__name__}): check url and headers"
        )
    if tls := _tls_failure(error):
        return Permanent("unreachable", f"no secure connection: {tls}; check tls_config")
    if started or isinstance(error, httpx.DecodingError):
        return Retryable("malformed", f"the answer broke off: {_words(error)}")
    return Retryable("unreachable", f"does not answer: {_words(error)}")


def _tls_failure(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, ssl.SSLError):
            return error.reason or "TLS error"
        error = error.__cause__ or error.__context__
    return ""


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _headers(settings: Settings) -> dict[str, str]:
    headers = {"User-Agent": f"tidemark/{__version__}", "Accept-Encoding": _encoding(settings)}
    if settings.tenant:
        headers["X-Scope-OrgID"] = settings.tenant
    return headers | dict(settings.headers)


def _authorization(settings: Settings) -> dict[str, str]:
    """The header for this request; files are read anew, because tokens in them are rotated."""
    if it := settings.basic_auth:
        password = _secret(it.password_file) if it.password_file else it.password
        pair = base64.b64encode(f"{it.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    token = _secret(settings.bearer_token_file) if settings.bearer_token_file else settings.bearer_token
    return {"Authorization": f"Bearer {token}"} if token else {}


def _secret(path: Path) -> str:
    try:
        text = path.read_text().strip()
        require_header_text(str(path), text)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise Permanent("internal", f"the secret in {path} cannot be used: {words}") from None
    return text


def _encoding(settings: Settings) -> str:
    if settings.compression == "auto":
        far = settings.proxy_url or not _near(urlsplit(settings.url).hostname or "")
        return "gzip" if far else "identity"
    return settings.compression


def _near(host: str) -> bool:
    """Whether a host is on this machine or its private network, as far as its name or address tells."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(LOCAL_SUFFIXES)


def _trust(settings: Settings) -> ssl.SSLContext:
    """Whom to trust and who we are; ValueError names the file that cannot be used."""
    tls = settings.tls
    try:
        context = (
            ssl.create_default_context(cafile=tls.ca_file) if tls.ca_file else httpx.create_ssl_context()
        )
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"tls_config.ca_file {tls.ca_file} cannot be used: {error}") from None
    _present(context, tls)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _present(context: ssl.SSLContext, tls: Tls) -> None:
    if not tls.cert_file:
        return
    try:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"tls_config.cert_file {tls.cert_file} or its key cannot be used: {error}") from None
