"""How files get into a directory in which people edit them: what they changed is theirs."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RECORD = ".tidemark-assets"
"""What was written last: path -> SHA-256. Without a suffix, so that nothing loads it."""

NEW = ".new"
PUT = ("written", "updated")


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a path: one of the words of docs/commands.md."""

    path: str
    action: str


def land(directory: Path, files: Mapping[str, str], *, force: bool) -> list[Landed]:
    """Bring `files` (path -> text) into `directory`; nothing changes if they cannot all be written.

    A file that somebody edited stays, and the new one stands beside it as PATH.new, unless `force`.
    OSError says what could not be written.
    """
    last = _recorded(directory)
    landed = [
        Landed(path, _action(directory / path, text, last.get(path), force)) for path, text in files.items()
    ]
    landed += [
        Landed(path, _farewell(directory / path, last[path]))
        for path in sorted(set(last) - set(files))
        if (directory / path).is_file()
    ]
    directory.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=directory))
    try:
        moves = list(_staged(staging, directory, files, landed))
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
    finally:
        shutil.rmtree(staging)
    for it in landed:
        _clean(directory / it.path, it.action)
    return landed


def _action(target: Path, text: str, last: str | None, force: bool) -> str:
    if not target.exists():
        return "written"
    current, new = _hash(target.read_bytes()), _hash(text.encode())
    if current == new:
        return "unchanged"
    if force or current == last:
        return "updated"
    return "kept" if last == new else "beside"


def _farewell(target: Path, last: str) -> str:
    """What becomes of a file that is no longer shipped, or no longer chosen."""
    return "removed" if _hash(target.read_bytes()) == last else "left"


def _staged(
    staging: Path, directory: Path, files: Mapping[str, str], landed: list[Landed]
) -> Iterator[tuple[Path, Path]]:
    """Write it all aside; (from, to) of every move that remains, the record last."""
    for it in landed:
        if it.action in (*PUT, "beside"):
            name = it.path + (NEW if it.action == "beside" else "")
            yield _put(staging / name, files[it.path]), _free(directory / name)
    record = {path: _hash(text.encode()) for path, text in files.items()}
    yield _put(staging / RECORD, json.dumps(record, indent=1) + "\n"), directory / RECORD


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def _free(path: Path) -> Path:
    """`path`, which can be moved to; OSError when a directory is in its place, or a file above it."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    above = next(it for it in path.parents if it.exists())
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    return path


def _clean(path: Path, action: str) -> None:
    """Take away what is no longer shipped, and a PATH.new that has been taken over."""
    if action == "removed":
        path.unlink()
    if action in (*PUT, "unchanged", "removed"):
        path.with_name(path.name + NEW).unlink(missing_ok=True)


def _recorded(directory: Path) -> dict[str, str]:
    """What was written last; nothing where the record is missing or no longer readable."""
    try:
        found = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(path): str(it) for path, it in found.items()} if isinstance(found, dict) else {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
