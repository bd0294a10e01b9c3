"""The contract of a check. A new check is done when ``check_check`` is silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from holdgood.core.declaration import Declaration, parse
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext, Check
from holdgood.core.records.audit import Finding
from holdgood.core.sql import quote
from holdgood.core.table import Table
from holdgood.core.task import Task

ROWS = 600
WEIRD = ("", 'say "when"', "select", "a.b", "naïve ☂", "x; drop table t", "{braces}", "new\nline", "100%", "`tick`")


def check_check(check: Check, contexts: Callable[[], AuditContext] | None = None) -> None:
    """Hold a check to the contract; AssertionError says what broke.

    ``contexts``: makes a context in which the check finds something, if the one made here does not make it fire; names
    and row order are then varied on yours too.
    """
    assert len(check.code) >= 4, "a check has a code"
    assert check.code == check.code.upper(), "codes are written in capitals"
    assert check.title, "a check has a title in plain words"
    assert check.scope in ("tables", "target"), f"scope = {check.scope!r}"
    plain = sample(check.scope)
    for given in [plain, *([contexts()] if contexts else [])]:
        findings = _run(check, given)
        _well_formed(check, given, findings)
        assert _told(findings, given) == _told(_run(check, given), given), "the same data gave two answers"
        renamed = rename(given)
        assert _told(findings, given) == _told(_run(check, renamed), renamed), "the answer depends on names of columns"
        mixed = shuffle(given)
        assert _told(findings, given) == _told(_run(check, mixed), mixed), "the answer depends on the order of rows"
    for name, odd in odd_contexts(check.scope).items():
        try:
            _well_formed(check, odd, _run(check, odd))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
        except Exception as error:
            raise AssertionError(f"{name}: raised {type(error).__name__}: {error}") from error


def _run(check: Check, context: AuditContext) -> list[Finding]:
    """Run, and see that nothing that was given has changed."""
    tables = [*context.tables.values(), *(t for t in (context.main, context.holdout) if t is not None)]
    before = [t.fingerprint() for t in tables]
    y = None if context.y is None else context.y.copy()
    try:
        findings = check.run(context)
    except NotApplicable as reason:
        assert str(reason), "NotApplicable says why"
        findings = []
    assert [t.fingerprint() for t in tables] == before, "the check changed a table"
    assert y is None or np.array_equal(y, np.asarray(context.y), equal_nan=True), "the check changed the target"
    assert isinstance(findings, list), f"a list of findings, not {type(findings).__name__}"
    return findings


def _well_formed(check: Check, context: AuditContext, findings: list[Finding]) -> None:
    known = {**context.tables, **({context.main.name: context.main} if context.main is not None else {})}
    for f in findings:
        assert f.code == check.code, f"a finding of {check.code} carries the code {f.code}"
        assert f.message, "a finding without a message"
        assert f.table in known, f"a finding about {f.table!r}, which is no table here"
        strange = [c for c in f.columns if c not in known[f.table].names]
        assert not strange, f"a finding about columns that do not exist: {strange}"
        assert f.rows >= 0, "a negative number of rows"
        assert f.level == "issue" or not f.late, "a late fact is an issue"
        json.dumps(f.model_dump(mode="json"))


def _told(findings: list[Finding], context: AuditContext) -> list[tuple[object, ...]]:
    """What a finding says without names and words: columns by position, numbers rounded."""
    known = {**context.tables, **({context.main.name: context.main} if context.main is not None else {})}
    return sorted(
        (
            (
                f.table,
                tuple(sorted(known[f.table].names.index(c) for c in f.columns)),
                f.level,
                f.severity,
                f.late,
                f.rows,
                tuple((k, f"{v:.4g}" if isinstance(v, float) else str(v)) for k, v in sorted(f.evidence.items())),
            )
            for f in findings
        ),
        key=repr,
    )


@dataclass(frozen=True)
class _Names:
    """Column names of the sample, so that a renamed sample is declared alike."""

    main: tuple[str, ...] = ("order", "item", "placed", "weight", "colour", "amount", "flag", "arrived", "note")
    other: tuple[str, ...] = ("item", "price", "maker")


def sample(scope: str, names: _Names | None = None, rows: int = ROWS) -> AuditContext:
    """Two joined tables with a little of everything that goes wrong; for the target pass an outcome and a holdout."""
    names = names or _Names()
    rng = np.random.default_rng(7)
    item = rng.integers(0, 40, rows)
    weight = np.round(rng.gamma(4.0, 3.0, rows), 2)
    y = (weight + rng.normal(0, 6, rows) > 14).astype(np.float64)
    y[rng.random(rows) < 0.1] = np.nan
    spoiled = np.where(rng.random(rows) < 0.05, -999.0, weight)
    placed = np.datetime64("2024-01-01", "us") + (np.arange(rows) * 3600 * 10**6).astype("timedelta64[us]")
    colours = np.array(["red", "green", "blue", "Red ", "?"])[rng.choice(5, rows, p=[0.4, 0.3, 0.2, 0.05, 0.05])]
    arrived = placed + ((2 + 5 * np.nan_to_num(y)) * 86400 * 10**6).astype("int64").astype("timedelta64[us]")
    columns = [
        pa.array(np.arange(rows)),
        pa.array([None if i % 50 == 0 else int(i) for i in item], pa.int64()),
        pa.array(placed),
        pa.array(spoiled),
        pa.array([str(c) for c in colours]),
        pa.array([f"{v:.2f}" if i % 20 else "none yet" for i, v in enumerate(weight * 3)]),
        pa.array(rng.random(rows) < 0.3),
        pa.array(arrived, mask=np.isnan(y)),
        pa.array([f"a few words on order {i} here" for i in range(rows)]),
    ]
    main = Table.of(pa.Table.from_arrays(columns, names=list(names.main)), "orders")
    stock = pa.Table.from_arrays(
        [
            pa.array([*range(35), 3, 3]),
            pa.array(rng.gamma(3.0, 2.0, 37)),
            pa.array([None] * 37, pa.string()),
        ],
        names=list(names.other),
    )
    other = Table.of(stock, "items")
    declared = parse(
        {
            "tables": {
                "orders": {"key": [names.main[0]], "time": quote(names.main[2])},
                "items": {"join": {"on": {names.main[1]: names.other[0]}}},
            },
            "task": {"target": "weight_is_high"},
            "fairness": {"groups": [names.main[4]]},
        }
    )
    tables = {"orders": main, "items": other}
    if scope == "tables":
        return AuditContext(tables, declared)
    cut = rows * 3 // 4
    moment = main.data.column(names.main[2]).cast(pa.int64()).to_numpy()
    return AuditContext(
        tables,
        declared,
        main=main.take(np.arange(cut)),
        y=y[:cut],
        task=Task(kind="binary", classes=("no", "yes")),
        decision_time=moment[:cut],
        holdout=main.take(np.arange(cut, rows)),
    )


def rename(context: AuditContext) -> AuditContext:
    """The same data and declaration with every column called otherwise, in a way that reverses their alphabetical order."""
    maps = {name: {n: f"z{len(t.names) - i:04d}" for i, n in enumerate(t.names)} for name, t in context.tables.items()}
    main = context.main.name if context.main is not None else None
    return replace(
        context,
        tables={name: _with_names(t, maps[name]) for name, t in context.tables.items()},
        declaration=_renamed_declaration(context.declaration, maps),
        main=None if context.main is None else _with_names(context.main, maps[str(main)]),
        holdout=None if context.holdout is None else _with_names(context.holdout, maps[str(main)]),
        target_columns=tuple(maps[str(main)][c] for c in context.target_columns),
    )


def _with_names(table: Table, names: dict[str, str]) -> Table:
    data = table.data.rename_columns([names[n] for n in table.names])
    columns = tuple(replace(c, name=names[c.name]) for c in table.columns)
    notes = tuple(replace(n, columns=tuple(names.get(c, c) for c in n.columns)) for n in table.notes)
    return replace(table, data=data, columns=columns, notes=notes)


def _renamed_declaration(declaration: Declaration, maps: dict[str, dict[str, str]]) -> Declaration:
    """Names in keys, ids, joins, known, groups and split; expressions must be a single column to be renamed."""
    plain = declaration.model_dump(mode="json")
    main = maps.get(declaration.main, {}) if declaration.tables else {}
    for name, spec in plain["tables"].items():
        of = maps.get(name, {})
        for field in ("key", "ids", "ignore"):
            spec[field] = [of.get(c, c) for c in spec[field]]
        spec["known"] = {of.get(c, c): when for c, when in spec["known"].items()}
        spec["types"] = {of.get(c, c): kind for c, kind in spec["types"].items()}
        bare = (spec["time"] or "").strip('"').replace('""', '"')
        spec["time"] = quote(of[bare]) if bare in of else spec["time"]
        if spec["join"]:
            spec["join"]["on"] = {main.get(a, a): of.get(b, b) for a, b in spec["join"]["on"].items()}
    target = plain["task"]["target"].strip('"')
    plain["task"]["target"] = quote(main[target]) if target in main else plain["task"]["target"]
    plain["fairness"]["groups"] = [main.get(c, c) for c in plain["fairness"]["groups"]]
    plain["split"]["by"] = [main.get(c, c) for c in plain["split"]["by"]]
    return parse(plain)


def shuffle(context: AuditContext, seed: int = 3) -> AuditContext:
    """The same rows in another order, in every table."""
    rng = np.random.default_rng(seed)
    order = None if context.main is None else rng.permutation(context.main.rows)
    return replace(
        context,
        tables={name: t.take(rng.permutation(t.rows)) for name, t in context.tables.items()},
        main=None if context.main is None or order is None else context.main.take(order),
        y=None if context.y is None else context.y[order],
        decision_time=None if context.decision_time is None else context.decision_time[order],
        holdout=None if context.holdout is None else context.holdout.take(rng.permutation(context.holdout.rows)),
    )


def odd_contexts(scope: str) -> dict[str, AuditContext]:
    """Contexts that a check must survive: no tables, no rows, one row, nothing but missing, strange names, no columns."""
    whole = sample(scope)
    nothing = replace(whole, tables={}, declaration=Declaration(), main=None, y=None, decision_time=None, holdout=None)
    kinds = [pa.float64(), pa.int64(), pa.string(), pa.bool_(), pa.timestamp("us"), *[pa.float64()] * (len(WEIRD) - 5)]
    empty = Table.of(
        pa.Table.from_arrays([pa.nulls(60, k) for k in kinds], names=[f"c{i}" for i in range(len(kinds))]), "odd"
    )
    rng = np.random.default_rng(5)
    strange = Table.of(pa.Table.from_arrays([pa.array(rng.normal(size=60)) for _ in WEIRD], names=list(WEIRD)), "odd")
    bare = Table("odd", pa.table({}), ())
    out = {"no tables": nothing, "no rows": _first(whole, 0), "one row": _first(whole, 1), "two rows": _first(whole, 2)}
    for name, table in {"nothing but missing": empty, "strange names": strange, "no columns": bare}.items():
        out[name] = _alone(scope, table)
    return out


def _first(context: AuditContext, rows: int) -> AuditContext:
    keep = np.arange(rows, dtype=np.int64)
    return replace(
        context,
        tables={name: t.take(keep) for name, t in context.tables.items()},
        main=None if context.main is None else context.main.take(keep),
        y=None if context.y is None else context.y[:rows],
        decision_time=None if context.decision_time is None else context.decision_time[:rows],
        holdout=None if context.holdout is None else context.holdout.take(keep),
    )


def _alone(scope: str, table: Table) -> AuditContext:
    context = AuditContext({"odd": table}, parse({"tables": {"odd": {}}}))
    if scope == "tables":
        return context
    y = (np.arange(table.rows) % 2).astype(np.float64)
    task = Task(kind="binary", classes=("no", "yes"))
    return replace(
        context, main=table, y=y, task=task, holdout=table, decision_time=np.arange(table.rows, dtype=np.int64)
    )
