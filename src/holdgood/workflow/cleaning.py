"""Clean tables: show what the proposed repairs would do, apply them, replay them on new rows, undo them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from holdgood.audit import audit, installed
from holdgood.cleaning import Change, preview, propose
from holdgood.cleaning import installed as repairs_installed
from holdgood.cleaning.order import ordered
from holdgood.cleaning.undo import Undo, restore, undo_of
from holdgood.cleaning.undo import read as read_undo
from holdgood.cleaning.undo import save as save_undo
from holdgood.connectors import read_table, write_table
from holdgood.core.declaration import FILE_NAME, AuditSpec, Declaration, RepairSpec, TableSpec
from holdgood.core.errors import DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.protocols import AuditContext
from holdgood.core.records import CleanLog, RepairEntry
from holdgood.core.records.envelope import read, write, write_bytes
from holdgood.core.table import Table
from holdgood.workflow.beside import beside, not_the_source
from holdgood.workflow.decided import rules_for
from holdgood.workflow.folder import Project
from holdgood.workflow.named import check_rows, free_name
from holdgood.workflow.predict import with_tables
from holdgood.workflow.read import read_declared
from holdgood.workflow.repairs import repair
from holdgood.workflow.toml import string, value


@dataclass(frozen=True)
class Step:
    """One repair, what it did, and some of the cells that it changed; rows are positions in the table as it came."""

    entry: RepairEntry
    examples: tuple[Change, ...]


@dataclass(frozen=True)
class Cleaned:
    """What the repairs did to one table, and where the new file, its log and its undo lie (None for a preview)."""

    source: str
    log: CleanLog
    steps: tuple[Step, ...]
    path: Path | None = None
    undo: Path | None = None


def clean_tables(
    sources: Sequence[str],
    codes: Sequence[str] = (),
    *,
    without: Sequence[str] = (),
    columns: Sequence[str] = (),
    replay: Path | None = None,
    to: Path | None = None,
    preview: bool = False,
    force: bool = False,
    save: Path | None = None,
    listener: Listener = silent,
) -> list[Cleaned]:
    """Apply proposed repairs (or those of ``replay``) to tables that belong together; sources are never changed.

    Without ``codes`` and ``replay`` every proposal is shown and nothing is written. ``without``: codes to leave out;
    ``columns``: only repairs of these. A file that is there already is replaced only where an earlier clean of the same
    rows wrote it, or with ``force``. ``save`` keeps the repairs as declared ones, to be replayed.
    """
    if to is not None and len(sources) > 1 and not to.is_dir():
        raise DeclarationError(f"--to {to} for {len(sources)} tables", "a folder", "name a folder that exists")
    tables = _read(sources)
    every = [n for t in tables.values() for n in t.names]
    for column in columns:
        if column not in every:
            raise DeclarationError(
                f"no table has a column {column!r}",
                "one of: " + ", ".join(every[:12]) + (" …" if len(every) > 12 else ""),
                did_you_mean(column, every) or "check the name",
            )
    if replay is not None:
        chosen = read_repairs(replay, list(tables))
    else:
        decided = AuditSpec(ignore=rules_for(dict(zip(tables, sources, strict=True)), Path()))
        declared = Declaration(tables={n: TableSpec() for n in tables}, audit=decided)
        context = AuditContext(tables=dict(tables), declaration=declared)
        found = propose(audit(context, "tables", checks=installed("tables"), listener=listener))
        chosen = pick(found, codes, without, columns)
    preview = preview or (replay is None and not codes)
    by_name = dict(zip(tables, sources, strict=True))
    made = [_apply(tables[n], by_name[n], [r for r in chosen if r.table == n]) for n in tables]
    if preview:
        return [cleaned for cleaned, _, _ in made]
    ready = [(c, after, kept, _target(c, n, to, force)) for (c, after, kept), n in zip(made, tables, strict=True)]
    _apart([path for *_, path in ready if path is not None], save, sources)
    done = []
    for (cleaned, after, kept, path), name in zip(ready, tables, strict=True):
        done.append(_written(cleaned, tables[name], after, kept, path) if path is not None else cleaned)
    if save is not None:
        write_bytes(save, repairs_text(chosen, len(tables) == 1).encode())
    return done


def _apart(paths: Sequence[Path], save: Path | None, sources: Sequence[str]) -> None:
    """Refuse two tables in one file, and repairs that would be written over a table or over something else."""
    taken: set[Path] = set()
    for path in paths:
        if path.resolve() in taken:
            raise DeclarationError(
                f"two tables would be written to {path}",
                "a file for each",
                "clean them one by one, each with its own --to",
            )
        taken.add(path.resolve())
    if save is None:
        return
    for source in sources:
        not_the_source(save, source)
    every = {p.resolve() for path in paths for p in (path, log_of(path), undo_file(path))}
    if save.resolve() in every or (save.exists() and not _holds_repairs(save)):
        raise DeclarationError(
            f"--save {save} would be written over something that is no list of repairs",
            "a new file",
            "choose another name",
        )


def _holds_repairs(path: Path) -> bool:
    try:
        return set(tomllib.loads(path.read_text(encoding="utf-8"))) == {"repairs"}
    except (OSError, ValueError):
        return False


def pick(
    found: Sequence[RepairSpec], codes: Sequence[str], without: Sequence[str] = (), columns: Sequence[str] = ()
) -> list[RepairSpec]:
    """The proposals of some checks (all where none or ``all`` is named), in the order in which repairs make sense."""
    wanted, left = [c.upper() for c in codes], [c.upper() for c in without]
    known = installed("tables")
    for code in [*wanted, *left]:
        if code != "ALL" and code not in known:
            raise DeclarationError(
                f"no check has the code {code!r}",
                "one of: " + ", ".join(sorted(known)),
                did_you_mean(code, known) or "see: holdgood audit",
            )
    every = not wanted or "ALL" in wanted
    chosen = [r for r in found if every or _code(r) in wanted]
    chosen = [r for r in chosen if _code(r) not in left]
    if columns:
        chosen = [r for r in (_only(r, columns) for r in chosen) if r is not None]
    return ordered(chosen)


_WHOLE = ("swap-columns", "drop-duplicate-rows")
"""Repairs whose columns mean something together only."""


def _only(spec: RepairSpec, columns: Sequence[str]) -> RepairSpec | None:
    """The repair of these columns alone; None where it concerns none of them."""
    kept = [c for c in spec.columns if c in columns]
    if not kept:
        return None
    if spec.repair in _WHOLE or len(kept) == len(spec.columns):
        return spec
    parameters = {
        k: {c: v for c, v in given.items() if c in kept}
        if isinstance(given, dict) and set(given) <= set(spec.columns)
        else given
        for k, given in spec.parameters.items()
    }
    return spec.model_copy(update={"columns": kept, "parameters": parameters})


def _code(spec: RepairSpec) -> str:
    return spec.why.partition(":")[0]


def _read(sources: Sequence[str]) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for source in sources:
        table = check_rows(read_table(source))
        name = free_name(table.name, tables)
        tables[name] = replace(table, name=name)
    return tables


def _apply(table: Table, source: str, repairs: Sequence[RepairSpec]) -> tuple[Cleaned, Table, np.ndarray]:
    """The repaired table and, for each of its rows, the place in the table as it came."""
    available, now, kept, steps = repairs_installed(), table, np.arange(table.rows), []
    for spec in repairs:
        for column in spec.columns:
            table.type_of(column)
        named = spec.model_copy(update={"columns": [c for c in spec.columns if c in now.names]})
        if spec.columns and (not named.columns or (spec.repair in _WHOLE and len(named.columns) < len(spec.columns))):
            # an earlier repair took the columns out; rows compared by what is left of them would be alike that are not
            continue
        after, entry, left = repair(now, named, available, None)
        shown = [replace(c, row=int(kept[c.row])) for c in preview(now, after, left)]
        steps.append(Step(entry, tuple(shown)))
        now, kept = after, kept[left]
    log = CleanLog(
        entries=tuple(s.entry for s in steps),
        before={table.name: table.fingerprint()},
        after={table.name: now.fingerprint()},
    )
    return Cleaned(source, log, tuple(steps)), now, kept


def _target(cleaned: Cleaned, table: str, to: Path | None, force: bool) -> Path | None:
    """Where the cleaned table goes; refused where something else lies there. None where there is nothing to write."""
    if not cleaned.log.entries:
        return None
    place = beside(cleaned.source, table, ".clean.parquet")
    path = place if to is None else to / place.name if to.is_dir() else to
    for target in (path, log_of(path), undo_file(path)):
        not_the_source(target, cleaned.source)
    if path.exists() and not force and not _ours(path, cleaned.log):
        raise DeclarationError(
            f"{path} is there already, and no earlier clean of these rows wrote it",
            "a new file",
            "name another with --to, or replace it with --force",
        )
    return path


def _written(cleaned: Cleaned, before: Table, after: Table, kept: np.ndarray, path: Path) -> Cleaned:
    """Undo first, so that a cleaned file never lies there without its way back; kept only where it leads there.

    CSV and its kin read back as something else than was written (a blank for missing, text that looks like a number): the
    undo then starts from what is read back, so that it leads to the table as it came all the same. Where not even the rows
    come back, there is none.
    """
    undo = undo_of(before, after, kept)
    save_undo(undo_file(path), undo)
    write_table(after.data, path)
    log = cleaned.log.model_copy(update={"written": hashlib.sha256(path.read_bytes()).hexdigest()})
    write(log_of(path), log)
    try:
        again: Table | None = _read_back(path, undo, after.name)
    except HoldgoodError:
        again = None  # a text that the kind of file cannot hold, such as a zero byte in CSV
    if again is None or again.fingerprint() != undo.after:
        if again is None or again.rows != after.rows:
            undo_file(path).unlink()
            return Cleaned(cleaned.source, log, cleaned.steps, path)
        undo = undo_of(before, again, kept)
        restore(again, undo)  # refuses to lead anywhere else
        save_undo(undo_file(path), undo)
    return Cleaned(cleaned.source, log, cleaned.steps, path, undo_file(path))


def _read_back(path: Path, undo: Undo, name: str) -> Table:
    after = read_table(str(path), name=name)
    types = {c.name: c.type for c in undo.columns}
    return after.with_types({n: t for n, t in types.items() if n in after.names and after.type_of(n) != t})


def log_of(path: Path) -> Path:
    """Where the log of a cleaned file lies."""
    return path.with_name(path.name + ".log.json")


def undo_file(path: Path) -> Path:
    """Where the undo of a cleaned file lies."""
    return path.with_name(path.name + ".undo.zip")


def _ours(path: Path, log: CleanLog) -> bool:
    """Whether the log beside a file says that it was made from the very same rows, and nobody has changed it since."""
    try:
        made = read(log_of(path), CleanLog)
        same = list(made.before.values()) == list(log.before.values())
        return same and made.written == hashlib.sha256(path.read_bytes()).hexdigest()
    except (HoldgoodError, OSError):
        return False


def undo_table(cleaned: Path, to: Path) -> tuple[Table, bool]:
    """Write the table as it was before it was cleaned; refused where the cleaned file has changed since.

    Also whether the file written reads back to the bit: Parquet does, CSV where its texts and numbers allow.
    """
    if to.exists():
        raise DeclarationError(f"{to} is there already", "a new file", "name another with --to")
    undo = read_undo(undo_file(cleaned))
    log = read(log_of(cleaned), CleanLog)
    table = restore(_read_back(cleaned, undo, next(iter(log.before))), undo)
    write_table(table.data, to)
    try:
        exact = _read_back(to, undo, table.name).fingerprint() == undo.before
    except HoldgoodError:
        exact = False
    return table, exact


# ------------------------------------------------------------------------------------------- declared repairs as text


def repairs_text(repairs: Sequence[RepairSpec], single: bool = False) -> str:
    """The repairs as ``[[repairs]]`` for holdgood.toml, the finding behind each as a comment."""
    out = []
    for spec in repairs:
        # TOML takes no control characters in a comment, and a finding may quote a name or a value that has some
        said = "".join(ch if ch.isprintable() else " " for ch in spec.why)
        lines = [f"# {said}" if spec.why else "", "[[repairs]]", f"repair = {string(spec.repair)}"]
        if spec.table and not single:
            lines.append(f"table = {string(spec.table)}")
        if spec.columns:
            lines.append(f"columns = {value(list(spec.columns))}")
        if spec.parameters:
            lines.append(f"parameters = {value(spec.parameters)}")
        if spec.why:
            lines.append(f"why = {string(spec.why)}")
        out.append("\n".join(line for line in lines if line))
    return "\n\n".join(out) + "\n"


def read_repairs(path: Path, tables: Sequence[str]) -> list[RepairSpec]:
    """Declared repairs from a file, in its order; those that name no table take the only one there is."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        specs = [RepairSpec.model_validate(r) for r in data.get("repairs", [])]
    except FileNotFoundError:
        raise DeclarationError(f"no file {path}", "repairs that --save wrote", "check the name") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        said = str(error).splitlines()[0]
        raise DeclarationError(f"{path.name}: {said}", "[[repairs]] as --save writes them", "correct it") from None
    if not specs:
        raise DeclarationError(f"{path.name} declares no repair", "[[repairs]]", "write one with --save")
    out = []
    for spec in specs:
        name = spec.table or (tables[0] if len(tables) == 1 else "")
        if name not in tables:
            raise DeclarationError(
                f"{path.name}: the repair {spec.repair!r} is for the table {name!r}",
                "one of: " + ", ".join(tables),
                did_you_mean(name, tables) or "add table = ...",
            )
        out.append(spec.model_copy(update={"table": name}))
    return out


def propose_for(
    project: Project, *, sources: Mapping[str, Any] | None = None, listener: Listener = silent
) -> list[RepairSpec]:
    """What the audit of a project's tables proposes beyond the declared repairs, which are applied first."""
    declared = with_tables(project.declaration)
    tables, _ = read_declared(project.declaration, sources or {}, project.path)
    available = repairs_installed()
    for spec in declared:
        name = str(spec.table)
        tables[name], _, _ = repair(tables[name], spec, available, project.declaration.tables[name].time)
    context = AuditContext(tables=tables, declaration=project.declaration, seed=project.declaration.budget.seed)
    return ordered(propose(audit(context, "tables", checks=installed("tables"), listener=listener)))


def declare(folder: Path, repairs: Sequence[RepairSpec]) -> None:
    """Append repairs to the project's holdgood.toml; every byte that stands there stays."""
    path = folder / FILE_NAME
    text = path.read_text(encoding="utf-8")
    joined = text + ("" if text.endswith("\n") else "\n") + "\n" + repairs_text(repairs)
    try:
        tomllib.loads(joined)
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(
            f"the repairs cannot be appended to {FILE_NAME}: {error}",
            "[[repairs]] as tables of their own, not repairs = [...]",
            "write them in by hand: holdgood clean --preview shows them",
        ) from None
    write_bytes(path, joined.encode())
