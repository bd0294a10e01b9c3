"""The other families as ONNX: prior, linear, additive, network. Each takes a matrix and gives (rows, 1) or (rows, classes)."""

from __future__ import annotations

import numpy as np

from holdgood.models.tabular.additive import Additive
from holdgood.models.tabular.curves import Axis
from holdgood.models.tabular.linear import Linear
from holdgood.models.tabular.mlp import Mlp
from holdgood.models.tabular.piecewise import Pieces
from holdgood.models.tabular.prior import Prior
from holdgood.models.tabular.standard import FURTHEST
from holdgood.workflow.onnx.graph import Graph


def prior(graph: Graph, model: Prior, matrix: str) -> str:
    """The same answer a row."""
    return graph.rows_of(matrix, model.answer)


def linear(graph: Graph, model: Linear, matrix: str) -> str:
    """Standard units, pieces, one product."""
    z = _standardised(graph, matrix, model.center, model.unit)
    if len(model.pieces):
        z = graph.node("Concat", z, _pieces(graph, model.pieces, z), axis=1)
    raw = graph.node("MatMul", z, graph.constant(np.ascontiguousarray(model.coefficients.T)))
    raw = graph.node("Add", raw, graph.constant(model.intercept.reshape(1, -1)))
    if model.kind != "regression":
        return _linked(graph, raw, model.kind)
    low, high = (graph.constant(np.array(b)) for b in model.bounds)
    return graph.node("Clip", raw, low, high)


def additive(graph: Graph, model: Additive, matrix: str) -> str:
    """Each curve's step looked up, then each surface's."""
    total = graph.constant(model.terms.intercept.reshape(1, -1))
    for curve in model.terms.curves:
        at = _step(graph, matrix, curve.axis)
        total = graph.node("Add", total, graph.node("Gather", graph.constant(curve.values), at, axis=0))
    for surface in model.terms.surfaces:
        one, two = _step(graph, matrix, surface.first), _step(graph, matrix, surface.second)
        size = graph.constant(np.array(surface.second.size, np.int64))
        at = graph.node("Add", graph.node("Mul", one, size), two)
        table = surface.values.reshape(-1, surface.values.shape[2])
        total = graph.node("Add", total, graph.node("Gather", graph.constant(table), at, axis=0))
    if not model.terms.curves and not model.terms.surfaces:
        total = graph.rows_of(matrix, model.terms.intercept)
    return total if model.kind == "regression" else _linked(graph, total, model.kind)


def mlp(graph: Graph, model: Mlp, matrix: str) -> str:
    """The network in 32-bit floats, as it was trained; its members' answers are averaged in 64."""
    graph.single = True
    network = model.network
    assert network is not None
    z = _standardised(graph, matrix, model.center, model.unit)
    third = graph.node("Div", z, graph.constant(np.array(3.0)))
    squared = graph.node("Add", graph.node("Mul", third, third), graph.constant(np.array(1.0)))
    seen = graph.node("Div", z, graph.node("Sqrt", squared))
    if len(model.pieces):
        seen = graph.node("Concat", seen, _pieces(graph, model.pieces, z), axis=1)
    rows = graph.node("Unsqueeze", graph.number(seen, np.float32), graph.constant(np.array([1], np.int64)))
    own = graph.node("Mul", rows, graph.constant(network.adapter[None]))
    for weight, bias in ((network.first, network.first_bias), (network.second, network.second_bias)):
        own = graph.node("Add", graph.node("MatMul", own, graph.constant(weight)), graph.constant(bias))
        own = graph.node("Relu", own)
    # (rows, members, 1, width) by (members, width, outputs): each member has a head of its own
    wide = graph.node("Unsqueeze", own, graph.constant(np.array([2], np.int64)))
    heads = graph.constant(np.ascontiguousarray(network.head.transpose(0, 2, 1)))
    said = graph.node("Squeeze", graph.node("MatMul", wide, heads), graph.constant(np.array([2], np.int64)))
    said = graph.number(graph.node("Add", said, graph.constant(network.head_bias)), float)
    if model.kind != "regression":
        said = graph.node("Softmax", said, axis=2) if model.kind == "multiclass" else graph.node("Sigmoid", said)
    mean = graph.node("ReduceMean", said, graph.constant(np.array([1], np.int64)), keepdims=0)
    if model.kind != "regression":
        return mean
    scaled = graph.node("Mul", mean, graph.constant(np.array(model.scale[1])))
    scaled = graph.node("Add", scaled, graph.constant(np.array(model.scale[0])))
    return graph.node(
        "Clip", scaled, graph.constant(np.array(model.scale[2])), graph.constant(np.array(model.scale[3]))
    )


def _linked(graph: Graph, raw: str, kind: str) -> str:
    return graph.node("Softmax", raw, axis=1) if kind == "multiclass" else graph.node("Sigmoid", raw)


def _standardised(graph: Graph, matrix: str, center: np.ndarray, unit: np.ndarray) -> str:
    middle = graph.constant(center.reshape(1, -1))
    there = graph.where(graph.node("IsNaN", matrix), middle, matrix)
    z = graph.node("Div", graph.node("Sub", there, middle), graph.constant(unit.reshape(1, -1)))
    return graph.node("Clip", z, graph.constant(np.array(-FURTHEST)), graph.constant(np.array(FURTHEST)))


def _pieces(graph: Graph, pieces: Pieces, z: str) -> str:
    picked = graph.node("Gather", z, graph.constant(pieces.column), axis=1)
    begun = graph.node("Sub", picked, graph.constant(pieces.low.reshape(1, -1)))
    share = graph.node("Div", begun, graph.constant(pieces.width.reshape(1, -1)))
    return graph.node("Clip", share, graph.zero(), graph.constant(np.array(1.0)))


def _step(graph: Graph, matrix: str, axis: Axis) -> str:
    """The step of each value of a column, (rows,); see Axis."""
    column = graph.column(matrix, axis.column)
    last = graph.constant(np.array(axis.size - 1, np.int64))
    found = graph.steps(column, axis.edges)
    if not axis.categorical:
        return graph.where(graph.flat(graph.node("IsNaN", column)), last, found)
    # a code is a step if the edge that it has come to is the code itself; beyond the last edge nothing is
    edges = graph.constant(np.append(axis.edges, np.nan))
    same = graph.node("Equal", graph.node("Gather", edges, found, axis=0), graph.flat(column))
    return graph.where(same, found, last)
