"""A year walked week by week: alarms, outcomes a week late, decisions, challengers in the shadow, promotions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from retraining_worlds import ROWS, SCARE_DAYS, YEAR, Year

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.records import Alarm
from holdgood.core.task import Task
from holdgood.metrics.distance import ks
from holdgood.metrics.score import loss_rows
from holdgood.retraining import ChallengePlan, Evidence, Losses, challenge, decide, performance, unexpected

TASK = Task(kind="binary", target="y", classes=("no", "yes"))
LATE = 7
LEARN_FROM = 56
"""A challenger learns from the newest eight weeks."""

ANSWERED_WITHIN = 84
"""A retraining within twelve weeks of a drift (and before the next) answers it."""

POLICY = PolicySpec(
    false_a_year=0.25, smallest_fall=0.005, least_rows=500, cool_down="14 d", label_delay="7 d",
    shadow_rows=28 * ROWS, shadow_days=7,
)  # fmt: skip


@dataclass
class Walked:
    """What happened: days of retrainings with what they answer, promotions, and how often an alarm was told."""

    retrained: list[int] = field(default_factory=list)
    promoted: list[int] = field(default_factory=list)
    kept: int = 0
    alarmed: int = 0
    looks: int = 0


def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Logistic regression with a little ridge, by Newton's method."""
    z = np.column_stack([np.ones(len(x)), x])
    w = np.zeros(z.shape[1])
    for _ in range(8):
        p = 1 / (1 + np.exp(-z @ w))
        w += np.linalg.solve((z * (p * (1 - p))[:, None]).T @ z + np.eye(len(w)), z.T @ (y - p) - w)
    return w


def chance(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(1 / (1 + np.exp(-(w[0] + x @ w[1:]))), 1e-6, 1 - 1e-6))


def walk(world: Year, policy: PolicySpec = POLICY) -> Walked:
    """One year. The alarms compare each fact with all of history, seasons and all: they are loud on purpose."""
    found = Walked()
    past = world.day < -180
    champion = fit(world.x[past], world.y[past])
    held = (world.day >= -180 - YEAR) & (world.day < 0)
    # the promise: losses of rows of a whole year that a model like this one did not learn from
    halves = [fit(world.x[held & (world.day % 2 == k)], world.y[held & (world.day % 2 == k)]) for k in (0, 1)]
    promise = np.where(world.day % 2 == 0, chance(halves[1], world.x), chance(halves[0], world.x))
    reference = Losses(world.day[held].astype(float), _excess(promise[held], world.y[held]))
    since, trained, changed, shadow = 0, -180, -10_000, None
    for now in range(14, YEAR + 1, 7):
        found.looks += 1
        known = now - LATE
        alarms = _alarms(world, now)
        found.alarmed += bool(alarms)
        if shadow is not None:
            ended, shares = _looked(world, champion, *shadow, known, policy)
            shadow = (shadow[0], shadow[1], shares)
            if ended == "promote":
                # what is promised from now on is what the shadow saw: rows that the new model did not learn from
                tested = (world.day >= shadow[1]) & (world.day < known)
                reference = Losses(
                    world.day[tested].astype(float), _excess(chance(shadow[0], world.x[tested]), world.y[tested])
                )
                champion, since, changed = shadow[0], known, now
                found.promoted.append(now)
            if ended in ("promote", "keep"):
                found.kept += ended == "keep"
                shadow = None
                changed = now
        rows = (world.day >= since) & (world.day < known)
        recent = Losses(world.day[rows].astype(float), _excess(chance(champion, world.x[rows]), world.y[rows]))
        measured = performance(reference, recent, float(known), false_a_year=policy.false_a_year, unit="nats")
        evidence = Evidence(
            alarms=alarms, performance=measured, new_rows=int(rows.sum()), age_days=now - trained,
            calm_days=now - changed, in_shadow=shadow is not None,
        )  # fmt: skip
        if decide(evidence, policy).decision == "retrain":
            found.retrained.append(now)
            learn = (world.day >= known - LEARN_FROM) & (world.day < known)
            shadow, trained, changed = (fit(world.x[learn], world.y[learn]), known, []), known, now
    return found


def _looked(
    world: Year,
    champion: np.ndarray,
    challenger: np.ndarray,
    begun: int,
    shares: list[float],
    known: int,
    policy: PolicySpec,
) -> tuple[str, list[float]]:
    """A look at the shadow's rows whose outcomes are known."""
    rows = (world.day >= begun) & (world.day < known)
    if known - begun < policy.shadow_days:
        return "not yet", shares
    losses = [loss_rows(TASK, world.y[rows], chance(w, world.x[rows])) for w in (champion, challenger)]
    plan = ChallengePlan(policy.shadow_rows, policy.error, policy.smallest_gain)
    told = challenge(*losses, plan=plan, earlier=shares, clusters=world.day[rows])
    return told.decision, [*shares, told.share]


def _alarms(world: Year, now: int) -> list[Alarm]:
    past, week = world.day < 0, (world.day >= now - 7) & (world.day < now)
    told = []
    for j in range(world.x.shape[1]):
        found = ks(world.x[past, j], world.x[week, j])
        if found.p < 0.001:
            high = "high" if found.statistic >= 0.3 else "medium"
            told.append(Alarm(code="MON001", title="drift", subject=f"x{j}", severity=high, message="", p=found.p))
    return told


def _excess(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    return unexpected(TASK, p, loss_rows(TASK, y, p))


def told(world: Year, found: Walked) -> dict[str, object]:
    """Which drifts were answered, which scares were fallen for, and what had no cause at all."""
    answered: list[int | None] = []
    rest = list(found.retrained)
    for k, drift in enumerate(world.drifts):
        until = min(drift + ANSWERED_WITHIN, *(d for d in world.drifts[k + 1 :]), 10_000)
        mine = [day for day in rest if drift < day <= until]
        answered.append(mine[0] - drift if mine else None)
        rest = [day for day in rest if day not in mine]
    scared = {kind: any(begin < day <= begin + SCARE_DAYS + LATE + 7 for day in rest) for kind, begin in world.scares}
    causeless = [d for d in rest if not any(b < d <= b + SCARE_DAYS + LATE + 7 for _, b in world.scares)]
    return {
        "drifts": list(world.drifts),
        "scares": [list(s) for s in world.scares],
        "retrained": found.retrained,
        "promoted": found.promoted,
        "kept": found.kept,
        "answered_after_days": answered,
        "promoted_after_drift": [any(d < p <= d + ANSWERED_WITHIN for p in found.promoted) for d in world.drifts],
        "scared": scared,
        "without_cause": len(causeless),
        "looks_with_alarm": found.alarmed,
        "looks": found.looks,
    }
