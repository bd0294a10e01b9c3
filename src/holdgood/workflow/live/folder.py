"""The live folder: settings, journal, and a verified copy of every bundle that ever went live.

live/
live.toml          settings (may be missing)
forget.key         what deletions are sealed with; made with the folder
journal.sqlite     or a PostgreSQL server, named in live.toml or HOLDGOOD_JOURNAL
bundles/DIGEST/    whatever went live: going back needs no run folder
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from holdgood.bundle import layout
from holdgood.bundle.swap import put_in_place
from holdgood.bundle.verify import parsed, read_bounded, read_manifest, verify
from holdgood.core.declared_live import LIVE_FILE, LiveSpec, read_live
from holdgood.core.errors import BundleError, DataError, EnvironmentFault, TamperedError, did_you_mean
from holdgood.core.records import Bundle, Promotion, Standing, Verdict
from holdgood.core.records.contract import OutOfContract
from holdgood.core.records.envelope import unwrap, write_bytes
from holdgood.core.urls import is_url
from holdgood.journal import Journal, standing_now
from holdgood.workflow.live.sealing import sealed_from_now
from holdgood.workflow.mistaken import need_bundle

JOURNAL_VARIABLE = "HOLDGOOD_JOURNAL"
WRITER = "live"
"""The chain of what people and policies do: promotions, approvals, labels, deletions."""
RETRAINING = "retraining"
"""Tables that retrainings learned from, facts of the journal among them."""
BUNDLES = "bundles"
"""Where bundles are kept, each under its digest."""
DIGEST = re.compile(r"[0-9a-f]{64}")
_FILE_START = """\
# How models of this folder are kept, approved, watched and retrained. All names: docs/reference/live.
# journal = "postgresql://holdgood@db.example/holdgood"   # password in PGPASSWORD; default: journal.sqlite here

[approval]
needed = 0        # people who must have approved a bundle before it answers anybody

[keep]
facts = true      # false: predictions are kept without the facts of their rows (servers: when they start)
# days = 400      # how long; holdgood journal forget --due deletes what is older

[serve]
out_of_contract = "warn"   # "refuse": a row that breaks any rule of the contract gets no answer
"""


@dataclass(frozen=True)
class Live:
    """An open live folder."""

    path: Path
    settings: LiveSpec
    journal: Journal

    @classmethod
    def create(cls, folder: Path | str, *, with_key: bool = True) -> Live:
        """Make a live folder, or open the one that is there. ``with_key``: with what deletions from now on are sealed with."""
        path = Path(folder)
        try:
            (path / BUNDLES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot make the live folder {path}: {error.strerror}", "a writable folder", "choose another"
            ) from error
        if not (path / LIVE_FILE).exists():
            write_bytes(path / LIVE_FILE, _FILE_START.encode())
        live = cls.open(path)
        if with_key:
            sealed_from_now(live.key, live.journal)
        return live

    @classmethod
    def open(cls, folder: Path | str) -> Live:
        """Open a live folder. Raises DataError where there is none, DeclarationError for its settings, and what Journal raises."""
        path = Path(folder)
        if not (path / BUNDLES).is_dir():
            near = sorted(p.parent.name for p in path.absolute().parent.glob(f"*/{BUNDLES}"))
            raise DataError(
                f"{path} is no live folder",
                f"a folder with {BUNDLES}/ in it",
                did_you_mean(path.name, near) or "holdgood promote RUN makes one",
            )
        settings = read_live(path / LIVE_FILE)
        address = os.environ.get(JOURNAL_VARIABLE) or settings.journal
        return cls(path, settings, Journal(address if is_url(address) else path / address))

    @property
    def key(self) -> Path:
        """The file with the key that deletions are sealed with."""
        return self.path / self.settings.keep.key

    def standing(self, model: str | None = None) -> list[Standing]:
        """What stands where now."""
        return standing_now(self.journal, model)

    def at(self, model: str, place: str = "champion") -> Standing | None:
        """What stands in one place now."""
        return next((s for s in self.standing(model) if s.place == place), None)

    def bundle(self, digest: str) -> Path:
        """The folder of a kept bundle, by its digest or the beginning of it. Its manifest is the one of that digest; what the files of it hold
        is verified by ``load``. Raises TamperedError where another bundle lies in its place.
        """
        kept = sorted(p.name for p in (self.path / BUNDLES).iterdir() if DIGEST.fullmatch(p.name))
        found = [d for d in kept if digest and d.startswith(digest)]
        if len(found) == 1:
            folder = self.path / BUNDLES / found[0]
            if read_manifest(folder).digest != found[0]:
                raise TamperedError(
                    f"the bundle kept as {found[0][:12]} is another",
                    "the one that went live",
                    "promote it from its run again",
                )
            return folder
        raise DataError(
            f"{len(found) or 'no'} kept bundle{'s' if len(found) > 1 else ''} with a digest that begins with {digest[:64]!r}",
            "the digest of a bundle that went live here, or enough of it",
            "holdgood journal live-on names them",
        )

    def keep_named(self, bundle: Path | str) -> Bundle:
        """Keep the bundle that somebody means: its folder, a run folder, or the digest of one that is kept here, or enough of it."""
        path = bundle_in(bundle)
        if path.is_dir():
            need_bundle(path)
            return self.keep(path)
        if not re.fullmatch(r"[0-9a-f]{1,64}", str(bundle)):  # no digest, so a path was meant
            raise DataError(
                f"there is no folder {bundle}, and no kept bundle has such a digest",
                "a bundle, a run folder that holds one, or the digest of one that was live here",
                "check the path, and where you are; holdgood journal live-on names what is live",
            )
        return self.keep(self.bundle(str(bundle)))

    def keep(self, source: Path) -> Bundle:
        """Copy a bundle into this folder, verified before and after; one that is here already, whole, is left."""
        wanted = verify(source)
        target = self.path / BUNDLES / wanted.digest
        if target.exists():
            try:
                if verify(target).digest == wanted.digest:
                    return wanted
            except BundleError:
                pass  # damaged here: the copy below takes its place
        try:
            fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
            try:
                for name in (*(f.path for f in wanted.files), layout.MANIFEST, layout.MANIFEST_HASH):
                    _copy(source / name, fresh / name)
                if verify(fresh).digest != wanted.digest:
                    raise TamperedError("the bundle changed while it was copied", wanted.digest, "promote it again")
                fresh.chmod(0o755)
                put_in_place(fresh, target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot keep the bundle in {target.parent}: {error.strerror or error}",
                f"room for {sum(f.size for f in wanted.files):,} bytes",
                "free some space; nothing has changed",
            ) from error
        return wanted


def journal_at(folder: Path | str, url: str | None = None) -> Journal:
    """The journal of a live folder, or the one at a path or URL, which must be there: reading makes no new one."""
    if url is None:
        return Live.open(folder).journal
    if not is_url(url) and not Path(url).is_file():
        raise DataError(f"no journal at {url}", "a file, or postgresql://…", "check the path")
    return Journal(url)


def key_of(folder: Path | str, journal: Journal) -> Path | None:
    """The file with the key of a live folder, where this is the folder's journal; None where it is another's."""
    if not (Path(folder) / BUNDLES).is_dir():
        return None
    live = Live.open(folder)
    of = (live.journal.path and live.journal.path.resolve(), live.journal.name)
    return live.key if of == (journal.path and journal.path.resolve(), journal.name) else None


def kept_without_a_word(folder: Path | str, journal: Journal) -> int:
    """How many bundles a live folder keeps of which its journal knows nothing, as after a loss; 0 where it holds any promotion."""
    if journal.read(Promotion):
        return 0
    return sum(bool(DIGEST.fullmatch(p.name)) for p in (Path(folder) / BUNDLES).iterdir())


def out_of_contract_at(bundle: Path | str) -> OutOfContract | None:
    """What the settings of a live folder say of rows outside of the contract, for a bundle that is kept there; None elsewhere."""
    kept = bundle_in(bundle).resolve().parent
    file = kept.parent / LIVE_FILE
    return read_live(file).serve.out_of_contract if kept.name == BUNDLES and file.is_file() else None


def bundle_in(path: Path | str) -> Path:
    """The bundle that a path means: itself, or the one in a run folder."""
    folder = Path(path)
    inside = folder / "bundle"
    return inside if not (folder / layout.MANIFEST).exists() and (inside / layout.MANIFEST).exists() else folder


def verdict_of(folder: Path, bundle: Bundle) -> Verdict | None:
    """The verdict that a verified bundle carries; None where its run gave none (forecasts)."""
    name = f"{layout.RECORDS}/verdict.json"
    entry = next((f for f in bundle.files if f.path == name), None)
    if entry is None:
        return None
    return unwrap(parsed(read_bounded(folder, name, entry.size), name), Verdict, where=name)


def _copy(source: Path, target: Path) -> None:
    """One file, on disk when this returns. What a link points at is not taken: the copy is verified afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    with target.open("rb") as file:
        os.fsync(file.fileno())
