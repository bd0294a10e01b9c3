"""The contract suite finds what it is there to find."""

import numpy as np
import pytest

from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.testing import transformer as suite


class Honest:
    """Numbers with their training mean in the gaps."""

    part = "honest"

    def __init__(self):
        self.names, self.means = (), np.empty(0)

    def fit_transform(self, frame, y, context):
        self.names = tuple(f.name for f in frame.features if f.type == "number")
        self.means = np.array([self._mean(frame.column(n)) for n in self.names])
        return self.transform(frame)

    @staticmethod
    def _mean(values):
        present = values[~np.isnan(values)]
        return float(present.mean()) if len(present) else 0.0

    def transform(self, frame):
        columns = [frame.column(n) for n in self.names]
        filled = [np.where(np.isnan(c), m, c) for c, m in zip(columns, self.means, strict=True)]
        return Matrix(np.ascontiguousarray(np.column_stack(filled)), self.names)

    def to_parts(self):
        return Parts({"names": list(self.names)}, {"means": self.means})

    @classmethod
    def from_parts(cls, parts):
        made = cls()
        made.names, made.means = tuple(parts.json["names"]), parts.arrays["means"]
        return made


class LearnsInUse(Honest):
    def transform(self, frame):
        self.means = self.means + 1e-9 * len(frame)
        return super().transform(frame)


class LooksAtNeighbours(Honest):
    def transform(self, frame):
        matrix = super().transform(frame)
        return Matrix(matrix.values - matrix.values.mean(axis=0), matrix.names)


class Forgets(Honest):
    def to_parts(self):
        return Parts({"names": list(self.names)}, {"means": self.means.round(3)})


class Pickles(Honest):
    def to_parts(self):
        return Parts({"names": list(self.names)}, {"means": self.means.astype(object)})


class ReadsNames(Honest):
    def transform(self, frame):
        matrix = super().transform(frame)
        return Matrix(matrix.values + len(self.names[0]), matrix.names)


class Random(Honest):
    def fit_transform(self, frame, y, context):
        super().fit_transform(frame, y, context)
        self.means = self.means + np.random.default_rng().normal()
        return self.transform(frame)


class Overflows(Honest):
    def transform(self, frame):
        matrix = super().transform(frame)
        with np.errstate(over="ignore"):
            return Matrix(matrix.values + np.exp(np.abs(matrix.values) ** 0.5), matrix.names)


class Narrow(Honest):
    def transform(self, frame):
        matrix = super().transform(frame)
        return Matrix(matrix.values.astype(np.float32), matrix.names)


class ChangesItsInput(Honest):
    def fit_transform(self, frame, y, context):
        matrix = super().fit_transform(frame, y, context)
        frame.arrays[0][:] = 0.0
        return matrix


def test_an_honest_transformer_passes():
    suite.check_transformer(Honest)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (LearnsInUse, "learns from the rows|differ"),
        (LooksAtNeighbours, "row .* differs|learns|differ"),
        (Forgets, "saved and loaded"),
        (ReadsNames, "names"),
        (Random, "two fits with one seed"),
        (Overflows, "infinite"),
        (Narrow, "float32"),
        (ChangesItsInput, "changed in place"),
    ],
)
def test_a_dishonest_one_is_told(make, told):
    with pytest.raises(AssertionError, match=told):
        suite.check_transformer(make)


def test_objects_in_parts_are_refused():
    with pytest.raises(ValueError, match="Object arrays"):
        suite.check_transformer(Pickles)
