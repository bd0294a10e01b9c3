"""Alarms, and what was decided because of them."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Number, Record


class Alarm(Record):
    """Something changed. ``p`` is corrected for everything looked at; ``alpha`` the stated family-wise false-alarm rate."""

    kind: ClassVar[str] = "alarm"

    code: str
    title: str
    subject: str
    severity: Literal["high", "medium", "low"]
    message: str
    statistic: Number = float("nan")
    p: Number = float("nan")
    alpha: float = 0.05
    n_reference: int = 0
    n_current: int = 0


class RetrainDecision(Record):
    """Retrain, do not retrain, or not yet; with its reasons."""

    kind: ClassVar[str] = "retrain-decision"

    decision: Literal["retrain", "do not retrain", "not yet"]
    reasons: tuple[str, ...]
    alarms: tuple[str, ...] = ()


class Promotion(Record):
    """Who put which bundle into use, on what evidence."""

    kind: ClassVar[str] = "promotion"

    bundle_digest: str
    replaces: str = ""
    by: str
    why: str
    evidence: Comparison | None = None
