"""Performance before outcomes: how far the estimate is from what outcomes then show, beside assuming that nothing changed.

    python benchmarks/live/estimate.py            # 400 worlds a case; what is there already is not done again
    python benchmarks/live/estimate.py 20         # a small size

A world: a logistic model (or a line) learned from 3,000 rows, 2,000 held-out rows that calibrate it, and a window of 1,000 rows among whom others
come than before: further from where the model learned, or from one part of it. What facts say of outcomes stays the same. ``changed`` is the
case in which it does not: there the estimate is wrong by design, and says what it assumes. As in use: chances are calibrated;
for amounts a model of losses is learned from the held-out rows; and the facts of both sides say which rows are unlike the reference.
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
from holdgood.monitoring.estimate import MOST_UNLIKE, from_chances, from_expected
from holdgood.monitoring.support import unlike
from holdgood.workflow.live.learner import learner
from holdgood.workflow.losses import losses_model

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


def world(kind: str, case: str, seed: int) -> dict[str, float]:
    """Errors of the estimate as a look makes it, and of assuming that nothing changed; NaN where the estimate was refused."""
    rng = np.random.default_rng([seed, CASES.index(case), kind == "binary"])
    x, y = drawn(rng, "", LEARNED, kind)
    held, truth = drawn(rng, "", HELD, kind)
    now, came = drawn(rng, case, NOW, kind)
    strange = unlike(learner("binary"), frame(x), frame(now), seed=seed)
    if kind == "binary":
        model = LogisticRegression(C=1.0).fit(x, y)
        stated, told = model.predict_proba(held)[:, 1], model.predict_proba(now)[:, 1]
        loss_if = np.stack([-np.log1p(-told), -np.log(told)], axis=1)
        found = from_chances(told, loss_if, np.stack([stated, truth], axis=1), strange, seed=seed)
        before = float(np.where(truth == 1, -np.log(stated), -np.log1p(-stated)).mean())
        shown = float(loss_if[np.arange(NOW), came.astype(int)].mean())
    else:
        line = LinearRegression().fit(x, y)
        losses = np.square(truth - line.predict(held))
        learned = losses_model(frame(held), losses, seed)
        assert learned is not None
        found = from_expected(learned[0].predict(frame(now)), np.stack([learned[1], losses], axis=1), strange)
        before, shown = float(losses.mean()), float(np.square(came - line.predict(now)).mean())
    refused = float(strange.mean()) > MOST_UNLIKE
    return {
        "error": np.nan if refused else abs(found.value - shown), "nothing": abs(before - shown),
        "covers": np.nan if refused else float(found.low <= shown <= found.high), "width": np.nan if refused else found.high - found.low,
        "loss": shown, "unlike": float(strange.mean()),
    }  # fmt: skip


def main(worlds: int) -> None:
    there = {r["cell"]: r for r in lines(NAME)}
    for kind in ("binary", "regression"):
        for case in CASES:
            cell = f"{kind} {case}"
            if cell in there and int(there[cell]["worlds"]) >= worlds:
                continue
            start = time.process_time()
            found = [world(kind, case, s) for s in range(worlds)]
            given = [f for f in found if not np.isnan(f["error"])]
            row: dict[str, object] = {"cell": cell, "kind": kind, "case": case, "worlds": worlds, "given": len(given)}
            row |= {k: float(np.mean([f[k] for f in found])) for k in ("loss", "unlike", "nothing")}
            if given:
                row |= {k: float(np.mean([f[k] for f in given])) for k in ("error", "width")}
                row |= {
                    "nothing_given": float(np.mean([f["nothing"] for f in given])),
                    "covers": int(sum(f["covers"] for f in given)),
                }
            record(NAME, row | {"cpu_s": round(time.process_time() - start, 1), "machine": machine()})


if __name__ == "__main__":
    main(*([int(a) for a in sys.argv[1:]] or [400]))
