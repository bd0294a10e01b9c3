"""Decisions about findings, kept as readable text: ``[[audit.ignore]]`` in the project's holdgood.toml, or in holdgood.audit.toml
beside the audited files where there is no project. Every byte that stands in the file stays.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.audit import installed
from holdgood.connectors.place import file_of
from holdgood.core.declaration import FILE_NAME, Declaration, IgnoreSpec, parse
from holdgood.core.errors import DataError, DeclarationError, did_you_mean
from holdgood.core.records.envelope import write_bytes
from holdgood.core.urls import is_url
from holdgood.workflow.toml import array, string

BESIDE = "holdgood.audit.toml"
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*audit[ \t]*\.[ \t]*ignore[ \t]*\]\][ \t]*(#.*)?$")
_ANY_HEADER = re.compile(r"^[ \t]*\[")


@dataclass(frozen=True)
class Place:
    """A file of decisions, and the name of the table that was meant (None: all)."""

    path: Path
    table: str | None


def place(table: str | None, folder: Path) -> Place:
    """Where a decision belongs: the project in the folder, else beside the file that is named, else the folder itself.

    ``table``: a table's name, or a file. Raises DeclarationError where the project has no such table.
    """
    project = folder / FILE_NAME
    if project.exists():
        return Place(project, None if table is None else _in_project(table, project))
    if table is None or is_url(table):
        return Place(folder / BESIDE, None)
    path = Path(file_of(table, folder)[0]).expanduser()
    if (folder / path).is_file():
        return Place((folder / path).parent / BESIDE, _stem(path))
    if path.suffix and (len(path.parts) > 1 or path.suffix.lower() in (".csv", ".parquet", ".tsv", ".jsonl", ".xlsx")):
        raise DataError(f"no file {table}", "an audited file, or the name of its table", "correct --table")
    return Place(folder / BESIDE, table)


def _stem(path: Path) -> str:
    # what a reader names a file's table: everything before the first suffix that it knows
    from_name = path.name
    for suffix in (".gz", path.suffix):
        from_name = from_name.removesuffix(suffix)
    return from_name


def _in_project(table: str, project: Path) -> str:
    declared = _declared(project).tables
    if table in declared:
        return table
    for name, spec in declared.items():
        if _same_file(spec.source, table, project.parent):
            return name
    raise DeclarationError(
        f"the project has no table {table!r}",
        "one of: " + ", ".join(declared),
        did_you_mean(table, declared) or "correct --table",
    )


def _same_file(source: str, asked: str, base: Path) -> bool:
    if not source or is_url(source) or is_url(asked):
        return source == asked
    (source, _), (asked, _) = file_of(source, base), file_of(asked)
    return (base / Path(source).expanduser()).resolve() == Path(asked).expanduser().resolve()


def rules(path: Path) -> list[IgnoreSpec]:
    """The decisions in a file, in its order; none where the file is not there."""
    return list(_declared(path).audit.ignore) if path.exists() else []


def _declared(path: Path) -> Declaration:
    return _checked(path.read_bytes(), path)


def _checked(content: bytes, path: Path) -> Declaration:
    return parse(_parsed(content, path), where=path.name)


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"{path.name} is not valid TOML: {error}", "a TOML file in UTF-8", "look at the line named above"
        ) from None


def decide(
    at: Place, code: str, *, who: str, why: str, columns: Sequence[str] = (), accept: bool = False, on: str = ""
) -> IgnoreSpec:
    """Append one decision. Raises DeclarationError where the name or the reason is missing, or no such check exists."""
    code = _known(code)
    if not who.strip() or not why.strip():
        lacking = " and ".join(n for n, v in (("--who", who), ("--why", why)) if not v.strip())
        raise DeclarationError(
            f"a decision about {code} without {lacking}",
            "who decided and why, so that others can judge it later",
            f'holdgood ignore {code} --who NAME --why "what you know"',
        )
    rule = IgnoreSpec(
        code=code,
        who=who.strip(),
        why=why.strip(),
        columns=list(columns),
        table=at.table,
        decision="accept" if accept else "ignore",
        on=on or datetime.now(UTC).date().isoformat(),
    )
    before = at.path.read_bytes().decode("utf-8") if at.path.exists() else ""
    had = rules(at.path)
    if any(_same(rule, r) for r in had):
        raise DeclarationError(
            f"{at.path.name} holds this decision about {code} already",
            "one decision about one thing",
            f"holdgood ignore --undo {code} first, or look: holdgood ignore --list",
        )
    line = "\r\n" if "\r\n" in before else "\n"
    gap = "" if not before else line if before.endswith("\n") else line * 2
    joined = before + gap + _text(rule, line)
    _replace(at.path, joined, [*had, rule])
    return rule


def _same(one: IgnoreSpec, other: IgnoreSpec) -> bool:
    return (one.code, one.table, sorted(one.columns)) == (other.code, other.table, sorted(other.columns))


def _known(code: str) -> str:
    known = sorted(installed())
    found = next((c for c in known if c.lower() == code.strip().lower()), None)
    if found is None:
        raise DeclarationError(
            f"no check has the code {code!r}",
            "one of: " + ", ".join(known),
            did_you_mean(code.upper(), known) or "look the code up in the audit's report",
        )
    return found


def _text(rule: IgnoreSpec, line: str) -> str:
    lines = ["[[audit.ignore]]", f"code = {string(rule.code)}"]
    lines += [f"table = {string(rule.table)}"] if rule.table else []
    lines += [f"columns = {array(rule.columns)}"] if rule.columns else []
    lines += [f"decision = {string(rule.decision)}", f"who = {string(rule.who)}", f"why = {string(rule.why)}"]
    return line.join([*lines, f"on = {string(rule.on)}", ""])


def undo(at: Place, code: str, columns: Sequence[str] = ()) -> list[IgnoreSpec]:
    """Take decisions about a check out of the file (of one table or of these columns where named) and return them."""
    code = _known(code)
    had = rules(at.path)
    gone = [
        i
        for i, r in enumerate(had)
        if r.code == code
        and (at.table is None or r.table == at.table)
        and (not columns or sorted(r.columns) == sorted(columns))
    ]
    if not gone:
        raise DeclarationError(
            f"{at.path.name} holds no such decision about {code}",
            ("one about: " + ", ".join(dict.fromkeys(r.code for r in had))) if had else "a decision made before",
            "holdgood ignore --list",
        )
    lines = at.path.read_bytes().decode("utf-8").splitlines(keepends=True)
    starts = [i for i, text in enumerate(lines) if _HEADER.match(text.rstrip("\r\n"))]
    taken: set[int] = set()
    for i in (starts[k] for k in gone if k < len(starts)):
        taken |= set(range(i, _end(lines, i)))
    _replace(
        at.path,
        "".join(text for i, text in enumerate(lines) if i not in taken),
        [r for i, r in enumerate(had) if i not in gone],
    )
    return [had[i] for i in gone]


def _end(lines: Sequence[str], start: int) -> int:
    """Where a table of the file ends: at the next header, less the comments and blank lines that belong to that one."""
    end = next((i for i in range(start + 1, len(lines)) if _ANY_HEADER.match(lines[i])), len(lines))
    last = end
    while last > start + 1 and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    # the blank lines directly after go too; a comment and what follows it stays
    while last < end and not lines[last].strip():
        last += 1
    return last


def _replace(path: Path, text: str, wanted: Sequence[IgnoreSpec]) -> None:
    """Write the file only where it then says exactly what was wanted; else it is left alone and the user told."""
    content = text.encode("utf-8")
    try:
        held = list(_checked(content, path).audit.ignore)
    except DeclarationError:
        held = None
    if held != list(wanted):
        raise DeclarationError(
            f"{path.name} cannot be changed without touching other lines",
            "each decision as a table of its own: [[audit.ignore]], not ignore = [...]",
            "change it by hand, in an editor",
        )
    if text.strip() or path.name == FILE_NAME:
        write_bytes(path, content)
    else:
        path.unlink()


def rules_for(sources: Mapping[str, str], folder: Path) -> list[IgnoreSpec]:
    """What was decided about files: beside them, in this folder, and in the project here. ``sources``: file by table's name.

    Decisions about tables that are not among these are left out, so that they are not told as stale.
    """
    files = {n: Path(file_of(s, folder)[0]).expanduser() for n, s in sources.items() if not is_url(s)}
    beside = dict.fromkeys([folder.resolve(), *((folder / p).resolve().parent for p in files.values())])
    found: list[IgnoreSpec] = []
    for where in beside:
        here = [n for n, p in files.items() if (folder / p).resolve().parent == where]
        for rule in rules(where / BESIDE):
            if rule.table in (here if where != folder.resolve() else [*sources]):
                found.append(rule)
            elif rule.table is None:
                # said of a folder: it holds for the files there, or for all that is audited from here
                named = [None] if len(here) == len(sources) or where == folder.resolve() else here
                found += [rule.model_copy(update={"table": n}) for n in named]
    return found + _of_the_project(folder / FILE_NAME, sources)


def _of_the_project(project: Path, sources: Mapping[str, str]) -> list[IgnoreSpec]:
    """The project's decisions about its own tables among the files, under the names that these have here.

    Only the decisions are checked: whatever else is wrong with the project is not the matter of a file's audit.
    """
    if not project.exists():
        return []
    said = _parsed(project.read_bytes(), project)
    declared, decisions = said.get("tables"), said.get("audit")
    ignore = decisions.get("ignore", []) if isinstance(decisions, dict) else []
    renamed = {
        name: mine
        for name, spec in (declared.items() if isinstance(declared, dict) else ())
        for mine, source in sources.items()
        if isinstance(spec, dict) and _same_file(str(spec.get("source", "")), source, project.parent)
    }
    found: list[IgnoreSpec] = []
    for rule in parse({"audit": {"ignore": ignore}}, where=project.name).audit.ignore if renamed else ():
        names = dict.fromkeys(renamed.values()) if rule.table is None else [renamed.get(rule.table)]
        found += [rule.model_copy(update={"table": mine}) for mine in names if mine is not None]
    return found
