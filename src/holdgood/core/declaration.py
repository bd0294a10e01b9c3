"""The declaration: what the user says once, in ``holdgood.toml`` or as these objects. Everything but a table has a default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from holdgood.core.budget import Budget, seconds_of
from holdgood.core.declared_forecast import ForecastSpec as ForecastSpec
from holdgood.core.declared_orders import OrdersSpec as OrdersSpec
from holdgood.core.declared_tables import Aggregate as Aggregate
from holdgood.core.declared_tables import JoinSpec as JoinSpec
from holdgood.core.declared_tables import Section as Section
from holdgood.core.declared_tables import TableSpec as TableSpec
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.settings import checked, toml_of

FILE_NAME = "holdgood.toml"


class TaskSpec(Section):
    """What is asked."""

    table: str | None = Field(None, description="the main table: one row a decision; default: the first one")
    target: str = Field(
        "", description="a column, or an SQL expression such as hours_late > 3; rows where it is NULL have no outcome"
    )
    kind: Literal["auto", "binary", "multiclass", "regression", "forecast", "failure"] = Field(
        "auto", description="what kind of answer; `auto` reads it from the target"
    )
    positive: bool | int | float | str | None = Field(None, description="the class that is worth finding (binary)")
    decision_time: str | None = Field(
        None, description="SQL expression over the main table: when the decision is taken"
    )
    metric: str | None = Field(
        None,
        description="what candidates are compared by; default log_loss or rmse; or a function of the project's own as "
        '"module:function", with its hash under [code]',
    )
    higher_is_better: bool | None = Field(None, description="the direction of a metric of your own")
    on_metric_error: Literal["stop", "default"] = Field(
        "stop", description="where a metric of your own cannot score the prior: stop, or go on with the default metric"
    )
    weight: str | None = Field(
        None,
        description="how much a row counts: a column (which is then no feature) or an SQL expression; zero leaves the row out",
    )
    class_weight: Literal["balanced"] | dict[str, float] | None = Field(
        None, description='how much rows of a class count in fits and scores, never in money: "balanced", or by class'
    )
    interval: float | None = Field(
        None,
        gt=0.5,
        lt=1,
        description="share of outcomes that a prediction's interval should hold (regression), e.g. 0.9",
    )
    quantiles: list[float] = Field(
        default_factory=list,
        description="levels of the quantiles that come with each prediction (regression), e.g. [0.1, 0.5, 0.9]",
    )
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(
        default_factory=dict,
        description="number columns with which predictions may only rise, or only fall; families that cannot are left out",
    )
    question: str = Field("", description="the question in one sentence, for the report")

    @field_validator("quantiles")
    @classmethod
    def _levels(cls, value: list[float]) -> list[float]:
        if not all(0 < q < 1 for q in value) or sorted(set(value)) != value:
            raise ValueError(f"levels between 0 and 1, each once and rising, got {value}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _older(cls, value: Any) -> Any:
        """Declarations in older bundles have two empty fields here that stand under [forecast] now."""
        if isinstance(value, Mapping):
            return {k: v for k, v in value.items() if k not in ("horizon", "frequency") or v is not None}
        return value


class Costs(Section):
    """Money per outcome. Undeclared amounts are shown as ASSUMED, with the break-even ratio instead of savings.

    Binary: ``miss`` (a positive that was not warned of), ``false_alarm`` (a warning for nothing), ``hit`` and ``quiet``
    for right answers (default 0). Multiclass: ``matrix[truth][answer]``. Regression: ``over`` and ``under`` per unit.
    """

    currency: str = Field("", description="shown beside every amount, for example `EUR`")
    miss: float | None = Field(None, description="cost of a positive that was not warned of (binary)")
    false_alarm: float | None = Field(None, description="cost of a warning for nothing (binary)")
    hit: float = Field(0.0, description="cost of a positive that was warned of; negative is a gain")
    quiet: float = Field(0.0, description="cost of a negative that was left alone; negative is a gain")
    matrix: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="`matrix[truth][answer]` (multiclass)"
    )
    over: float | None = Field(None, description="cost of one unit too much (regression)")
    under: float | None = Field(None, description="cost of one unit too little (regression)")
    per: str = Field("row", description='what one row is, for sentences: "flight", "order"')
    capacity: int | None = Field(None, ge=0, description="rows that can be acted on a day, at most (binary)")
    function: str | None = Field(
        None,
        description='what an answer costs on a row, by a function of the project\'s own: "module:function", hash under [code]',
    )

    @property
    def declared(self) -> bool:
        """Whether the user gave amounts of money."""
        return (
            (self.miss is not None and self.false_alarm is not None)
            or bool(self.matrix)
            or self.function is not None
            or (self.over is not None and self.under is not None)
        )

    @model_validator(mode="after")
    def _both(self) -> Costs:
        if (self.miss is None) != (self.false_alarm is None):
            raise ValueError("declare both `miss` and `false_alarm`, or neither")
        if self.function is not None and (self.miss is not None or self.matrix or self.over is not None):
            raise ValueError("`function` says what everything costs: take the other amounts away")
        if (self.over is None) != (self.under is None):
            raise ValueError("declare both `over` and `under`, or neither")
        for name in ("miss", "false_alarm", "over", "under"):
            amount = getattr(self, name)
            if amount is not None and not (0 <= amount < float("inf")):
                raise ValueError(f"`{name}` must be a finite amount of zero or more, got {amount}")
        return self


class People(Section):
    """Who is affected, and how they could be harmed. Goes into the card; its absence keeps a gate open."""

    affected: list[str] = Field(default_factory=list, description="who is affected by the decisions")
    harms: list[str] = Field(default_factory=list, description="how they could be harmed")
    contact: str = Field("", description="whom they can ask")


class FairnessSpec(Section):
    """The groups to be fair to: people, or sites, shifts, suppliers, small customers."""

    groups: list[str] = Field(
        default_factory=list, description="columns of the main table (or joined ones as table.column)"
    )
    min_rows: int = Field(100, ge=10, description="smaller groups are reported as 'cannot tell'")
    min_positives: int = Field(
        20, ge=1, description="groups with fewer positives, or fewer negatives, are reported as 'cannot tell'"
    )
    max_gap: float = Field(0.1, gt=0, le=1, description="largest gap that is still acceptable")
    measure: Literal["selection_rate", "true_positive_rate", "false_positive_rate", "accuracy", "error"] | None = Field(
        None, description="the measure that the gate looks at; default by kind of task"
    )


class SplitSpec(Section):
    """How rows are divided. ``auto``: time where the main table has a time, group where `by` is given, else stratified."""

    kind: Literal["auto", "random", "stratified", "group", "time"] = Field(
        "auto",
        description="how rows are divided; `auto`: time where the main table has a time, group where `by` is given, "
        "else stratified",
    )
    holdout: float | Literal["none"] | None = Field(
        None,
        description='share of rows, default 0.25; "none": every row is learned from, and outer folds judge the procedure',
    )
    cutoff: str | None = Field(None, description="time split: the holdout begins here")
    end: str | None = Field(None, description="time split: rows from here on are not used at all")
    by: list[str] = Field(default_factory=list, description="columns whose values stay together")
    gap: str = Field("0s", description="embargo between development and holdout, and between folds")
    outcome_after: str = Field(
        "0s",
        description="how long after a row's time its outcome is settled; rows whose outcome came too late to learn from "
        "before the holdout, or a validation block, leave training",
    )
    validation: Literal["auto", "random", "stratified", "group", "time", "purged"] = Field(
        "auto",
        description="folds within development; `auto`: as the holdout was divided; `time`: from each stretch to the next; "
        "`purged`: blocks of time, learned from both sides less what overlaps",
    )
    embargo: str = Field("0s", description="purged folds: rows so long after a validation block do not train for it")
    folds: int | None = Field(None, ge=2, le=20, description="folds within development; default by size")
    repeats: int | None = Field(
        None,
        ge=1,
        le=20,
        description="how many times development rows are divided into folds, each time anew, as far as the budget allows; "
        "default by size, from 5 below 1,000 rows to 1 from 20,000",
    )
    outer: int = Field(5, ge=2, le=20, description='outer folds where `holdout = "none"`')

    @field_validator("gap", "outcome_after", "embargo")
    @classmethod
    def _duration(cls, value: str) -> str:
        seconds_of(value)
        return value

    @field_validator("holdout")
    @classmethod
    def _share(cls, value: float | str | None) -> float | str | None:
        if isinstance(value, float) and not 0 < value < 0.9:
            raise ValueError(f'a share between 0 and 0.9, or "none", got {value:g}')
        return value

    @model_validator(mode="after")
    def _no_cutoff_without_holdout(self) -> SplitSpec:
        if self.holdout == "none" and self.cutoff is not None:
            raise ValueError('`holdout = "none"` has no `cutoff`: declare one of the two')
        return self


class BudgetSpec(Section):
    """What may be spent. ``run``: from call to return, the report included; or ``trials`` for a run that replays to the bit."""

    run: str | None = Field(None, description='wall clock, for example "5 min"')
    trials: int | None = Field(None, ge=1, description="work units instead of seconds: such a run replays to the bit")
    workers: int | None = Field(None, ge=1, description="processes; default one a core")
    seed: int = Field(0, ge=0, description="the one source of chance")
    prefer: Literal["simple", "balanced", "best"] = Field(
        "balanced",
        description="`simple`: the lowest rung that is not proven worse; `balanced`: the highest that is worth its cost; "
        "`best`: the lowest loss; on tables an ensemble where nothing is proven better than it",
    )
    models: list[str] = Field(default_factory=list, description="families to try; default all that are installed")
    max_latency_ms: float | None = Field(
        None,
        gt=0,
        description="the model alone, one row; kept by every choice (under `trials` no clock is looked at). `balanced` aims "
        "at 0.3 where nothing is said",
    )
    max_size_mb: float | None = Field(
        None,
        gt=0,
        description="the model on disk; kept by every choice. `balanced` aims at 20 where nothing is said",
    )

    def budget(self, default: str = "180s") -> Budget:
        """The budget as an object."""
        return Budget(trials=self.trials) if self.trials else Budget.parse(self.run, default)

    @field_validator("run")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None:
            Budget.parse(value)
        return value


class MemorySpec(Section):
    """Lessons of earlier trainings. They say what is tried first, and change nothing else."""

    use: bool = Field(True, description="search lessons of similar data before training, and write one after it")
    lessons: str | None = Field(
        None,
        description="another folder of lessons to search too; or the `lessons.json` of a run, to begin from exactly those",
    )


class WatchSpec(Section):
    """What a bundle carries so that it can be watched in use."""

    rows: int = Field(
        10_000,
        ge=0,
        le=100_000,
        description="coarse development rows kept in the bundle (no value that fewer than ten rows share); 0: none, "
        "then `holdgood watch --reference` needs a file",
    )


class RepairSpec(Section):
    """One declared repair, applied left of the wall, in order."""

    repair: str = Field(description="a name from the list of repairs")
    table: str | None = Field(None, description="where; default the main table")
    columns: list[str] = Field(default_factory=list, description="the columns it may change")
    parameters: dict[str, Any] = Field(default_factory=dict, description="what the repair asks for")
    why: str = Field("", description="the reason, for the clean log")


class ReferenceSpec(Section):
    """A population that a table should stand for: shares that are known, or another table that has them."""

    columns: list[str] = Field(description="columns of the table whose values make the groups")
    table: str | None = Field(None, description="the table that should stand for the population; default the main one")
    shares: dict[str, float] = Field(
        default_factory=dict,
        description="share of each group in the population; several columns' values joined by ` / `",
    )
    by: str | None = Field(
        None, description="another declared table that is the population: one row a member, or with `weight`"
    )
    weight: str | None = Field(None, description="column of that table that counts the members behind a row")
    margin: float = Field(
        0.05, gt=0, lt=1, description="how exactly a rate within a group should be known (half a 95% interval)"
    )

    @model_validator(mode="after")
    def _one_source(self) -> ReferenceSpec:
        if bool(self.shares) == (self.by is not None):
            raise ValueError("give `shares` or `by`, one of the two")
        if any(not 0 <= s <= 1 for s in self.shares.values()):
            raise ValueError("`shares` lie between 0 and 1")
        if not self.columns:
            raise ValueError("`columns` names at least one column")
        return self


class IgnoreSpec(Section):
    """A finding that somebody decided about, with name and reason: *accept* (true, we live with it) or *ignore* (not so)."""

    code: str = Field(description="the check's code")
    who: str = Field(description="who decided")
    why: str = Field(description="and why")
    columns: list[str] = Field(default_factory=list, description="only for these; default all")
    table: str | None = Field(None, description="only for this table; default all")
    decision: Literal["accept", "ignore"] = Field(
        "ignore", description="`accept`: it is true and we live with it; `ignore`: it is not so"
    )
    on: str = Field("", description="the day of the decision, YYYY-MM-DD")


class AuditSpec(Section):
    """What the audit should leave alone, and whether late facts that it finds are kept out of the features."""

    ignore: list[IgnoreSpec] = Field(default_factory=list, description="checks to leave out, each with name and reason")
    reference: list[ReferenceSpec] = Field(default_factory=list, description="populations that tables should stand for")
    use: str | None = Field(
        None, description="a declared table with rows such as the model will meet, to see whether the data cover them"
    )
    exclude_late: bool = Field(
        True, description="columns that the audit proves to be known too late never become features"
    )


class GateSpec(Section):
    """What must hold before release. A gate without its number uses the default in brackets."""

    beats_prior: bool = Field(True, description="the model must be proven better than the prior on the holdout")
    max_calibration_error: float | None = Field(
        0.1, gt=0, le=1, description="largest gap between stated and observed chances, the whole interval"
    )
    min_metric: float | None = Field(
        None, description="the declared metric must reach this, at the near end of its interval"
    )
    max_latency_ms: float | None = Field(
        50.0, gt=0, description="features and model for one row, at the 95th percentile"
    )
    max_size_mb: float | None = Field(200.0, gt=0, description="model files on disk, in megabytes")
    fairness: bool = Field(True, description="no proven gap above `fairness.max_gap`")
    no_late_facts: bool = Field(True, description="no feature that is known only after the decision")
    signed_by: str = Field("", description="who signed the release checklist; empty keeps the gate open")


class Declaration(Section):
    """The whole of what is declared."""

    version: Literal[1] = Field(1, description="of the declaration's format")
    name: str = Field("project", description="of the project, for reports and bundles")
    tables: dict[str, TableSpec] = Field(
        default_factory=dict, description="the tables by name, the main one among them"
    )
    task: TaskSpec = Field(TaskSpec(), description="what is asked")
    forecast: ForecastSpec = Field(ForecastSpec(), description="the main table as a panel of time series")
    orders: OrdersSpec = Field(OrdersSpec(), description="what to order: state, terms, constraints")
    costs: Costs = Field(Costs(), description="what right and wrong cost, in money")
    people: People = Field(People(), description="who is affected, and how they could be harmed")
    fairness: FairnessSpec = Field(FairnessSpec(), description="the groups to be fair to")
    split: SplitSpec = Field(SplitSpec(), description="how rows are divided into development and holdout")
    budget: BudgetSpec = Field(BudgetSpec(), description="what may be spent")
    memory: MemorySpec = Field(MemorySpec(), description="lessons of earlier trainings")
    watch: WatchSpec = Field(WatchSpec(), description="what a bundle carries to be watched by")
    repairs: list[RepairSpec] = Field(default_factory=list, description="declared repairs, applied in order")
    audit: AuditSpec = Field(AuditSpec(), description="what the audit should leave alone")
    gates: GateSpec = Field(GateSpec(), description="what must hold before release")
    code: dict[str, str] = Field(
        default_factory=dict,
        description='functions of the project\'s own: "module:function" = "sha256:…" of their file',
    )
    features: dict[str, str] = Field(
        default_factory=dict, description="the experts' own: name = SQL expression over the main table"
    )

    @property
    def main(self) -> str:
        """Name of the main table."""
        if self.task.table:
            return self.task.table
        if not self.tables:
            raise DeclarationError(
                "a declaration without tables", "at least one table", "add [tables.NAME] with a source"
            )
        return next(iter(self.tables))

    @property
    def forecasts(self) -> bool:
        """Whether the task is a forecast: said so, or by its horizon."""
        return self.task.kind == "forecast" or (self.task.kind == "auto" and self.forecast.horizon is not None)

    @model_validator(mode="after")
    def _consistent(self) -> Declaration:
        if self.tables and self.task.table and self.task.table not in self.tables:
            raise ValueError(
                f"task.table names {self.task.table!r}; {did_you_mean(self.task.table, self.tables) or 'no such table'}"
            )
        for name, table in self.tables.items():
            if table.join and name == self.main:
                raise ValueError(f"tables.{name} is the main table and cannot join itself")
        return self


def parse(data: Mapping[str, Any], *, where: str = "the declaration") -> Declaration:
    """Check a mapping against the schema; every fault is told in one error, with suggestions.

    >>> parse({"task": {"targett": "y"}})
    Traceback (most recent call last):
    holdgood.core.errors.DeclarationError: the declaration: task.targett: unknown name, did you mean 'target'?
      expected: the names in the reference: docs/reference/declaration
      do this:  correct the lines above; `holdgood init` writes a commented file
    """
    return checked(
        Declaration,
        data,
        where=where,
        expected="the names in the reference: docs/reference/declaration",
        do="correct the lines above; `holdgood init` writes a commented file",
    )


def read(path: Path | str) -> Declaration:
    """Read ``holdgood.toml`` (a file, or the folder that holds it)."""
    file = Path(path)
    if file.is_dir():
        file = file / FILE_NAME
    if not file.exists():
        raise DeclarationError(
            f"no {FILE_NAME} at {file.parent}", "a project folder", "holdgood init TABLE… --target COLUMN"
        )
    return parse(toml_of(file), where=file.name)
