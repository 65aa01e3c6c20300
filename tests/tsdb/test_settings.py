"""Settings: what is refused, and what never shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exporter.tsdb.settings import BasicAuth, Settings, Tls

SECRET = "correct-horse"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "localhost:9090"}, "http://localhost:9090"),
        ({"url": "ftp://tsdb"}, "http://localhost:9090"),
        ({"url": f"http://user:{SECRET}@tsdb"}, "use basic_auth"),
        ({"url": "http://tsdb/?a=b"}, "no parameters"),
        ({"bearer_token": SECRET, "basic_auth": BasicAuth("user", SECRET)}, "only one of"),
        ({"bearer_token": f"{SECRET}\n"}, "bearer_token holds a character"),
        ({"headers": {"Authorization": f"Bearer {SECRET}\r\nX: y"}}, "Authorization holds a character"),
        ({"tenant": "a\nb"}, "X-Scope-OrgID holds a character"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"max_points": 0}, "max_points must be at least 1"),
        ({"timeout": 0}, "timeout must be above 0"),
        ({"retries": -1}, "retries 0 or more"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], words: str) -> None:
    """Each mistake is named, and no secret is quoted."""
    with pytest.raises(ValueError, match=words) as caught:
        Settings(**{"url": "http://tsdb", **changes})
    assert SECRET not in str(caught.value)


def test_secrets_never_print() -> None:
    """The text of the settings holds no password, token, header or proxy address."""
    settings = [
        Settings("http://tsdb", basic_auth=BasicAuth("user", SECRET)),
        Settings("http://tsdb", bearer_token=SECRET, headers={"X-Key": SECRET}),
        Settings("http://tsdb", proxy_url=f"http://user:{SECRET}@proxy", tls=Tls(ca_file=Path("ca.pem"))),
    ]
    assert SECRET not in repr(settings) + str(settings)
