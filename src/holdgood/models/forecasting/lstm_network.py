"""The LSTM as arrays, and its scorer in NumPy: an encoder over the history, a head for each step ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.models.tabular.links import sigmoid

_BLOCK = 256


@dataclass(frozen=True)
class Lstm:
    """float32. ``gates`` (channels + width, 4 width): input, forget, cell, output, side by side; ``gates_bias`` (4 width,).

    ``first`` (width + features, hidden), ``second`` (hidden, outputs) and their biases: what a step ahead makes of the
    encoder's last state and its own features.
    """

    gates: np.ndarray
    gates_bias: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray

    @property
    def width(self) -> int:
        """Size of the encoder's state."""
        return len(self.gates_bias) // 4

    def states(self, context: np.ndarray) -> np.ndarray:
        """The encoder's last state, (n, width), for histories (n, steps, channels), the latest last."""
        width = self.width
        out = np.empty((len(context), width), np.float32)
        for begin in range(0, len(context), _BLOCK):
            rows = context[begin : begin + _BLOCK]
            state = np.zeros((len(rows), width), np.float32)
            cell = np.zeros_like(state)
            for step in range(rows.shape[1]):
                both = np.concatenate([rows[:, step], state], axis=1)
                gates = _each(both, self.gates) + self.gates_bias
                enter, keep, leave = (sigmoid(gates[:, k * width : (k + 1) * width]) for k in (0, 1, 3))
                cell = keep * cell + enter * np.tanh(gates[:, 2 * width : 3 * width])
                state = (leave * np.tanh(cell)).astype(np.float32)
                cell = cell.astype(np.float32)
            out[begin : begin + _BLOCK] = state
        return out

    def answers(self, states: np.ndarray, features: np.ndarray) -> np.ndarray:
        """(rows, outputs) float32 for a state (rows, width) and the features of a step (rows, features)."""
        out = np.empty((len(states), len(self.second_bias)), np.float32)
        for begin in range(0, len(states), 16 * _BLOCK):
            rows = slice(begin, begin + 16 * _BLOCK)
            hidden = _each(np.concatenate([states[rows], features[rows]], axis=1), self.first) + self.first_bias
            out[rows] = _each(np.maximum(hidden, 0.0), self.second) + self.second_bias
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The six arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], channels: int, features: int, outputs: int) -> Lstm:
        """Rebuild; BundleError where the arrays do not fit together."""
        found = {f.name: arrays.get(f.name, np.empty(0, np.float32)) for f in fields(cls)}
        width, hidden = found["gates_bias"].size // 4, found["first_bias"].size
        shapes = [(channels + width, 4 * width), (4 * width,), (width + features, hidden), (hidden,)]
        shapes += [(hidden, outputs), (outputs,)]
        for (name, array), shape in zip(found.items(), shapes, strict=True):
            if array.shape != shape or array.dtype != np.float32 or not array.size or not np.isfinite(array).all():
                raise BundleError(
                    f"an LSTM with {name!r} of shape {array.shape}",
                    f"finite float32 of shape {shape}",
                    "the bundle is damaged",
                )
        return cls(**{name: np.ascontiguousarray(array) for name, array in found.items()})


def _each(rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(rows, n) by (n, m), a product a row: the same bits for a row alone as among others."""
    result: np.ndarray = np.matmul(rows[:, None, :], weight)[:, 0]
    return result
