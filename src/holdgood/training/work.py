"""What a worker does: fit one candidate on one fold, or on all rows. Runs in another process; looks at nothing else."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError, EnvironmentFault
from holdgood.core.frame import Frame, Matrix
from holdgood.core.protocols import Candidate, FitContext, Fold, Persistable, Transformer
from holdgood.core.task import Task
from holdgood.scale import Shared, put
from holdgood.training.folds import set_apart, stop_rows

LEARNING = 0.85
"""Share of a fold's time in which a model may learn: it is also to be put into its own form, to predict and to be measured."""


@dataclass(frozen=True)
class Encoded:
    """The matrices of one fold and the encoder behind them; shared by candidates that need the same."""

    encoder: Transformer
    train: Matrix
    valid: Matrix
    rows: np.ndarray
    stop: np.ndarray | None
    fit_seconds: float
    transform_seconds: float

    @property
    def size(self) -> int:
        """Bytes held."""
        return int(self.train.values.nbytes + self.valid.values.nbytes)


@dataclass(eq=False)
class Work:
    """Everything that fits need, sent to each worker once.

    ``cap``: training rows a fit on a fold at most, or None; ``bearable``: rows that memory bears, in refits too, or None;
    ``apart``: microseconds between rows in time that are learned from and those that end early fits, as between folds.
    """

    frame: Frame
    y: np.ndarray
    weight: np.ndarray | None
    task: Task
    folds: tuple[Fold, ...]
    time: np.ndarray | None = None
    groups: np.ndarray | None = None
    seed: int = 0
    cap: int | None = None
    bearable: int | None = None
    apart: int = 0
    cache_bytes: int = 0
    cache: OrderedDict[Hashable, Encoded] = field(default_factory=OrderedDict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "cache": OrderedDict()}

    @property
    def refit_rows(self) -> int:
        """How many rows a refit learns from where nothing else is said: all that memory bears."""
        return len(self.y) if self.bearable is None else min(len(self.y), self.bearable)

    def training_rows(self, fold: int | None, cap: int | None = None) -> np.ndarray:
        """Rows to learn from: a fold's, or all; at most ``cap`` of them, drawn by the seed and kept in order."""
        rows = np.arange(len(self.y)) if fold is None else self.folds[fold][0]
        return self.drawn(rows, min(x for x in (len(rows), self.cap, self.bearable, cap) if x is not None))

    def drawn(self, rows: np.ndarray, most: int) -> np.ndarray:
        """At most ``most`` of ``rows``, drawn by the seed and kept in order."""
        if most >= len(rows):
            return rows
        drawn = np.random.default_rng([self.seed, len(rows)]).choice(len(rows), most, replace=False)
        return rows[np.sort(drawn)]

    def weights(self, rows: np.ndarray) -> np.ndarray | None:
        """Weights of some rows."""
        return None if self.weight is None else self.weight[rows]

    def grouped(self, rows: np.ndarray) -> np.ndarray | None:
        """Groups of some rows."""
        return None if self.groups is None else self.groups[rows]


@dataclass(frozen=True)
class FoldFit:
    """One candidate on one fold. ``prediction``: its validation rows; None with the reason in ``error`` where it failed.

    ``hints``: numbers that the model chose inside its training rows (a penalty), to be kept in a refit. ``chain``: where
    the fitted chain lies on disk. ``row_ms``: milliseconds for a single row, ``encode_ms`` of it in the encoder. ``slowdown``:
    seconds that went by for each second of work, on a machine that is shared. ``cut``: the time given made it end early,
    or hurry. ``nothing``: why a tentative candidate is none of its own (see Candidate); nothing was fitted then.
    """

    fold: int
    prediction: np.ndarray | None = None
    fit_seconds: float = 0.0
    predict_seconds: float = 0.0
    rows: int = 0
    learned_rows: int = 0
    rounds: int | None = None
    size_bytes: int = 0
    row_ms: float = float("nan")
    encode_ms: float = float("nan")
    slowdown: float = float("nan")
    chain: Shared | None = None
    error: str = ""
    hints: Mapping[str, float] = field(default_factory=dict)
    cut: bool = False
    nothing: str = ""


@dataclass(frozen=True)
class FullFit:
    """A refit. ``share``: how much of the work asked for was done before its time was up; 1.0: all."""

    chain: Chain
    share: float = 1.0


def load(work: Work) -> int:
    """The first call in a worker: the data is mapped and all libraries are imported when it returns."""
    return len(work.y)


def fit_fold(
    work: Work, candidate: Candidate, fold: int, seconds: float, keep: Path | None, cap: int | None = None
) -> FoldFit:
    """Fit on the fold's training rows, predict its validation rows. Never raises: a failure is an outcome.

    The first fold also measures size and the latency of a single row. ``keep``: the chain is written there (a file name
    without ending), so that many of them take no memory; where the disk is full the fit counts without it.
    """
    try:
        return _fit_fold(work, candidate, fold, seconds, keep, cap)
    except Exception as error:  # whatever a guest's model raises is told on the leaderboard, and the others go on
        return FoldFit(fold, error=reason_of(error))


def fit_all(
    work: Work,
    candidate: Candidate,
    rounds: int | None,
    seconds: float,
    most: int | None,
    hints: Mapping[str, float] | None = None,
) -> FullFit:
    """Refit on all development rows that memory bears (or ``most`` of them), for exactly ``rounds`` rounds where the model has any.

    Two attributes that a model may have are heeded: ``hints`` (what it chose inside its training rows: set before the
    fit, it is used as it is) and ``finished`` (the share of its work that was done before the time was up; where it is
    not there, rounds made are compared with rounds asked).
    """
    rows = work.drawn(np.arange(len(work.y)), work.refit_rows if most is None else min(most, work.refit_rows))
    context = FitContext(work.task, seed=work.seed, rounds=rounds, seconds=seconds, groups=work.grouped(rows))
    chain = Chain.of(candidate)
    if hints:
        chain.model.hints = dict(hints)  # type: ignore[attr-defined]
    chain.fit(work.frame.take(rows), work.y[rows], work.weights(rows), context)
    counted = 1.0 if rounds is None or chain.rounds is None else min(1.0, chain.rounds / rounds)
    return FullFit(chain, float(getattr(chain.model, "finished", counted)))


def reason_of(error: BaseException) -> str:
    """The first line of what an exception says, with its kind."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _fit_fold(
    work: Work, candidate: Candidate, fold: int, seconds: float, keep: Path | None, cap: int | None
) -> FoldFit:
    started, worked = time.perf_counter(), time.process_time()
    encoded = _encoded(work, candidate, fold, seconds, cap)
    nothing = getattr(encoded.encoder, "nothing", "") if candidate.tentative and fold == 0 else ""
    if nothing:
        return FoldFit(fold, nothing=nothing)
    left = max(0.0, seconds - (time.perf_counter() - started))
    context = FitContext(
        work.task, seed=work.seed, stop_rows=encoded.stop, seconds=LEARNING * left, groups=work.grouped(encoded.rows)
    )
    begun = time.perf_counter()
    model = candidate.make_model()
    model.fit(encoded.train, work.y[encoded.rows], work.weights(encoded.rows), context)
    fitted = time.perf_counter()
    prediction = np.asarray(model.predict(encoded.valid), np.float64)
    predicted = time.perf_counter()
    _check(prediction, len(encoded.valid), work.task)
    chain = Chain(encoded.encoder, model)
    first = fold == 0
    row = row_ms_of(chain, work.frame.take(work.folds[fold][1][:1])) if first else (float("nan"), float("nan"))
    return FoldFit(
        fold,
        prediction,
        fit_seconds=encoded.fit_seconds + fitted - begun,
        predict_seconds=encoded.transform_seconds + predicted - fitted,
        rows=len(encoded.valid),
        learned_rows=len(encoded.rows) - (0 if encoded.stop is None else len(encoded.stop)),
        rounds=model.rounds,
        size_bytes=size_of(chain) if first else 0,
        row_ms=row[0],
        encode_ms=row[1],
        slowdown=(predicted - started) / max(time.process_time() - worked, 1e-6),
        chain=None if keep is None else _kept(chain, keep),
        hints=dict(getattr(model, "hints", {})),
        cut=float(getattr(model, "finished", 1.0)) < 1.0 or bool(getattr(model, "hurried", False)),
    )


def _kept(chain: Chain, where: Path) -> Shared | None:
    try:
        return put(chain, where.parent, where.name)
    except EnvironmentFault:  # no room on the disk: it can be fitted again
        return None


def _encoded(work: Work, candidate: Candidate, fold: int, seconds: float, cap: int | None) -> Encoded:
    """Matrices of a fold; candidates made with an equal encoder factory share them, since equal fits give equal matrices."""
    key = (encoder_key(candidate), fold, cap)
    if key in work.cache:
        work.cache.move_to_end(key)
        return work.cache[key]
    rows = work.training_rows(fold, cap)
    stop = stop_rows(rows, work.y, work.task, time=work.time, groups=work.groups, seed=work.seed)
    rows, stop = set_apart(rows, stop, work.time, work.apart)
    begun = time.perf_counter()
    encoder = candidate.make_encoder()
    train = encode_apart(work, encoder, rows, stop, seconds)
    fitted = time.perf_counter()
    valid = encoder.transform(work.frame.take(work.folds[fold][1]))
    encoded = Encoded(encoder, train, valid, rows, stop, fitted - begun, time.perf_counter() - fitted)
    if encoded.size <= work.cache_bytes:
        while sum(e.size for e in work.cache.values()) + encoded.size > work.cache_bytes:
            work.cache.popitem(last=False)
        work.cache[key] = encoded
    return encoded


def encode_apart(work: Work, encoder: Transformer, rows: np.ndarray, stop: np.ndarray | None, seconds: float) -> Matrix:
    """The matrix of training rows ``rows``; stop rows are encoded by what was learned from the others.

    An encoder that saw their outcomes would make them easier than the rows a fold is judged on, and fits that are ended
    by them would run too long.
    """
    context = FitContext(work.task, seed=work.seed, seconds=seconds)
    if stop is None:
        return encoder.fit_transform(work.frame.take(rows), work.y[rows], replace(context, groups=work.grouped(rows)))
    learn = np.ones(len(rows), bool)
    learn[stop] = False
    theirs = rows[learn]
    fitted = encoder.fit_transform(
        work.frame.take(theirs), work.y[theirs], replace(context, groups=work.grouped(theirs))
    )
    values = np.empty((len(rows), fitted.values.shape[1]), fitted.values.dtype)
    values[learn], values[stop] = fitted.values, encoder.transform(work.frame.take(rows[stop])).values
    return replace(fitted, values=values)


def encoder_key(candidate: Candidate) -> Hashable:
    """Equal for candidates whose encoders are made in the same way."""
    made = candidate.make_encoder
    if isinstance(made, partial):
        return candidate.needs, made.func, made.args, tuple(sorted(made.keywords.items()))
    return candidate.needs, made


def _check(prediction: np.ndarray, n: int, task: Task) -> None:
    shape = (n, task.n_classes) if task.kind == "multiclass" else (n,)
    if prediction.shape != shape:
        raise DataError(f"predictions of shape {prediction.shape}", f"shape {shape}", "see Task for the shapes")
    if not np.isfinite(prediction).all():
        raise DataError(
            f"{int((~np.isfinite(prediction)).sum()):,} predictions that are no numbers", "finite predictions"
        )


def size_of(chain: Persistable) -> int:
    """Bytes of a chain's or ensemble's parts as they would lie in a bundle."""
    parts = chain.to_parts()
    arrays = sum(a.nbytes for a in parts.arrays.values())
    return len(json.dumps(parts.json, default=str)) + int(arrays) + sum(len(f) for f in parts.files.values())


def row_ms_of(chain: Chain, row: Frame) -> tuple[float, float]:
    """Milliseconds for a single row and for its encoding alone: medians of a few calls after a first one."""
    return timed(lambda: chain.predict(row)), timed(lambda: chain.encoder.transform(row))


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of a call: the median of a few after a first one, for at most a fifth of a second."""
    call()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 7 and time.perf_counter() - began < 0.2:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000.0 * float(np.median(times))
