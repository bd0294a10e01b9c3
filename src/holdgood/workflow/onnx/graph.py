"""Graph: an ONNX graph that is written node by node. The only file that knows the library onnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from holdgood.core.errors import MissingExtra

_OPSET, _ML_OPSET, _IR = 18, 5, 10
_ML = "ai.onnx.ml"
NAN = float("nan")


class Graph:
    """Values are names; all numbers are 64-bit floats unless ``single`` work is asked for. Columns are two-dimensional: (rows, columns).

    ``inputs``: the names that inputs may have; no other value gets one that begins like these.
    """

    def __init__(self, inputs: Iterable[str] = ()) -> None:
        self._taken = frozenset(inputs)
        self._prefix = "_"
        while any(name.startswith(self._prefix) for name in self._taken):
            self._prefix += "_"
        try:
            import onnx  # here and not at the top: an optional library, wanted for this export only
            from onnx import helper, numpy_helper
        except ModuleNotFoundError:
            raise MissingExtra.named("onnx", "onnx", "exporting to ONNX") from None
        self._onnx, self._helper, self._numpy = onnx, helper, numpy_helper
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self.single = False
        """Whether some of the work is done in 32-bit floats, so that answers agree to fewer digits."""

    def input(self, name: str, *, text: bool) -> str:
        """A column of the rows, (rows, 1): numbers or texts."""
        kind = self._onnx.TensorProto.STRING if text else self._onnx.TensorProto.DOUBLE
        self._inputs.append(self._helper.make_tensor_value_info(name, kind, ["rows", 1]))
        return name

    def free(self, name: str) -> str:
        """The name, with a tail where an input has it already."""
        while name in self._taken:
            name += "_"
        return name

    def constant(self, values: Any) -> str:
        """An array that is part of the model."""
        array = np.asarray(values)
        name = f"{self._prefix}c{len(self._constants)}"
        self._constants.append(self._numpy.from_array(array, name))
        return name

    def node(self, operator: str, *inputs: str, ml: bool = False, **attributes: Any) -> str:
        """The result of one operator."""
        name = f"{self._prefix}n{len(self._nodes)}"
        made = self._helper.make_node(operator, list(inputs), [name], name=name, domain=_ML if ml else "", **attributes)
        self._nodes.append(made)
        return name

    def tensor(self, values: np.ndarray) -> Any:
        """An array as an attribute of an operator."""
        return self._numpy.from_array(values, "t")

    def number(self, value: str, to: type) -> str:
        """The value as another type of number: ``float`` (64 bits), ``int`` (64 bits), ``np.float32`` or ``bool``."""
        kinds = self._onnx.TensorProto
        kind = {float: kinds.DOUBLE, int: kinds.INT64, np.float32: kinds.FLOAT, bool: kinds.BOOL}[to]
        return self.node("Cast", value, to=kind)

    def where(self, condition: str, yes: str, no: str) -> str:
        """Row by row one of two."""
        return self.node("Where", condition, yes, no)

    def rows_of(self, value: str, answer: np.ndarray) -> str:
        """The same answer (columns,) for each of the rows that the value has."""
        rows = self.node("Shape", value, start=0, end=1)
        shape = self.node("Concat", rows, self.constant(np.array([answer.size], np.int64)), axis=0)
        return self.node("Expand", self.constant(answer.reshape(1, -1)), shape)

    def column(self, matrix: str, at: int) -> str:
        """One column of a matrix, (rows, 1)."""
        return self.node("Gather", matrix, self.constant(np.array([at], np.int64)), axis=1)

    def steps(self, column: str, edges: np.ndarray) -> str:
        """How many of the edges lie below each value, (rows,), whole numbers; 0 where the value is missing."""
        if not len(edges):
            return self.flat(
                self.number(self.node("Mul", self.number(self.node("IsNaN", column), float), self.zero()), int)
            )
        below = self.number(self.node("Greater", column, self.constant(edges.reshape(1, -1))), int)
        return self.node("ReduceSum", below, self.constant(np.array([1], np.int64)), keepdims=0)

    def zero(self) -> str:
        """The number zero."""
        return self.constant(np.array(0.0))

    def flat(self, column: str) -> str:
        """(rows, 1) → (rows,)."""
        return self.node("Reshape", column, self.constant(np.array([-1], np.int64)))

    def model(self, outputs: Mapping[str, tuple[str, Sequence[Any]]], about: Mapping[str, str]) -> bytes:
        """The whole as bytes. ``outputs``: by name the value and its shape; ``about``: texts that travel with the model."""
        double = self._onnx.TensorProto.DOUBLE
        named = [self._helper.make_node("Identity", [value], [name]) for name, (value, _) in outputs.items()]
        told = [self._helper.make_tensor_value_info(name, double, list(shape)) for name, (_, shape) in outputs.items()]
        graph = self._helper.make_graph([*self._nodes, *named], "holdgood", self._inputs, told, self._constants)
        sets = [self._helper.make_opsetid("", _OPSET), self._helper.make_opsetid(_ML, _ML_OPSET)]
        model = self._helper.make_model(graph, opset_imports=sets, producer_name="holdgood", ir_version=_IR)
        self._helper.set_model_props(model, dict(about))
        self._onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
