"""``contract.toml``: a contract as people read and edit it, one line a column."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
from pydantic import ValidationError

from holdgood.core import sql
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records import ColumnRule, Contract, RowRule, TableContract
from holdgood.core.records.envelope import write_bytes
from holdgood.core.table import ColumnType
from holdgood.workflow.toml import array, string, value

FILE_NAME = "contract.toml"
_HEAD = """\
# What later rows must keep. A breach is "allow", "warn" (a word beside the answer) or "refuse" (no answer).
# Inferred rules warn; only people refuse. Look each line over, change it, then sign:
#   holdgood contract review --who "your name"
# unreadable: a cell that is not of the type · missing: an empty cell · outside: a number beyond low or high ·
# unseen: a word that is not among the levels · misshapen: a word that the regular expression shape does not match
"""
_ARROW: dict[str, pa.DataType] = {
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("us"),
    "category": pa.string(),
    "text": pa.string(),
    "other": pa.string(),
}


def digest(contract: Contract) -> str:
    """Of the rules alone: who looked at them, and when, does not enter."""
    rules = [t.model_dump_json() for t in contract.tables]
    return hashlib.sha256("\n".join([str(contract.version), *rules]).encode()).hexdigest()[:16]


def changed_since_review(contract: Contract) -> bool:
    """Whether somebody signed other rules than these."""
    return bool(contract.reviewed_by) and contract.reviewed_digest != digest(contract)


def signed(contract: Contract, who: str, on: date) -> Contract:
    """The contract with a name under it; DeclarationError for an empty name."""
    if not who.strip():
        raise DeclarationError("a review without a name", "who has looked at the rules", 'add --who "your name"')
    update = {"reviewed_by": who.strip(), "reviewed_on": on.isoformat(), "reviewed_digest": digest(contract)}
    return contract.model_copy(update=update)


def text(contract: Contract) -> str:
    """The file's text; reading it gives the same contract."""
    lines = [_HEAD, f"version = {contract.version}"]
    lines += [
        f"{name} = {string(getattr(contract, name))}" for name in ("reviewed_by", "reviewed_on", "reviewed_digest")
    ]
    for table in contract.tables:
        lines += ["", f"[tables.{string(table.name)}]", f"rows = {table.rows}"]
        if table.key:
            lines.append(f"key = {array(table.key)}")
        if table.rules:
            rules = [value(r.model_dump(exclude_defaults=True)) for r in table.rules]
            lines += ["rules = [", *(f"  {r}," for r in rules), "]"]
        lines += ["", f"[tables.{string(table.name)}.columns]"]
        lines += [_line(rule) for rule in table.columns]
    return "\n".join(lines) + "\n"


def _line(rule: ColumnRule) -> str:
    """Only what says something: the type always, and what differs from the default."""
    said: dict[str, Any] = {"type": rule.type}
    for name, given in rule.model_dump().items():
        if name in ("name", "type") or given == ColumnRule.model_fields[name].default:
            continue
        if isinstance(given, float) and math.isnan(given):
            continue
        said[name] = list(given) if isinstance(given, tuple) else given
    inside = ", ".join(f"{k} = {value(v)}" for k, v in said.items())
    return f"{string(rule.name)} = {{ {inside} }}"


def save(path: Path, contract: Contract) -> None:
    """Write the file; the old one stays whole until the new one is on disk."""
    write_bytes(path, text(contract).encode())


def read(path: Path) -> Contract:
    """Read the file; DeclarationError names the line's table, column and what is wrong with it."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeclarationError(f"no {path.name} at {path.parent}", "a contract", "holdgood contract infer") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"{path.name} is not valid TOML: {error}", "a TOML file in UTF-8", "look at the line named above"
        ) from None
    return parse(data, where=path.name)


def parse(data: Mapping[str, Any], where: str = FILE_NAME) -> Contract:
    """A contract from the file's plain values, checked: names, types, breaches, bounds, and every rule's expression."""
    rest = {k: v for k, v in data.items() if k != "tables"}
    tables = []
    try:
        for name, given in dict(data.get("tables", {})).items():
            columns = [ColumnRule(name=c, **rule) for c, rule in dict(given.get("columns", {})).items()]
            other = {k: v for k, v in given.items() if k != "columns"}
            tables.append(TableContract(name=name, columns=tuple(columns), **other))
        contract = Contract(tables=tuple(tables), **rest)
    except (ValidationError, TypeError, AttributeError, ValueError) as error:
        raise _unlike(error, where) from None
    for table in contract.tables:
        _check(table, where)
    return contract


def _check(table: TableContract, where: str) -> None:
    names = [c.name for c in table.columns]
    for rule in table.columns:
        here = f"{where}: tables.{table.name}.columns.{rule.name}"
        if rule.type not in get_args(ColumnType):
            known = get_args(ColumnType)
            raise DeclarationError(
                f"{here}: type {rule.type!r}",
                "one of: " + ", ".join(known),
                did_you_mean(rule.type, known) or "correct it",
            )
        if rule.low > rule.high:
            raise DeclarationError(
                f"{here}: low {rule.low:.12g} is above high {rule.high:.12g}", "low <= high", "swap them"
            )
        if rule.shape and not _is_pattern(rule.shape):
            raise DeclarationError(f"{here}: shape {rule.shape!r} is no regular expression", "RE2 syntax", "correct it")
    for column in table.key:
        if column not in names:
            raise DeclarationError(
                f"{where}: tables.{table.name}.key names {column!r}",
                "columns of the contract",
                did_you_mean(column, names) or "add the column",
            )
    empty = pa.table({c.name: pa.array([], _ARROW[c.type]) for c in table.columns})
    for row_rule in table.rules:
        said = sql.evaluate(row_rule.rule, empty, purpose=f"{where}: the rule {row_rule.rule!r}")
        if not pa.types.is_boolean(said.type):
            raise DeclarationError(
                f"{where}: the rule {row_rule.rule!r} gives {said.type}",
                "an expression that is true or false",
                "compare with something: a <= b",
            )


def _is_pattern(pattern: str) -> bool:
    try:
        pa.compute.match_substring_regex(pa.array(["a"]), f"^(?:{pattern})$")
    except pa.ArrowInvalid:
        return False
    return True


def _unlike(error: Exception, where: str) -> DeclarationError:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        path, came = ".".join(str(p) for p in first["loc"]), first.get("input")
        known = [*ColumnRule.model_fields, *TableContract.model_fields, *RowRule.model_fields, *Contract.model_fields]
        hint = did_you_mean(str(first["loc"][-1]) if first["loc"] else "", known)
        shown = "" if isinstance(came, (dict, list)) else f" (got {came!r})"
        return DeclarationError(
            f"{where}: {path}: {first['msg']}{shown}",
            "a contract as `holdgood contract infer` writes it",
            hint or "correct it",
        )
    return DeclarationError(
        f"{where}: {error}", "[tables.NAME.columns] with one line a column", "see `holdgood contract infer`"
    )
