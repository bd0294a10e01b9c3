"""Hold rows to a contract: for each row a verdict (ok, warn, refused), and for each breach the rows and the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.order_rules import order_in
from holdgood.core import sql
from holdgood.core.errors import DeclarationError
from holdgood.core.records.contract import Breach, ColumnRule, TableContract
from holdgood.core.table import Table, as_text

OK, WARN, REFUSED = "ok", "warn", "refused"
_RANK = {"allow": 0, "warn": 1, "refuse": 2}
_WORDS = np.array([OK, WARN, REFUSED], dtype=object)


@dataclass(frozen=True)
class Broken:
    """One rule that some rows break. ``marks``: boolean, one a row; ``reason``: what a reader of that row is told."""

    column: str
    kind: str
    breach: Breach
    marks: np.ndarray
    reason: str

    @property
    def rows(self) -> int:
        """How many rows."""
        return int(self.marks.sum())


@dataclass(frozen=True)
class Verdicts:
    """The verdict on each row, and every rule that was broken, in the contract's order."""

    rank: np.ndarray
    broken: tuple[Broken, ...]

    @property
    def words(self) -> np.ndarray:
        """One of ok, warn, refused a row (objects)."""
        return np.asarray(_WORDS[self.rank])

    @property
    def refused(self) -> np.ndarray:
        """Boolean, one a row."""
        return np.asarray(self.rank == _RANK["refuse"])

    def count(self, word: str) -> int:
        """How many rows have the verdict."""
        return int((self.words == word).sum())

    def reasons(self) -> np.ndarray:
        """One text a row (objects): its reasons joined by semicolons, empty where there is nothing to say."""
        out = np.full(len(self.rank), "", dtype=object)
        for b in self.broken:
            hit = np.flatnonzero(b.marks)
            first = out[hit] == ""
            out[hit] = np.where(first, b.reason, out[hit] + ("; " + b.reason))
        return out


def verdicts(table: Table, contract: TableContract, unreadable: Mapping[str, np.ndarray] | None = None) -> Verdicts:
    """Hold every row to the rules of its table; each row's verdict depends on that row alone.

    ``unreadable``: by column, rows whose cell was there but not of the column's type. Columns that the table lacks are
    broken rules of all rows where they are required. Texts are read as the type that the contract gives their column, cell
    by cell. Values never stand in a reason.
    """
    table, lost = _typed(table, contract, unreadable or {})
    found: list[Broken] = []
    for rule in contract.columns:
        if rule.name not in table.names:
            if rule.required:
                marks = np.ones(table.rows, bool)
                found.append(Broken(rule.name, "absent", "refuse", marks, f"column {rule.name} is not there"))
            continue
        found += list(_column(table, rule, lost.get(rule.name)))
    for row_rule in contract.rules:
        used = sql.columns_in(row_rule.rule, [c.name for c in contract.columns])
        absent = [c for c in contract.columns if c.name in used and c.name not in table.names]
        if any(c.required for c in absent):
            continue  # a column that is absent is told already
        data = table.data
        for c in absent:  # one that may be absent is empty in every row
            data = data.append_column(c.name, pa.nulls(table.rows, _TYPES.get(c.type, pa.string())))
        kept = _in_order(row_rule.rule, data, {c.name: c.type for c in contract.columns})
        if kept is None:
            kept = _held(row_rule.rule, data, f"the rule {row_rule.rule!r} of {contract.name}")
        marks = ~kept
        found.append(Broken("", "rule", row_rule.breach, marks, f"not so: {row_rule.rule}"))
    broken = tuple(b for b in found if b.breach != "allow" and b.marks.any())
    rank = np.zeros(table.rows, np.int8)
    for b in broken:
        np.maximum(rank, np.where(b.marks, _RANK[b.breach], 0).astype(np.int8), out=rank)
    return Verdicts(rank, broken)


def _in_order(rule: str, data: pa.Table, types: Mapping[str, str]) -> np.ndarray | None:
    """What ``_held`` says of a rule that compares two columns of one type; None where it is none."""
    order = order_in(rule, types)
    if order is None or any(data.column_names.count(name) != 1 for name in (order.first, order.second)):
        return None
    one, two = data.column(order.first), data.column(order.second)
    if one.type != two.type:
        return None
    return _truth(pc.fill_null(_COMPARE[order.sign](one, two), True))


def _held(rule: str, data: pa.Table, purpose: str) -> np.ndarray:
    """Boolean, one a row: the rule is not false there. A row on which it cannot be worked out does not keep it."""
    if rule in data.column_names:
        return _truth(pc.fill_null(data.column(rule).cast(pa.bool_()), True))
    sql.check_expression(rule, tuple(data.column_names), purpose=purpose)
    try:
        # NULL, where the rule says nothing, becomes true; what is NULL after that has failed
        told = sql.evaluate(f"TRY(COALESCE(CAST({sql.inside(rule)} AS BOOLEAN), true))", data, purpose=purpose)
    except DeclarationError:
        # not a matter of single rows: told in the words of the rule itself
        told = pc.fill_null(sql.evaluate(rule, data, purpose=purpose).cast(pa.bool_()), True)
    return _truth(pc.fill_null(told, False))


def _typed(
    table: Table, contract: TableContract, unreadable: Mapping[str, np.ndarray]
) -> tuple[Table, dict[str, np.ndarray]]:
    """The table with its columns in the contract's types, and by column the rows whose cell was there but is no such thing."""
    data, lost = table.data, dict(unreadable)
    for rule in contract.columns:
        if rule.name not in table.names:
            continue
        before = data.column(rule.name)
        after = _read(before, rule.type)
        if after is before:
            continue
        gone = pc.and_(pc.is_valid(before), pc.is_null(after))
        if pa.types.is_string(before.type):
            gone = pc.and_not(gone, pc.fill_null(pc.match_substring_regex(before, _ABSENT), False))
        data = data.set_column(data.column_names.index(rule.name), rule.name, after)
        marks = _truth(gone)
        lost[rule.name] = marks | lost[rule.name] if rule.name in lost else marks
    return replace(table, data=data), lost


# As the readers of files take them where a type is declared.
_ABSENT = r"^\s*(?i:|na|n/a|#n/a|nan|null|none|\\n)\s*$"
_NUMBER = r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf(?:inity)?))$"
_BOOLEAN = r"^(?i:true|false|t|f|yes|no|y|n|0|1|0\.0|1\.0)$"
_TRUE = r"^(?i:true|t|yes|y|1|1\.0)$"
_ZONE = r"[T ]\d{2}[\d:.]*\s?(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_ISO = (
    (r"^(\d{1,2}\.\d{1,2}\.\d{4}|\d{4}/\d{1,2}/\d{1,2})([T ])(\d):", r"\1\20\3:"),
    (r"^(\d)\.", r"0\1."),  # 1.2.2024 is the first of February
    (r"^(\d{2})\.(\d)\.", r"\1.0\2."),
    (r"^(\d{2})\.(\d{2})\.(\d{4})", r"\3-\2-\1"),
    (r"^(\d{4})/(\d)/", r"\1/0\2/"),
    (r"^(\d{4})/(\d{2})/(\d)(\D|$)", r"\1/\2/0\3\4"),
    (r"^(\d{4})/(\d{2})/(\d{2})", r"\1-\2-\3"),
    (r",(\d)", r".\1"),
    (r"(\.\d{6})\d+", r"\1"),
    (r"\s(Z|[+-]\d{2}(?::?\d{2})?)$", r"\1"),
)


def _read(column: pa.ChunkedArray, wanted: str) -> pa.ChunkedArray:
    """A column as the type, null where a cell is none; itself where there is nothing to do."""
    kind = column.type
    if wanted in ("category", "text"):
        return as_text(
            column
        )  # a code that a file happens to keep as a number is held to levels and shape all the same
    if wanted not in _NOUNS or _fits(kind, wanted):
        return column.cast(pa.int64()) if wanted == "number" and pa.types.is_boolean(kind) else column
    if wanted == "boolean" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        bit = pc.or_(pc.equal(column, 0), pc.equal(column, 1))
        return pc.if_else(bit, pc.equal(column, 1), pa.scalar(None, pa.bool_()))
    if not pa.types.is_string(kind):
        return pa.chunked_array([pa.nulls(len(column), _TYPES[wanted])])
    texts = pc.utf8_trim_whitespace(column)
    if wanted == "number":
        bare = pc.if_else(pc.starts_with(texts, "+"), pc.utf8_slice_codeunits(texts, 1), texts)
        return _only(bare, pc.match_substring_regex(texts, _NUMBER)).cast(pa.float64())
    if wanted == "boolean":
        return pc.match_substring_regex(_only(texts, pc.match_substring_regex(texts, _BOOLEAN)), _TRUE)
    for pattern, iso in _ISO:
        texts = pc.replace_substring_regex(texts, pattern, iso)
    zoned = pc.match_substring_regex(texts, _ZONE)
    there = _moments(_only(texts, zoned), pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    return pc.coalesce(there, _moments(_only(texts, pc.invert(zoned)), pa.timestamp("us")))


def _only(texts: pa.ChunkedArray, where: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(where, texts, pa.scalar(None, pa.string()))


def _moments(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """All at once where possible; else one distinct text at a time, so that one that is no moment costs one cell."""
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:
        coded = texts.combine_chunks().dictionary_encode()
    read = []
    for text in coded.dictionary:
        try:
            read.append(text.cast(kind).as_py())
        except pa.ArrowInvalid:
            read.append(None)
    return pa.chunked_array([pa.array(read, kind).take(coded.indices)])


def _column(table: Table, rule: ColumnRule, unreadable: np.ndarray | None) -> Iterator[Broken]:
    data, name = table.data.column(rule.name), rule.name
    lost = np.zeros(table.rows, bool) if unreadable is None else unreadable
    if rule.unreadable != "allow":
        yield Broken(name, "unreadable", rule.unreadable, lost, f"{name} is no {_NOUNS.get(rule.type, rule.type)}")
    if rule.missing != "allow":
        yield Broken(name, "missing", rule.missing, columns.missing(table, name) & ~lost, f"{name} is missing")
    if rule.type == "number" and columns.is_numeric(table, name) and rule.outside != "allow":
        values = columns.numbers(table, name)
        with np.errstate(invalid="ignore"):
            below, above = values < rule.low, values > rule.high
            yield Broken(name, "below", rule.outside, below, f"{name} is below {rule.low:.12g}")
            yield Broken(name, "above", rule.outside, above, f"{name} is above {rule.high:.12g}")
            if rule.whole:
                part = np.isfinite(values) & (values != np.floor(values))
                yield Broken(name, "not whole", rule.outside, part, f"{name} is not a whole number")
    if not pa.types.is_string(data.type):
        return
    if rule.levels and rule.unseen != "allow":
        strange = pc.and_(pc.is_valid(data), pc.invert(pc.is_in(data, value_set=pa.array(rule.levels, pa.string()))))
        yield Broken(name, "unseen", rule.unseen, _truth(strange), f"{name} is a word never seen before")
    if rule.shape and rule.misshapen != "allow":
        odd = pc.invert(pc.fill_null(pc.match_substring_regex(data, f"^(?:{rule.shape})$"), True))
        yield Broken(name, "misshapen", rule.misshapen, _truth(odd), f"{name} is written in another shape")


_COMPARE = {"<=": pc.less_equal, "<": pc.less, ">=": pc.greater_equal, ">": pc.greater}
_TYPES = {"number": pa.float64(), "boolean": pa.bool_(), "datetime": pa.timestamp("us")}
_NOUNS = {"number": "number", "datetime": "date or time", "boolean": "truth value"}


def _fits(kind: pa.DataType, wanted: str) -> bool:
    if wanted == "number":
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
    if wanted == "datetime":
        return bool(pa.types.is_timestamp(kind))
    return bool(pa.types.is_boolean(kind)) if wanted == "boolean" else True


def _truth(array: pa.ChunkedArray | pa.Array) -> np.ndarray:
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=bool)
