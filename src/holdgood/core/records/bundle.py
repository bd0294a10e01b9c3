"""The manifest of a bundle: every file with its hash and size, every part with the name it is rebuilt by."""

from __future__ import annotations

from typing import Any, ClassVar

from holdgood.core.records.envelope import Part, Record


class FileEntry(Part):
    """One file of a bundle."""

    path: str
    sha256: str
    size: int


class PartEntry(Part):
    """One persistable: its registered name and where its files lie."""

    name: str
    part: str
    folder: str


class Bundle(Record):
    """What a bundle holds. ``digest`` is the SHA-256 over all entries: pin it somewhere else to detect forgery."""

    kind: ClassVar[str] = "bundle"

    name: str
    created_by: str
    run: str = ""
    data_fingerprint: str = ""
    files: tuple[FileEntry, ...]
    parts: tuple[PartEntry, ...]
    task: dict[str, Any] = {}
    versions: dict[str, str] = {}
    digest: str = ""
