"""Infer a contract from a table: what held in its rows is asked of later ones. Inferred rules warn; people refuse."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.core.records.contract import Breach, ColumnRule, RowRule, TableContract
from holdgood.core.sql import quote
from holdgood.core.table import Table

# Levels are kept for vocabularies, not for values of rows: each at least so often, and not too many.
LEVEL_ROWS, LEVELS = 10, 200
ROOM = 0.1
"""Bounds are what was seen and a tenth of its span, never across zero: the next row may be a little more extreme."""
_CLOSED = 0.999
_SHAPES, _LONGEST = 3, 80
_DIGITS = 6
ENOUGH = 100
_MOMENTS = 8
_EXACT = Context(prec=800)  # a float has at most 767 digits


def infer(
    table: Table,
    names: Sequence[str] | None = None,
    *,
    key: Sequence[str] = (),
    names_rows: Sequence[str] | None = None,
    name: str = "",
) -> TableContract:
    """The rules that all rows of a table keep, of all columns or those named; nothing is learned about the target.

    ``names_rows``: columns that name rows, which are not bounded: the next row has the next number. Default: those that are
    found to. A key never is.
    """
    wanted = [c.name for c in table.columns if names is None or c.name in names]
    free = {*key, *(identifiers(table) if names_rows is None else names_rows)}
    return TableContract(
        name=name or table.name,
        columns=tuple(_unbounded(r) if r.name in free else r for r in (column_rule(table, c) for c in wanted)),
        key=tuple(key),
        rules=tuple(_orders(table, wanted)),
        rows=table.rows,
    )


def _unbounded(rule: ColumnRule) -> ColumnRule:
    default = ColumnRule(name=rule.name, type=rule.type)
    return rule.model_copy(update={f: getattr(default, f) for f in ("low", "high", "levels", "unseen")})


def column_rule(table: Table, name: str, *, type_: str | None = None) -> ColumnRule:
    """The rule of one column; ``type_``: its type as it was read, where repairs have changed it since."""
    column, kind = table.data.column(name), table.type_of(name)
    share = column.null_count / table.rows if table.rows else 0.0
    # a share is told as nought only where nothing is missing: the breach follows from it
    told = max(round(share, 6), 1e-6) if column.null_count else 0.0
    rule = ColumnRule(name=name, type=type_ or kind, missing=missing_breach(told, table.rows), missing_share=told)
    if column.null_count == table.rows:
        return rule
    if kind == "number":
        return rule.model_copy(update=_bounds(columns.numbers(table, name)))
    if kind in ("category", "text") and pa.types.is_string(column.type):
        return rule.model_copy(update=_words(column))
    return rule


def missing_breach(share: float, rows: int) -> Breach:
    """What becomes of a missing cell in a column of which that share was missing."""
    return "warn" if rows >= ENOUGH and share == 0 else "allow"


def _bounds(values: np.ndarray) -> dict[str, object]:
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return {}
    low, high = float(finite.min()), float(finite.max())
    whole = bool((finite == np.floor(finite)).all())
    seen: dict[str, object] = {"low": low, "high": high, "whole": whole and len(finite) >= ENOUGH}
    span = high - low
    if span == 0 or not math.isfinite(span * (1 + 2 * ROOM)):
        return seen
    room = ROOM * span
    wide = [low - room if not 0 <= low < room else 0.0, high + room if not -room < high <= 0 else 0.0]
    if whole:
        wide = [float(np.floor(wide[0])), float(np.ceil(wide[1]))]
    if not all(map(math.isfinite, wide)):
        return seen
    # Outward, to digits of the span and not of the number: seconds since 1970 have ten before the first that differs.
    last = Decimal(1).scaleb(math.floor(math.log10(span)) + 1 - _DIGITS)
    rounded = [
        float(Decimal(v).quantize(last, way, _EXACT)) for v, way in zip(wide, (ROUND_FLOOR, ROUND_CEILING), strict=True)
    ]
    return seen | {"low": rounded[0] + 0.0, "high": rounded[1] + 0.0}


def _words(column: pa.ChunkedArray) -> dict[str, object]:
    present = column.drop_null()
    counted = pc.value_counts(present)
    counts = np.asarray(counted.field("counts"))
    often = counts >= LEVEL_ROWS
    if often.sum() and often.sum() <= LEVELS:
        levels = tuple(sorted(counted.field("values").filter(pa.array(often)).to_pylist()))
        closed = counts[often].sum() >= _CLOSED * counts.sum()
        return {"levels": levels, "unseen": "warn" if closed else "allow"}
    shape = _shape(counted.field("values"), len(present))
    return {"shape": shape} if shape else {}


def _shape(distinct: pa.Array, rows: int) -> str:
    """One regular expression for codes such as AB-1234, where very few shapes cover every value; else nothing."""
    if rows < ENOUGH or len(distinct) < LEVEL_ROWS or pc.max(pc.utf8_length(distinct)).as_py() > _LONGEST:
        return ""
    # Every value has one shape, so what the found ones leave over does not depend on where the search begins.
    shapes: list[str] = []
    left = distinct
    while len(left):
        shape = shape_of(left[0].as_py())
        if len(shapes) == _SHAPES or len(shape) > _LONGEST:
            return ""
        shapes.append(shape)
        left = left.filter(pc.invert(pc.match_substring_regex(left, f"^(?:{shape})$")))
    return "|".join(sorted(shapes))


def shape_of(text: str) -> str:
    r"""The regular expression of a text's shape: runs of capitals, small letters and digits with their lengths.

    >>> print(shape_of("N14228-a"))
    [A-Z]{1}[0-9]{5}\-[a-z]{1}
    """
    out = []
    for run in re.findall(r"[A-Z]+|[a-z]+|[0-9]+|.", text, re.DOTALL):
        kind = (
            "[A-Z]" if "A" <= run[0] <= "Z" else "[a-z]" if "a" <= run[0] <= "z" else "[0-9]" if run.isdigit() else ""
        )
        out.append(f"{kind}{{{len(run)}}}" if kind and run.isascii() else re.escape(run))
    return "".join(out)


def _orders(table: Table, names: Sequence[str]) -> Iterator[RowRule]:
    """Moments that always come in the same order."""
    moments = [n for n in names if columns.is_moment(table, n)][:_MOMENTS]
    for a, b in combinations(moments, 2):
        one, two = table.data.column(a), table.data.column(b)
        both = pc.sum(pc.and_(pc.is_valid(one), pc.is_valid(two))).as_py() or 0
        if both < ENOUGH:
            continue
        less = pc.all(pc.less_equal(one, two)).as_py()
        more = pc.all(pc.less_equal(two, one)).as_py()
        if less != more:
            first, then = (a, b) if less else (b, a)
            yield RowRule(rule=f"{quote(first)} <= {quote(then)}", why=f"held in all {both:,} rows that have both")
