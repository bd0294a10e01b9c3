"""RowScorer: a bundle's answer to single rows, without a table where the plan allows it, and to many rows at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa

from holdgood.core.errors import did_you_mean
from holdgood.core.frame import Frame
from holdgood.core.sql import columns_in
from holdgood.core.table import Column, ColumnType, Note, Table
from holdgood.core.text import counted
from holdgood.metrics.cost import answers, bayes_threshold, resolve
from holdgood.workflow.predict import Predictor, with_tables
from holdgood.workflow.single.cells import LOST, arrow_of, read_cells, reader_of
from holdgood.workflow.single.compiled import compile_scorer
from holdgood.workflow.single.facts import Facts, compile_facts
from holdgood.workflow.single.rules import WORDS, Broken, compiled, rank_of

_REFUSED = 2


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What a row is told. ``answer``: empty where the contract refuses the row. ``broken``: the rules that it breaks.

    ``cells``: the row as it was read; empty where it was read among others.
    """

    verdict: str
    why: str
    answer: dict[str, Any]
    broken: tuple[Broken, ...] = ()
    cells: Mapping[str, Any] = field(default_factory=dict)


class RowScorer:
    """Made once for a bundle and its reference tables; safe to use from several threads.

    ``others``: the tables that the model joins, repaired (``Predictor.table_of``). ``compiled``: whether a row alone needs no table.
    """

    def __init__(self, model: Predictor, others: Mapping[str, Table] | None = None) -> None:
        self.model, self.others = model, dict(others or {})
        self.rules = next(t for t in model.contract.tables if t.name == model.declaration.main)
        self.types = {c.name: c.type for c in self.rules.columns}
        self.checks, self._between = compiled(self.rules)
        self._blank = model.blank_is_missing(self.rules.name)
        self._columns = [
            (c.name, c.plain(c.name in self._blank) or _never, reader_of(c.rule.type, c.name in self._blank), c)
            for c in self.checks
        ]
        self._costs = resolve(model.declaration.costs, model.task, model.class_weight, model.average_costs)
        self._acts_from: float | None = None
        """Binary: the chance from which the answer is the positive class, as ``metrics.cost.answers`` decides."""
        if model.task.kind == "binary" and model.band is None:
            self._acts_from = bayes_threshold(self._costs) if model.threshold is None else model.threshold
        self._mended = any(r.table == model.declaration.main for r in with_tables(model.declaration))
        self._facts: Facts | None = None
        self._score = None if self._mended else self._compile()

    @property
    def compiled(self) -> bool:
        """Whether a row alone is answered without a table."""
        return self._score is not None and self._between is not None

    def row(self, facts: Mapping[str, Any], others: Mapping[str, Table] | None = None) -> RowAnswer:
        """One row of plain JSON values: to the bit what the road of tables answers.

        ``others``: related rows that came with this one, instead of the tables kept here. Raises DataError where a joined table is not there.
        """
        cells, broken = self._read(facts)
        if self._between is None:
            (rank,), (why,) = self._judged(self._table({n: [c] for n, c in cells.items()}), [broken])
        else:
            rank, why = (rank_of(broken), "; ".join(b.reason for b in broken)) if broken else (0, "")
        if rank == _REFUSED:
            return RowAnswer(WORDS[rank], why, {}, tuple(broken), cells)
        return RowAnswer(WORDS[rank], why, self._answered(cells, others), tuple(broken), cells)

    def score(self, cells: Mapping[str, Any], others: Mapping[str, Table] | None = None) -> np.ndarray:
        """The prediction for one row of typed cells, whatever the contract says of it; in the shapes of Task for one row."""
        if self._score is not None and not others:
            return self._score(_without_lost(cells))
        return self._by_table(cells, others)[0]

    def _answered(self, cells: Mapping[str, Any], others: Mapping[str, Table] | None) -> dict[str, Any]:
        """The answer to one row of typed cells. A band that asks for facts gets them as a frame: of the same values, or by the table."""
        if self.model.band is None or not self.model.band.needs_frame:
            return self.told(self.score(cells, others), 0)
        if self._score is None or self._facts is None or others:
            return self.told(*self._by_table(cells, others))
        cells = _without_lost(cells)
        features = self.model.background.frame.features
        arrays = tuple(
            np.array([value], np.float64 if f.type == "number" else object)
            for f, value in zip(features, self._facts(cells), strict=True)
        )
        return self.told(self._score(cells), 0, Frame(features, arrays))

    def _by_table(self, cells: Mapping[str, Any], others: Mapping[str, Table] | None) -> tuple[np.ndarray, int, Frame]:
        table = self.model.repaired(self._table({n: [c] for n, c in cells.items()}))
        prediction, frame = self.model.scored(table, {**self.others, **(others or {})})
        return prediction, 0, frame

    def rows(self, rows: Sequence[Mapping[str, Any]], others: Mapping[str, Table] | None = None) -> list[RowAnswer]:
        """Many rows, each answered as if it came alone."""
        if len(rows) == 1:
            return [self.row(rows[0], others)]
        columns = self._cells(rows)
        broken = [self._broken(row, {n: c[at] for n, c in columns.items()}) for at, row in enumerate(rows)]
        table = self._table(columns)
        if self._between is None:
            ranks, whys = self._judged(table, broken)
        else:
            ranks = [rank_of(some) for some in broken]
            whys = ["; ".join(b.reason for b in some) for some in broken]
        prediction, frame = self.model.scored(self.model.repaired(table), {**self.others, **(others or {})})
        said, beside = self.model.answers(prediction).tolist(), self.model.beside(prediction, frame)
        return [
            RowAnswer(
                WORDS[rank], why, {} if rank == _REFUSED else self._told(prediction, at, said[at], beside), tuple(some)
            )
            for at, (rank, why, some) in enumerate(zip(ranks, whys, broken, strict=True))
        ]

    def told(self, prediction: np.ndarray, at: int, frame: Frame | None = None) -> dict[str, Any]:
        """The answer to one row of a prediction, in plain values; ``frame``: the facts, where the band asks for them."""
        model = self.model
        if self._acts_from is not None:
            return self._told(prediction, at, model.task.classes[int(prediction[at] >= self._acts_from)], {})
        codes = (
            model.band.answer(prediction)
            if model.band is not None
            else answers(self._costs, prediction, model.threshold)
        )
        said = codes[at] if model.task.kind == "regression" else model.task.classes[int(codes[at])]
        return self._told(prediction, at, said, model.beside(prediction, frame))

    def _told(self, prediction: np.ndarray, at: int, said: Any, beside: Mapping[str, np.ndarray]) -> dict[str, Any]:
        model = self.model
        if model.task.kind == "binary":
            return {"probability": _plain(prediction[at]), "answer": said}
        if model.task.kind == "multiclass":
            chances = prediction[at].tolist()
            return {
                "probabilities": {str(k): _plain(p) for k, p in zip(model.task.classes, chances, strict=True)},
                "answer": said,
            }
        found: dict[str, Any] = {"prediction": _plain(prediction[at])}
        found |= {name: _plain(values[at]) for name, values in beside.items()}
        found["answer"] = _plain(said)
        return found

    def details(self, answer: RowAnswer, facts: Mapping[str, Any]) -> list[dict[str, str]]:
        """For each broken rule: the column, what came (its kind, never its value) and what was expected."""
        found = []
        spec = self.model.declaration.tables.get(self.model.declaration.main)
        naming = (*spec.key, *spec.ids) if spec else ()
        unknown = [k for k in facts if k not in self.types and k not in naming]
        for b in answer.broken:
            came = (
                f"a {_kind(facts[b.column])}"
                if b.column in facts
                else "no such column"
                if b.column
                else "columns that contradict"
            )
            told = {
                "column": b.column,
                "rule": b.kind,
                "came": came,
                "expected": b.expected,
                "why": b.reason,
                "breach": b.breach,
            }
            if b.kind == "absent" and unknown and (near := did_you_mean(b.column, unknown)):
                told["hint"] = near
            found.append(told)
        return found

    def table(self, rows: Sequence[Mapping[str, Any]]) -> Table:
        """Rows of plain JSON values as the table that the contract knows; what a row does not have is empty."""
        return self._table(self._cells(rows))

    def _cells(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """The typed cells of rows, by column."""
        return {n: read_cells(kind, [row.get(n) for row in rows], n in self._blank) for n, kind in self.types.items()}

    def _read(self, facts: Mapping[str, Any]) -> tuple[dict[str, Any], list[Broken]]:
        """The typed cells of a row, and the rules that it breaks as ``_broken`` tells them."""
        cells: dict[str, Any] = {}
        broken: list[Broken] = []
        get = facts.get
        for name, plain, read, check in self._columns:
            value = get(name)
            if plain(value):
                cells[name] = value
                continue
            cell = cells[name] = None if value is None else read(value)
            if cell is None and name not in facts:
                if check.absent is not None:
                    broken.append(check.absent)
                continue
            found = check.broken(cell)
            if found is not None:
                broken += found
        for told, kept in self._between or ():
            if not kept(cells):
                broken.append(told)
        return cells, broken

    def _broken(self, facts: Mapping[str, Any], cells: Mapping[str, Any]) -> list[Broken]:
        """The rules that a row breaks, in the contract's order; those between columns only where they are compiled."""
        broken: list[Broken] = []
        for check in self.checks:
            cell = cells[check.name]
            if cell is None and check.name not in facts:
                if check.absent is not None:
                    broken.append(check.absent)
                continue
            found = check.broken(cell)
            if found is not None:
                broken += found
        for told, kept in self._between or ():
            if not kept(cells):
                broken.append(told)
        return broken

    def _table(self, columns: Mapping[str, Sequence[Any]]) -> Table:
        arrays, notes = [], []
        for name, cells in columns.items():
            array, lost = arrow_of(self.types[name], cells)
            arrays.append(array)
            if lost:
                those = f"{counted(len(lost), 'value')} {'is' if len(lost) == 1 else 'are'} not"
                said = f"column {name!r} is declared {self.types[name]}, but {those}; taken as missing"
                notes.append(Note("changed-type", said, len(lost), (name,), tuple(lost)))
        named = tuple(Column(n, cast(ColumnType, self.types[n])) for n in columns)
        data = pa.Table.from_arrays(arrays, names=list(columns))
        return Table(self.model.declaration.main, data, named, "", tuple(notes))

    def _judged(self, table: Table, broken: Sequence[list[Broken]]) -> tuple[list[int], list[str]]:
        """Ranks and reasons where a rule between columns is more than a comparison: those are asked of the tables' road."""
        told = self.model.judge(table)
        for b in told.broken:
            if b.kind == "rule":
                one = Broken("", b.kind, b.breach, b.reason, b.reason.removeprefix("not so: "))
                for at in np.flatnonzero(b.marks).tolist():
                    # a rule over a column that a row does not have says nothing of it
                    if not set(columns_in(one.expected, tuple(self.types))) & {
                        x.column for x in broken[at] if x.kind == "absent"
                    }:
                        broken[at].append(one)
        return [rank_of(some) for some in broken], ["; ".join(b.reason for b in some) for some in broken]

    def _compile(self) -> Callable[[Mapping[str, Any]], np.ndarray] | None:
        """Typed cells of a row to its prediction, in the shapes of Task for one row."""
        facts = self._facts = compile_facts(self.model.plan, self.types)
        names = [f.name for f in self.model.plan.features]
        score = None if facts is None else compile_scorer(self.model.chain, names)
        if facts is None or score is None:
            return None
        return lambda cells: score(facts(cells))


def _without_lost(cells: Mapping[str, Any]) -> Mapping[str, Any]:
    return {n: None if c is LOST else c for n, c in cells.items()} if LOST in cells.values() else cells


def _never(value: Any) -> bool:
    return False


def _plain(value: Any) -> Any:
    number = float(value)
    return number if math.isfinite(number) else None


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if value == "":
        return "blank text"
    kinds = {bool: "truth value", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "value")
