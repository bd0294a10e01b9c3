"""Tries candidates within a budget, climbs the ladder, stops where complexity does not pay.

Comes in: a Frame, coded outcomes, folds as index arrays, candidate factories.
Goes out: a Leaderboard, a fitted chain, out-of-fold predictions.
May touch: development rows.
Never: see the holdout; import models or features.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdgood.training.ensemble import Ensemble as Ensemble
    from holdgood.training.portfolio import train as train
    from holdgood.training.trained import Trained as Trained

__all__ = ["Ensemble", "Trained", "train"]

_HOMES = {"Ensemble": "ensemble", "Trained": "trained", "train": "portfolio"}


def __getattr__(name: str) -> Any:
    """Load on first use: a server that rebuilds an ensemble comes through this door and must not load the trainer."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
