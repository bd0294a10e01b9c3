"""Predict from a bundle alone: the same scores to the bit as the run, one row at a time or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.verdicts import Verdicts
from holdgood.bundle import load
from holdgood.cleaning import installed
from holdgood.connectors import read_table
from holdgood.core.declaration import Declaration, MemorySpec, RepairSpec
from holdgood.core.errors import AbsentTables, BundleError, DataError, did_you_mean
from holdgood.core.frame import Frame
from holdgood.core.protocols import Repair, Scorer
from holdgood.core.records import Bundle, Contract
from holdgood.core.records.contract import OutOfContract
from holdgood.core.records.envelope import unwrap
from holdgood.core.table import ColumnType, FrameKind, Table, give_back
from holdgood.core.task import Task
from holdgood.evaluation import explain_rows
from holdgood.features.background import Background
from holdgood.features.builders.build import Builder
from holdgood.features.builders.plan import FeaturePlan
from holdgood.metrics.band import Band
from holdgood.metrics.capacity import day_of, gain_of_acting, within_capacity
from holdgood.metrics.cost import answers, resolve
from holdgood.training.fitted_band import FittedBand
from holdgood.workflow.blank import missing_in, without
from holdgood.workflow.contract import judge
from holdgood.workflow.mistaken import need_bundle
from holdgood.workflow.repairs import repair
from holdgood.workflow.rows import moments


@dataclass(frozen=True)
class Predictor:
    """A loaded bundle: plan, chain, task, threshold and contract."""

    manifest: Bundle
    task: Task
    declaration: Declaration
    contract: Contract
    plan: FeaturePlan
    chain: Scorer
    background: Background
    threshold: float
    class_weight: np.ndarray | None = None
    average_costs: np.ndarray | None = None
    band: Band | FittedBand | None = None
    outcome: Mapping[str, ColumnType] = field(default_factory=dict)
    """The columns that the target is computed from, with their types; empty where an earlier release made the bundle."""
    blanks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By table the columns in which the model learned an empty text as a value of its own; in all others it is missing."""
    _builders: list[tuple[tuple[Table, ...], Builder]] = field(default_factory=list, repr=False)

    @classmethod
    def load(cls, folder: Path | str) -> Predictor:
        """Verify a bundle, then load it. Accepts a bundle, or a run folder that holds one."""
        path = Path(folder)
        need_bundle(path)
        if not (path / "manifest.json").exists() and (path / "bundle" / "manifest.json").exists():
            path = path / "bundle"
        loaded = load(path)
        if loaded.task.kind == "forecast":
            raise BundleError(
                f"{folder} forecasts series and scores no rows",
                "a bundle of a run that predicts rows",
                f"holdgood forecast {folder} HISTORY",
            )
        plan, chain, background = (loaded.parts.get(n) for n in ("plan", "chain", "background"))
        if not (isinstance(plan, FeaturePlan) and isinstance(chain, Scorer) and isinstance(background, Background)):
            raise BundleError(f"{path.name} holds no model", "a bundle made by a run", "point at runs/NNNN/bundle")
        threshold, tilt = loaded.extra.get("threshold"), loaded.extra.get("class_weight")
        if tilt is not None and not (len(tilt) == loaded.task.n_classes and all(float(w) > 0 for w in tilt)):
            raise BundleError(f"weights of {len(tilt)} classes", "one above zero a class", "the bundle is damaged")
        amounts, k = loaded.extra.get("average_costs"), loaded.task.n_classes
        average = None if amounts is None else np.array(amounts, np.float64)
        if average is not None and not (average.shape == (k, k) and np.isfinite(average).all()):
            raise BundleError(
                "average costs that do not fit the classes", f"{k} x {k} amounts", "the bundle is damaged"
            )
        return cls(
            manifest=loaded.manifest,
            task=loaded.task,
            declaration=Declaration.model_validate(loaded.extra["declaration"]),
            contract=unwrap(loaded.records["contract"], Contract, where="contract.json"),
            plan=plan,
            chain=chain,
            background=background,
            threshold=float("nan") if threshold is None else float(threshold),
            class_weight=None if tilt is None else np.asarray(tilt, np.float64),
            average_costs=average,
            band=_band(loaded.parts.get("band"), loaded.extra.get("band")),
            outcome=dict(loaded.extra.get("outcome") or {}),
            blanks=dict(loaded.extra.get("blanks") or {}),
        )

    def frame(self, rows: Table, others: Mapping[str, Table]) -> Frame:
        """Features of some rows, as known at their moment of decision."""
        absent = [t.name for t in self.contract.tables if t.name != self.declaration.main and t.name not in others]
        if absent:
            raise AbsentTables(
                f"the model joins {', '.join(absent)}, which is not given",
                "every table that the features come from",
                "add " + " ".join(f"--table {n}=FILE" for n in absent),
            )
        times = None
        expression = self.plan.decision
        if expression in rows.names and rows.type_of(str(expression)) == "number":
            # a plain number orders rows as a date does; the builder takes dates only
            times = moments(str(expression), rows, purpose="the decision time")
        return self._builder(others).build(rows, times)[0]

    def _builder(self, others: Mapping[str, Table]) -> Builder:
        """The builder for these reference tables; the last one is kept, so that row after row is quick."""
        given = tuple(others.values())
        kept = self._builders[0] if self._builders else None
        if kept is None or [id(t) for t in kept[0]] != [id(t) for t in given]:
            kept = (given, Builder(self.plan, others))
            self._builders[:] = [kept]
        return kept[1]  # not what is kept: another thread may have put in one with tables of its own

    def predict(self, rows: Table, others: Mapping[str, Table] | None = None) -> np.ndarray:
        """Predictions in the shapes of Task."""
        return self.chain.predict(self.frame(rows, others or {}))

    def scored(self, rows: Table, others: Mapping[str, Table] | None = None) -> tuple[np.ndarray, Frame]:
        """Predictions, and the facts that they were made of: a fitted band asks for both."""
        frame = self.frame(rows, others or {})
        return self.chain.predict(frame), frame

    def beside(self, prediction: np.ndarray, frame: Frame | None = None) -> dict[str, np.ndarray]:
        """What stands beside each prediction of an amount: ends of intervals, quantiles. ``frame``: as ``scored`` gives it."""
        return {} if self.band is None else self.band.beside(prediction, frame)

    def answers(self, prediction: np.ndarray) -> np.ndarray:
        """What to do: the class or the amount, at the threshold chosen in development."""
        codes = self.codes(prediction)
        if self.task.kind == "regression":
            return codes
        return np.array([self.task.classes[int(c)] for c in codes], dtype=object)

    def codes(self, prediction: np.ndarray) -> np.ndarray:
        """The same as class codes (an amount stays an amount)."""
        if self.band is not None:
            return self.band.answer(prediction)
        costs = resolve(self.declaration.costs, self.task, self.class_weight, self.average_costs)
        return answers(costs, prediction, self.threshold)

    def within_capacity(self, rows: Table, prediction: np.ndarray, able: np.ndarray) -> np.ndarray:
        """Binary: which rows are acted on within the declared capacity a day (UTC), (n,) bool; ``able`` (n,): rows that may be."""
        costs = resolve(self.declaration.costs, self.task, self.class_weight, self.average_costs)
        if costs.capacity is None:
            return able & (answers(costs, prediction, self.threshold) == 1)
        deserve, gain, day = self.deserving(rows, prediction, able)
        return within_capacity(gain, day, costs.capacity, deserve)

    def deserving(
        self, rows: Table, prediction: np.ndarray, able: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Binary, with a capacity: which rows deserve action, what acting on each gains, and its day (UTC); each (n,)."""
        costs = resolve(self.declaration.costs, self.task, self.class_weight, self.average_costs)
        assert costs.capacity is not None
        when = self.day
        time = moments(when, rows, purpose="the day of a capacity") if when else None
        deserve = able & (answers(costs, prediction, self.threshold) == 1)
        return deserve, gain_of_acting(costs, prediction), day_of(time, costs.capacity)

    @property
    def day(self) -> str | None:
        """The expression that says on which day a row takes a place of a daily capacity."""
        return self.declaration.tables[self.declaration.main].time or self.declaration.task.decision_time

    def table_of(self, source: Any, name: str | None = None, *, base: Path | None = None) -> Table:
        """Read rows for a table of the contract, and repair them as declared."""
        return self.repaired(self.as_read(source, name, base=base))

    def as_read(
        self, source: Any, name: str | None = None, *, base: Path | None = None, texts_stay: bool = False
    ) -> Table:
        """Read rows for a table of the contract as they come: frozen types, checked names, no repair yet.

        An empty text is missing, as in a CSV file, whatever the rows come from, unless the model learned it as a value (``blanks``).
        ``texts_stay``: texts in columns that the contract does not know stay texts, unless a join or a repair may ask for them; to recognise what
        they hold can cost more than all else that is done with a row.
        """
        name = name or self.declaration.main
        rules = next((t for t in self.contract.tables if t.name == name), None)
        options = dict(self.declaration.tables[name].options) if name in self.declaration.tables else {}
        if rules is None:
            known = [t.name for t in self.contract.tables]
            raise DataError(
                f"the model knows no table {name!r}",
                "one of: " + ", ".join(known),
                did_you_mean(name, known) or "take the option out",
            )
        types: dict[str, ColumnType] = {c.name: cast(ColumnType, c.type) for c in rules.columns}
        if texts_stay and isinstance(source, pa.Table) and not self.plan.joins and not self._repairs[0]:
            types |= {f.name: "text" for f in source.schema if f.name not in types and pa.types.is_string(f.type)}
        table = read_table(
            source,
            name=name,
            options=options if _same_kind(source, self.declaration.tables[name].source) else {},
            types=types,
            base=base,
        )
        missing = [c.name for c in rules.columns if c.required and c.name not in table.names]
        if missing:
            hints = [h for h in (did_you_mean(m, table.names) for m in missing) if h]
            raise DataError(
                f"table {name!r} lacks {len(missing)} column{'s' if len(missing) > 1 else ''}: "
                + ", ".join(missing[:8]),
                "the columns that the model was trained on",
                hints[0] if hints else "see the contract: holdgood show contract",
            )
        return without(table, self.blank_is_missing(name))

    def blank_is_missing(self, name: str) -> frozenset[str]:
        """The columns of a table of the contract in which an empty text means missing."""
        if (known := self._blank.get(name)) is None:
            rules = next(t for t in self.contract.tables if t.name == name)
            known = self._blank[name] = missing_in(rules, self.blanks.get(name, ()))
        return known

    @cached_property
    def _blank(self) -> dict[str, frozenset[str]]:
        """What ``blank_is_missing`` found, by table."""
        return {}

    def held(self, how: OutOfContract) -> Predictor:
        """The same model, whose contract is held so; see ``Contract.held``."""
        return self if how == "warn" else replace(self, contract=self.contract.held(how))

    def judge(self, rows: Table) -> Verdicts:
        """The contract's verdict on each row of a table as ``as_read`` gave it."""
        return judge(rows, self.contract)

    def repaired(self, table: Table) -> Table:
        """The declared repairs of one table. A row that is asked about gets an answer: main rows are never removed."""
        specs, available = self._repairs
        for spec in specs:
            if spec.table == table.name:
                time = self.declaration.tables[table.name].time
                after, _, _ = repair(table, spec, available, time)
                table = table if table.name == self.declaration.main and after.rows != table.rows else after
        return table

    @cached_property
    def _repairs(self) -> tuple[list[RepairSpec], Mapping[str, Repair]]:
        """The declared repairs and what does them, looked up once: a row alone would pay for it each time."""
        specs = with_tables(self.declaration)
        return specs, installed() if specs else {}

    def output(
        self,
        rows: Table,
        prediction: np.ndarray,
        kind: FrameKind | None = None,
        verdicts: Verdicts | None = None,
        *,
        start: int = 0,
        frame: Frame | None = None,
    ) -> Any:
        """A frame with the key columns, the prediction and the answer, in the kind that the rows came in.

        With ``verdicts`` also the contract's verdict on each row and why; a row that it refuses gets no answer. Where a capacity a day is
        declared, ``answer`` says what deserves action and ``act`` what is acted on: of a day's rows, those of most expected gain.
        ``start``: the number of the first row, which is shown where no column is a key. ``frame``: the facts that were predicted from,
        as ``scored`` gives them; only a fitted band asks for them.
        """
        spec = self.declaration.tables[self.declaration.main]
        columns: dict[str, Any] = {k: rows.data.column(k) for k in (spec.key or spec.ids) if k in rows.names}
        if not columns:
            columns["row"] = pa.array(np.arange(start, start + rows.rows))
        named = set(columns)
        said = self.answers(prediction)
        if self.task.kind == "binary":
            columns[_free("probability", columns)] = pa.array(prediction)
            columns[_free("answer", columns)] = pa.array(said.tolist())
            if self.declaration.costs.capacity is not None:
                able = np.ones(rows.rows, bool) if verdicts is None else ~np.asarray(verdicts.refused)
                columns[_free("act", columns)] = pa.array(self.within_capacity(rows, prediction, able))
        elif self.task.kind == "multiclass":
            for k, label in enumerate(self.task.classes):
                columns[_free(f"probability_{label}", columns)] = pa.array(np.ascontiguousarray(prediction[:, k]))
            columns[_free("answer", columns)] = pa.array(said.tolist())
        else:
            columns[_free("prediction", columns)] = pa.array(prediction)
            for name, values in self.beside(prediction, frame).items():
                columns[_free(name, columns)] = pa.array(values)
            if self.band is not None and self.band.shift:
                columns[_free("answer", columns)] = pa.array(said)
        if verdicts is not None:
            refused = pa.array(verdicts.refused)
            for name in [n for n in columns if n not in named]:
                columns[name] = pc.if_else(refused, pa.scalar(None, columns[name].type), columns[name])
            columns[_free("verdict", columns)] = pa.array(verdicts.words.tolist(), pa.string())
            columns[_free("why", columns)] = pa.array(verdicts.reasons().tolist(), pa.string())
        return give_back(pa.table(columns), kind or rows.native)

    def explain(
        self, rows: Table, others: Mapping[str, Table] | None = None, *, top: int = 5
    ) -> list[list[tuple[str, float]]]:
        """Per row the facts that move its prediction most, against typical values. Not additive; see the reference."""
        return explain_rows(
            self.chain.predict, self.frame(rows, others or {}), self.background.frame, self.task, top=top
        )


def _band(fitted: Any, kept: Mapping[str, Any] | None) -> Band | FittedBand | None:
    """The fitted band, where the bundle has one; else the residual band, as in bundles of earlier releases."""
    if fitted is not None and not isinstance(fitted, FittedBand):
        raise BundleError("a band that is none", "quantiles by level", "the bundle is damaged")
    return fitted or (None if kept is None else Band.from_json(kept))


def with_tables(declaration: Declaration) -> list[RepairSpec]:
    """The declared repairs, each with its table (default: the main one)."""
    return [r if r.table else r.model_copy(update={"table": declaration.main}) for r in declaration.repairs]


# What says where rows are, not how they are written; a bundle must not say where its user's rows are.
_PLACES = ("table", "query", "parameters", "columns", "names")


def for_bundle(declaration: Declaration) -> Declaration:
    """What of a declaration travels with a model: no addresses, and of the options only how a file is written."""
    tables = {
        n: t.model_copy(
            update={
                "source": Path(t.source).suffix if "://" not in t.source else "",
                "options": {k: v for k, v in t.options.items() if k not in _PLACES},
            }
        )
        for n, t in declaration.tables.items()
    }
    return declaration.model_copy(update={"tables": tables, "memory": MemorySpec()})


def _same_kind(source: Any, suffix: str) -> bool:
    """Whether a file is written as the training file was, so that its options (delimiter, decimal) hold."""
    return isinstance(source, (str, Path)) and bool(suffix) and Path(str(source)).suffix == suffix


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def parity(
    predictor: Predictor,
    rows: Table,
    others: Mapping[str, Table],
    expected: np.ndarray,
    beside: Mapping[str, np.ndarray] | None = None,
) -> int:
    """How many rows a loaded bundle scores differently from what is expected, to the bit; ``beside``: ends and quantiles too."""
    got, frame = predictor.scored(rows, others)
    if got.shape != expected.shape:
        return len(expected)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    same = same if same.ndim == 1 else same.all(axis=1)
    told = predictor.beside(got, frame) if beside is not None else {}
    for name, values in (beside or {}).items():
        same = same & (told[name] == values) if name in told else np.zeros(len(expected), bool)
    return int((~same).sum())
