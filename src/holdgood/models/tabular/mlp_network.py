"""The network of the MLP as arrays, and its scorer in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.models.tabular.links import sigmoid, softmax

_BLOCK_CELLS = 1 << 21
_ONE_THREAD = 1 << 17  # multiplications in one product; OpenBLAS wakes threads from 2^18 on


@dataclass(frozen=True)
class Network:
    """A small ensemble in one network (TabM-mini, Gorishniy 2024); float32.

    Each member sees the inputs through ``adapter`` (members, inputs); ``first`` (inputs, width) and ``second`` (width,
    width) with their biases are shared; ``head`` (members, outputs, width) and ``head_bias`` (members, outputs) are each
    member's own. Answers are the mean of the members'.
    """

    adapter: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray
    head: np.ndarray
    head_bias: np.ndarray

    @property
    def inputs(self) -> int:
        """How many inputs a row has."""
        return int(self.adapter.shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers a member gives a row."""
        return int(self.head.shape[1])

    def members(self, x: np.ndarray) -> np.ndarray:
        """What each member says before the link: (rows, inputs) float32 → (rows, members, outputs).

        Sums run along each row by themselves, so that a row alone gets the same bits as among others.
        """
        said = np.empty((len(x), *self.head_bias.shape), np.float32)
        step = max(1, _BLOCK_CELLS // (self.adapter.shape[0] * max(self.inputs, self.second.shape[0])))
        for start in range(0, len(x), step):
            own = x[start : start + step, None, :] * self.adapter
            for weight, bias in ((self.first, self.first_bias), (self.second, self.second_bias)):
                own = _product(own, weight)
                own += bias
                np.maximum(own, 0.0, out=own)
            for k in range(self.outputs):
                said[start : start + step, :, k] = np.add.reduce(own * self.head[:, k], axis=2)
        said += self.head_bias
        return said

    def answers(self, x: np.ndarray, kind: str) -> np.ndarray:
        """The mean of the members' probabilities or values: (rows,), or (rows, classes) for multiclass. float64."""
        said = self.members(x).astype(np.float64)
        rows, number, outputs = said.shape
        if kind == "multiclass":
            said = softmax(said.reshape(-1, outputs)).reshape(said.shape)
        elif kind == "binary":
            said = sigmoid(said)
        total = np.zeros((rows, outputs))
        for m in range(number):  # member by member: the order of the sum is the same for any batch
            total += said[:, m]
        total /= number
        return total if kind == "multiclass" else total[:, 0].copy()

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The seven arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], inputs: int, outputs: int) -> Network:
        """Rebuild; BundleError where the arrays do not fit together."""
        names = [f.name for f in fields(cls)]
        found = {name: arrays.get(name, np.empty(0, np.float32)) for name in names}
        members = len(found["adapter"])
        width = len(found["first_bias"])
        shapes = [(members, inputs), (inputs, width), (width,), (width, width), (width,)]
        shapes += [(members, outputs, width), (members, outputs)]
        for (name, array), shape in zip(found.items(), shapes, strict=True):
            if array.shape != shape or array.dtype != np.float32 or not array.size or not np.isfinite(array).all():
                raise BundleError(
                    f"a network with {name!r} of shape {array.shape}",
                    f"finite float32 of shape {shape}",
                    "the bundle is damaged",
                )
        return cls(**{name: np.ascontiguousarray(array) for name, array in found.items()})


def _product(own: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(rows, members, n) by (n, m), the same bits for any number of rows and any number of BLAS threads.

    ``matmul`` of such a stack is one product of (members, n) by (n, m) for each row, always of the same shape; a product of
    (rows · members, n) by (n, m) would choose its way by the number of rows. Long sums go in pieces, so that no product
    is large enough to be shared out among threads.
    """
    step = max(1, _ONE_THREAD // (own.shape[1] * weight.shape[1]))
    total: np.ndarray = np.matmul(own[..., :step], weight[:step])
    for start in range(step, len(weight), step):
        total += np.matmul(own[..., start : start + step], weight[start : start + step])
    return total
