"""Prior: counts checked by hand."""

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError, TargetError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext, Parts
from holdgood.core.task import Task
from holdgood.models.tabular.prior import Prior

MATRIX = Matrix(np.zeros((4, 2)), ("a", "b"))
BINARY = FitContext(Task(kind="binary", classes=(0, 1)))
THREE = FitContext(Task(kind="multiclass", classes=(0, 1, 2)))


def test_shares_and_mean_by_hand():
    assert Prior().fit(MATRIX, np.array([0, 1, 1, 1.0]), None, BINARY).predict(MATRIX).tolist() == [0.75] * 4
    weighted = Prior().fit(MATRIX, np.array([0, 1, 1, 1.0]), np.array([9, 1, 1, 1.0]), BINARY)
    assert weighted.predict(MATRIX).tolist() == [0.25] * 4
    shares = Prior().fit(MATRIX, np.array([0, 0, 2, 2.0]), None, THREE).predict(MATRIX)
    assert shares.tolist() == [[0.5, 0.0, 0.5]] * 4
    numbers = FitContext(Task(kind="regression"))
    assert Prior().fit(MATRIX, np.array([1, 2, 3, 6.0]), np.array([0, 0, 1, 1.0]), numbers).predict(MATRIX)[0] == 4.5


@pytest.mark.parametrize(
    ("y", "weight", "error"),
    [
        (np.array([0, 1, np.nan, 1]), None, TargetError),
        (np.array([0, 1, 2, 1.0]), None, TargetError),
        (np.array([0, 0.5, 1, 1]), None, TargetError),
        (np.array([0, 1.0]), None, DataError),
        (np.array([0, 1, 1, 1.0]), np.zeros(4), DataError),
        (np.array([0, 1, 1, 1.0]), np.array([1, -1, 1, 1.0]), DataError),
        (np.array([0, 1, 1, 1.0]), np.array([1, np.nan, 1, 1.0]), DataError),
    ],
)
def test_bad_training_rows_are_refused(y, weight, error):
    with pytest.raises(error) as caught:
        Prior().fit(MATRIX, y, weight, BINARY)
    assert caught.value.expected
    assert caught.value.do


def test_unfitted_and_damaged():
    with pytest.raises(DataError):
        Prior().predict(MATRIX)
    for parts in (
        Parts({"kind": "binary"}, {"answer": np.array([np.nan])}),
        Parts({"kind": "multiclass"}, {"answer": np.array([1.0])}),
        Parts({"kind": "nonsense"}, {"answer": np.array([1.0])}),
        Parts({}, {}),
    ):
        with pytest.raises(BundleError):
            Prior.from_parts(parts)
