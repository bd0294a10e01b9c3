"""MON003: predictions lie otherwise than in development, whatever moved them."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock
from holdgood.core.records import Alarm
from holdgood.monitoring.mon001_feature_drift import LEAST_EFFECT, moves, severity, told


class PredictionDrift:
    """MON001's scores of the predictions: give frames that hold predictions only, a column each class."""

    code: ClassVar[str] = "MON003"
    title: ClassVar[str] = "Predictions have drifted"
    of: ClassVar[str] = "predictions"
    todo: ClassVar[str] = (
        "see which features drifted (MON001) and what the estimate before labels says; prepare for more or fewer actions"
    )

    def look(
        self, reference: Frame, current: Frame, *, alpha: float = 0.05, seed: int = 0, clock: Clock | None = None
    ) -> list[Alarm]:
        """Alarms about columns of predictions, surest first."""
        moved, found = moves(reference, current, seed=seed, clock=clock)
        beyond = f", beyond {' and '.join(found.explains)}" if found.explains else ""
        return [
            Alarm(
                code=self.code, title=self.title, subject=(name := reference.features[one.feature].name),
                severity=severity(one.effect),
                message=f"{name}: {told(one, reference, current)}{beyond} (p = {one.p:.2g} after correction)",
                statistic=one.effect, p=one.p, alpha=alpha, n_reference=len(reference), n_current=len(current),
                todo=self.todo,
            )
            for one in moved
            if one.p < alpha and one.effect >= LEAST_EFFECT
        ]  # fmt: skip


DETECTOR = PredictionDrift()
