"""The cache of what was learnt: per query one versioned, checksummed file, written atomically, no pickle.

The TSDB is the truth. A file that cannot be used is set aside and its query learns again from history.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

VERSION = 1
_SUFFIX = ".tidemark"


class Damaged(Exception):
    """A state file cannot be used; `reason` is `damaged` or `version`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Saved:
    """What one query has learnt: its series, and the model's arrays with the series on their last axis.

    `exposed` holds the families that were exposed for the point `time`, empty if there were none;
    `residuals` what joint scores are learnt from, empty where no group uses the query; `drift` the hours of
    the past and their reference, empty where no drift is watched.
    """

    fingerprint: str
    time: int
    begun: int
    keys: list[bytes]
    last_seen: np.ndarray
    state: dict[str, np.ndarray]
    exposed: dict[str, np.ndarray]
    residuals: dict[str, np.ndarray] = field(default_factory=dict)
    drift: dict[str, np.ndarray] = field(default_factory=dict)


class Store:
    """A directory of state files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, query: str, saved: Saved) -> None:
        """Replace the file of `query` in one step; OSError when the directory cannot be written."""
        self.write(query, _packed(saved))

    def load(self, query: str) -> Saved | None:
        """What was saved for `query`, or None; Damaged when the file is there and cannot be used."""
        payload = self.read(query)
        return None if payload is None else _unpacked(payload)

    def write(self, query: str, payload: bytes) -> None:
        """Replace a file in one step; `query` may be a name that no query can have."""
        self.directory.mkdir(parents=True, exist_ok=True)
        header = {
            "tidemark_state": VERSION,
            "bytes": len(payload),
            "sha256": hashlib.sha256(payload).hexdigest(),
        }
        with tempfile.NamedTemporaryFile(dir=self.directory, prefix=f".{query}-", delete=False) as file:
            try:
                file.write(orjson.dumps(header) + b"\n" + payload)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, self._path(query))  # noqa: PTH105 - the pair of fsync
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def read(self, query: str) -> bytes | None:
        """What was written under that name, or None; Damaged when the file is there and cannot be used."""
        try:
            raw = self._path(query).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Damaged("damaged", f"cannot be read: {error.strerror}") from None
        return _checked(raw)

    def set_aside(self, query: str, now: float) -> str:
        """Move a file that cannot be used out of the way, keep it for inquiry, and say where it lies now."""
        path = self._path(query)
        try:
            return str(path.replace(path.with_suffix(f".set-aside-{int(now)}")))
        except OSError:
            return str(path)  # the next save replaces it, if there will be one

    def size(self) -> int:
        """Bytes of all state files."""
        return sum(path.stat().st_size for path in self.directory.glob(f"*{_SUFFIX}"))

    def _path(self, query: str) -> Path:
        return self.directory / f"{query}{_SUFFIX}"


def _packed(saved: Saved) -> bytes:
    about = {"fingerprint": saved.fingerprint, "time": saved.time, "begun": saved.begun}
    arrays = {f"state.{name}": array for name, array in saved.state.items()}
    arrays |= {f"exposed.{name}": array for name, array in saved.exposed.items()}
    arrays |= {f"residuals.{name}": array for name, array in saved.residuals.items()}
    arrays |= {f"drift.{name}": array for name, array in saved.drift.items()}
    arrays["about"] = np.frombuffer(orjson.dumps(about), np.uint8)
    arrays["keys"] = np.frombuffer(b"\n".join(saved.keys), np.uint8)
    arrays["last_seen"] = saved.last_seen
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def _checked(raw: bytes) -> bytes:
    head, _, payload = raw.partition(b"\n")
    try:
        header = orjson.loads(head)
        version, size, digest = header["tidemark_state"], header["bytes"], header["sha256"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Damaged("damaged", "is not a state file of tidemark, or its header is lost") from None
    if version != VERSION:
        raise Damaged("version", f"has version {version}; this tidemark reads version {VERSION}")
    if len(payload) != size or hashlib.sha256(payload).hexdigest() != digest:
        raise Damaged("damaged", f"does not match its checksum ({len(payload)} of {size} bytes are there)")
    return payload


def _unpacked(payload: bytes) -> Saved:
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        about = orjson.loads(arrays["about"].tobytes())
        keys = arrays["keys"].tobytes()
        return Saved(
            fingerprint=about["fingerprint"],
            time=about["time"],
            begun=about["begun"],
            keys=keys.split(b"\n") if keys else [],
            last_seen=arrays["last_seen"],
            state=_under("state.", arrays),
            exposed=_under("exposed.", arrays),
            residuals=_under("residuals.", arrays),
            drift=_under("drift.", arrays),
        )


def _under(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}
