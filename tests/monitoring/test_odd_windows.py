"""Windows as they come: one row, nothing but gaps, levels nobody knew, columns that never vary, times out of order."""

import numpy as np
import pytest

from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Clock
from holdgood.monitoring import FeatureDrift, JointDrift, PredictionDrift
from holdgood.workflow.live.learner import learner

DAY = 86_400_000_000
FEATURES = (Feature("n", "number"), Feature("m", "number"), Feature("c", "category"), Feature("t", "text"))
WINDOWS = {
    "one row": 1, "twenty rows": 20, "all missing": 200, "new levels": 200, "never varies": 200, "infinite": 200, "none": 0,
}  # fmt: skip


def frame(n, kind=""):
    rng = np.random.default_rng(n + len(kind))
    number, other = rng.normal(size=n), rng.normal(size=n)
    level = rng.choice(["a", "b", None], n).astype(object)
    text = np.array(["word " * int(k) for k in rng.integers(0, 5, n)] + [None], object)[:-1]
    if kind == "all missing":
        number, other, level, text = np.full(n, np.nan), np.full(n, np.nan), np.full(n, None), np.full(n, None)
    if kind == "new levels":
        level = np.array([f"new {i}" for i in range(n)] + [None], object)[:-1]
    if kind == "never varies":
        number, other, level, text = np.ones(n), np.zeros(n), np.full(n, "a", object), np.full(n, "x", object)
    if kind == "infinite":
        number = np.where(rng.random(n) < 0.5, np.inf, -np.inf)
    return Frame(FEATURES, (number, other, level, text))


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("kind", WINDOWS)
def test_every_window_is_looked_at_without_a_fault(kind, timed):
    n, m = 800, WINDOWS[kind]
    rng = np.random.default_rng(0)
    # Half of the window is dated before the reference ends: a clock that ran backwards, and out of order.
    clock = Clock(rng.integers(0, 500 * DAY, n), rng.integers(480 * DAY, 507 * DAY, m)) if timed and m else None
    for detector in (FeatureDrift(), PredictionDrift(), JointDrift(), JointDrift(learner("binary"))):
        found = detector.look(frame(n), frame(m, kind), alpha=0.01, seed=0, clock=clock)
        if m < 20:
            assert found == []
        for alarm in found:
            assert alarm.message and "nan" not in alarm.message.lower() and np.isfinite(alarm.statistic)
        if kind in ("all missing", "new levels") and isinstance(detector, FeatureDrift) and not timed:
            assert "c" in {a.subject for a in found}
    empty = frame(n, "never varies")
    assert FeatureDrift().look(empty, empty, alpha=0.01, seed=0) == []
    assert JointDrift().look(empty, empty, alpha=0.01, seed=0) == []
