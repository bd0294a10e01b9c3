"""Performance before outcomes: how far the estimate is from what outcomes then show, beside assuming that nothing changed.

    python benchmarks/live/estimate.py            # 400 worlds a case; what is there already is not done again
    python benchmarks/live/estimate.py 20         # a small size

A world: a logistic model (or a line) learned from 3,000 rows, held-out rows that calibrate it, and a window of 1,000 rows among whom others
come than before: further from where the model learned, or from one part of it. What facts say of outcomes stays the same. ``changed`` is the
case in which it does not: there the estimate is wrong by design, and says what it assumes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record
from summarise import lines

from holdgood.core.frame import Feature, Frame
from holdgood.monitoring.estimate import from_chances, from_losses
from holdgood.workflow.live.learner import learner

NAME = "live-estimate"
CASES = ("nothing changed", "mean moved", "spread doubled", "one part comes", "changed")
COLUMNS, LEARNED, HELD, NOW = 5, 3000, 2000, 1000


def drawn(rng: np.random.Generator, case: str, n: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Facts (n, COLUMNS) and outcomes (n,)."""
    x = rng.normal(size=(n, COLUMNS))
    if case == "mean moved":
        x[:, 0] += 1.2
    elif case == "spread doubled":
        x *= 2.0
    elif case == "one part comes":
        x[:, 1] = np.abs(x[:, 1]) + 0.5
    turned = -1.0 if case == "changed" else 1.0
    score = 0.3 + 1.0 * x[:, 0] + 0.7 * turned * x[:, 1] - 0.5 * x[:, 2] * (x[:, 0] > 0) + 0.3 * np.square(x[:, 3])
    if kind == "binary":
        return x, (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float)
    return x, score + rng.normal(size=n) * np.exp(0.4 * x[:, 0])


def frame(x: np.ndarray) -> Frame:
    return Frame(tuple(Feature(f"x{j}", "number") for j in range(x.shape[1])), tuple(x.T.copy()))


def world(kind: str, case: str, seed: int) -> dict[str, float | bool]:
    rng = np.random.default_rng([seed, CASES.index(case), kind == "binary"])
    x, y = drawn(rng, "", LEARNED, kind)
    held, truth = drawn(rng, "", HELD, kind)
    now, came = drawn(rng, case, NOW, kind)
    if kind == "binary":
        model = LogisticRegression(C=1.0).fit(x, y)
        stated, told = model.predict_proba(held)[:, 1], model.predict_proba(now)[:, 1]
        loss_if = np.stack([-np.log1p(-told), -np.log(told)], axis=1)
        found = from_chances(told, loss_if, np.stack([stated, truth], axis=1), seed=seed)
        before = float(np.where(truth == 1, -np.log(stated), -np.log1p(-stated)).mean())
        shown = float(loss_if[np.arange(NOW), came.astype(int)].mean())
    else:
        line = LinearRegression().fit(x, y)
        losses = np.square(truth - line.predict(held))
        found = from_losses(learner("regression"), frame(held), losses, frame(now), seed=seed)
        before, shown = float(losses.mean()), float(np.square(came - line.predict(now)).mean())
    return {
        "error": abs(found.value - shown),
        "nothing": abs(before - shown),
        "covers": found.low <= shown <= found.high,
        "loss": shown,
    }


def main(worlds: int) -> None:
    there = {r["cell"]: r for r in lines(NAME)}
    for kind in ("binary", "regression"):
        for case in CASES:
            cell = f"{kind} {case}"
            if cell in there and int(there[cell]["worlds"]) >= worlds:
                continue
            start = time.process_time()
            found = [world(kind, case, s) for s in range(worlds)]
            record(
                NAME,
                {
                    "cell": cell, "kind": kind, "case": case, "worlds": worlds,
                    "error": float(np.mean([f["error"] for f in found])), "nothing": float(np.mean([f["nothing"] for f in found])),
                    "covers": sum(bool(f["covers"]) for f in found), "loss": float(np.mean([f["loss"] for f in found])),
                    "cpu_s": round(time.process_time() - start, 1), "machine": machine(),
                },
            )  # fmt: skip


if __name__ == "__main__":
    main(*([int(a) for a in sys.argv[1:]] or [400]))
