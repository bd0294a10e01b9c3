"""Retraining: simulated years with two drifts and three scares, and promotion decisions of challengers that are worse, equal or better.

    python benchmarks/live/retraining.py            # 100 years, 400 decisions a case; what is there already is not done again
    python benchmarks/live/retraining.py 5 20       # a small size

A year: a retraining within twelve weeks of a drift answers it; one within a scare (or two weeks after) that answers no drift fell for it. A
decision: weekly looks at 13 weeks of paired losses; "held back" is a challenger that is better by two standard errors of all 13 weeks and
was not promoted. The oracle knows the true standard error and looks once, at the end, at the same 5% error.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import RESULTS, record
from retraining_worlds import KINDS, stream, year
from retraining_year import told, walk
from scipy.stats import norm
from summarise import lines
from weekly_looks import ERROR, ended

from holdgood.retraining import challenge

NAME = "live-retraining"
GAINS = (-1.0, 0.0, 2.0, 3.0)
"""True gains of the challenger, in standard errors of all planned rows."""

BATCH = 50


def decided(kind: str, gain: float, seed: int) -> tuple[str, int, bool]:
    """How one test ended, after how many days, and whether the oracle would have promoted."""
    rows, days, error = stream(kind, gain, seed)
    oracle = bool(rows.mean() / error > norm.isf(ERROR))
    return *ended(challenge, rows, days), oracle


def batch(kind: str, gain: float, number: int) -> dict[str, object]:
    """Fifty decisions."""
    ended = [decided(kind, gain, BATCH * number + i) for i in range(BATCH)]
    return {
        "part": "decisions",
        "case": f"{kind}, {gain:+g}, {number}",
        "kind": kind,
        "gain": gain,
        "decisions": BATCH,
        "promoted": sum(e[0] == "promote" for e in ended),
        "oracle": sum(e[2] for e in ended),
        "days_to_promotion": [e[1] for e in ended if e[0] == "promote"],
    }


def main() -> None:
    """Whatever is not there yet, one line each."""
    years, decisions = (int(a) for a in (sys.argv[1:3] or ("100", "400")))
    done = _done()
    for seed in range(years):
        if f"year {seed}" not in done:
            world, begun = year(seed), time.process_time()
            found = told(world, walk(world))
            record(
                NAME, {"part": "year", "case": f"year {seed}", **found, "cpu_s": round(time.process_time() - begun, 2)}
            )
    for kind in KINDS:
        for gain in GAINS:
            for number in range(-(-decisions // BATCH)):
                if f"{kind}, {gain:+g}, {number}" not in done:
                    begun = time.process_time()
                    row = batch(kind, gain, number)
                    record(NAME, {**row, "cpu_s": round(time.process_time() - begun, 2), "machine": machine()})


def _done() -> set[str]:
    return {str(r.get("case")) for r in lines(NAME, RESULTS)}


if __name__ == "__main__":
    main()
