"""Every detector over every window, each with its part of what the look may spend; then what drift does to predictions and money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from holdgood.core import plugins
from holdgood.core.declared_watch import WatchingSpec
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.frame import Frame
from holdgood.core.protocols import Clock, Watcher
from holdgood.core.records import Alarm, Drift
from holdgood.core.traffic import DAY, Look, Traffic
from holdgood.metrics.cost import CostTable, resolve
from holdgood.monitoring.impact import impact
from holdgood.monitoring.mon001_feature_drift import moves
from holdgood.monitoring.mon002_joint_drift import JointDrift
from holdgood.monitoring.schedule import shares
from holdgood.workflow.live.in_use import InUse, prediction_frame
from holdgood.workflow.live.learner import learner
from holdgood.workflow.predict import Predictor

WEIGHTS = {"MON001": 6.0, "MON002": 2.0, "MON007": 3.0}
"""Families of dozens of tests need more of the budget than one test does to see as well; what is not named here weighs one."""

RANKED = 8
HARMLESS = 0.02
"""A drift that moves predictions by less than this share of their spread is of low severity, however large it is."""

_YEAR = 350 * DAY
_ENOUGH = 300


@dataclass(frozen=True)
class Found:
    """All alarms of a look, features by what their drift does, and notes on what was not watched."""

    alarms: tuple[Alarm, ...]
    drift: tuple[Drift, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Window:
    """Frames of features and predictions in use with their clocks; None where they are not known."""

    look: Look
    features: tuple[Frame, Frame, Clock | None] | None
    predictions: tuple[Frame, Frame, Clock | None] | None


def detect(spec: WatchingSpec, predictor: Predictor, in_use: InUse, traffic: Traffic, alpha: float) -> Found:
    """Look with all registered detectors that are not left out."""
    detectors = _detectors(spec)
    windows = list(_windows(spec, predictor, in_use, traffic))
    of_detector = shares(alpha, list(detectors), WEIGHTS)
    alarms: list[Alarm] = []
    for code, detector in detectors.items():
        for window in windows:
            # Over the windows that there are: how many hold rows of their own says nothing of what is in them.
            begins = datetime.fromtimestamp(window.look.begins / 1e6, UTC).isoformat()
            found = _one(detector, window, of_detector[code] / len(windows))
            alarms += [a.model_copy(update={"begins": begins}) for a in found]
    drift: tuple[Drift, ...] = ()
    if windows and windows[0].features is not None:
        drift = _ranked(predictor, in_use, windows[0].features, alpha)
    stakes = {d.feature: d for d in drift}
    rows = len(windows[0].look.window) if windows else 0
    currency = predictor.declaration.costs.currency
    weighed = tuple(_weighed(a, stakes.get(a.subject), rows, currency) for a in alarms)
    return Found(weighed, drift, in_use.notes)


def _detectors(spec: WatchingSpec) -> dict[str, Any]:
    there: dict[str, Any] = plugins.load_all("holdgood.detectors")
    for code in spec.without:
        if code not in there:
            raise DeclarationError(
                f"[watch] leaves out {code!r}, which is no detector", "one of: " + ", ".join(there),
                did_you_mean(code, there) or "take it out",
            )  # fmt: skip
    kept = {c: d for c, d in there.items() if c not in spec.without}
    if "MON002" in kept and spec.joint:
        kept["MON002"] = JointDrift(learner("binary"))
    return kept


def _windows(spec: WatchingSpec, predictor: Predictor, in_use: InUse, traffic: Traffic) -> Iterator[_Window]:
    """The windows that hold rows which shorter ones do not."""
    held = -1
    for looks in spec.windows:
        begins = traffic.as_of - round(looks * spec.days * DAY)
        inside = traffic.when >= begins
        if int(inside.sum()) == held:
            continue
        held = int(inside.sum())
        yield _Window(
            Look(traffic, begins, traffic.as_of), _features(in_use, inside), _predictions(predictor, in_use, inside)
        )


def _features(in_use: InUse, inside: np.ndarray) -> tuple[Frame, Frame, Clock | None] | None:
    if in_use.usual is None or in_use.features is None:
        return None
    here = inside[in_use.rows]
    names = [n for n in in_use.features.names if n not in in_use.left_out]
    if not names:
        return None
    current = in_use.features.select(names).take(np.flatnonzero(here))
    moment = in_use.usual.moment
    clock = Clock(moment, in_use.when[in_use.rows][here]) if len(moment) and here.any() else None
    return in_use.usual.frame.select(names), current, clock


def _predictions(predictor: Predictor, in_use: InUse, inside: np.ndarray) -> tuple[Frame, Frame, Clock | None] | None:
    usual = in_use.usual
    if usual is None or len(usual.outcome) == 0:
        return None
    told = in_use.prediction if in_use.prediction.ndim == 1 else in_use.prediction[:, 0]
    here = inside & np.isfinite(told)
    # The rows that judged were scored by this very model; where a season is to be known, the others help.
    held = usual.held
    dated = len(usual.answered) > 0
    alone = held.sum() >= _ENOUGH and (
        not dated or np.ptp(usual.answered[held]) >= _YEAR or np.ptp(usual.answered) < _YEAR
    )
    used = held if alone else np.ones(len(held), bool)
    clock = Clock(usual.answered[used], in_use.when[here]) if dated and here.any() else None
    frames = (prediction_frame(predictor.task, p) for p in (usual.prediction[used], in_use.prediction[here]))
    before, now = frames
    return before, now, clock


def _one(detector: Any, window: _Window, alpha: float) -> list[Alarm]:
    if isinstance(detector, Watcher):
        return detector.watch(window.look, alpha=alpha, seed=0)
    frames = window.predictions if getattr(detector, "of", "features") == "predictions" else window.features
    if frames is None:
        return []
    reference, current, clock = frames
    return list(detector.look(reference, current, alpha=alpha, seed=0, clock=clock))


def _ranked(
    predictor: Predictor, in_use: InUse, frames: tuple[Frame, Frame, Clock | None], alpha: float
) -> tuple[Drift, ...]:
    """The surest few features with what their change does, greatest change of predictions first."""
    assert in_use.usual is not None
    assert in_use.features is not None
    reference, current, clock = frames
    moved, _ = moves(reference, current, seed=0, clock=clock)
    as_trained = {f.name: f for f in predictor.background.frame.features}
    features = tuple(as_trained[n] for n in in_use.usual.frame.names)
    usual, cost = in_use.usual, _cost(predictor)

    def predict(rows: Frame) -> np.ndarray:
        told = predictor.chain.predict(usual.to_score(features, rows))
        return told if told.ndim == 1 else told[:, 0]

    found = []
    for one in moved[:RANKED]:
        name = reference.features[one.feature].name
        seen = Drift(feature=name, effect=one.effect, p=one.p)
        if one.p < max(alpha, 0.05) and as_trained[name].type != "text":
            said = impact(predict, cost, usual.frame, current, name, seed=0)
            seen = seen.model_copy(update={"moved": said.moved, "money": said.money})
        found.append(seen)
    return tuple(sorted(found, key=lambda d: -(d.moved if d.moved == d.moved else -1.0)))


def _cost(predictor: Predictor) -> Callable[[np.ndarray], np.ndarray] | None:
    """Expected cost a row of what the model answers, by its own chances (binary with declared costs)."""
    costs = predictor.declaration.costs
    if predictor.task.kind != "binary" or not costs.declared or costs.function is not None:
        return None
    table: CostTable = resolve(costs, predictor.task, predictor.class_weight, predictor.average_costs)

    def expected(chance: np.ndarray) -> np.ndarray:
        answer = predictor.codes(chance).astype(int)
        spent: np.ndarray = chance * table.cost[1, answer] + (1.0 - chance) * table.cost[0, answer]
        return spent

    return expected


def _weighed(alarm: Alarm, drift: Drift | None, rows: int, currency: str) -> Alarm:
    """A drift alarm with what it does: severity by predictions moved, money of the window's rows at stake."""
    if alarm.code != "MON001" or drift is None or drift.moved != drift.moved:
        return alarm
    said = f"; it moves predictions by {drift.moved:.2f} of their spread"
    update: dict[str, Any] = {"message": alarm.message + said}
    if drift.moved < HARMLESS:
        update["severity"] = "low"
    elif drift.moved >= 0.5:
        update["severity"] = "high"
    if drift.money == drift.money:
        update |= {"stake": abs(drift.money) * rows, "currency": currency}
    return alarm.model_copy(update=update)
