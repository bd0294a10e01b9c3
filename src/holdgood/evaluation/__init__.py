"""What the sealed holdout says: metrics with intervals, calibration, money, curves, importance.

Comes in: predictions, outcomes, the threshold chosen before.
Goes out: an Evaluation.
May touch: holdout rows, once more per opening (counted).
Never: tune anything.
"""

from holdgood.evaluation.evaluate import evaluate
from holdgood.evaluation.explain import explain_rows
from holdgood.evaluation.headline import measure
from holdgood.evaluation.importance import Importances, permutation_importance
from holdgood.evaluation.overfitting import overfitting
from holdgood.evaluation.slices import WeakSlices, weak_slices

__all__ = [
    "Importances",
    "WeakSlices",
    "evaluate",
    "explain_rows",
    "measure",
    "overfitting",
    "permutation_importance",
    "weak_slices",
]
