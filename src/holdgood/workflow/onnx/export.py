"""A bundle to an ONNX file, held against the bundle's own answers before anything is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdgood.core.errors import DataError, HoldgoodError
from holdgood.core.frame import Feature, Frame
from holdgood.core.records.envelope import write_bytes
from holdgood.workflow.onnx import encoders, scorers
from holdgood.workflow.onnx.graph import Graph
from holdgood.workflow.onnx.runtime import answers
from holdgood.workflow.predict import Predictor
from holdgood.workflow.scoring import related_tables

EXACT, SINGLE = 1e-9, 1e-5
"""Largest difference from the bundle, in units of the largest answer (at least 1): in 64-bit floats, and with a network in 32."""
_OUTPUT = {"binary": "probability", "multiclass": "probabilities", "regression": "prediction"}
_WILD = (np.nan, 0.0, -1e6, 1e6, 1e-9, 3e38)


@dataclass(frozen=True)
class Exported:
    """An ONNX file. ``worst``: the largest difference from the bundle over ``rows`` reference rows, at most ``allowed``.

    ``left_out``: what the bundle answers beside its prediction and the file does not; empty where there is nothing.
    """

    path: Path
    inputs: tuple[str, ...]
    output: str
    rows: int
    worst: float
    allowed: float
    bytes: int
    left_out: str = ""


def export_onnx(bundle: Path, to: Path, *, rows: str | None = None, related: Sequence[str] = ()) -> Exported:
    """Write the bundle's encoders and model as ONNX; the features (joins, dates, windows) are its inputs, by their names.

    Reference rows: the typical values that a bundle holds, the same with gaps, unseen levels and wild numbers, and ``rows`` where given.
    Raises DataError, naming them, for features or families that ONNX cannot express; HoldgoodError (exit code 1) where answers differ, and
    nothing is written then; MissingExtra without onnx and onnxruntime.
    """
    model = Predictor.load(bundle)
    _refuse(model)
    missing = _missing(model)
    graph = Graph(model.background.frame.names)
    inputs = encoders.Features(graph, model.background.frame.features, missing)
    answer = scorers.written(model.chain, inputs)
    output = graph.free(_OUTPUT[model.task.kind])
    width = model.task.n_classes if model.task.kind == "multiclass" else 1
    raw = graph.model({output: (answer, ["rows", width])}, _about(model, inputs.used, missing))
    frame = reference(model.background.frame)
    if rows is not None:
        main, others = related_tables(model, rows, related)
        frame = _stacked(frame, model.frame(model.repaired(main), others))
    expected = model.chain.predict(frame).reshape(len(frame), width)
    got = answers(raw, {f.name: _given(frame.column(f.name), f, missing) for f in inputs.used}, output, len(frame))
    allowed = (SINGLE if graph.single else EXACT) * max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(got - expected).max(initial=0.0))
    if not worst <= allowed:
        at = int(np.abs(got - expected).max(axis=1).argmax())
        raise HoldgoodError(
            f"the ONNX model answers otherwise than the bundle: by {worst:.3g} on reference row {at}",
            f"at most {allowed:.3g}",
            "nothing was written; report this with your versions: holdgood doctor",
        )
    write_bytes(to, raw)
    return Exported(
        to, tuple(f.name for f in inputs.used), output, len(frame), worst, allowed, len(raw), _left_out(model)
    )


def _refuse(model: Predictor) -> None:
    families = scorers.refused(model.chain)
    if families:
        raise DataError(
            f"the model holds {', '.join(families)}, which is not exported to ONNX",
            "prior, linear, additive, trees, LightGBM, XGBoost, networks, and ensembles of these",
            'run again with other families (budget.models), or prefer = "simple"',
        )
    crossed = sorted({c.name for e in scorers.parts_of(model.chain)[0] for c in getattr(e, "crosses", ())})
    if crossed:
        raise DataError(
            f"{len(crossed)} column{'s' if len(crossed) > 1 else ''} made of two: {', '.join(crossed[:8])}",
            "columns that are written one by one",
            "run again with families that need none (budget.models), and export that bundle",
        )
    texts = sorted({name for e in scorers.parts_of(model.chain)[0] for name in encoders.refused(e)})
    if texts:
        raise DataError(
            f"{len(texts)} feature{'s' if len(texts) > 1 else ''} of free text: {', '.join(texts[:8])}",
            "numbers and categories: ONNX has no operator that counts words as holdgood does",
            "take these columns out with the repair drop-columns, run again, and export that bundle",
        )


def _left_out(model: Predictor) -> str:
    """Intervals and quantiles, whichever band they come from: the file gives the prediction alone."""
    band = model.band
    if band is None or (band.level is None and not band.wanted):
        return ""
    ends = ["intervals"] if band.level is not None else []
    return " and ".join(ends + (["quantiles"] if band.wanted else []))


def _missing(model: Predictor) -> str:
    levels: set[str] = set().union(*(encoders.levels_of(e) for e in scorers.parts_of(model.chain)[0]))
    return encoders.MISSING_BESIDE_EMPTY if encoders.MISSING in levels else encoders.MISSING


def _about(model: Predictor, inputs: Sequence[Feature], missing: str) -> dict[str, str]:
    """What travels with the file: which bundle, which task, what each input is and how a missing one is written."""
    planned = {f.name: f for f in model.plan.features}
    told = [
        {"name": f.name, "type": f.type, "table": planned[f.name].table, "column": planned[f.name].column,
         "built by": " ".join(filter(None, (planned[f.name].builder, planned[f.name].part)))}
        for f in inputs
    ]  # fmt: skip
    said = {
        "holdgood.bundle": model.manifest.digest,
        "holdgood.task": model.task.kind,
        "holdgood.classes": json.dumps([str(c) for c in model.task.classes]),
        "holdgood.inputs": json.dumps(told, ensure_ascii=False),
        "holdgood.missing_text": json.dumps(missing),
    }
    return said | ({} if np.isnan(model.threshold) else {"holdgood.threshold": repr(model.threshold)})


def reference(typical: Frame) -> Frame:
    """Typical rows, and the same with each feature in turn missing, unseen or wild; the last row has nothing at all."""
    n, k = len(typical), len(typical.features)
    rows = np.concatenate([np.arange(n), np.arange(k * len(_WILD)) % n, [0]])
    arrays = [a[rows].copy() for a in typical.arrays]
    for at, (feature, array) in enumerate(zip(typical.features, arrays, strict=True)):
        for number, wild in enumerate(_WILD):
            odd = "never \x01 seen" if number else None
            array[n + number * k + at] = wild if feature.type == "number" else odd
        array[-1] = np.nan if feature.type == "number" else None
    return Frame(typical.features, tuple(arrays))


def _stacked(one: Frame, other: Frame) -> Frame:
    return Frame(
        one.features,
        tuple(np.concatenate([a, other.column(f.name)]) for f, a in zip(one.features, one.arrays, strict=True)),
    )


def _given(values: np.ndarray, feature: Feature, missing: str) -> np.ndarray:
    if feature.type == "number":
        return np.asarray(values, np.float64).reshape(-1, 1)
    return np.array([missing if v is None else str(v) for v in values], dtype=object).reshape(-1, 1)


def rows_as_inputs(frame: Frame, names: Sequence[str], missing: str) -> Mapping[str, np.ndarray]:
    """The rows of a frame as an ONNX file takes them."""
    known = {f.name: f for f in frame.features}
    return {n: _given(frame.column(n), known[n], missing) for n in names}
