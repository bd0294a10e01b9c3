"""Contracts at the command line: infer one, hold tables to it, compare two versions, sign it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import audit, installed
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.contract_diff import Difference, differences
from holdgood.audit.contract_rules import infer
from holdgood.audit.links import links
from holdgood.audit.verdicts import Verdicts
from holdgood.connectors import name_of, read_table, write_table
from holdgood.core.declaration import FILE_NAME as DECLARATION
from holdgood.core.declaration import AuditSpec, Declaration, TableSpec
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import AuditContext
from holdgood.core.records import Contract, TableContract
from holdgood.core.table import ColumnType, Table
from holdgood.workflow.beside import not_the_source
from holdgood.workflow.contract import judge
from holdgood.workflow.contract_file import FILE_NAME, changed_since_review, read, save, signed
from holdgood.workflow.decided import rules_for
from holdgood.workflow.folder import Project
from holdgood.workflow.predict import Predictor


@dataclass(frozen=True)
class Inferred:
    """A contract that was inferred, where it lies, and of which tables the audit says that something is wrong.

    ``dirty``: by table how many issues, the source to mend, and whether a repair is known for any; rules inferred from them
    ask for the faults too.
    """

    contract: Contract
    path: Path
    dirty: Mapping[str, tuple[int, str, bool]]


@dataclass(frozen=True)
class Checked:
    """One table held to a contract. ``repeated``: rows whose key another row has too."""

    table: str
    rows: int
    verdicts: Verdicts
    repeated: int


def infer_contract(
    sources: Sequence[str], *, to: Path | None = None, force: bool = False, folder: Path | None = None
) -> Inferred:
    """Infer the rules of some tables, or of the project's, and write them; a file that is there is kept unless forced.

    The tables are audited too: what is wrong in them would become the rule.
    """
    home = folder or Path()
    path = to or home / FILE_NAME
    if path.exists() and not force:
        raise DeclarationError(
            f"{path} is there already, and people may have worked on it",
            "a new file",
            "compare first: holdgood contract diff " + f"{path} TABLE; then --to another file, or --force",
        )
    for source in sources:
        not_the_source(path, _split(source)[1])
    tables, specs = _tables(sources, home, path)
    given = {n: _split(s)[1] for n, s in zip(tables, sources, strict=True)} if sources else {}
    places = given or {n: s.source for n, s in specs.items()}
    named = {n: replace(t, name=n) for n, t in tables.items()}
    context = AuditContext(
        tables=named, declaration=Declaration(tables=specs, audit=AuditSpec(ignore=rules_for(places, home)))
    )
    rules = [infer(t, key=specs[n].key, names_rows=_names_rows(context, n), name=n) for n, t in named.items()]
    contract = Contract(tables=tuple(rules))
    told = audit(context, "tables", checks=installed("tables")).issues
    issues = Counter(f.table for f in told)
    mends = {f.table for f in told if f.proposal is not None}
    save(path, contract)
    return Inferred(contract, path, {n: (issues[n], places[n], n in mends) for n in tables if issues[n]})


def _names_rows(context: AuditContext, table: str) -> list[str]:
    """Columns that name rows of this table or, as others' keys, of another: later rows have names that were never seen."""
    spec, pairs = context.spec(table), links(context)
    names = [*spec.key, *spec.ids, *identifiers(context.tables[table])]
    names += [c for link in pairs if link.child == table for c in link.here]
    return [*names, *(c for link in pairs if link.parent == table for c in link.there)]


def _tables(sources: Sequence[str], home: Path, path: Path) -> tuple[dict[str, Table], dict[str, TableSpec]]:
    """The tables named (``NAME=FILE`` or a file), or those that the project declares; none of them lies at ``path``."""
    if sources:
        given = [_named(s) for s in sources]
        named = {t.name: t for t in given}
        if len(named) < len(given):
            twice = next(n for n in named if sum(t.name == n for t in given) > 1)
            raise DeclarationError(
                f"two tables are called {twice!r}", "a name for each", "write NAME=FILE for one of them"
            )
        return named, {n: TableSpec() for n in named}
    if not (home / DECLARATION).exists():
        raise DeclarationError("no table, and no project here", "files, or a folder with holdgood.toml", "name a file")
    project = Project.at(home)
    specs = dict(project.declaration.tables)
    not_the_source(path, str(project.path / DECLARATION))
    for spec in specs.values():
        not_the_source(path, spec.source, project.path)
    tables = {
        n: read_table(s.source, name=n, options=dict(s.options), types=dict(s.types), base=project.path)
        for n, s in specs.items()
    }
    return tables, specs


def _named(source: str, types: dict[str, dict[str, ColumnType]] | None = None) -> Table:
    name, place = _split(source)
    known = types or {}
    if not name and len(known) == 1:
        name = next(iter(known))  # one contract, one table: whatever the file is called
    name = name or name_of(place)
    return read_table(place, name=name, types=known.get(name, {}))


def _split(source: str) -> tuple[str, str]:
    """The name and the place of ``NAME=FILE``; a name of nothing where a file is called that way, or none is given."""
    name, equals, place = source.partition("=")
    if not equals or "/" in name or "?" in name or os.path.isfile(os.path.expanduser(source)):
        return "", source
    return name, place


def check_tables(sources: Sequence[str], contract_path: Path, *, to: Path | None = None) -> list[Checked]:
    """Hold tables to a contract; ``to`` gets one line a row that is not ok: table, row (from 1), verdict, why."""
    if to is not None:
        for place in [str(contract_path), *(_split(s)[1] for s in sources)]:
            not_the_source(to, place)
    contract = contract_at(contract_path)
    types = {t.name: {c.name: cast(ColumnType, c.type) for c in t.columns} for t in contract.tables}
    done, lines = [], []
    for source in sources:
        table = _named(source, types)
        said = judge(table, contract)
        rules = next(t for t in contract.tables if t.name == table.name)
        done.append(Checked(table.name, table.rows, said, _repeated(table, rules)))
        at = np.flatnonzero(said.rank)
        columns = {
            "table": pa.array([table.name] * len(at), pa.string()),
            "row": pa.array(at + 1),
            "verdict": pa.array(said.words[at].tolist(), pa.string()),
            "why": pa.array(said.reasons()[at].tolist(), pa.string()),
        }
        lines.append(pa.table(columns))
    if to is not None:
        write_table(pa.concat_tables(lines), to, for_people=to.suffix.lower() == ".xlsx")
    return done


def _repeated(table: Table, rules: TableContract) -> int:
    key = [k for k in rules.key if k in table.names]
    if not key or len(key) < len(rules.key):
        return 0
    counts = table.data.select(key).group_by(key).aggregate([([], "count_all")]).column("count_all")
    return int(pc.sum(pc.if_else(pc.greater(counts, 1), counts, 0), min_count=0).as_py())


def contract_at(place: Path | str) -> Contract:
    """A contract from its file, or from a bundle or run."""
    path = Path(place)
    if path.is_dir():
        return Predictor.load(path).contract
    return read(path)


def compare(old: str, new: str) -> list[Difference]:
    """What differs between two contracts, bundles, runs or tables (whose rules are inferred for the purpose)."""
    one, two = _contract_or_data(old), _contract_or_data(new)
    if len(one.tables) == len(two.tables) == 1 and one.tables[0].name != two.tables[0].name:
        # two versions of one table are rarely called alike
        two = two.model_copy(update={"tables": (two.tables[0].model_copy(update={"name": one.tables[0].name}),)})
    return differences(one, two)


def _contract_or_data(place: str) -> Contract:
    path = Path(place)
    if path.suffix == ".toml" or (path.is_dir() and "://" not in place):
        return contract_at(path)
    return Contract(tables=(infer(read_table(place)),))


def review(path: Path, who: str, *, on: date | None = None) -> Contract:
    """Sign the rules as they stand; the version goes up where they changed since they were last signed."""
    contract = read(path)
    if changed_since_review(contract):
        contract = contract.model_copy(update={"version": contract.version + 1})
    contract = signed(contract, who, on or date.today())
    save(path, contract)
    return contract


def standing(contract: Contract) -> str:
    """Who stands behind a contract, in words."""
    if not contract.reviewed_by:
        return "nobody has reviewed it yet"
    said = f"version {contract.version}, reviewed by {contract.reviewed_by} on {contract.reviewed_on}"
    return said + ("; changed since" if contract.reviewed_digest and changed_since_review(contract) else "")
