"""The sealed holdout: every look at it is counted, per data fingerprint, in an append-only file of the project."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.core.errors import EnvironmentFault

try:
    import fcntl
except ImportError:  # not a POSIX system: a line is then still written in one append
    fcntl = None  # type: ignore[assignment]

WORN_AFTER = 5
"""Openings after which the headline is marked: choosing by a holdout, again and again, tunes to it."""


class Openings:
    """One JSON object a line: fingerprint, who, why, when. Lines are only ever added."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def open(self, fingerprint: str, who: str, why: str) -> int:
        """Write an opening down; how often this holdout was opened, this time included."""
        entry = {"fingerprint": fingerprint, "who": who, "why": why, "when_utc": datetime.now(UTC).isoformat()}
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked() as handle:
                if _torn(handle):
                    line = b"\n" + line
                if os.write(handle, line) != len(line):
                    raise OSError("only a part was written")
                os.fsync(handle)
                return self.count(fingerprint)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot count an opening of the holdout in {self.path}: {error.strerror or error}",
                "a file that can be appended to; a holdout is not opened uncounted",
                "free some space, or make the project's folder writable",
            ) from error

    def count(self, fingerprint: str) -> int:
        """How often the holdout with this fingerprint was opened."""
        return sum(1 for entry in self.entries() if entry["fingerprint"] == fingerprint)

    def entries(self) -> list[dict[str, Any]]:
        """All openings, oldest first; a line that was torn by a crash is passed over."""
        if not self.path.exists():
            return []
        return list(_entries(self.path.read_bytes()))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)  # which gives the lock back


def _torn(handle: int) -> bool:
    """Whether the file ends within a line."""
    end = os.lseek(handle, 0, os.SEEK_END)
    if end == 0:
        return False
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1) != b"\n"


def _entries(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError):
            continue
        if isinstance(entry, dict) and "fingerprint" in entry:
            yield entry
