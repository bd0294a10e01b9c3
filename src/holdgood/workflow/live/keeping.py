"""A live folder kept elsewhere, whole, and brought back: journal, bundles, settings, key, tokens and heads.

A kept folder has the layout of a live folder. Its journal is a SQLite file wherever the original lies, taken of one moment while it is in use,
and before the bundles, so that none is missing that the journal speaks of.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdgood.bundle.verify import verify
from holdgood.core.declared_live import LIVE_FILE, read_live
from holdgood.core.errors import BundleError, DataError, EnvironmentFault, TamperedError
from holdgood.core.records.envelope import write, write_bytes
from holdgood.core.urls import is_url, mask
from holdgood.journal import Head, Journal, standing_now
from holdgood.journal.backup import backup, restore
from holdgood.workflow.live.folder import BUNDLES, DIGEST, JOURNAL_VARIABLE, RETRAINING, Live
from holdgood.workflow.live.heads import heads_in, heads_of
from holdgood.workflow.live.sealing import seal_in

TOKENS = "tokens.json"
"""Hashes of what callers may do, as the server keeps them."""
_MANIFEST, _HEADS, _JOURNAL = "backup.json", "heads.json", "journal.sqlite"
_FORMAT = 1


@dataclass(frozen=True)
class Kept:
    """What was kept or brought back. ``entries``: new ones of the journal; ``without``: what is not in it, a sentence each."""

    folder: Path
    journal: str
    entries: int
    bundles: int
    without: tuple[str, ...]


def keep(live: Live, to: Path | str) -> Kept:
    """Keep a live folder in another one, made or brought up to date while the first is in use; verified when this returns.

    DataError where ``to`` is something else; BundleError, once everything else is kept, where a bundle that answers is damaged or gone.
    """
    folder = Path(to)
    if folder.exists() and not (folder / _MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} holds something else", "a new folder, or an earlier backup", "name another")
    with _told(folder):
        (folder / BUNDLES).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        before = _named_before(folder)
        entries = backup(live.journal, folder / _JOURNAL)
        book = Journal(folder / _JOURNAL)
        copy = Live(folder, live.settings, book)
        damaged: dict[str, str] = {}
        for digest in _digests(live.path):
            try:
                copy.keep(live.path / BUNDLES / digest)
            except BundleError as error:
                damaged[digest] = f"bundle {digest[:12]}: {error.came}"
        files = [name for name in (LIVE_FILE, _key_inside(live), TOKENS) if name and (live.path / name).is_file()]
        for name in files:
            _write(folder / name, (live.path / name).read_bytes(), private=name != LIVE_FILE)
        for name in before - {*files, _HEADS}:  # what was taken away since must not come back: tokens, say
            (folder / name).unlink(missing_ok=True)
        write(folder / _HEADS, heads_of(book))
        without = _without(live, damaged)
        said = {
            "format": _FORMAT,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {name: _hash(folder / name) for name in [*files, _HEADS]},
            "without": without,
        }
        write_bytes(folder / _MANIFEST, json.dumps(said, indent=1).encode())
    checked(folder)
    return Kept(folder, book.name, entries, len(_digests(folder)), tuple(without))


def checked(folder: Path, heads: Mapping[str, Head] | None = None) -> tuple[str, ...]:
    """Verify a kept folder, also against heads kept elsewhere; returns what is not in it. Raises for whatever is wrong."""
    try:
        said = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        files, without = dict(said["files"]), tuple(map(str, said["without"]))
        known = said["format"] == _FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} is no backup", "a folder that holdgood backup wrote", "check the path") from error
    if not known:
        raise DataError(f"{folder} has a form that this release does not know", f"{_FORMAT}", "upgrade holdgood")
    with _told(folder):
        for name, digest in files.items():
            if Path(name).name != name or not (folder / name).is_file() or _hash(folder / name) != digest:
                raise TamperedError(f"{name[:60]} in {folder} was changed", "what was kept", "use another backup")
        for name in (LIVE_FILE, _key_name(folder), TOKENS):
            if name not in files and (folder / name).exists():
                raise TamperedError(f"{name[:60]} in {folder} was added", "what was kept", "use another backup")
    book, seal = _kept_journal(folder), seal_in(folder / _key_name(folder))
    for outside in (heads_in(folder / _HEADS), heads or {}):
        if faults := book.verify(outside, seal):
            raise DataError(f"the journal in {folder}: {faults[0]}", "one that verifies", "use another backup")
    for digest in _digests(folder):
        if verify(folder / BUNDLES / digest).digest != digest:
            raise TamperedError(f"the bundle kept as {digest[:12]} is another", digest, "use another backup")
    if lost := sorted({s.bundle_digest for s in standing_now(book)} - {*_digests(folder)}):
        raise BundleError(
            f"{folder} holds all but the bundle {lost[0][:12]}, which is live: {'; '.join(without)}",
            "every bundle that is live",
            "promote it from its run again, then holdgood backup",
        )
    return without


def bring_back(source: Path | str, to: Path | str, heads: Mapping[str, Head] | None = None) -> Kept:
    """Make a live folder of a kept one, verified before and after. DataError where ``to`` is there already: nothing is overwritten.

    The journal goes where ``live.toml`` (or HOLDGOOD_JOURNAL) says; one that is there must be the beginning of the kept one, or hold it.
    """
    kept, folder = Path(source), Path(to)
    without = checked(kept, heads)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is there already", "a new folder", "move it away first; nothing was overwritten")
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            shutil.copytree(kept / BUNDLES, fresh / BUNDLES, ignore=lambda _, names: [n for n in names if n.startswith(".new-")])  # fmt: skip
            for name in (LIVE_FILE, _key_name(kept), TOKENS):
                if (kept / name).is_file():
                    _write(fresh / name, (kept / name).read_bytes(), private=name != LIVE_FILE)
            address = os.environ.get(JOURNAL_VARIABLE) or read_live(fresh / LIVE_FILE).journal
            target = Journal(address if is_url(address) else fresh / address)
            inside = heads_in(kept / _HEADS)
            # one that outlived the folder, on a server, may have gone on since
            held = bool(target.heads()) and not target.verify(inside)
            entries = 0 if held else restore(target, kept / _JOURNAL, inside)
            for digest in _digests(fresh):
                verify(fresh / BUNDLES / digest)
            fresh.chmod(0o755)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return Kept(folder, target.name, entries, len(_digests(folder)), without)


def _named_before(folder: Path) -> set[str]:
    """The files that an earlier backup there says it holds. Where there is none the folder is marked as one that is being made: what is cut off
    can be gone on with, and is brought back by nobody.
    """
    if not (folder / _MANIFEST).is_file():
        write_bytes(folder / _MANIFEST, json.dumps({"format": _FORMAT}).encode())
    try:
        files = json.loads((folder / _MANIFEST).read_text(encoding="utf-8")).get("files", {})
        return {name for name in files if Path(name).name == name}
    except (ValueError, TypeError, AttributeError):
        return set()


def _without(live: Live, damaged: Mapping[str, str]) -> list[str]:
    """What a backup does not hold, a sentence each."""
    found = list(damaged.values())
    address = os.environ.get(JOURNAL_VARIABLE) or live.settings.journal
    if is_url(address):
        found.append(
            f"the database at {mask(address)}: its entries are in {_JOURNAL}; its users, rights and settings are not"
        )
    if _key_inside(live) is None and live.key.exists():
        found.append(f"the key at {live.settings.keep.key}, which lies outside of the folder")
    if any((live.path / RETRAINING).glob("*")):
        found.append(f"{RETRAINING}/: tables that retrainings under way learn from")
    return found


def _key_inside(live: Live) -> str | None:
    """The name of the key's file, where it lies in the folder itself."""
    name = live.settings.keep.key
    return name if Path(name).name == name else None


def _key_name(folder: Path) -> str:
    name = read_live(folder / LIVE_FILE).keep.key
    return Path(name).name if Path(name).name == name else ".none"


def _kept_journal(folder: Path) -> Journal:
    if not (folder / _JOURNAL).is_file():
        raise DataError(f"{folder} holds no journal", _JOURNAL, "use another backup")
    return Journal(folder / _JOURNAL)


def _digests(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / BUNDLES).iterdir() if DIGEST.fullmatch(p.name))


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write(file: Path, content: bytes, *, private: bool) -> None:
    """A file, on disk when this returns, in one step; never for a moment readable by others where it is private."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the disk refuses, in words."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(
            f"cannot read or write in {folder}: {error.strerror or error}",
            "room and permission",
            "free some space or name another folder",
        ) from error
