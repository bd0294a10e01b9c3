"""The wall: development and holdout, folds, and the count of openings.

Comes in: row counts, target codes, times, groups.
Goes out: a Split and row positions.
May touch: the openings file of the project.
Never: look at a feature.
"""

from holdgood.splitting.divide import DEVELOPMENT, HOLDOUT, NO_OUTCOME, UNUSED, Division, divide
from holdgood.splitting.folds import folds, number_of_folds
from holdgood.splitting.openings import WORN_AFTER, Openings
from holdgood.splitting.repeats import number_of_repeats, repeated_folds

__all__ = [
    "DEVELOPMENT",
    "HOLDOUT",
    "NO_OUTCOME",
    "UNUSED",
    "WORN_AFTER",
    "Division",
    "Openings",
    "divide",
    "folds",
    "number_of_folds",
    "number_of_repeats",
    "repeated_folds",
]
