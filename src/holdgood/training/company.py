"""Good company: what is behind, but errs otherwise than the best, is worth more in an ensemble than one more of the same kind."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

GAIN, ERRORS, SHARES = 0.005, 2.0, (0.1, 0.2, 0.3, 0.4)
"""It is where one of these shares of it beside the best lowers the loss by this share, and by so many standard errors of rows."""


def good_company(prediction: np.ndarray, best: np.ndarray, losses: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether some mean of the two predictions of the same rows is clearly better than ``best``.

    ``losses``: of each row, (n,), for a prediction of these rows.
    """
    alone = losses(best)
    for share in SHARES:
        gain = alone - losses(share * prediction + (1.0 - share) * best)
        error = float(np.std(gain)) / math.sqrt(len(gain))
        if float(np.mean(gain)) > max(ERRORS * error, GAIN * abs(float(np.mean(alone)))):
            return True
    return False
