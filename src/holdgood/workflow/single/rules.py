"""The contract of one table, compiled for single rows: the verdict and the reasons that ``audit.verdicts`` gives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.order_rules import order_in
from holdgood.core.records import ColumnRule, RowRule, TableContract
from holdgood.core.records.contract import Breach
from holdgood.workflow.single.cells import LOST, Cell

Breaks: TypeAlias = Callable[[Any], bool]
_NOUNS = {"number": "number", "datetime": "date or time", "boolean": "truth value"}
_LARGEST = 9e18  # whole numbers beyond 64 bits are read otherwise
_RANK = {"warn": 1, "refuse": 2}
WORDS = ("ok", "warn", "refused")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": lambda a, b: a <= b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, ">": lambda a, b: a > b,
}  # fmt: skip
# Shapes as they are inferred: runs of letters or digits, escaped signs, plain letters. Both engines read these alike.
_PLAIN_SHAPE = re.compile(r"(?:\[(?:A-Z|a-z|0-9)\]\{\d{1,3}\}|\\[^A-Za-z0-9\s]|\||[^\\\[\](){}*+?.^$|])*")


class Broken:
    """A rule that a row breaks: its column (empty: a rule between columns), its kind, what follows, and what is told."""

    __slots__ = ("breach", "column", "expected", "kind", "reason")

    def __init__(self, column: str, kind: str, breach: Breach, reason: str, expected: str) -> None:
        self.column, self.kind, self.breach, self.reason, self.expected = column, kind, breach, reason, expected


class ColumnCheck:
    """The rules of one column over a typed cell. ``broken(cell)``: what it breaks, in the contract's order."""

    def __init__(self, rule: ColumnRule) -> None:
        self.name, self.rule = rule.name, rule
        name = rule.name
        noun = _NOUNS.get(rule.type, rule.type)
        expected = expectation(rule)
        self.absent = (
            Broken(name, "absent", "refuse", f"column {name} is not there", expected) if rule.required else None
        )
        self.lost = _made(name, "unreadable", rule.unreadable, f"{name} is no {noun}", expected)
        self.missing = _made(name, "missing", rule.missing, f"{name} is missing", expected)
        self.tests: list[tuple[Broken, Breaks]] = []
        if rule.type == "number" and rule.outside != "allow":
            self._number(rule, expected)
        if rule.type not in ("number", "boolean", "datetime"):
            self._text(rule, expected)

    def _number(self, rule: ColumnRule, expected: str) -> None:
        name, low, high = rule.name, rule.low, rule.high
        if not math.isnan(low):
            self._add("below", rule.outside, f"{name} is below {low:.12g}", expected, lambda v: float(v) < low)
        if not math.isnan(high):
            self._add("above", rule.outside, f"{name} is above {high:.12g}", expected, lambda v: float(v) > high)
        if rule.whole:
            self._add(
                "not whole", rule.outside, f"{name} is not a whole number", expected,
                lambda v: math.isfinite(f := float(v)) and f != math.floor(f),
            )  # fmt: skip

    def _text(self, rule: ColumnRule, expected: str) -> None:
        name = rule.name
        if rule.levels and rule.unseen != "allow":
            levels = frozenset(rule.levels)
            self._add("unseen", rule.unseen, f"{name} is a word never seen before", expected, lambda v: v not in levels)
        if rule.shape and rule.misshapen != "allow":
            self._add("misshapen", rule.misshapen, f"{name} is written in another shape", expected, _misses(rule.shape))

    def _add(self, kind: str, breach: Breach, reason: str, expected: str, test: Breaks) -> None:
        self.tests.append((Broken(self.rule.name, kind, breach, reason, expected), test))

    def plain(self, blank: bool = False) -> Callable[[Any], bool] | None:
        """Whether a JSON value is its own cell and breaks nothing, at a glance; None where no value is that plain.

        ``blank``: an empty text means missing, and is looked at closer.
        """
        rule = self.rule
        if rule.type == "number":
            checked = rule.outside != "allow"
            low = rule.low if checked and not math.isnan(rule.low) else -_LARGEST
            high = rule.high if checked and not math.isnan(rule.high) else _LARGEST
            if checked and rule.whole:
                return lambda v: (type(v) is int or (type(v) is float and v.is_integer())) and low <= v <= high
            return lambda v: (type(v) is float or type(v) is int) and low <= v <= high
        if rule.type == "boolean":
            return lambda v: v is True or v is False
        if rule.type in ("category", "text"):
            if not self.tests:
                return _some_text if blank else _any_text
            if len(self.tests) == 1 and self.tests[0][0].kind == "unseen":
                levels = frozenset(rule.levels)
                return lambda v: type(v) is str and v in levels
        return None

    def broken(self, cell: Any) -> list[Broken] | None:
        """What a cell that is there, or missing, breaks; None: nothing."""
        if cell is None:
            return None if self.missing is None else [self.missing]
        if cell is LOST:
            return None if self.lost is None else [self.lost]
        found = None
        for told, test in self.tests:
            if test(cell):
                found = [told] if found is None else [*found, told]
        return found


def _any_text(value: Any) -> bool:
    return type(value) is str


def _some_text(value: Any) -> bool:
    return type(value) is str and value != ""


def _made(name: str, kind: str, breach: Breach, reason: str, expected: str) -> Broken | None:
    return None if breach == "allow" else Broken(name, kind, breach, reason, expected)


def _misses(shape: str) -> Breaks:
    if _PLAIN_SHAPE.fullmatch(shape):
        pattern = re.compile(f"(?:{shape})", re.DOTALL)
        return lambda text: pattern.fullmatch(text) is None
    # people's own patterns are read by the engine that reads them in tables
    return lambda text: not pc.match_substring_regex(pa.array([text]), f"^(?:{shape})$")[0].as_py()


def expectation(rule: ColumnRule) -> str:
    """What a column takes, in words, without values of any row."""
    kind = "whole number" if rule.whole else _NOUNS.get(rule.type, "text")
    said = [kind]
    low, high = rule.low, rule.high
    if rule.type == "number" and not (math.isnan(low) and math.isnan(high)):
        bounds = [
            *([f"at least {low:.12g}"] if not math.isnan(low) else []),
            *([f"at most {high:.12g}"] if not math.isnan(high) else []),
        ]
        said.append(" and ".join(bounds))
    if rule.levels:
        # where other words are allowed, the levels are only those that are known
        among = "such as " if rule.unseen == "allow" else "one of "
        said.append(among + ", ".join(rule.levels[:8]) + (" …" if len(rule.levels) > 8 else ""))
    elif rule.shape:
        said.append(f"of the shape {rule.shape}")
    return ", ".join(said)


def order_rule(rule: RowRule, types: Mapping[str, str]) -> Callable[[Mapping[str, Cell]], bool] | None:
    """Whether a row keeps a rule that compares two columns; None where the rule is of another kind.

    A rule says nothing where a cell is missing. NaN of a number is missing, so plain comparison is SQL's.
    """
    if (order := order_in(rule.rule, types)) is None:
        return None
    a, b, compare = order.first, order.second, _COMPARE[order.sign]

    def kept(cells: Mapping[str, Cell]) -> bool:
        one, two = cells.get(a), cells.get(b)
        if one is None or two is None or one is LOST or two is LOST:
            return True
        if type(one) is not type(two):  # as SQL compares a whole number with one that has decimals
            one, two = float(one), float(two)
        return compare(one, two)

    return kept


def compiled(
    contract: TableContract,
) -> tuple[list[ColumnCheck], list[tuple[Broken, Callable[[Mapping[str, Cell]], bool]]] | None]:
    """Checks of the columns, and the rules between them; None for these where one cannot be compiled."""
    checks = [ColumnCheck(rule) for rule in contract.columns]
    types = {c.name: c.type for c in contract.columns}
    between = []
    for rule in contract.rules:
        if rule.breach == "allow":
            continue
        kept = order_rule(rule, types)
        if kept is None:
            return checks, None
        between.append((Broken("", "rule", rule.breach, f"not so: {rule.rule}", rule.rule), kept))
    return checks, between


def rank_of(broken: list[Broken]) -> int:
    """0 ok, 1 warn, 2 refused."""
    return max((_RANK[b.breach] for b in broken), default=0)
