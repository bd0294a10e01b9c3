"""Verify: everything about a bundle that can be known before anything in it is used."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from holdgood.bundle import layout
from holdgood.core.errors import BundleError, EnvironmentFault, TamperedError
from holdgood.core.records import Bundle
from holdgood.core.records.envelope import unwrap

_AGAIN = "copy or save the bundle again; do not use this one"


def verify(folder: Path) -> Bundle:
    """Check manifest, paths, links, extra and missing files, sizes, hashes and digest; return the manifest.

    Hashes inside a bundle detect damage, not forgery: compare ``Bundle.digest`` with one that was pinned elsewhere for
    that. Raises TamperedError (which file, what differs) and BundleError (missing, cut off, written by a newer
    release).
    """
    folder = Path(folder)
    try:
        bundle = read_manifest(folder)
        _check_entries(bundle)
        _check_tree(folder, bundle)
        for entry in bundle.files:
            found = layout.sha256_of(folder / entry.path)
            if found != entry.sha256:
                raise TamperedError(
                    f"{entry.path} has SHA-256 {found[:12]}…", f"{entry.sha256[:12]}…, as the manifest says", _AGAIN
                )
    except OSError as error:
        raise EnvironmentFault(
            f"cannot read the bundle {folder.name}: {error.strerror or error}",
            "permission to read it",
            "check the folder",
        ) from error
    return bundle


def read_manifest(folder: Path) -> Bundle:
    """The manifest, checked against its own hash; nothing else is looked at."""
    if not folder.is_dir():
        raise BundleError(f"no bundle at {folder}", "a folder with a manifest.json", "check the path")
    content = read_bounded(folder, layout.MANIFEST, layout.MAX_MANIFEST_BYTES)
    if read_bounded(folder, layout.MANIFEST_HASH, 1_000) != layout.hash_line(content):
        raise TamperedError(
            f"{layout.MANIFEST} is not what {layout.MANIFEST_HASH} says", "the hash that it was saved with", _AGAIN
        )
    return unwrap(parsed(content, layout.MANIFEST), Bundle, where=layout.MANIFEST)


def read_bounded(folder: Path, path: str, limit: int) -> bytes:
    """The bytes of one file that must be a plain one of at most ``limit`` bytes."""
    target = folder.joinpath(*layout.safe_path(path).parts)
    try:
        handle = os.open(
            target,
            os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0),
        )
    except FileNotFoundError as error:
        raise BundleError(f"{path} is missing in {folder.name}", "all files of the manifest", _AGAIN) from error
    except OSError as error:
        if target.is_symlink():
            raise TamperedError(f"{path} is a link", "a plain file", _AGAIN) from error
        raise EnvironmentFault(
            f"cannot read {path}: {error.strerror or error}", "permission to read it", "check the folder"
        ) from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise BundleError(f"{path} of {status.st_size:,} bytes", f"a plain file of at most {limit:,} bytes", _AGAIN)
        return file.read(limit + 1)


def parsed(content: bytes, where: str) -> Any:
    """JSON, or BundleError; NaN and infinity are refused, as is nesting without end."""
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where} is not valid JSON", "what holdgood wrote", _AGAIN) from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _check_entries(bundle: Bundle) -> None:
    paths = [e.path for e in bundle.files]
    for path in paths:
        layout.safe_path(path)
    if len({p.lower() for p in paths}) != len(paths) or {layout.MANIFEST, layout.MANIFEST_HASH} & {
        p.lower() for p in paths
    }:
        raise BundleError("a manifest that names a file twice, or itself", "each file once", _AGAIN)
    total = sum(max(0, e.size) for e in bundle.files)
    if len(paths) > layout.MAX_FILES or total > layout.MAX_BYTES or any(e.size < 0 for e in bundle.files):
        raise BundleError(
            f"a manifest of {len(paths):,} files, {total:,} bytes",
            f"at most {layout.MAX_FILES:,} and {layout.MAX_BYTES:,}",
            _AGAIN,
        )
    if layout.digest_of(bundle.files) != bundle.digest:
        raise TamperedError("the digest does not fit the files of the manifest", f"{bundle.digest[:12]}…", _AGAIN)
    for part in bundle.parts:
        if part.folder != f"{layout.PARTS}/{part.name}" or f"{part.folder}/{layout.PART}" not in paths:
            raise BundleError(
                f"part {part.name!r} in {part.folder!r}", f"{layout.PARTS}/{part.name} with a {layout.PART}", _AGAIN
            )
    for needed in (layout.TASK,):
        if needed not in paths:
            raise BundleError(f"a manifest without {needed}", "the task of the model", _AGAIN)


def _check_tree(folder: Path, bundle: Bundle) -> None:
    """Folder and manifest hold the same plain files, of the same sizes, and no other folder, link or device."""
    sizes = {e.path: e.size for e in bundle.files}
    known = {*sizes, layout.MANIFEST, layout.MANIFEST_HASH}
    folders = {parent.as_posix() for path in sizes for parent in layout.safe_path(path).parents}
    waiting, seen = [(folder, "")], set()
    while waiting:
        directory, prefix = waiting.pop()
        with os.scandir(directory) as inside:
            for item in sorted(inside, key=lambda i: i.name):
                path = f"{prefix}{item.name}"
                if item.is_symlink():
                    raise TamperedError(f"{path[:200]} is a link", "plain files only", _AGAIN)
                if item.is_dir(follow_symlinks=False) and path in folders:
                    waiting.append((Path(item.path), f"{path}/"))
                elif item.is_file(follow_symlinks=False) and path in known:
                    seen.add(path)
                    _check_size(path, item.stat(follow_symlinks=False).st_size, sizes.get(path))
                else:
                    raise TamperedError(
                        f"{path[:200]} is not in the manifest", "nothing beside the files of the manifest", _AGAIN
                    )
    missing = [path for path in sizes if path not in seen]
    if missing:
        raise BundleError(
            f"{missing[0]} is missing ({len(missing)} of {len(sizes)} files)", "all files of the manifest", _AGAIN
        )


def _check_size(path: str, found: int, wanted: int | None) -> None:
    if wanted is None or found == wanted:
        return
    if found < wanted:
        raise BundleError(f"{path} is cut off at {found:,} bytes", f"{wanted:,} bytes", _AGAIN)
    raise TamperedError(f"{path} has {found:,} bytes", f"{wanted:,} bytes, as the manifest says", _AGAIN)
