"""What training hands on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.records import Leaderboard
from holdgood.training.calibrated import Calibrated
from holdgood.training.ensemble import Ensemble


@dataclass(frozen=True, eq=False)
class Trained:
    """``oof``: predictions by trial name and of the choice under ``"chosen"``, on ``oof_rows``.

    ``simple`` is the lowest rung above the prior, refitted: its trial is ``simple_name``, its ``simple_threshold`` is the
    best on its own out-of-fold predictions (binary; else NaN). None, "" and NaN where there is no such rung, where it is
    the choice itself, or where it could not be refitted. All chains can be saved.
    """

    chain: Chain | Ensemble | Calibrated
    leaderboard: Leaderboard
    oof: dict[str, np.ndarray]
    oof_rows: np.ndarray
    threshold: float
    simple: Chain | None
    prior: Chain
    simple_threshold: float = math.nan
    simple_name: str = ""
