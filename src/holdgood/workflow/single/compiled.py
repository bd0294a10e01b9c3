"""A scorer compiled for single rows: the values of a row's features in, the prediction out, without frame or matrix where it can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.protocols import Model, Scorer
from holdgood.features.encode.encoder import BlockEncoder
from holdgood.models.tabular.backed import Backed
from holdgood.training.calibrated import Calibrated
from holdgood.training.ensemble import Ensemble


def compile_scorer(scorer: Scorer, names: Sequence[str]) -> Callable[[Sequence[Any]], np.ndarray] | None:
    """A chain, an ensemble or a calibrated one of them, over the values of one row; None for anything else."""
    if isinstance(scorer, Calibrated):
        inner = compile_scorer(scorer.inner, names)
        mapped = scorer.recalibration
        return None if inner is None else lambda values: mapped(inner(values))
    if isinstance(scorer, Chain):
        if not isinstance(scorer.encoder, BlockEncoder):
            return None
        encode, read = scorer.encoder.single(names), _reader(scorer.encoder, scorer.model)
        return lambda values: read(encode(values))
    if not isinstance(scorer, Ensemble):
        return None
    ensemble = scorer
    roads = [
        (e.single(names), [_reader(e, model) for model in scorer.models])
        for e in scorer.encoders
        if isinstance(e, BlockEncoder)
    ]
    if len(roads) != len(scorer.encoders):
        return None
    return lambda values: ensemble.mean_of((encode(values), readers) for encode, readers in roads)


@runtime_checkable
class _ReadsRows(Protocol):
    """A model that reads the cells of a row without a matrix. Told by what it can do: naming its class would load its library."""

    def row(self, cells: Sequence[float]) -> np.ndarray: ...


def _reader(encoder: BlockEncoder, model: Model) -> Callable[[list[float]], np.ndarray]:
    """How a model reads an encoded row: a booster as it is, others as a matrix."""
    scores: Any = model.fitted if isinstance(model, Backed) else model
    if isinstance(scores, _ReadsRows):
        return scores.row
    return lambda row: scores.predict(encoder.matrix(row))
