"""A live folder kept elsewhere, whole, and brought back: journal, bundles, settings, key, tokens and heads.

A kept folder has the layout of a live folder. Its journal is a SQLite file wherever the original lies, taken of one moment while it is in use,
and before the bundles, so that none is missing that the journal speaks of.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from holdgood.bundle.verify import verify
from holdgood.core.declared_live import LIVE_FILE, read_live
from holdgood.core.errors import BundleError, DataError, EnvironmentFault, HoldgoodError, TamperedError
from holdgood.core.records.envelope import wrap
from holdgood.core.text import counted
from holdgood.core.urls import is_url, mask
from holdgood.journal import Head, Journal, standing_now
from holdgood.journal.backup import backup, restore
from holdgood.journal.tombstones import Seal
from holdgood.workflow.live.folder import BUNDLES, DIGEST, JOURNAL_VARIABLE, RETRAINING, Live
from holdgood.workflow.live.heads import heads_in, heads_of
from holdgood.workflow.live.kept_manifest import NAME, Manifest, NoManifest, hash_of, manifest_in
from holdgood.workflow.live.sealing import seal_in

TOKENS = "tokens.json"
"""Hashes of what callers may do, as the server keeps them."""
_HEADS, _JOURNAL, _NONE = "heads.json", "journal.sqlite", ".none"


@dataclass(frozen=True)
class Kept:
    """What was kept or brought back. ``entries``: new ones of the journal; ``without``: what is not in it, a sentence each; ``notes``: what else
    must be known of it.
    """

    folder: Path
    journal: str
    entries: int
    bundles: int
    without: tuple[str, ...]
    notes: tuple[str, ...] = ()


def keep(live: Live, to: Path | str) -> Kept:
    """Keep a live folder in another one, made or brought up to date while the first is in use; verified when this returns.

    DataError where ``to`` is something else, EnvironmentFault where another command is writing into it; BundleError, once everything else is
    kept, where a bundle that answers is damaged or gone.
    """
    folder = Path(to)
    if folder.exists() and not (folder / NAME).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} holds something else", "a new folder, or an earlier backup", "name another")
    with _told(folder), _only_one(folder):
        (folder / BUNDLES).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        before = _before(folder)
        entries = _journal_kept(live, folder, before)
        book = Journal(folder / _JOURNAL)
        copy = Live(folder, live.settings, book)
        damaged: dict[str, str] = {}
        for digest in _digests(live.path):
            try:
                copy.keep(live.path / BUNDLES / digest)
            except BundleError as error:
                damaged[digest] = f"bundle {digest[:12]}: {error.came}"
        # the key before the settings that name it
        names = [name for name in (_key_inside(live), TOKENS, LIVE_FILE) if name and (live.path / name).is_file()]
        files = {name: (live.path / name).read_bytes() for name in names}
        files[_HEADS] = json.dumps(wrap(heads_of(book)), indent=1).encode()
        coming = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        replace(_underway(before), coming=coming).write(folder)
        for name, content in files.items():
            _write(folder / name, content, private=name not in (LIVE_FILE, _HEADS))
        for name in {*before.files} - {*files}:  # what was taken away since must not come back: tokens, say
            if Path(name).name == name:
                (folder / name).unlink(missing_ok=True)
        Manifest(_now(), coming, tuple(_without(live, damaged))).write(folder)
    without, notes = checked(folder, key=live.key)
    if before.begun:
        notes = (f"the backup begun on {before.begun} did not come to its end; this one has made it whole", *notes)
    return Kept(folder, book.name, entries, len(_digests(folder)), without, notes)


def checked(
    folder: Path, heads: Mapping[str, Head] | None = None, *, unfinished: bool = False, key: Path | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verify a kept folder, also against heads kept elsewhere; returns what is not in it, and what else must be known. Raises for whatever is wrong.

    ``unfinished``: also one whose last update was cut off; each file is then of before or as it was to become. ``key``: where the key of
    deletions lies that is not in the folder itself.
    """
    manifest = manifest_in(folder)
    if not manifest.when:
        raise DataError(
            f"{folder} is no backup: the first one{f', begun on {manifest.begun},' if manifest.begun else ''} did not come to its end",
            "a backup that did",
            f"holdgood backup LIVE {folder} goes on with it",
        )
    if manifest.begun and not unfinished:
        raise DataError(
            f"the last backup into {folder}, begun on {manifest.begun}, did not come to its end",
            "one that did: some of this is from then, some as it was kept before",
            f"holdgood backup LIVE {folder} makes it whole; where LIVE is lost, holdgood restore --unfinished takes what is there, verified",
        )
    with _told(folder):
        manifest.hold(folder, (LIVE_FILE, _key_name(folder), TOKENS))
    book, seal = _kept_journal(folder), _seal_of(folder, key)
    for outside in (heads_in(folder / _HEADS), heads or {}):
        if faults := book.verify(outside, seal):
            raise DataError(f"the journal in {folder}: {faults[0]}", "one that verifies", "use another backup")
    for digest in _digests(folder):
        if verify(folder / BUNDLES / digest).digest != digest:
            raise TamperedError(f"the bundle kept as {digest[:12]} is another", digest, "use another backup")
    if lost := sorted({s.bundle_digest for s in standing_now(book)} - {*_digests(folder)}):
        raise BundleError(
            f"{folder} holds all but the bundle {lost[0][:12]}, which is live: {'; '.join(manifest.without)}",
            "every bundle that is live",
            "promote it from its run again, then holdgood backup",
        )
    return manifest.without, _untold(book, seal)


def bring_back(
    source: Path | str, to: Path | str, heads: Mapping[str, Head] | None = None, *, unfinished: bool = False
) -> Kept:
    """Make a live folder of a kept one, verified before and after. DataError where ``to`` is there already: nothing is overwritten.

    The journal goes where ``live.toml`` (or HOLDGOOD_JOURNAL) says; one that is there must be the beginning of the kept one, or hold it, verified
    with the key that the backup has. ``unfinished``: also from a backup whose last update was cut off.
    """
    kept, folder = Path(source), Path(to)
    key = _key_outside(kept, folder)
    without, _ = checked(kept, heads, unfinished=unfinished, key=key)
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
            for digest in _digests(fresh):
                verify(fresh / BUNDLES / digest)
            address = os.environ.get(JOURNAL_VARIABLE) or read_live(fresh / LIVE_FILE).journal
            target = Journal(address if is_url(address) else fresh / address)
            inside = heads_in(kept / _HEADS)
            seal = _seal_of(kept, key)
            # one that outlived the folder, on a server, may have gone on since
            entries = 0 if _outlived(target, inside, seal) else restore(target, kept / _JOURNAL, inside)
            fresh.chmod(0o755)
            fresh.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    notes, manifest = _untold(target, seal), manifest_in(kept)
    if manifest.begun:
        said = f"the backup begun on {manifest.begun} did not come to its end: some of this is from then, some was kept on {manifest.when}"
        notes = (said, *notes)
    return Kept(folder, target.name, entries, len(_digests(folder)), without, notes)


def _outlived(journal: Journal, inside: Mapping[str, Head], seal: Seal | None) -> bool:
    """Whether a journal holds all that the kept one holds, and what it may have gone on with is whole. DataError where it got as far and is not."""
    there = journal.heads()
    if not there or any(writer not in there or there[writer].number < head.number for writer, head in inside.items()):
        return False
    if faults := journal.verify(inside, seal):
        raise DataError(
            f"{journal.name}, which has outlived the folder, does not verify: {faults[0]}",
            "a journal that goes on from the kept one, its deletions sealed with the kept key",
            f"holdgood journal verify tells all; {JOURNAL_VARIABLE}={_JOURNAL} before this command brings the folder back without that journal",
        )
    return True


def _untold(journal: Journal, seal: Seal | None) -> tuple[str, ...]:
    """A word where deletions could not be held against a key."""
    if seal is not None or not (stones := journal.forgotten()):
        return ()
    return (
        f"no key could be read: whether {counted(len(stones), 'deletion')} in {journal.name} {'was' if len(stones) == 1 else 'were'} made by who "
        "may delete could not be told (holdgood journal verify --key)",
    )


def _before(folder: Path) -> Manifest:
    """What an earlier backup there says of itself. Of one that was cut off the files are those that lie there now."""
    if not (folder / NAME).is_file():
        return Manifest()
    try:
        before = manifest_in(folder)
    except NoManifest:
        return Manifest()
    if not before.begun:
        return before
    there = {*before.files, *before.coming}
    files = {n: hash_of(folder / n) for n in there if Path(n).name == n and (folder / n).is_file()}
    return replace(before, files=files, coming={})


def _underway(before: Manifest) -> Manifest:
    return replace(before, begun=_now(), coming={})


def _journal_kept(live: Live, folder: Path, before: Manifest) -> int:
    """Bring the kept journal up to date; returns how many entries are new. From here on the folder says that it is being changed, unless
    nothing could be: a backup that was refused leaves the earlier one whole.
    """
    stood = Journal(folder / _JOURNAL).heads() if before.when else {}
    _underway(before).write(folder)
    try:
        return backup(live.journal, folder / _JOURNAL)
    except (HoldgoodError, OSError):
        if before.when and Journal(folder / _JOURNAL).heads() == stood:
            before.write(folder)
        raise


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
    return Path(name).name if Path(name).name == name else _NONE


def _key_outside(kept: Path, folder: Path) -> Path | None:
    """Where a key lies that is not in the backup, as the settings say that ``folder`` will have."""
    name = read_live(kept / LIVE_FILE).keep.key
    return None if Path(name).name == name else folder / name


def _seal_of(kept: Path, key: Path | None) -> Seal | None:
    """The key in a backup, or the one elsewhere, which may be for other eyes than those of who keeps backups."""
    if key is None or _key_name(kept) != _NONE:
        return seal_in(kept / _key_name(kept))
    try:
        return seal_in(key)
    except EnvironmentFault:
        return None


def _kept_journal(folder: Path) -> Journal:
    if not (folder / _JOURNAL).is_file():
        raise DataError(f"{folder} holds no journal", _JOURNAL, "use another backup")
    return Journal(folder / _JOURNAL)


def _digests(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / BUNDLES).iterdir() if DIGEST.fullmatch(p.name))


def _write(file: Path, content: bytes, *, private: bool) -> None:
    """A file, on disk when this returns, in one step; never for a moment readable by others where it is private."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Made where it is not there, and nobody else's meanwhile: of two that write at once one would hold files against what the other says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    there = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(there, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentFault(
                f"another command is keeping something in {folder}", "one backup at a time", "wait for it"
            ) from None
        except OSError:
            pass  # a disk of another machine may have no such locks: it is kept all the same
        yield
    finally:
        os.close(there)


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
