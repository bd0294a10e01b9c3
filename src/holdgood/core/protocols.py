"""What a part must be to take a place in the line. Stages meet each other only through these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from holdgood.core.declaration import Declaration, TableSpec
from holdgood.core.frame import Frame, Matrix
from holdgood.core.panel import Future, Panel
from holdgood.core.records.audit import Finding
from holdgood.core.records.cleaning import RepairEntry
from holdgood.core.records.contract import Contract
from holdgood.core.records.monitoring import Alarm
from holdgood.core.table import Table
from holdgood.core.task import Task
from holdgood.core.traffic import Look

Needs: TypeAlias = Literal["codes", "dense", "text"]
Json: TypeAlias = Any
Dimension: TypeAlias = tuple[str, float, float, bool] | Sequence[Json]
"""Where a search may look for one parameter: ``("float" or "int", low, high, log)``, or the choices themselves."""


@dataclass(frozen=True)
class Parts:
    """What a persistable is made of on disk: JSON, arrays (no objects) and native text or binary files of boosters."""

    json: dict[str, Json] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


@runtime_checkable
class Persistable(Protocol):
    """Can be saved without pickle and rebuilt by name. ``part`` is the name under ``holdgood.parts``."""

    part: ClassVar[str]

    def to_parts(self) -> Parts:
        """Everything that is needed to score, and nothing else."""
        ...

    @classmethod
    def from_parts(cls, parts: Parts) -> Persistable:
        """Rebuild. Must not trust sizes: raise BundleError where something does not fit together."""
        ...


@dataclass(frozen=True)
class FitContext:
    """What a fit is told. ``stop_rows``: positions (in the training rows) kept for early stopping, or None.

    ``rounds``: fit exactly that many rounds (a refit); ``seconds``: stop by then if it can be done between rounds.
    ``groups``: a code a training row; rows of one group are not parted where a fit divides its training rows, or None.
    """

    task: Task
    seed: int = 0
    threads: int = 1
    stop_rows: np.ndarray | None = None
    rounds: int | None = None
    seconds: float = float("inf")
    groups: np.ndarray | None = None


class Transformer(Persistable, Protocol):
    """Learns on training rows only, turns a Frame into a Matrix. ``fit_transform`` may encode training rows out of fold."""

    part: ClassVar[str]

    def fit_transform(self, frame: Frame, y: np.ndarray, context: FitContext) -> Matrix:
        """Learn from training rows and return their matrix."""
        ...

    def transform(self, frame: Frame) -> Matrix:
        """Encode rows; each row's result depends on that row alone."""
        ...


class Model(Persistable, Protocol):
    """A learner. After ``fit``: ``rounds`` (boosting rounds used, or None). ``predict``: see Task for shapes; row-independent."""

    part: ClassVar[str]
    rounds: int | None

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Model:
        """Learn. Deterministic in (data, seed, threads)."""
        ...

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values; to the bit the same for a row alone or among others."""
        ...


@runtime_checkable
class Scorer(Persistable, Protocol):
    """Predicts from a Frame: a chain, or an ensemble of chains."""

    part: ClassVar[str]

    def predict(self, frame: Frame) -> np.ndarray:
        """Predictions in the shapes of Task; row-independent to the bit."""
        ...


@dataclass(frozen=True)
class PanelContext:
    """What a forecaster's fit is told. ``horizon``: the steps that will be asked for; ``seconds``: stop by then if it can."""

    horizon: int
    seed: int = 0
    threads: int = 1
    seconds: float = float("inf")


class Forecaster(Persistable, Protocol):
    """Learns from a panel. ``predict`` answers from any later history of the same (or, if global, other) series *without* refitting.

    ``failed``: after a fit, by series id, why a series got the fallback instead (isolated, named, replaced).
    """

    part: ClassVar[str]
    failed: Mapping[str, str]

    def fit(self, panel: Panel, context: PanelContext) -> Forecaster:
        """Learn from history up to the cutoff. Deterministic in (panel, seed, threads)."""
        ...

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """Point forecasts (series, horizon) from the end of each series of ``panel``. Finite wherever a series has an observation."""
        ...


@runtime_checkable
class Distributional(Protocol):
    """A forecaster with a distribution of its own (counts, a network's head); others get paths from backtest errors."""

    def sample(self, panel: Panel, future: Future, samples: int, seed: int) -> np.ndarray:
        """Joint paths (series, samples, horizon)."""
        ...


@runtime_checkable
class Explained(Protocol):
    """A forecaster that looks at more than the series itself, and says what its forecasts are made of."""

    def drivers(self, panel: Panel, future: Future) -> tuple[tuple[str, ...], np.ndarray]:
        """Names of parts and their values (series, horizon, names) in the target's units, which add up to ``predict``."""
        ...


class ForecasterFamily(Protocol):
    """What is registered under ``holdgood.forecasters``: a family, one file each.

    ``local``: each series is fitted by itself (work is divided over series, errors isolated). ``configurations`` lists
    parameter sets suited to the panel, best default first; empty where the family has nothing to offer there (no season,
    no covariates, too short). A family whose library comes with an extra has ``library`` and ``extra``.
    """

    name: ClassVar[str]
    rung: ClassVar[int]
    local: ClassVar[bool]

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Pairs of configuration name and parameters."""
        ...

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh forecaster."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One entry on the ladder: a factory for fresh encoder and model. ``rung`` orders families, simplest is 0.

    ``startup``: seconds that a process spends on its first fit before anything is learned (imports, compilation).
    ``tentative``: its encoder looks for something beside the columns, and says in an attribute ``nothing``, once fitted, why there
    is nothing of it. On the first fold that ends the candidate; on any other, the fold is fitted on the columns alone.
    """

    name: str
    family: str
    rung: int
    needs: Needs
    make_encoder: Callable[[], Transformer]
    make_model: Callable[[], Model]
    parameters: Mapping[str, Json] = field(default_factory=dict)
    startup: float = 0.0
    tentative: bool = False


@dataclass(frozen=True)
class Space:
    """Where a search may look for better parameters of one family.

    ``make(name, parameters)`` gives a candidate; a proposal's values are laid over ``base``, the family's default.
    """

    family: str
    dimensions: Mapping[str, Dimension]
    make: Callable[[str, Mapping[str, Json]], Candidate]
    base: Mapping[str, Json] = field(default_factory=dict)


class ModelFamily(Protocol):
    """What is registered under ``holdgood.models``: a family of candidates, one file each.

    ``needs`` says which encoder the workflow gives; ``configurations`` lists parameter sets, best default first. A family
    with ``monotone = True`` keeps the signs of ``Matrix.monotone``; others are left out where a column is declared so.
    A family whose library comes with an extra also has ``library`` (what is imported) and ``extra`` (what is installed),
    and imports it when it fits: where it is not there, the family is left out with a note.
    A family may also have a static method ``space(task, rows, columns)`` that gives a mapping from names of parameters
    to Dimensions; one without is tried as configured and not searched. ``startup`` may say how many seconds a process spends
    on a first fit before anything is learned. A fitted model may have ``merged(models)``: one
    model that answers with the mean (of raw scores) of several of its kind, or None where they cannot be merged.
    """

    name: ClassVar[str]
    rung: ClassVar[int]
    needs: ClassVar[Needs]
    kinds: ClassVar[tuple[str, ...]]

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """Pairs of configuration name and parameters suited to the size."""
        ...

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh model."""
        ...


Fold: TypeAlias = tuple[np.ndarray, np.ndarray]


class Splitter(Protocol):
    """Divides rows. ``rows`` and positions are integers into the table of development rows."""

    def folds(
        self, n: int, y: np.ndarray, *, time: np.ndarray | None, groups: np.ndarray | None, seed: int
    ) -> Iterator[Fold]:
        """Pairs of (training rows, validation rows)."""
        ...


@dataclass(frozen=True)
class AuditContext:
    """What a check may look at. In the *tables* pass only ``tables``, ``declaration`` and ``contract`` are set.

    In the *target* pass: ``main`` is the development part of the main table, joined facts beside it are not included;
    ``y`` the coded target with NaN where there is no outcome (development rows), ``task`` the task,
    ``decision_time`` microseconds since the epoch a row (int64) or None, ``holdout`` the holdout rows of the main table
    *without the target's columns* (for overlap checks only), ``target_columns`` the columns the target was computed from.
    """

    tables: Mapping[str, Table]
    declaration: Declaration
    main: Table | None = None
    y: np.ndarray | None = None
    task: Task | None = None
    decision_time: np.ndarray | None = None
    holdout: Table | None = None
    target_columns: tuple[str, ...] = ()
    seed: int = 0
    contract: Contract | None = None

    def spec(self, table: str) -> TableSpec:
        """The declaration of one table (an empty one where nothing is declared)."""
        return self.declaration.tables.get(table) or TableSpec()


@runtime_checkable
class Check(Protocol):
    """One thing that can be wrong. Returns findings (empty: passed) or raises NotApplicable with the reason."""

    code: ClassVar[str]
    title: ClassVar[str]
    scope: ClassVar[Literal["tables", "target"]]

    def run(self, context: AuditContext) -> list[Finding]:
        """Look, count, and say what was found."""
        ...


@runtime_checkable
class Repair(Protocol):
    """A declared change of cells, left of the wall: looks at no target, learns nothing, counts what it changed."""

    name: ClassVar[str]
    title: ClassVar[str]

    def apply(self, table: Table, columns: Sequence[str], parameters: Mapping[str, Json]) -> tuple[Table, RepairEntry]:
        """Return the repaired table and what was done. Rows keep their order; row count changes only where it says so."""
        ...


@dataclass(frozen=True)
class Clock:
    """Moments of a reference (n,) and of rows in use (m,), int64 microseconds since the epoch (UTC)."""

    reference: np.ndarray
    current: np.ndarray


@runtime_checkable
class Detector(Protocol):
    """Watches rows in use against a reference; holds its stated false-alarm rate.

    One with ``of = "predictions"`` is given frames of predictions instead of features.
    """

    code: ClassVar[str]
    title: ClassVar[str]

    def look(
        self, reference: Frame, current: Frame, *, alpha: float, seed: int, clock: Clock | None = None
    ) -> list[Alarm]:
        """Alarms, most important first; with no change, any alarm at all comes with probability at most ``alpha``.

        ``clock``: when the rows were decided, where that is known: what the calendar explains is then no change.
        """
        ...


@runtime_checkable
class Watcher(Protocol):
    """Watches answers and outcomes of a model in use; registered beside detectors, holds its stated false-alarm rate too."""

    code: ClassVar[str]
    title: ClassVar[str]

    def watch(self, look: Look, *, alpha: float, seed: int) -> list[Alarm]:
        """Alarms, most important first; as long as promises are kept, any comes with probability at most ``alpha``."""
        ...


Learner: TypeAlias = Callable[[Frame, np.ndarray], Scorer]
"""Learns outcomes (n,) of rows and gives what scores other rows: how a stage gets a model without importing one."""


class Policy(Protocol):
    """Turns a prediction or forecast into a decision with its expected money."""

    def decide(self, prediction: np.ndarray) -> np.ndarray:
        """One decision a row."""
        ...


@runtime_checkable
class Connector(Protocol):
    """Reads tables from one kind of place. ``suffixes`` are file endings it answers to, ``schemes`` URL schemes."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    schemes: ClassVar[tuple[str, ...]]

    def read(self, source: str, *, name: str, options: Mapping[str, Json], types: Mapping[str, Any]) -> Table:
        """Read one table; ReadError in the user's words. What was odd but readable becomes a Note."""
        ...
