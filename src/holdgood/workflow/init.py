"""``holdgood init``: guess roles, keys, joins and the task from the data, and write them down as a commented file."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdgood.audit import audit, installed
from holdgood.cleaning import propose
from holdgood.connectors import read_table
from holdgood.connectors.place import file_of
from holdgood.core.declaration import FILE_NAME, Declaration, RepairSpec, TableSpec, parse
from holdgood.core.errors import DeclarationError
from holdgood.core.protocols import AuditContext
from holdgood.core.records.envelope import write_bytes
from holdgood.core.sql import columns_in
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.core.text import one_line
from holdgood.workflow.guess import (
    JoinGuess,
    TimeGuess,
    guess_identifiers,
    guess_join,
    guess_key,
    guess_target,
    guess_time,
)
from holdgood.workflow.named import check_rows
from holdgood.workflow.target import resolve
from holdgood.workflow.toml import array, inline, string, value

SCHEMA_NAME = "holdgood.schema.json"
_MISTAKES = {
    "binary": "a miss and a false alarm",
    "multiclass": "each kind of mistake",
    "regression": "a unit too much and a unit too little",
}


@dataclass(frozen=True)
class Initialised:
    """What was written, and the guesses most worth a look."""

    path: Path
    schema: Path
    worth_a_look: tuple[str, ...]


def json_schema() -> str:
    """The JSON schema of holdgood.toml, for editors."""
    return json.dumps(Declaration.model_json_schema(), indent=1, sort_keys=True) + "\n"


def init_project(
    sources: Sequence[str], *, target: str | None = None, folder: Path = Path(), force: bool = False
) -> Initialised:
    """Read the tables, guess, and write ``holdgood.toml`` and its schema. An existing file is not replaced unless ``force``."""
    path = folder / FILE_NAME
    if path.exists() and not force:
        raise DeclarationError(
            f"{path} exists", "a folder without one", "edit it, or use --force (the old one is kept as .bak)"
        )
    tables: dict[str, Table] = {}
    for source in sources:
        table = check_rows(read_table(source))
        if table.name in tables:
            raise DeclarationError(
                f"two tables are called {table.name!r}", "one name a table", "rename one of the files"
            )
        tables[table.name] = table
    text, worth = _write(tables, dict(zip(tables, sources, strict=True)), target, folder)
    parse(tomllib.loads(text), where=FILE_NAME)
    if path.exists():
        write_bytes(path.with_name(FILE_NAME + ".bak"), path.read_bytes())
    write_bytes(path, text.encode())
    schema = folder / SCHEMA_NAME
    write_bytes(schema, json_schema().encode())
    return Initialised(path, schema, worth)


def _write(
    tables: dict[str, Table], sources: dict[str, str], target: str | None, folder: Path
) -> tuple[str, tuple[str, ...]]:
    names = list(tables)
    main = tables[names[0]]
    guessed = target or guess_target(main)
    when = guess_time(main, exclude=columns_in(guessed, main.names))
    time = None if when is None else when.column
    lines = [
        f"#:schema ./{SCHEMA_NAME}",
        "# Written by `holdgood init`. Every line is a guess from the data: correct what is wrong, delete what you do not need.",
        "version = 1",
        f"name = {string(folder.resolve().name or main.name)}",
        "",
        "[task]",
        f"table = {string(main.name)}                # one row a decision",
        f'target = {string(guessed)}                # a column, or an expression such as "amount > 30"; NULL means: no outcome',
    ]
    worth: list[str] = []
    if target is None:
        worth.append(
            f"target = {string(guessed)}: a guess; name what you want to know"
            if guessed
            else "target: name what you want to know"
        )
    task = Task(kind="binary")
    if guessed:
        from_data = resolve(Declaration.model_validate({"task": {"target": guessed}}).task, main)
        task = from_data.task
        lines.append(
            f"# kind = {string(from_data.task.kind)}                # read from the target: {from_data.sentence}"
        )
        if from_data.task.kind == "binary" and isinstance(from_data.task.positive, str):
            lines.append(
                f"positive = {string(from_data.task.positive)}                # the class worth finding; guessed: the rarer one"
            )
    if time:
        lines.append(
            f"# decision_time = {string(_quoted(time) + ' - 2 hours')}   # when the decision is taken; default: the row's own time"
        )
        instead = f" (or {', '.join(when.others[:3])}?)" if when is not None and when.others else ""
        worth.append(
            f"tables.{main.name}.time = {string(time)}{instead}: rows are divided by it; when is each fact known?"
        )
    else:
        lines.append('# decision_time = "…"           # when the decision is taken; nothing known later may be used')
    lines += [
        "",
        "# [forecast]                 # the table as a panel of time series: what comes next, instead of a decision a row",
        '# id = ["item", "site"]       # columns that together name one series',
        f"# time = {string(time or '…')}",
        "# horizon = 12               # steps ahead; makes the task a forecast",
        '# known = ["price"]           # known for every step ahead; no other column is ever used as known ahead',
        '# fill = "zero"               # steps without a row: missing, or zero (nothing was sold)',
        "",
        "[costs]",
        '# currency = "EUR"',
        *_costs(task),
    ]
    worth.append(f"costs: nothing is declared; money is ASSUMED until you say what {_MISTAKES[task.kind]} cost")
    lines += [
        "",
        "[people]",
        "affected = []                # who is affected by the decisions",
        "harms = []                   # how they could be harmed",
    ]
    lines += [
        "",
        "[fairness]",
        "groups = []                  # columns: people, or sites, shifts, suppliers, small customers",
    ]
    lines += [
        "",
        "[split]",
        f"# kind = {string('time' if time else 'stratified')}             # random, stratified, group, time",
        "holdout = 0.25               # sealed; its openings are counted",
        '# by = ["customer"]           # values that must stay together',
    ]
    lines += [
        "",
        "[budget]",
        'run = "3 min"                # from call to return, the report included; or trials = 20',
        'prefer = "balanced"          # simple, balanced, best',
        "seed = 0",
        "",
        "[gates]",
        '# signed_by = "…"             # who signed the release checklist (it is in the report); until then its gate is open',
    ]
    joined = {n: guess_join(main, t) for n, t in tables.items() if n != main.name}
    for name, table in tables.items():
        lines += [
            "",
            *_table(
                table,
                sources[name],
                when if name == main.name else None,
                joined.get(name),
                folder,
                columns_in(guessed, main.names),
            ),
        ]
        join = joined.get(name)
        if name != main.name and join is None:
            worth.insert(0, f"tables.{name}: no join found; write join = {{ on = {{ … }} }} or take the table out")
        elif join is not None:
            worth.insert(
                0,
                f"tables.{name}.join on {', '.join(f'{a} = {b}' for a, b in join.on.items())}: {join.share:.0%} of rows find a partner",
            )
    found = audit(
        AuditContext(tables, Declaration(tables={n: TableSpec() for n in tables})), "tables", checks=installed("tables")
    )
    repairs = propose(found)
    if repairs:
        worth.insert(0, f"repairs: the audit proposes {len(repairs)}; they stand as comments at the end of the file")
        lines += [
            "",
            "# Repairs that the audit proposes. Declared here they are applied before training and at prediction alike.",
        ]
        lines += [f"# {line}" for spec in repairs for line in _repair(spec)]
    return "\n".join(lines) + "\n", tuple(worth[:3])


def _costs(task: Task) -> list[str]:
    """What a mistake costs, as comments to fill in: the names that a task of this kind takes."""
    if task.kind == "regression":
        assumed = "every mistake is ASSUMED to cost the same a unit, and no money is shown"
        amounts = [
            "# over = 1                   # a unit too much",
            "# under = 10                 # a unit too little",
        ]
    elif task.kind == "multiclass":
        assumed = "every mistake is ASSUMED to cost the same, and no money is shown"
        classes = [str(c) for c in task.classes]
        wrong = {truth: ", ".join(f"{string(c)} = 1" for c in classes if c != truth) for truth in classes}
        amounts = [
            "# the truth, then what each wrong answer costs:",
            *(f"# matrix.{string(truth)} = {{ {answers} }}" for truth, answers in wrong.items()),
        ]
    else:
        assumed = "every amount is ASSUMED (1:1), and the break-even ratio is shown instead of savings"
        amounts = [
            "# miss = 10                  # a positive that nobody was warned of",
            "# false_alarm = 1            # a warning for nothing",
        ]
    return [*amounts, f"# until these are declared {assumed}"]


def _repair(spec: RepairSpec) -> list[str]:
    """One proposed repair as TOML."""
    parameters = ", ".join(f"{string(k)} = {value(v)}" for k, v in spec.parameters.items())
    return [
        "[[repairs]]",
        f"repair = {string(spec.repair)}",
        f"table = {string(spec.table or '')}",
        f"columns = {array(spec.columns)}",
        *([f"parameters = {{ {parameters} }}"] if parameters else []),
        f"why = {string(spec.why)}",
        "",
    ]


def _table(
    table: Table, source: str, when: TimeGuess | None, join: JoinGuess | None, folder: Path, target: tuple[str, ...]
) -> list[str]:
    file, options = file_of(source)
    lines = [f"[tables.{_bare(table.name)}]", f"source = {string(_relative(file, folder))}"]
    if options:
        lines.append(f"options = {value(options)}")
    key = guess_key(table)
    if key:
        lines.append(f"key = {array(key)}")
    identifiers = [
        c for c in guess_identifiers(table) if c not in target and (join is None or c not in join.on.values())
    ]
    if identifiers:
        lines.append(f"ids = {array(identifiers)}                # they only identify: no features")
    moment = when.column if when else (join.time if join else None)
    if when and when.why:
        lines.append(f"# time: {one_line(when.why)}; where it is known only after the decision, name another")
    elif join and join.why:
        lines.append(f"# time: {one_line(join.why)}; where facts of a row are known later than that, name another")
    if moment:
        lines.append(
            f"time = {string(_quoted(moment))}                # when the facts of a row are known"
            if join
            else f"time = {string(_quoted(moment))}"
        )
    if join:
        lines.append(
            f"join = {{ on = {inline(join.on)} }}"
            + (
                ""
                if join.time is None
                else '          # the last one known at the decision; tolerance = "1 day" limits its age'
            )
        )
    lines.append('# known = { some_column = "after" }   # columns that are known only after the decision')
    lines += ["", f"[tables.{_bare(table.name)}.types]             # frozen: later rows never re-infer them"]
    lines += [f"{_bare(c.name)} = {string(c.type)}" for c in table.columns]
    return lines


def _relative(source: str, folder: Path) -> str:
    if "://" in source:
        return source
    # relative even where it climbs: a project and its data move together
    return Path(os.path.relpath(Path(source).resolve(), folder.resolve())).as_posix()


def _bare(name: str) -> str:
    return name if name and all(c.isascii() and (c.isalnum() or c in "_-") for c in name) else string(name)


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else '"' + name.replace('"', '""') + '"'
