"""LSTM for all series: quantiles, or a negative binomial for counts; trained by JAX (extra ``deep``), scored by NumPy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext, Parts
from holdgood.models.forecasting.drivers import LEVEL, SEASON
from holdgood.models.forecasting.lag_features import LagPlan, Seen, rows_ahead, seen_from
from holdgood.models.forecasting.lag_training import Pairs, draw
from holdgood.models.forecasting.lstm_inputs import LstmInputs
from holdgood.models.forecasting.lstm_network import Lstm
from holdgood.models.forecasting.lstm_training import Examples, Settings, train
from holdgood.models.forecasting.newcomers import Newcomers, unseen
from holdgood.models.forecasting.origins import demand, with_future
from holdgood.models.forecasting.seasons import seasons_of
from holdgood.models.forecasting.step_copula import StepCopula
from holdgood.models.forecasting.step_distribution import (
    LEVELS,
    MEDIAN,
    count_rank,
    counts_at,
    quantile_at,
    rank_of,
)

PARITY = 1e-5
_MOST_ORIGINS = 10_000
_ORIGINS_A_SECOND = 150
_RANKED = 1_000
_AFTER = 0.1
_BLOCK = 20_000
_FLOOR = 1e-3
_WIDEST = 100.0
_FEW = 20.0
"""Whole numbers whose middle level is below this are counts."""
_FEWEST = 60
_MOST_MEMBERS = 100


class LstmForecaster:
    """An LSTM reads the scaled history; a small head joins its state with the features of each step ahead.

    The head says by how much a step differs from the simple forecast of ``lag_base``: as quantiles in units of the recent
    level (``output`` "quantiles"), or as factor of the mean and dispersion of a negative binomial ("counts").
    ``output`` "auto": counts where all values are whole numbers, of a low level. ``epochs`` 0: by the number of examples.
    ``members`` networks that began differently are averaged; the later ones only where the time bears them.
    """

    part: ClassVar[str] = "lstm"

    def __init__(
        self,
        output: str = "auto",
        members: int = 3,
        width: int = 48,
        hidden: int = 64,
        dropout: float = 0.1,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.05,
        epochs: int = 0,
        most_origins: int = _MOST_ORIGINS,
    ) -> None:
        if output not in ("auto", "quantiles", "counts"):
            raise DataError(f"output {output!r}", "auto, quantiles or counts", "choose one of these")
        self.output, self.width, self.hidden, self.dropout = output, width, hidden, dropout
        self.learning_rate, self.weight_decay, self.epochs = learning_rate, weight_decay, epochs
        self.members, self.most_origins = members, most_origins
        self.failed: Mapping[str, str] = {}
        self.rounds = 0
        self.finished = 1.0
        self.copula = StepCopula(0.2, 0.5)
        self.start = np.empty(0)
        self.plan: LagPlan | None = None
        self.newcomers: Newcomers | None = None
        self.inputs: LstmInputs | None = None
        self.networks: list[Lstm] = []
        self._samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def fit(self, panel: Panel, context: PanelContext) -> LstmForecaster:
        """Train on the history before the last windows, keep the epoch that was best on these; see ``lstm_training``."""
        deadline = time.monotonic() + (1 - _AFTER) * context.seconds
        y = demand(panel)
        plan = self.plan = LagPlan.of(panel, seasons_of(panel))
        self.newcomers = Newcomers.learn(panel, y, plan.span, context.seed)
        self.output = _output(self.output, y[~np.isnan(y)])
        origins = int(min(self.most_origins, max(200, _ORIGINS_A_SECOND * context.seconds)))
        drawn = draw(panel, y, plan, context.horizon, 6 * origins, context.seed)
        learn = drawn.learn.take(np.flatnonzero(drawn.early))
        seen = seen_from(plan, panel, y, learn.origins)
        simple, unit, outcome = _around(seen, learn, y)
        self.start = self._begin(simple, unit, outcome)
        if len(learn) < _FEWEST or not len(drawn.held):
            return self
        matrix = rows_ahead(plan, seen, learn.which, learn.steps)
        self.inputs = LstmInputs.learn(plan, seen, matrix)
        examples = self._examples(self.inputs, seen, learn, y)
        held_seen = seen_from(plan, panel, y, drawn.held.origins)
        held = self._examples(self.inputs, held_seen, drawn.held, y)
        n = len(examples.context)
        settings = Settings(
            levels=LEVELS if self.output == "quantiles" else (),
            width=self.width,
            hidden=self.hidden,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            epochs=self.epochs or int(np.clip(15 * (10_000 / n) ** 0.5, 15, 60)),
            batch=next(size for least, size in ((4096, 128), (512, 64), (0, 32)) if n >= least),
        )
        for member in range(self.members):
            began = time.monotonic()
            until = began + (deadline - began) / (self.members - member)
            trained = train(examples, held, settings, self.start, context.seed + 7919 * member, until)
            if member and not trained.finished:
                break
            self.networks.append(trained.network)
            self._samples.append((*trained.sample, trained.expected))
            self.rounds, self.finished = self.rounds + trained.epochs, min(self.finished, trained.finished)
        few = drawn.held.some(_RANKED, context.seed)
        self.copula = StepCopula.learn(self._ranks(seen_from(plan, panel, y, few.origins), few, y, context.seed))
        return self

    def _begin(self, simple: np.ndarray, unit: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """What the head says before it has learned: quantiles of all past errors, or factor one and a dispersion."""
        if self.output == "counts":
            if not len(outcome):
                return np.zeros(2)
            mean = np.maximum(simple, _FLOOR * unit)
            over = float(np.mean((outcome - mean) ** 2 - mean) / max(float(np.mean(mean**2)), 1e-9))
            return np.array([0.0, np.log(np.clip(over, 0.02, 20.0))])
        if not len(outcome):
            return np.array(LEVELS) - 0.5
        begin: np.ndarray = np.quantile(np.clip((outcome - simple) / unit, -_WIDEST, _WIDEST), LEVELS)
        centred: np.ndarray = begin - begin[MEDIAN]
        return centred

    def _examples(self, inputs: LstmInputs, seen: Seen, pairs: Pairs, y: np.ndarray) -> Examples:
        """One example an origin, its steps side by side."""
        simple, unit, outcome = _around(seen, pairs, y)
        first = np.concatenate([[0], np.flatnonzero(np.diff(pairs.which)) + 1]).astype(np.int64)
        lengths = np.diff(np.append(first, len(pairs)))
        row = np.repeat(np.arange(len(first)), lengths)
        column = np.arange(len(pairs)) - first[row]
        shape = (len(first), int(lengths.max()))
        counts = self.output == "counts"
        features = np.zeros((*shape, inputs.features), np.float32)
        features[row, column] = inputs.step(rows_ahead(inputs.plan, seen, pairs.which, pairs.steps))
        aim, offset, weight = (np.zeros(shape, np.float32) for _ in range(3))
        aim[row, column] = outcome if counts else np.clip((outcome - simple) / unit, -_WIDEST, _WIDEST)
        offset[row, column] = np.log(np.maximum(simple, _FLOOR * unit)) if counts else 0.0
        weight[row, column] = 1.0
        used = pairs.which[first]
        return Examples(inputs.context(seen)[used], features, aim, offset, weight)

    def _said(self, seen: Seen, which: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """What the network says of pairs, (pairs, outputs) float64; what it starts from where there is none."""
        raw = np.tile(self.start, (len(which), 1))
        if self.networks and self.inputs is not None:
            context = self.inputs.context(seen)
            features = self.inputs.step(rows_ahead(self.inputs.plan, seen, which, steps))
            raw = np.zeros_like(raw)
            for network in self.networks:
                raw += network.answers(network.states(context)[which], features)
            raw /= len(self.networks)
        if self.output == "quantiles":
            raw = np.sort(raw, axis=1)
            raw[seen.base.still[which]] -= raw[seen.base.still[which], MEDIAN][:, None]
        else:
            raw = np.clip(raw, -5.0, 5.0)
            raw[seen.base.still[which], 0] = 0.0  # what has never moved is continued
        return raw

    def _steps(self, seen: Seen, which: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each pair its quantiles (pairs, levels), or mean and dispersion (pairs, 2), and the point forecast (pairs,)."""
        said = self._said(seen, which, steps)
        simple, unit = seen.base.at(which, steps), seen.base.scale[which]
        if self.output == "quantiles":
            found = simple[:, None] + unit[:, None] * said
            found = found if self._plan.signed else np.maximum(found, 0.0)
            return found, found[:, MEDIAN]
        mean = np.maximum(simple, _FLOOR * unit) * np.exp(said[:, 0])
        return np.column_stack([mean, np.exp(said[:, 1])]), mean

    def _ranks(self, seen: Seen, pairs: Pairs, y: np.ndarray, seed: int) -> np.ndarray:
        """Where outcomes of the held-out windows lie in their own distributions, (origins, steps)."""
        found, _ = self._steps(seen, pairs.which, pairs.steps)
        outcome = y[pairs.target]
        if self.output == "quantiles":
            rank = rank_of(found, outcome)
        else:
            rank = count_rank(found[:, 0], found[:, 1], outcome, np.random.default_rng(seed))
        out = np.full((len(pairs.origins), int(pairs.steps.max())), np.nan)
        out[pairs.which, pairs.steps - 1] = rank
        return out

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """Medians, or means of counts, (series, horizon), in blocks of series; new series too."""
        blocks = self._blocks(panel, future)
        return np.concatenate([self._steps(*b[1:])[1].reshape(-1, future.horizon) for b in blocks])

    def drivers(self, panel: Panel, future: Future) -> tuple[tuple[str, ...], np.ndarray]:
        """The simple forecast's level and season, and what the network adds to it; why it does, it cannot say."""
        out = []
        for _, seen, which, steps in self._blocks(panel, future):
            point, simple, level = (
                v.reshape(-1, future.horizon)
                for v in (self._steps(seen, which, steps)[1], seen.base.at(which, steps), seen.base.level[which])
            )
            out.append(np.stack([level, simple - level, point - simple], axis=2))
        return (LEVEL, SEASON, "the network"), np.concatenate(out)

    def quantiles(self, panel: Panel, future: Future, levels: np.ndarray) -> np.ndarray:
        """Quantiles a step, (series, horizon, levels)."""
        out = []
        for _, seen, which, steps in self._blocks(panel, future):
            ranks = np.tile(self.copula.widened(np.asarray(levels, dtype=np.float64)), (len(which), 1))
            out.append(self._values(self._steps(seen, which, steps)[0], ranks).reshape(-1, future.horizon, len(levels)))
        return np.concatenate(out)

    def sample(self, panel: Panel, future: Future, samples: int, seed: int) -> np.ndarray:
        """Joint paths (series, samples, horizon): each step's own distribution, held together as past errors were."""
        out = np.empty((len(panel), samples, future.horizon))
        for rows, seen, which, steps in self._blocks(panel, future):
            found, _ = self._steps(seen, which, steps)
            ranks = np.swapaxes(self.copula.draw(panel.ids[rows], samples, future.horizon, seed), 1, 2)
            values = self._values(found, ranks.reshape(-1, samples))
            out[rows] = np.swapaxes(values.reshape(len(rows), future.horizon, samples), 1, 2)
        return out

    def _values(self, found: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        if self.output == "counts":
            return counts_at(found[:, 0], found[:, 1], ranks)
        values = quantile_at(found, ranks)
        return values if self._plan.signed else np.maximum(values, 0.0)

    @property
    def _plan(self) -> LagPlan:
        if self.plan is None:
            raise DataError("a forecaster that has not been fitted", "a fitted one", "call fit first")
        return self.plan

    def _blocks(self, panel: Panel, future: Future) -> list[tuple[np.ndarray, Seen, np.ndarray, np.ndarray]]:
        """Rows of the panel, what is seen from their ends, and the pairs of each (origin, step)."""
        plan, newcomers = self._plan, self.newcomers
        plan.expect(panel)
        step = max(1, _BLOCK // max(1, future.horizon))
        out = []
        for begin in range(0, max(len(panel), 1), step):
            rows = np.arange(begin, min(begin + step, len(panel)))
            longer, origins = with_future(panel.take(rows), future.take(rows))
            y = demand(longer)
            stand_in = None if newcomers is None else unseen(longer, y, newcomers)
            which = np.repeat(np.arange(len(rows)), future.horizon)
            steps = np.tile(np.arange(1, future.horizon + 1), len(rows))
            out.append((rows, seen_from(plan, longer, y, origins, stand_in), which, steps))
        return out

    def to_parts(self) -> Parts:
        """Scales, network and what newcomers are compared with; BundleError where NumPy does not answer as JAX did."""
        if self.newcomers is None:
            raise DataError("a forecaster that has not been fitted", "a fitted one", "call fit first")
        json: dict[str, Json] = {"plan": self._plan.to_json(), "output": self.output, "rounds": self.rounds}
        json |= {"copula": [self.copula.shared, self.copula.fade, self.copula.width], "inputs": None}
        arrays = {"start": self.start.astype(np.float64)} | self.newcomers.to_arrays()
        json["members"] = len(self.networks)
        if self.networks and self.inputs is not None:
            self._check()
            json["inputs"] = self.inputs.to_json()
            arrays |= {"center": self.inputs.center, "unit": self.inputs.unit}
            for member, network in enumerate(self.networks):
                arrays |= {f"{name}_{member}": array for name, array in network.to_arrays().items()}
        return Parts(json, arrays)

    def _check(self) -> None:
        for network, (context, features, wanted) in zip(self.networks, self._samples, strict=False):
            if not len(context):
                continue
            found = network.answers(network.states(context), features)
            worst, size = float(np.abs(found - wanted).max()), max(1.0, float(np.abs(wanted).max()))
            if not worst <= PARITY * size:
                raise BundleError(
                    f"an LSTM whose scores differ from JAX's by {worst:.3g}",
                    f"at most {PARITY * size:g}",
                    "report this with your versions: holdgood doctor",
                )

    @classmethod
    def from_parts(cls, parts: Parts) -> LstmForecaster:
        """Rebuild; BundleError where something does not fit together. Needs no JAX."""
        json, arrays = parts.json, parts.arrays
        output, plan, copula = json.get("output"), json.get("plan"), json.get("copula")
        start = arrays.get("start", np.empty(0))
        number = {"quantiles": len(LEVELS), "counts": 2}.get(str(output), -1)
        fits = start.shape == (number,) and bool(np.isfinite(start).all())
        if not isinstance(plan, dict) or not isinstance(copula, list) or len(copula) != 3 or not fits:
            raise BundleError(f"an LSTM of output {output!r}", "its output, plan and start", "the bundle is damaged")
        if not all(isinstance(c, float) for c in copula) or not (max(copula[:2]) < 1 <= copula[2] and min(copula) >= 0):
            raise BundleError(f"a copula of {copula}", "shares below 1 and a width from 1", "the bundle is damaged")
        model = cls(str(output))
        model.plan, model.start, model.copula = LagPlan.from_json(plan), start, StepCopula(*map(float, copula))
        model.newcomers = Newcomers.from_arrays(model.plan.static, arrays)
        if json.get("inputs") is not None:
            model.inputs = LstmInputs.from_parts(json["inputs"], arrays)
            members = json.get("members")
            if not isinstance(members, int) or not 1 <= members <= _MOST_MEMBERS:
                raise BundleError(f"{members!r} networks", f"1 to {_MOST_MEMBERS}", "the bundle is damaged")
            for member in range(members):
                end = f"_{member}"
                own = {name.removesuffix(end): array for name, array in arrays.items() if name.endswith(end)}
                network = Lstm.from_arrays(own, model.inputs.channels, model.inputs.features, number)
                model.networks.append(network)
            model.rounds = int(json.get("rounds") or 0)
        return model


def _around(seen: Seen, pairs: Pairs, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simple forecast, unit and outcome of each pair; where nothing was seen the outcome itself is the forecast."""
    outcome = y[pairs.target]
    simple = seen.base.at(pairs.which, pairs.steps)
    return np.where(np.isnan(simple), outcome, simple), seen.base.scale[pairs.which], outcome


def _output(asked: str, values: np.ndarray) -> str:
    whole = bool(len(values)) and bool((values >= 0).all()) and bool((values == np.round(values)).all())
    if asked == "counts" and not whole:
        raise DataError("values that are no counts", "whole numbers from zero", "use output 'quantiles'")
    if asked == "auto":
        return "counts" if whole and float(values.mean()) < _FEW else "quantiles"
    return asked


class LstmFamily:
    """One network for all series; the fifth rung. Needs the extra ``deep`` to be trained, not to be used."""

    name: ClassVar[str] = "lstm"
    rung: ClassVar[int] = 5
    local: ClassVar[bool] = False
    library: ClassVar[str] = "optax"  # which brings JAX with it
    extra: ClassVar[str] = "deep"

    @staticmethod
    def configurations(panel: Panel, horizon: int) -> Sequence[tuple[str, Mapping[str, Json]]]:
        """One default; none where there is too little to learn from."""
        return [("lstm", {})] if int(np.maximum(panel.lengths - 1, 0).sum()) >= _FEWEST else []

    @staticmethod
    def make(parameters: Mapping[str, Json]) -> Forecaster:
        """A fresh one."""
        return LstmForecaster(**parameters)


FAMILY = LstmFamily
