"""The contract suite itself: a family that breaks a promise is caught, with the reason."""

import numpy as np
import pytest

from holdgood.core.protocols import Parts
from holdgood.models.tabular.linear import Linear, LinearFamily
from holdgood.testing.model import check_model_family


class BatchDependent(Linear):
    def predict(self, matrix):
        answers = super().predict(matrix)
        return (
            np.clip(answers + 1e-15 * len(answers), 0, 1)
            if self.kind != "regression"
            else answers + 1e-9 * len(answers)
        )


class Forgetful(Linear):
    def to_parts(self):
        parts = super().to_parts()
        return Parts(parts.json, parts.arrays | {"intercept": parts.arrays["intercept"] + 1e-12})


class Unweighted(Linear):
    def fit(self, matrix, y, weight, context):
        return super().fit(matrix, y, None, context)


class Restless(Linear):
    fits = 0

    def fit(self, matrix, y, weight, context):
        Restless.fits += 1
        super().fit(matrix, y, weight, context)
        self.intercept = self.intercept + 1e-9 * Restless.fits
        return self


class Blind(Linear):
    def fit(self, matrix, y, weight, context):
        super().fit(matrix, y, weight, context)
        self.coefficients = np.zeros_like(self.coefficients)
        return self


class Flat(Linear):
    def predict(self, matrix):
        return super().predict(matrix)[:, None]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (BatchDependent, "alone"),
        (Forgetful, "other answers"),
        (Unweighted, "weights"),
        (Restless, "same seed"),
        (Blind, "strong signal"),
        (Flat, "shape"),
    ],
)
def test_broken_models_are_caught(model, said):
    class Family(LinearFamily):
        kinds = ("regression",)

        @staticmethod
        def make(parameters):
            return model(**parameters)

    with pytest.raises(AssertionError, match=said):
        check_model_family(Family)


def test_parameters_must_be_plain():
    class Family(LinearFamily):
        @staticmethod
        def configurations(task, rows, columns):
            return [("linear", {"strength": np.float64(1), "more": (1, 2)})]

    with pytest.raises(AssertionError, match="JSON"):
        check_model_family(Family)
