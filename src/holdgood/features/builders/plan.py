"""The feature plan: which features there are and what each is built from; decided from declaration and frozen types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core import sql
from holdgood.core.budget import seconds_of
from holdgood.core.declaration import Declaration, TableSpec
from holdgood.core.errors import BundleError, DataError, DeclarationError, did_you_mean
from holdgood.core.frame import FeatureType
from holdgood.core.protocols import Parts
from holdgood.core.table import ColumnType, Table, infer_type, normalise
from holdgood.features.builders.dates import CALENDAR, OF_THE_DAY, only_dates
from holdgood.features.builders.expressions import NEVER, Expressions
from holdgood.features.builders.planned import (
    ALL,
    InputColumn,
    PlannedFeature,
    PlannedJoin,
    feature_from,
    input_from,
    join_from,
)
from holdgood.features.builders.windows import OF_ROWS

# What depends on the moment at which it is computed, or on chance, cannot be the same at training and in use.
_NOT_STATELESS = re.compile(
    r"\b(random|uuid|gen_random_uuid|setseed|now|today|nextval|current_(?:date|time|timestamp)|localtime(?:stamp)?)\b",
    re.IGNORECASE,
)
Excluded = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class FeaturePlan:
    """Everything that ``build`` needs to make the same features again, from one row or a million.

    ``inputs`` are the columns of the main table that are read (late facts are not among them), ``decision`` the
    expression of the moment of decision, ``expressions`` the experts' own, ``left_out``: ``table.column`` to reason.
    """

    part: ClassVar[str] = "feature-plan"

    main: str
    inputs: tuple[InputColumn, ...]
    features: tuple[PlannedFeature, ...]
    joins: tuple[PlannedJoin, ...] = ()
    expressions: Mapping[str, str] = field(default_factory=dict)
    decision: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_decision(self) -> bool:
        """Whether the features cannot be built without a moment of decision."""
        moving = any(f.builder in ("to decision", "age of the fact") for f in self.features)
        return moving or any(j.as_of for j in self.joins) or any(c.known for c in self.inputs)

    def without(self, reasons: Mapping[str, str]) -> FeaturePlan:
        """The plan without some features, each left out with its reason."""
        kept = tuple(f for f in self.features if f.name not in reasons)
        asked = {f.column for f in kept if f.builder == "expression"}
        expressions = {n: e for n, e in self.expressions.items() if n in asked}
        return replace(self, features=kept, expressions=expressions, left_out={**self.left_out, **reasons})

    def to_parts(self) -> Parts:
        """JSON only."""
        return Parts(
            {
                "main": self.main,
                "inputs": [asdict(c) for c in self.inputs],
                "features": [asdict(f) for f in self.features],
                "joins": [asdict(j) for j in self.joins],
                "expressions": dict(self.expressions),
                "decision": self.decision,
                "left_out": dict(self.left_out),
            }
        )

    @classmethod
    def from_parts(cls, parts: Parts) -> FeaturePlan:
        """Rebuild; BundleError where something is missing or does not fit together."""
        p = parts.json
        try:
            plan = cls(
                str(p["main"]),
                tuple(input_from(c) for c in p["inputs"]),
                tuple(feature_from(f) for f in p["features"]),
                tuple(join_from(j) for j in p["joins"]),
                {str(k): str(v) for k, v in p["expressions"].items()},
                None if p["decision"] is None else str(p["decision"]),
                {str(k): str(v) for k, v in p["left_out"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(
                f"a feature plan that cannot be read: {error!r}", "a plan written by holdgood", "the bundle is damaged"
            ) from error
        tables = {plan.main, *(j.table for j in plan.joins)}
        if any(f.table not in tables for f in plan.features):
            raise BundleError(
                "a feature plan with a feature of no table", "features of the tables it joins", "the bundle is damaged"
            )
        return plan


def make_plan(
    declaration: Declaration,
    tables: Mapping[str, Table],
    *,
    exclude: Excluded | None = None,
    identifiers: Excluded | None = None,
) -> FeaturePlan:
    """Decide the features from the declaration and the frozen types. Values decide nothing; they are looked at only to refuse
    a table that is the main table's own past and known too early, and to tell dates from times: all are of one type.

    ``exclude``: table → column → reason, for columns that nothing may touch (the target's columns, late facts): no
    feature, no join and no expert's expression uses them. ``identifiers``: the same for columns that only name a row:
    no features themselves, but joins and expressions may use them. DeclarationError where it cannot be followed.
    """
    if declaration.main not in tables:
        raise DataError(
            f"no table {declaration.main!r}",
            "the main table among the tables read",
            did_you_mean(declaration.main, tables) or "correct task.table",
        )
    return _Planner(declaration, tables, exclude or {}, identifiers or {}).plan()


class _Planner:
    """Collects features and reasons, main table first, then joins in the order declared, then the experts' own."""

    def __init__(
        self, declaration: Declaration, tables: Mapping[str, Table], exclude: Excluded, identifiers: Excluded
    ) -> None:
        self.declaration, self.tables = declaration, tables
        self.exclude, self.identifiers = exclude, identifiers
        self.name = declaration.main
        self.main = tables[self.name]
        spec = self.spec(self.name)
        self.decision = declaration.task.decision_time or spec.time
        self.features: list[PlannedFeature] = []
        self.joins: list[PlannedJoin] = []
        self.expressions: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.taken: set[str] = set()
        self.needed: set[str] = set()
        self.closed = {c: r for c in self.main.names if (r := self.closed_reason(self.name, c))}
        self.known = {c: e for c, e in spec.known.items() if e not in ("before", "after") and c not in self.closed}

    def spec(self, table: str) -> TableSpec:
        return self.declaration.tables.get(table) or TableSpec()

    def plan(self) -> FeaturePlan:
        self.main_features()
        for name in self.tables:
            if name != self.name:
                self.join(name)
        for name, expression in self.declaration.features.items():
            self.expert(name, expression)
        if not self.features:
            reasons = "; ".join(f"{c}: {r}" for c, r in list(self.left_out.items())[:5])
            raise DataError(
                f"no feature is left ({reasons or 'the table has no columns'})",
                "at least one usable column",
                "look at the columns left out",
            )
        if self.decision:
            self.use(self.decision, "decision_time")
        for name in self.main.names:
            if name in self.needed and name in self.known:
                self.use(self.known[name], f"tables.{self.name}.known.{name}")
        inputs = tuple(
            InputColumn(c.name, c.type, str(self.main.data.column(c.name).type), self.known.get(c.name))
            for c in self.main.columns
            if c.name in self.needed
        )
        return FeaturePlan(
            self.name, inputs, tuple(self.features), tuple(self.joins), self.expressions, self.decision, self.left_out
        )

    def use(self, expression: str, purpose: str) -> None:
        """Check an expression of a moment over the main table, and note what it reads: any column but late ones."""
        late = [c for c in sql.columns_in(expression, self.main.names) if c in self.closed]
        open_columns = [n for n in self.main.names if n not in self.closed]
        if expression not in open_columns:
            try:
                sql.evaluate(expression, _empty(self.main, open_columns), purpose=purpose)
            except DeclarationError:
                if not late:
                    raise
                raise DeclarationError(
                    f"{purpose}: {expression!r} uses {late[0]!r}: {self.closed[late[0]]}",
                    "columns known at the decision",
                    "write it without that column",
                ) from None
        self.needed.update(sql.columns_in(expression, open_columns))

    def closed_reason(self, table: str, column: str) -> str:
        """Why nothing may touch the column, or an empty string."""
        spec = self.spec(table)
        if column in self.exclude.get(table, {}):
            return self.exclude[table][column]
        known = spec.known.get(column, "before")
        if known == "after":
            return "declared as known only after the decision"
        if known != "before" and not self.decision:
            return "it has a moment at which it is known, but no decision time is declared to compare it with"
        return ""

    def reason(self, table: str, column: str, kind: ColumnType) -> str:
        """Why the column does not become a feature, or an empty string."""
        spec = self.spec(table)
        if closed := self.closed_reason(table, column):
            return closed
        if column in spec.ignore:
            return "declared to be ignored"
        if column in spec.ids:
            return "declared as an identifier"
        if column in self.identifiers.get(table, {}):
            return self.identifiers[table][column]
        if spec.key == [column]:
            return "the key of its table: it names a row"
        if kind == "other":
            return "its values are of a type that is not used as a feature"
        return ""

    def add(
        self,
        name: str,
        type_: FeatureType,
        builder: str,
        table: str,
        column: str,
        *,
        part: str = "",
        origin: Iterable[str] = (),
    ) -> None:
        fresh, number = name, 2
        while fresh in self.taken:
            fresh, number = f"{name} ({number})", number + 1
        self.taken.add(fresh)
        where = tuple(origin) or (f"{table}.{column}",)
        self.features.append(PlannedFeature(fresh, type_, builder, table, column, where, part))  # type: ignore[arg-type]

    def add_column(self, table: str, column: str, kind: ColumnType, label: str) -> None:
        """The features of one raw column, by its type."""
        if kind in ("number", "boolean"):
            self.add(label, "number", "column", table, column)
        elif kind == "category":
            self.add(label, "category", "column", table, column)
        elif kind == "text":
            self.add(label, "text", "column", table, column)
        else:
            dated = only_dates(self.tables[table].data.column(column))
            if dated:
                self.left_out[f"{label} ({', '.join(OF_THE_DAY)})"] = "every time is midnight: it holds dates"
            for part in CALENDAR:
                if not (dated and part in OF_THE_DAY):
                    self.add(f"{label} ({part})", "number", "calendar", table, column, part=part)
            if self.decision and not (table == self.name and column == self.decision):
                self.add(f"{label} (hours from the decision)", "number", "to decision", table, column)
            elif not self.decision:
                # Trees cannot go beyond the times they have seen: absolute time only where no time order is declared.
                self.add(f"{label} (days)", "number", "absolute time", table, column)

    def main_features(self) -> None:
        for column in self.main.columns:
            if reason := self.reason(self.name, column.name, column.type):
                self.left_out[f"{self.name}.{column.name}"] = reason
                continue
            self.needed.add(column.name)
            self.add_column(self.name, column.name, column.type, column.name)

    def join(self, name: str) -> None:
        table, spec = self.tables[name], self.spec(name)
        if spec.join is None:
            self.left_out.update(
                {f"{name}.{c}": f"table {name} declares no join with {self.name}" for c in table.names}
            )
            return
        for here, there in spec.join.on.items():
            self.main.type_of(here)
            table.type_of(there)
            if closed := self.closed.get(here) or self.closed_reason(name, there):
                self.left_out.update(
                    {f"{name}.{c}": f"joined by {here}, which is left out: {closed}" for c in table.names}
                )
                return
        keys = set(spec.join.on.values())
        columns, late = [], [c for c in table.names if self.closed_reason(name, c)]
        for column in table.columns:
            reason = self.reason(name, column.name, column.type)
            if not reason and column.name in keys:
                reason = f"the key of the join: it equals the column of {self.name}"
            if not reason and column.name == spec.time:
                reason = "when its row happened: the age of the fact says it"
            if reason:
                self.left_out[f"{name}.{column.name}"] = reason
                continue
            known = spec.known.get(column.name, "before")
            columns.append(
                InputColumn(
                    column.name,
                    column.type,
                    str(table.data.column(column.name).type),
                    None if known == "before" else known,
                )
            )
        for expression in [*([spec.time] if spec.time else []), *(c.known for c in columns if c.known)]:
            self.check_moment(expression, table, late)
        as_of = spec.time is not None or any(c.known for c in columns)
        if as_of and not self.decision:
            raise DeclarationError(
                f"table {name!r} is joined as of a time, but there is no moment of decision",
                "task.decision_time, or a time of the main table",
                'declare decision_time, for example "due - 2 hours"',
            )
        self.refuse_own_row(name, spec)
        tolerance = seconds_of(spec.join.tolerance) if spec.join.tolerance else None
        delay = seconds_of(spec.delay)
        windows = tuple((w, None if w == ALL else seconds_of(w)) for w in spec.join.windows)
        over = self.aggregated(name, spec, columns, windows)
        self.joins.append(
            PlannedJoin(
                name,
                tuple(spec.join.on.items()),
                tuple(columns),
                spec.time,
                delay,
                tolerance,
                windows,
                tuple(spec.join.aggregate) if windows else (),
                over,
            )
        )
        self.needed.update(spec.join.on)
        for kept in columns:
            self.add_column(name, kept.name, kept.type, f"{name}.{kept.name}")
        if spec.time is not None:
            origin = [f"{name}.{c}" for c in sql.columns_in(spec.time, table.names)]
            self.add(f"{name} (age in hours)", "number", "age of the fact", name, spec.time, origin=origin)
        for window, _ in windows:
            for aggregate in spec.join.aggregate:
                label = "so far" if window == ALL else window
                if aggregate in OF_ROWS:
                    made, origin = ("rows" if aggregate == "count" else "hours since the last"), [f"{name}.{spec.time}"]
                    self.add_window(f"{name} ({made}, {label})", name, "", aggregate, window, origin)
                    continue
                for aggregated in over:
                    title = f"{name}.{aggregated} ({aggregate}, {label})"
                    self.add_window(title, name, aggregated, aggregate, window, [f"{name}.{aggregated}"])

    def add_window(
        self, title: str, table: str, column: str, aggregate: str, window: str, origin: Iterable[str]
    ) -> None:
        """One aggregate of a window."""
        self.add(title, "number", "window", table, column, part=aggregate, origin=origin)
        self.features[-1] = replace(self.features[-1], window=window)

    def aggregated(
        self, name: str, spec: TableSpec, columns: list[InputColumn], windows: tuple[tuple[str, float | None], ...]
    ) -> tuple[str, ...]:
        """The columns that windows aggregate: those declared, or every usable number; refused where windows mean nothing."""
        assert spec.join is not None
        numbers = tuple(c.name for c in columns if c.type in ("number", "boolean"))
        for wanted in spec.join.over:
            if wanted in numbers:
                continue
            why = self.left_out.get(f"{name}.{wanted}") or f"it is of type {self.tables[name].type_of(wanted)}"
            raise DeclarationError(
                f"tables.{name}.join.over names {wanted!r}, which cannot be aggregated: {why}",
                "numbers that are known: " + ", ".join(numbers[:12]),
                did_you_mean(wanted, numbers) or "take it out",
            )
        if not windows:
            if spec.join.over:
                raise DeclarationError(
                    f"tables.{name}.join.over without windows",
                    "the windows to aggregate over",
                    'add windows = ["7 days"]',
                )
            return ()
        if spec.time is None:
            raise DeclarationError(
                f"tables.{name}.join.windows without a time",
                f"when a row of {name} is known",
                f"declare tables.{name}.time, or take windows out",
            )
        delay = seconds_of(spec.delay)
        for label, seconds in windows:
            if seconds is not None and seconds <= delay:
                raise DeclarationError(
                    f"tables.{name}: the window of {label} is not longer than the delay of {spec.delay}",
                    "a window that facts can be known in",
                    "declare a longer window",
                )
        return tuple(spec.join.over) or numbers

    def refuse_own_row(self, name: str, spec: TableSpec) -> None:
        """The main table's own past, its facts declared as known by the row's own decision: each row would see its outcome."""
        table = self.tables[name]
        if spec.time is None or self.decision is None or not _same_rows(table, self.main):
            return
        moments = Expressions()
        purpose = f"the time of table {name!r}"
        happened = moments.moments(spec.time, table.data, purpose=purpose)
        decision = moments.moments(self.decision, table.data, purpose="decision_time")
        known = happened + round(seconds_of(spec.delay) * 1e6)
        own = int(((happened != NEVER) & (decision != NEVER) & (known <= decision)).sum())
        if own:
            raise DeclarationError(
                f"table {name!r} is the main table's own past, and {own:,} of its rows are declared as known at the moment of "
                "their own decision",
                "when a row's facts are known, so that no row sees its own outcome",
                f"declare tables.{name}.time as the moment of the outcome, or a longer delay",
            )

    def check_moment(self, expression: str, table: Table, late: list[str]) -> None:
        if expression in table.names and expression not in late:
            return
        sql.evaluate(expression, _empty(table, table.names), purpose=f"the time of table {table.name!r}")

    def expert(self, name: str, expression: str) -> None:
        purpose = f"features.{name}"
        if (
            _NOT_STATELESS.search(re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", " ", expression))
            and expression not in self.main.names
        ):
            raise DeclarationError(
                f"{purpose}: {expression!r} gives something else each time it is asked",
                "an expression over one row",
                "use the decision time instead of the clock",
            )
        used = sql.columns_in(expression, self.main.names)
        late = [c for c in used if c in self.closed]
        open_columns = [n for n in self.main.names if n not in self.closed]
        empty = _empty(self.main, open_columns)
        try:
            column = (
                empty.column(expression)
                if expression in open_columns
                else sql.evaluate(expression, empty, purpose=purpose)
            )
        except DeclarationError:
            if not late:
                raise
            self.left_out[purpose] = f"it uses {late[0]}: {self.closed[late[0]]}"
            return
        used = tuple(c for c in used if c not in self.closed)
        if not used:
            raise DeclarationError(
                f"{purpose}: {expression!r} uses no column",
                f"an expression over the columns of {self.name}",
                "name a column",
            )
        data, notes = normalise(pa.table({"v": column}))
        kind = infer_type(data.column("v"))
        if notes:
            raise DeclarationError(
                f"{purpose}: {expression!r} gives {column.type}",
                "a number, a truth value, text or a time",
                "for a difference of times use date_diff('hour', a, b)",
            )
        self.expressions[name] = expression
        self.needed.update(used)
        origin = [f"{self.name}.{c}" for c in used]
        if kind == "datetime":
            for part in CALENDAR:
                self.add(f"{name} ({part})", "number", "expression", self.name, name, part=part, origin=origin)
        else:
            self.add(name, "category" if kind == "category" else "number", "expression", self.name, name, origin=origin)


def _same_rows(one: Table, two: Table) -> bool:
    """Whether two tables hold the same rows, in whatever order: the same columns, each with the same values as often."""
    if one.names != two.names or one.rows != two.rows or one.rows == 0:
        return False
    for name in one.names:
        a, b = one.data.column(name), two.data.column(name)
        if a.type != b.type or a.null_count != b.null_count:
            return False
        if not a.take(pc.array_sort_indices(a)).equals(b.take(pc.array_sort_indices(b))):
            return False
    return True


def _empty(table: Table, names: Iterable[str]) -> pa.Table:
    return table.data.select(list(names)).slice(0, 0)
