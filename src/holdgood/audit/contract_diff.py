"""What changed between two versions of a contract, or of the data that two contracts were inferred from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from holdgood.audit.contract_rules import ROOM, missing_breach
from holdgood.core.records.contract import ColumnRule, Contract, TableContract

SHARE_MATTERS = 0.01
"""A share of missing cells that moved by less is no change, however many rows prove it."""
_LEVEL = 0.001
_TAIL_LEVEL = 0.01
_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """One thing that differs. ``kind``: added, removed, type, missing, range, levels, shape, rule, key, breach."""

    table: str
    column: str
    kind: Literal["added", "removed", "type", "missing", "range", "levels", "shape", "rule", "key", "breach"]
    sentence: str


def differences(old: Contract, new: Contract) -> list[Difference]:
    """Everything that differs, tables in the old contract's order, then what is new."""
    out: list[Difference] = []
    before, after = {t.name: t for t in old.tables}, {t.name: t for t in new.tables}
    for name, table in before.items():
        if name not in after:
            out.append(Difference(name, "", "removed", f"table {name} is gone"))
        else:
            # between two contracts that people signed every edit counts; inferred rules also differ by chance
            chance = min(table.rows, after[name].rows) if not (old.reviewed_by and new.reviewed_by) else 0
            out += list(_table(table, after[name], chance))
    out += [Difference(n, "", "added", f"table {n} is new") for n in after if n not in before]
    return out


def _table(old: TableContract, new: TableContract, chance: int) -> Iterator[Difference]:
    before, after = {c.name: c for c in old.columns}, {c.name: c for c in new.columns}
    name = old.name
    for column, rule in before.items():
        if column not in after:
            yield Difference(name, column, "removed", f"column {column} is gone")
        else:
            yield from _column(name, rule, after[column], (old.rows, new.rows), chance)
    for column in after:
        if column not in before:
            yield Difference(name, column, "added", f"column {column} is new ({after[column].type})")
    if old.key != new.key:
        yield Difference(name, "", "key", f"the key was {_named(old.key)} and is {_named(new.key)}")
    held, holds = [r.rule for r in old.rules], [r.rule for r in new.rules]
    for rule_text in held:
        if rule_text not in holds:
            yield Difference(name, "", "rule", f"{rule_text} is asked no more")
    for rule_text in holds:
        if rule_text not in held:
            yield Difference(name, "", "rule", f"{rule_text} is asked now")


def _column(table: str, old: ColumnRule, new: ColumnRule, rows: tuple[int, int], chance: int) -> Iterator[Difference]:
    name = old.name
    if old.type != new.type:
        yield Difference(table, name, "type", f"{name} was a {old.type} and is a {new.type}")
        return
    if _moved(old.missing_share, rows[0], new.missing_share, rows[1]):
        sentence = f"{name} was missing in {old.missing_share:.2%} of rows and is in {new.missing_share:.2%}"
        yield Difference(table, name, "missing", sentence)
    if _range_moved(old, new, chance):
        sentence = f"{name} had the bounds {_bounds(old)} and has {_bounds(new)}"
        yield Difference(table, name, "range", sentence)
    gone = [v for v in old.levels if v not in set(new.levels)]
    fresh = [v for v in new.levels if v not in set(old.levels)]
    if gone or fresh:
        said = [f"{len(fresh)} new ({_some(fresh)})"] * bool(fresh) + [f"{len(gone)} gone ({_some(gone)})"] * bool(gone)
        yield Difference(table, name, "levels", f"the levels of {name}: " + ", ".join(said))
    if old.shape != new.shape:
        yield Difference(
            table, name, "shape", f"{name} had the shape {old.shape or 'any'} and has {new.shape or 'any'}"
        )
    for what in ("required", "unreadable", "missing", "whole", "outside", "unseen", "misshapen"):
        a, b = getattr(old, what), getattr(new, what)
        if a != b and (not chance or any(_by_people(r, n, what) for r, n in zip((old, new), rows, strict=True))):
            yield Difference(table, name, "breach", f"{name}: {what} was {_plain(a)} and is {_plain(b)}")


def _moved(a: float, a_rows: int, b: float, b_rows: int) -> bool:
    """Whether a share moved by more than what matters; where both row counts are known, beyond chance as well."""
    if abs(a - b) < SHARE_MATTERS:
        return False
    if not a_rows or not b_rows:
        return True
    pooled = (a * a_rows + b * b_rows) / (a_rows + b_rows)
    sd = math.sqrt(pooled * (1 - pooled) * (1 / a_rows + 1 / b_rows))
    return sd == 0 or math.erfc(abs(a - b) / sd / math.sqrt(2)) < _LEVEL


def _range_moved(old: ColumnRule, new: ColumnRule, rows: int) -> bool:
    """Whether a bound moved; where both were seen in rows, by more than its room, and than extremes do by chance.

    The largest of n values with an exponential tail lies ln(n) scales out, and two such differ by more than t scales with
    probability 2 / (1 + exp(t)) (the difference of two Gumbel variables is logistic). Lighter tails move less.
    """
    if any(math.isnan(a) != math.isnan(b) for a, b in ((old.low, new.low), (old.high, new.high))):
        return True
    span = old.high - old.low
    if rows < 2 or not math.isfinite(span):
        return not (_same(old.low, new.low) and _same(old.high, new.high))
    room = max(ROOM, math.log(2 / _TAIL_LEVEL - 1) / math.log(rows)) * span
    return abs(new.low - old.low) > room or abs(new.high - old.high) > room


def _by_people(rule: ColumnRule, rows: int, what: str) -> bool:
    """Whether inference gives another value, so that people have set this one."""
    given = getattr(rule, what)
    if what == "missing":
        return bool(given != missing_breach(rule.missing_share, rows))
    if what == "whole":
        return False  # both are inferred
    if what == "unseen":
        return bool(given == "refuse")
    return bool(given != ColumnRule.model_fields[what].default)


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _bounds(rule: ColumnRule) -> str:
    low, high = ("none" if math.isnan(v) else f"{v:.12g}" for v in (rule.low, rule.high))
    return f"{low} to {high}"


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:_SHOWN]) + (" …" if len(values) > _SHOWN else "")


def _named(names: Sequence[str]) -> str:
    return " + ".join(names) or "none"


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
