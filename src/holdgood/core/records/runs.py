"""Several runs side by side: on the rows that they held out, and on rows that none of them has seen."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.records.envelope import Number, Part, Record
from holdgood.core.records.leaderboard import Trial


class RunSummary(Part):
    """One run in a comparison: what it chose, what its own holdout said, what it costs.

    ``fit_seconds``: all fits of its training; ``predict_us_per_row``: the chosen trial out of fold, many rows at once (the
    sum over the members of an ensemble); ``latency_ms``: 95th percentile of one row's whole way; ``size_bytes``: what is delivered.
    """

    run: str
    chosen: str
    delivered: str = ""
    budget: str = ""
    metric: str
    higher_is_better: bool
    score: Interval | None = None
    prior: Interval | None = None
    judged_rows: int = 0
    development_rows: int = 0
    openings: int = 0
    tuned_on: str = ""
    seconds: Number = float("nan")
    fit_seconds: float = 0.0
    predict_us_per_row: Number = float("nan")
    latency_ms: Number = float("nan")
    size_bytes: int = 0
    trials: tuple[Trial, ...] = ()


class RunPair(Part):
    """Two runs on the rows that both held out; where there are none such, ``reason`` says why and nothing is compared."""

    first: str
    second: str
    difference: Comparison | None = None
    rows: int = 0
    only_first: int = 0
    only_second: int = 0
    reason: str = ""


class Changed(Part):
    """Something that is not the same in all runs, with its value in each, in the order of the runs."""

    what: str
    values: tuple[str, ...]


class RunComparison(Record):
    """Runs side by side. ``pairs``: each further run against the first; their intervals hold together at 95%."""

    kind: ClassVar[str] = "run-comparison"

    runs: tuple[RunSummary, ...]
    pairs: tuple[RunPair, ...] = ()
    declared: tuple[Changed, ...] = ()
    surroundings: tuple[Changed, ...] = ()
    notes: tuple[str, ...] = ()


class Entrant(Part):
    """A model on the new rows: what a run delivered, or the prior or simplest model beside it.

    ``against_first``: paired with what the first run delivered; ``against_own_prior``: with the prior of the same run.
    """

    name: str
    run: str
    role: Literal["delivered", "simplest", "prior"]
    model: str
    score: Interval
    metrics: dict[str, Interval] = {}
    cost: Interval | None = None
    against_first: Comparison | None = None
    against_own_prior: Comparison | None = None


class Origin(Part):
    """What one run had seen. ``seen``: new rows that are among its development rows (left out); ``held_out``: new rows that
    are among those that it held out (kept: they tuned nothing, but its own score was read on them); -1: could not be checked.
    """

    run: str
    tuned_on: str
    seen: int = -1
    held_out: int = -1
    refused: int = 0
    sentence: str = ""


class NewRowsBoard(Record):
    """Several runs' models on the same labelled rows, best first. ``rows``: those judged on; ``no_outcome``, ``left_out``: those not.

    ``looks``: how often these rows have ranked models in this project, this time included.
    """

    kind: ClassVar[str] = "new-rows-board"

    source: str
    rows: int
    no_outcome: int = 0
    left_out: int = 0
    metric: str
    higher_is_better: bool
    entrants: tuple[Entrant, ...]
    origins: tuple[Origin, ...]
    currency: str = ""
    looks: int = 1
    notes: tuple[str, ...] = ()
