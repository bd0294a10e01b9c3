"""Save: parts, records and the task into one folder, all or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.bundle import layout
from holdgood.bundle.swap import put_in_place
from holdgood.core.errors import BundleError, EnvironmentFault
from holdgood.core.protocols import Persistable
from holdgood.core.records import Bundle, FileEntry, PartEntry, Record
from holdgood.core.records.envelope import PRODUCER, wrap
from holdgood.core.task import Task

_VERSIONS_OF = ("holdgood", "numpy", "scikit-learn", "lightgbm")
# The manifest says when; what is hashed must be the same bytes for the same content.
_NO_TIME = ""


def save(
    folder: Path,
    *,
    name: str,
    parts: Mapping[str, Persistable],
    records: Mapping[str, Record],
    task: Task,
    run: str = "",
    data_fingerprint: str = "",
    extra_json: Mapping[str, Any] | None = None,
) -> Bundle:
    """Write a bundle to ``folder`` and return its manifest.

    The new bundle is written and flushed beside ``folder``, then takes its place; an older bundle there stays usable
    until then and is kept if anything fails. Same content, same digest. Raises EnvironmentFault (full disk, no
    permission; nothing is lost) and BundleError (a name or a value that no bundle may hold, or ``folder`` holding
    something that is no bundle).
    """
    folder = Path(folder)
    content, entries = _content(parts, records, task, extra_json)
    files = tuple(
        FileEntry(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        for path, data in sorted(content.items())
    )
    if len(files) > layout.MAX_FILES or sum(f.size for f in files) > layout.MAX_BYTES:
        raise BundleError(
            f"{len(files):,} files of {sum(f.size for f in files):,} bytes",
            f"at most {layout.MAX_FILES:,} and {layout.MAX_BYTES:,}",
            "use smaller models",
        )
    bundle = Bundle(
        name=name,
        created_by=PRODUCER,
        run=run,
        data_fingerprint=data_fingerprint,
        files=files,
        parts=tuple(entries),
        task=task.model_dump(mode="json"),
        versions=_versions(),
        digest=layout.digest_of(files),
    )
    manifest = _json(wrap(bundle))
    content |= {layout.MANIFEST: manifest, layout.MANIFEST_HASH: layout.hash_line(manifest)}
    if folder.is_symlink() or (folder.exists() and not _replaceable(folder)):
        raise BundleError(
            f"{folder.name} is there and is no bundle", "a bundle, an empty folder or nothing", "choose another folder"
        )
    try:
        _put(folder, content)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write the bundle {folder.name} in {folder.parent}: {error.strerror or error}",
            f"room for {sum(map(len, content.values())):,} bytes and permission to write",
            "free some space or choose another folder; what was there before is untouched",
        ) from error
    return bundle


def _content(
    parts: Mapping[str, Persistable], records: Mapping[str, Record], task: Task, extra_json: Mapping[str, Any] | None
) -> tuple[dict[str, bytes], list[PartEntry]]:
    content: dict[str, bytes] = {layout.TASK: _json(task.model_dump(mode="json"))}
    taken = {layout.TASK}
    entries = []

    def add(path: str, data: bytes) -> None:
        layout.safe_path(path)
        # Two names that differ only in case would be one file on some file systems.
        if path.lower() in taken:
            raise BundleError(
                f"two files named {path!r}", "one content a path", "give parts and arrays different names"
            )
        taken.add(path.lower())
        content[path] = data

    for key, item in parts.items():
        pieces = item.to_parts()
        folder = f"{layout.PARTS}/{key}"
        entries.append(PartEntry(name=key, part=item.part, folder=folder))
        add(f"{folder}/{layout.PART}", _json({"part": item.part, "json": pieces.json}))
        for array_name, array in pieces.arrays.items():
            add(f"{folder}/{layout.ARRAYS}/{array_name}.npy", _npy(array, f"{key}/{array_name}"))
        for file_name, data in pieces.files.items():
            add(f"{folder}/{layout.FILES}/{file_name}", data)
    for key, record in records.items():
        add(f"{layout.RECORDS}/{key}.json", _json(wrap(record) | {"created_utc": _NO_TIME}))
    if extra_json:
        add(layout.EXTRA, _json(dict(extra_json)))
    return content, entries


def _npy(array: np.ndarray, where: str) -> bytes:
    array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
    if array.dtype.kind not in "biufSU" or array.dtype.hasobject:
        raise BundleError(
            f"array {where!r} of type {array.dtype}",
            "numbers, booleans or fixed-width text",
            "put other values into the part's JSON",
        )
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"a value that JSON cannot hold: {error}",
            "text, finite numbers, lists, mappings",
            "put arrays into the part's arrays",
        ) from error


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _VERSIONS_OF:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / layout.MANIFEST).is_file() or not any(folder.iterdir()))


def _put(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write everything beside ``folder``, flush, then swap by renames; on failure take away what was begun."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder) as fresh:
        for path, data in content.items():
            target = fresh.joinpath(*layout.safe_path(path).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        os.chmod(fresh, 0o755)  # nosec B103 # noqa: S103 - mkdtemp keeps others out; a bundle may be read by a server's user
        put_in_place(fresh, folder)


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A temporary sibling of ``folder``; afterwards gone, with whatever it then holds."""
    path = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.new."))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
