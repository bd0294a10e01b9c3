"""Where things lie in a bundle, which names are allowed, and how large a file may be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from holdgood.core.errors import BundleError
from holdgood.core.records import FileEntry

MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest.sha256"
TASK = "task.json"
EXTRA = "extra.json"
PART = "part.json"
PARTS, ARRAYS, FILES, RECORDS = "parts", "arrays", "files", "records"

MAX_FILES = 10_000
MAX_BYTES = 4 * 1024**3  # of the whole bundle
MAX_MANIFEST_BYTES = 16 * 1024**2
MAX_JSON_BYTES = 256 * 1024**2
MAX_DEPTH = 16

_STEP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_path(path: str) -> PurePosixPath:
    """A relative path of plain steps, or BundleError: no root, no ``..``, no drive, nothing a file system reads
    otherwise.

    >>> safe_path("parts/model/part.json").name
    'part.json'
    """
    steps = path.split("/")
    plain = all(_STEP.fullmatch(s) and not s.endswith(".") and not _RESERVED.fullmatch(s) for s in steps)
    if not plain or len(steps) > MAX_DEPTH:
        raise BundleError(
            f"the path {path[:80]!r} in a bundle",
            "letters, digits, '_', '-' and '.' between single slashes, inside the bundle",
            "do not use this bundle: it was not written by holdgood",
        )
    return PurePosixPath(path)


def digest_of(entries: Iterable[FileEntry]) -> str:
    """SHA-256 over all entries (path, hash, size), sorted by path: one line to pin elsewhere."""
    lines = sorted(f"{e.path}\t{e.sha256}\t{e.size}\n" for e in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def hash_line(manifest: bytes) -> bytes:
    """What ``manifest.sha256`` holds, as the command sha256sum writes it: the manifest is not in its own digest."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
