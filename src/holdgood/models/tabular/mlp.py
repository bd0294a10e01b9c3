"""MLP: a small ensemble of networks in one, trained by JAX (extra ``deep``), scored by NumPy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Json, Model, Needs, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.mlp_network import Network
from holdgood.models.tabular.mlp_training import Rows, Settings, train
from holdgood.models.tabular.piecewise import Pieces, some_of
from holdgood.models.tabular.standard import moments, standardised
from holdgood.models.tabular.training_rows import checked, class_shares, expect_columns

PARITY = 1e-5
_MOST_PIECES = 512
_BLOCK_CELLS = 1 << 18  # of inputs that are made at once
_FEWEST_SHARE = 1e-6
_WIDEN = 0.25  # a regression answer stays within the training range, widened by a quarter of it on either side
_ARRAYS = ("center", "unit", "scale")
_SCHEDULE = "epochs"
_MANY_ROWS = 4_000


class Mlp:
    """A multi-layer perceptron for tables: numbers in standard units, softly clipped (RealMLP, Holzmüller 2024) and as
    ``pieces`` (piecewise-linear encoding, Gorishniy 2022), two shared hidden layers of ``width``, ``members`` that see
    the inputs each in its own way and are averaged (TabM-mini, Gorishniy 2024).

    AdamW with a cosine schedule over ``epochs`` (0: by the number of rows), ended early on the stop rows. ``rounds`` are
    epochs. Where the time does not bear them the schedule is made shorter, so that it still ends with small steps
    (``hurried``); ``hints`` tells its length, and set before it is used for given rounds.
    """

    part: ClassVar[str] = "mlp"

    def __init__(
        self,
        members: int = 8,
        width: int = 128,
        pieces: int = 8,
        dropout: float = 0.2,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.2,
        smoothing: float = 0.0,
        epochs: int = 0,
    ) -> None:
        self.members, self.width, self.most_pieces, self.dropout = members, width, pieces, dropout
        self.learning_rate, self.weight_decay, self.smoothing = learning_rate, weight_decay, smoothing
        self.epochs = epochs
        self.rounds: int | None = None
        self.hints: dict[str, float] = {}
        self.finished, self.hurried = 1.0, False
        self.kind = ""
        self.center = self.unit = np.empty(0)
        self.scale = np.array([0.0, 1.0, -np.inf, np.inf])  # a value is scale[0] + scale[1] * answer, within the others
        self.pieces = Pieces.none()
        self.network: Network | None = None
        self._sample: tuple[np.ndarray, np.ndarray] | None = None

    def fit(self, matrix: Matrix, y: np.ndarray, weight: np.ndarray | None, context: FitContext) -> Mlp:
        """Train on the rows outside ``context.stop_rows`` and keep the epoch that was best on these; see mlp_training."""
        deadline = time.monotonic() + context.seconds
        task = context.task
        values, weights = checked(matrix, y, weight, task)
        self.kind = task.kind
        kept = np.ones(len(values), dtype=bool)
        stop = context.stop_rows
        if stop is not None and context.rounds is None and 0 < len(stop) < len(values):
            kept[stop] = False
        self.center, self.unit = moments(matrix.values[kept])
        inputs = np.ascontiguousarray(matrix.values, dtype=np.float64)
        self.pieces = Pieces.none()
        if self.most_pieces:
            z = standardised(inputs[some_of(np.flatnonzero(kept))], self.center, self.unit)
            self.pieces = Pieces.learn(z, self.most_pieces, _MOST_PIECES)
            del z
        if task.kind == "regression":
            spread = _WIDEN * float(np.ptp(values))
            self.scale = np.array(
                [values.mean(), values.std() or 1.0, values.min() - spread, values.max() + spread], dtype=np.float64
            )
            values = (values - self.scale[0]) / self.scale[1]
        settings = self._settings(task, int(kept.sum()))
        w = np.ones(len(values)) if weights is None else weights
        rows = Rows(self._inputs(inputs), values.astype(np.float32), w.astype(np.float32))
        learn, held = _part(rows, kept), None if kept.all() else _part(rows, ~kept)
        if context.rounds is not None and _SCHEDULE in self.hints:
            # the folds' schedule, stretched with their epochs: a refit ends where the rate has come down as it had for them
            settings = replace(settings, epochs=max(context.rounds, round(self.hints[_SCHEDULE])))
        trained = train(
            learn, held, self._loss, settings, _bias(values, weights, task), context.seed, context.rounds, deadline
        )
        self.network, self.rounds, self.finished = trained.network, trained.epochs, trained.finished
        self.hints, self.hurried = {_SCHEDULE: float(trained.schedule)}, trained.schedule < settings.epochs
        self._sample = trained.sample, trained.expected
        return self

    def _settings(self, task: Task, rows: int) -> Settings:
        return Settings(
            kind=task.kind,
            outputs=task.n_classes if task.kind == "multiclass" else 1,
            members=self.members,
            width=self.width,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            smoothing=self.smoothing,
            # many rows need fewer passes
            epochs=self.epochs or int(np.clip(64 * (4000 / rows) ** 0.35, 16, 100)),
        )

    def _inputs(self, values: np.ndarray) -> np.ndarray:
        """What the network sees of encoded rows, (rows, columns and pieces), float32. Block by block: whole tables of what lies
        between would take several times the memory.
        """
        columns = values.shape[1]
        x = np.empty((len(values), columns + len(self.pieces)), np.float32)
        step = max(1, _BLOCK_CELLS // x.shape[1])
        for start in range(0, len(values), step):
            z = standardised(values[start : start + step], self.center, self.unit)
            x[start : start + step, :columns] = z / np.sqrt(1.0 + np.square(z / 3.0))
            x[start : start + step, columns:] = self.pieces.of(z)
        return x

    def _loss(self, network: Network, rows: Rows) -> float:
        """Weighted log loss, or squared error in standard units."""
        answers = network.answers(rows.x, self.kind)
        if self.kind == "regression":
            each = np.square(answers - rows.y)
        elif self.kind == "binary":
            each = -np.log(np.maximum(np.where(rows.y == 1, answers, 1 - answers), 1e-15))
        else:
            each = -np.log(np.maximum(answers[np.arange(len(rows.y)), rows.y.astype(np.int64)], 1e-15))
        return float((each * rows.weight).sum() / max(float(rows.weight.sum()), 1e-300))

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass. A row alone gets the same bits as among others."""
        if self.network is None:
            raise DataError("a network that has not been trained", "a fitted model", "call fit first")
        values = expect_columns(matrix, len(self.center))
        answers = self.network.answers(self._inputs(values), self.kind)
        if self.kind == "regression":
            answers = np.clip(self.scale[0] + self.scale[1] * answers, self.scale[2], self.scale[3])
        return answers

    def to_parts(self) -> Parts:
        """Arrays of scaling, pieces and network; BundleError where NumPy does not answer as JAX did."""
        if self.network is None:
            raise DataError("a network that has not been trained", "a fitted model", "call fit first")
        if self._sample is not None and len(self._sample[0]):
            x, wanted = self._sample
            unit = max(1.0, float(np.abs(wanted).max()))
            worst = float(np.abs(self.network.members(x) - wanted).max())
            if not worst <= PARITY * unit:
                raise BundleError(
                    f"a network whose scores differ from JAX's by {worst:.3g}",
                    f"at most {PARITY * unit:g}",
                    "report this with your versions: holdgood doctor",
                )
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= self.pieces.to_arrays() if len(self.pieces) else {}
        return Parts({"kind": self.kind, "rounds": self.rounds}, arrays | self.network.to_arrays())

    @classmethod
    def from_parts(cls, parts: Parts) -> Mlp:
        """Rebuild; BundleError where the arrays do not fit together. Needs no JAX."""
        model = cls()
        model.kind, rounds = str(parts.json.get("kind")), parts.json.get("rounds")
        model.rounds = rounds if isinstance(rounds, int) else None
        outputs = parts.arrays.get("head_bias", np.empty((0, 0))).shape[-1]
        enough = outputs >= 2 if model.kind == "multiclass" else outputs == 1
        found = {name: parts.arrays.get(name, np.empty(0)) for name in _ARRAYS}
        columns = found["center"].size
        shapes = [(columns,), (columns,), (4,)]
        fits = all(a.shape == s and a.dtype == np.float64 for a, s in zip(found.values(), shapes, strict=True))
        finite = all(np.isfinite(a).all() for a in (found["center"], found["unit"], found["scale"][:2]))
        if model.kind not in MlpFamily.kinds or not enough or not fits or not finite or not columns:
            raise BundleError(
                f"a network of kind {model.kind!r} with {outputs} outputs for {columns} columns",
                "a kind, sizes and scales that fit",
                "the bundle is damaged",
            )
        for name, array in found.items():
            setattr(model, name, np.ascontiguousarray(array))
        model.pieces = Pieces.from_arrays(parts.arrays, columns)
        model.network = Network.from_arrays(parts.arrays, columns + len(model.pieces), outputs)
        return model


def _part(rows: Rows, where: np.ndarray) -> Rows:
    return Rows(rows.x[where], rows.y[where], rows.weight[where])


def _bias(y: np.ndarray, weight: np.ndarray | None, task: Task) -> np.ndarray:
    """Where the members begin: the log odds or log shares of the training rows; zero for a standardised value."""
    if task.kind == "regression":
        return np.zeros(1)
    shares = np.clip(class_shares(y, weight, task.n_classes), _FEWEST_SHARE, 1 - _FEWEST_SHARE)
    logs: np.ndarray = np.log(shares)
    return logs[1:] - logs[:1] if task.kind == "binary" else logs


class MlpFamily:
    """A neural network for tables; needs the extra ``deep`` to be trained, not to be used."""

    name: ClassVar[str] = "mlp"
    rung: ClassVar[int] = 7
    needs: ClassVar[Needs] = "dense"
    kinds: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "regression")
    library: ClassVar[str] = "optax"  # which brings JAX with it
    extra: ClassVar[str] = "deep"
    startup: ClassVar[float] = 4.0

    @staticmethod
    def configurations(task: Task, rows: int, columns: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """One default; on many rows a single network in larger steps: members cost as much as networks, and epochs are few."""
        many = {"members": 1, "width": 192, "learning_rate": 6e-3, "dropout": 0.05, "weight_decay": 0.05}
        return [("mlp", {} if rows < _MANY_ROWS else many)]

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Model:
        """A fresh network."""
        return Mlp(**parameters)


FAMILY = MlpFamily
