"""What an answer of the query API says besides its numbers: success, warnings, the words of the server."""

from __future__ import annotations

from typing import Any

import orjson

from exporter.tsdb.errors import Permanent, Retryable, TsdbError

SHOWN = 300


def success(body: bytes) -> dict[str, Any]:
    """The `data` of a whole success. Raises `TsdbError` for anything else, warnings and parts included."""
    answer = document(body)
    if answer.get("status") != "success":
        raise Permanent("rejected", f"the TSDB refused the expression: {words_of(body)}")
    warnings = answer.get("warnings") or []
    if warnings or answer.get("isPartial"):
        words = "; ".join(map(str, warnings)) or "isPartial is set"
        raise Permanent("partial", f"the TSDB gave only part of the answer, or doubts it: {shortened(words)}")
    data = answer.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise Permanent("malformed", "the answer holds no data.result: is this the address of a TSDB?")
    return data


def names(body: bytes) -> list[str]:
    """The values of a label, as the server lists them. Raises `TsdbError` for anything else."""
    found = document(body).get("data")
    if not isinstance(found, list):
        raise Permanent(
            "malformed", "the answer holds no list of label values: is this the address of a TSDB?"
        )
    return [it for it in found if isinstance(it, str)]


def document(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; half of one may be whole at the next try, other text will not."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _not_json(body) from None
    if not isinstance(answer, dict):
        raise _not_json(body)
    return answer


def words_of(body: bytes) -> str:
    """The server's own words about an error, on one line."""
    try:
        answer = orjson.loads(body)
        words = answer.get("error") or answer.get("message") or answer
    except (orjson.JSONDecodeError, AttributeError):
        words = body.decode(errors="replace")
    return shortened(str(words))


def error_type(body: bytes) -> str:
    """The `errorType` of an error answer: empty where the server names none."""
    try:
        return str(orjson.loads(body).get("errorType", ""))
    except (orjson.JSONDecodeError, AttributeError):
        return ""


def shortened(words: str) -> str:
    """`words` on one line of bounded length."""
    line = " ".join(words.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def _not_json(body: bytes) -> TsdbError:
    text = body.strip()
    if text.startswith(b"{") and not text.endswith(b"}"):
        return Retryable("malformed", f"the answer ends in the middle, after {len(body)} bytes")
    if not text:
        return Retryable("malformed", "the answer is empty")
    start = shortened(text[:60].decode(errors="replace"))
    return Permanent(
        "malformed", f"the answer is not the JSON of a TSDB, it begins with {start!r}: check the url"
    )
