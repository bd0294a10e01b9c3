"""Build the features of some rows from a plan: stateless, so that one row alone gives what it gives among a million."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.frame import Feature, Frame
from holdgood.core.records import FeatureLedger, JoinEntry, LedgerEntry
from holdgood.core.table import ColumnType, Table
from holdgood.core.text import counted
from holdgood.features.builders.columns import check_type, conform, raw_values
from holdgood.features.builders.dates import calendar, days_since_2000, hours_between
from holdgood.features.builders.expressions import Expressions
from holdgood.features.builders.plan import FeaturePlan
from holdgood.features.builders.reference import Reference


class Builder:
    """A plan with its reference tables indexed once: make one, and build batch after batch, or row after row.

    ``others``: the other tables by name, whole; a row sees those of their facts that its moment of decision allows.
    """

    def __init__(self, plan: FeaturePlan, others: Mapping[str, Table]) -> None:
        self.plan = plan
        self._expressions = Expressions()
        self._references: list[Reference] = []
        for join in plan.joins:
            if join.table not in others:
                raise DataError(
                    f"table {join.table!r} is not there",
                    "the tables that the features are joined from",
                    f"give it: --table {join.table}=FILE",
                )
            self._references.append(Reference(join, others[join.table], self._expressions))

    def build(self, main: Table, decision_time: np.ndarray | None = None) -> tuple[Frame, tuple[JoinEntry, ...]]:
        """Features of the rows of main, in their order, and what each join found.

        ``decision_time``: int64 microseconds since the epoch (or datetime64), shape (rows,); None: taken from the plan.
        """
        data = self._inputs(main)
        decision = self._decision(data, decision_time)
        data = self._as_known(data, decision)
        raw: dict[tuple[str, str], np.ndarray] = {}
        entries, ages, aggregates = [], {}, {}
        for reference in self._references:
            joined, ages[reference.join.table], entry, windows = reference.gather(data, decision)
            aggregates[reference.join.table] = windows
            raw |= {(reference.join.table, column): v for column, v in joined.items()}
            entries.append(entry)
        experts = self._experts(data)
        types = {c.name: c.type for c in self.plan.inputs}
        parts: dict[tuple[str, str], dict[str, np.ndarray]] = {}
        columns = []
        for planned in self.plan.features:
            at = (planned.table, planned.column)
            if planned.builder == "age of the fact":
                columns.append(ages[planned.table])
                continue
            if planned.builder == "window":
                columns.append(aggregates[planned.table][planned.window, planned.part, planned.column])
                continue
            if planned.builder == "expression":
                values = experts[planned.column]
                at = ("", planned.column)
            elif planned.table == self.plan.main and at not in raw:
                values = raw[at] = raw_values(
                    data.column(planned.column), types[planned.column], f"column {planned.column!r} of {main.name}"
                )
            else:
                values = raw[at]
            if planned.part:
                if at not in parts:
                    parts[at] = calendar(values)
                values = parts[at][planned.part]
            elif planned.builder == "to decision":
                assert decision is not None
                values = hours_between(decision, values)
            elif planned.builder == "absolute time":
                values = days_since_2000(values)
            columns.append(values)
        features = tuple(Feature(f.name, f.type, f.origin) for f in self.plan.features)
        return Frame(features, tuple(columns)), tuple(entries)

    def _inputs(self, main: Table) -> pa.Table:
        names = [c.name for c in self.plan.inputs]
        there = set(main.data.column_names)
        absent = [n for n in names if n not in there]
        if absent:
            raise DataError(
                f"table {main.name!r} lacks {counted(len(absent), 'column')}: {', '.join(absent[:8])}",
                "the columns that the features are built from",
                did_you_mean(absent[0], main.names) or "add them, empty where nothing is known",
            )
        columns = []
        for wanted in self.plan.inputs:
            column = conform(main.data.column(wanted.name), wanted.arrow)
            check_type(column, wanted.type, f"column {wanted.name!r} of {main.name}")
            columns.append(column)
        return pa.Table.from_arrays(columns, names=names)

    def _decision(self, data: pa.Table, given: np.ndarray | None) -> np.ndarray | None:
        if given is not None:
            moments = np.asarray(given)
            if moments.dtype.kind == "M":
                moments = moments.astype("datetime64[us]")
            if moments.shape != (data.num_rows,):
                raise DataError(f"{moments.shape} decision times for {data.num_rows} rows", "one a row")
            return moments.astype(np.int64)
        if not self.plan.needs_decision or self.plan.decision is None:
            return None
        return self._expressions.moments(self.plan.decision, data, purpose="decision_time")

    def _as_known(self, data: pa.Table, decision: np.ndarray | None) -> pa.Table:
        """Cells that are known only after the decision of their row become missing."""
        masked = data
        for at, column in enumerate(self.plan.inputs):
            if column.known is None:
                continue
            assert decision is not None
            moment = self._expressions.moments(column.known, data, purpose=f"known.{column.name}")
            # NaT is the smallest int64: a moment that is missing counts as not known
            seen = (moment <= decision) & (moment != np.iinfo(np.int64).min)
            values = data.column(at)
            masked = masked.set_column(
                at, column.name, pc.if_else(pa.array(seen), values, pa.scalar(None, values.type))
            )
        return masked

    def _experts(self, data: pa.Table) -> dict[str, np.ndarray]:
        if not self.plan.expressions:
            return {}
        names = list(self.plan.expressions)
        answers = self._expressions.values(
            [self.plan.expressions[n] for n in names], data, purpose="features." + ", ".join(names)
        )
        kinds: dict[str, ColumnType] = {}
        for planned in self.plan.features:
            if planned.builder == "expression":
                kinds[planned.column] = (
                    "datetime" if planned.part else "category" if planned.type == "category" else "number"
                )
        return {n: raw_values(column, kinds[n], f"features.{n}") for n, column in zip(names, answers, strict=True)}


def build(
    plan: FeaturePlan, main: Table, others: Mapping[str, Table], *, decision_time: np.ndarray | None = None
) -> tuple[Frame, tuple[JoinEntry, ...]]:
    """Build once; see ``Builder``, which keeps the indexes of the other tables for the next call."""
    return Builder(plan, others).build(main, decision_time)


def ledger(plan: FeaturePlan, frame: Frame, joins: tuple[JoinEntry, ...]) -> FeatureLedger:
    """The features with their origin, share of missing cells and distinct values; the joins; what was left out."""
    entries = []
    for planned, values in zip(plan.features, frame.arrays, strict=True):
        array = pa.array(values, pa.float64() if planned.type == "number" else pa.string(), from_pandas=True)
        entries.append(
            LedgerEntry(
                name=planned.name,
                type=planned.type,
                builder=planned.builder,
                origin=planned.origin,
                sentence=planned.sentence,
                missing_share=array.null_count / len(array) if len(array) else 0.0,
                distinct=pc.count_distinct(array).as_py(),
            )
        )
    return FeatureLedger(features=tuple(entries), joins=joins, left_out=dict(plan.left_out))
