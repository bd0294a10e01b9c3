"""Probation: how often a promoted model that is as good is sent back, and how soon one that breaks down late.

    python benchmarks/live/probation.py             # 2,000 probations without a difference a kind, 500 of each other case
    python benchmarks/live/probation.py 200 50      # a small size

A probation: 13 weeks of paired losses, a look a week. In the other cases the promoted model is better for seven weeks (by two standard
errors of all 13 weeks, were they all so), and worse from then on. *Together* is the test without windows: all rows since the promotion.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import RESULTS, record
from retraining_worlds import KINDS, stream
from summarise import lines
from weekly_looks import ended

from holdgood.retraining import challenge, probation

NAME = "live-probation"
BEFORE = -2.0
BREAKS = 49
"""The day from which the promoted model is worse."""

AFTER = (0.0, 8.0, 16.0)
"""How much worse then, in standard errors of all rows; 0: no difference from the first day to the last."""

BATCH = 100


def gains(kind: str, after: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gains of the replaced model a row, and days."""
    rows, days, error = stream(kind, 0.0, seed)
    return (rows + np.where(days < BREAKS, BEFORE, after) * error if after else rows), days


def batch(kind: str, after: float, number: int) -> dict[str, object]:
    """A hundred probations, by both tests."""
    told: dict[str, list[int]] = {"windows": [], "together": []}
    for i in range(BATCH):
        rows, days = gains(kind, after, 10_000 + BATCH * number + i)
        for name, test in (("windows", probation), ("together", challenge)):
            how, week = ended(test, rows, days)
            if how == "promote":
                told[name].append(week)
    return {
        "case": f"{kind}, {after:+g}, {number}",
        "kind": kind,
        "after": after,
        "probations": BATCH,
        "sent_back_on_day": told["windows"],
        "together_on_day": told["together"],
    }


def main() -> None:
    """Whatever is not there yet, one line a batch."""
    null, others = (int(a) for a in (sys.argv[1:3] or ("2000", "500")))
    done = {str(r.get("case")) for r in lines(NAME, RESULTS)}
    for kind in KINDS:
        for after in AFTER:
            for number in range(-(-(others if after else null) // BATCH)):
                if f"{kind}, {after:+g}, {number}" not in done:
                    begun = time.process_time()
                    row = batch(kind, after, number)
                    record(NAME, {**row, "cpu_s": round(time.process_time() - begun, 2), "machine": machine()})


if __name__ == "__main__":
    main()
