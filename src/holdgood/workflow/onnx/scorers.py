"""A whole scorer as ONNX: a chain, an ensemble of chains, and what was done to its chances afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError
from holdgood.core.protocols import Persistable
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.ubj_booster import UbjBooster
from holdgood.training.calibrated import TINY, Calibrated, Recalibration
from holdgood.training.ensemble import Ensemble
from holdgood.workflow.onnx import models
from holdgood.workflow.onnx.encoders import Features, matrix
from holdgood.workflow.onnx.graph import Graph
from holdgood.workflow.onnx.trees import booster


def _ubj(graph: Graph, model: UbjBooster, value: str) -> str:
    return booster(graph, model.booster, value)


_WRITERS: Mapping[str, Callable[[Graph, Any, str], str]] = {
    Booster.part: booster,
    UbjBooster.part: _ubj,
    "prior": models.prior,
    "linear": models.linear,
    "additive": models.additive,
    "mlp": models.mlp,
}


def parts_of(scorer: Any) -> tuple[list[Persistable], list[Persistable]]:
    """All encoders and all models of a scorer."""
    if isinstance(scorer, Calibrated):
        return parts_of(scorer.inner)
    if isinstance(scorer, Ensemble):
        return list(scorer.encoders), list(scorer.models)
    if isinstance(scorer, Chain):
        return [scorer.encoder], [scorer.model]
    raise DataError(f"a scorer of kind {type(scorer).__name__}", "a chain or an ensemble", "export another bundle")


def refused(scorer: Any) -> list[str]:
    """Families that cannot be written as ONNX, by name."""
    return sorted({str(m.part) for m in parts_of(scorer)[1] if m.part not in _WRITERS})


def written(scorer: Any, features: Features) -> str:
    """What the scorer answers: (rows, 1), or (rows, classes)."""
    graph = features.graph
    if isinstance(scorer, Calibrated):
        several = any(getattr(m, "kind", "") == "multiclass" for m in parts_of(scorer)[1])
        return _recalibrated(graph, scorer.recalibration, written(scorer.inner, features), several)
    if isinstance(scorer, Chain):
        return _WRITERS[scorer.model.part](graph, scorer.model, matrix(features, scorer.encoder))
    encoded = [matrix(features, e) for e in scorer.encoders]
    total = ""
    for weight, model, of in zip(scorer.weights, scorer.models, scorer.of, strict=True):
        answer = _WRITERS[model.part](graph, model, encoded[of])
        share = graph.node("Mul", answer, graph.constant(np.array(weight)))
        total = graph.node("Add", total, share) if total else share
    return total


def _recalibrated(graph: Graph, by: Recalibration, p: str, several: bool) -> str:
    if by.method == "isotonic":
        return _between_knots(graph, p, *by.numbers)
    if several:  # the temperature of chances of several classes
        logs = graph.node("Log", graph.node("Max", p, graph.constant(np.array(TINY))))
        return graph.node("Softmax", graph.node("Div", logs, graph.constant(by.numbers)), axis=1)
    low, high = graph.constant(np.array(TINY)), graph.constant(np.array(1.0 - TINY))
    inside = graph.node("Clip", p, low, high)
    rest = graph.node("Log", graph.node("Sub", graph.constant(np.array(1.0)), inside))
    odds = graph.node("Sub", graph.node("Log", inside), rest)
    if by.method == "temperature":
        return graph.node("Sigmoid", graph.node("Div", odds, graph.constant(by.numbers)))
    slope, intercept = (graph.constant(np.array(n)) for n in by.numbers)
    return graph.node("Sigmoid", graph.node("Add", graph.node("Mul", odds, slope), intercept))


def _between_knots(graph: Graph, p: str, xs: np.ndarray, ys: np.ndarray) -> str:
    inside = graph.node("Clip", p, graph.constant(xs[0]), graph.constant(xs[-1]))
    # the knot at or before each value: edges are the inner knots
    at = graph.steps(inside, xs[1:-1])
    slope = np.diff(ys) / np.diff(xs)
    begin, height, rise = (
        graph.node("Gather", graph.constant(v.reshape(-1, 1)), at, axis=0) for v in (xs[:-1], ys[:-1], slope)
    )
    return graph.node("Add", graph.node("Mul", graph.node("Sub", inside, begin), rise), height)
