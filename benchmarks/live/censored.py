"""Amounts of which the large ones are known as lower bounds only: what watching makes of them, beside what leaving them out would.

    python benchmarks/live/censored.py            # 2,000 worlds a line, about two CPU minutes
    python benchmarks/live/censored.py 100        # a small size

Seventy days of 30 answers a day, of which the last 28 are looked at. Outcomes have exponential tails about the answer; a row is followed up to a limit
that has nothing to do with it, and what is larger is told as "at least the limit". Money is lost where an outcome is larger than the answer. The promise
comes from 4,000 rows that are known in full. *As promised*: false alarms. *Worse*: outcomes of the last 28 days are larger.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record

from holdgood.core.records.common import Interval
from holdgood.core.traffic import DAY, Promised, Traffic
from holdgood.monitoring.censoring import known_in_full
from holdgood.monitoring.delay import learned
from holdgood.monitoring.late_mean import late_mean
from holdgood.monitoring.mon007_performance import WorsePerformance
from holdgood.monitoring.mon011_benefit import DETECTOR as BENEFIT
from holdgood.testing.watcher import look

NAME = "live-censored"
DAYS, A_DAY, OLD = 70, 30, 4_000
LIMITS = (12.0, 4.5, 2.4)
"""Mean limit of a row, in means of an outcome: about 6, 13 and 22% of the outcomes are known as a bound."""
ALPHAS = (0.05, 0.01, 0.002)


def world(seed: int, limit: float, worse: float) -> tuple[Traffic, float]:
    """Traffic and the true mean loss of rows in the window. ``worse``: how much larger outcomes are there."""
    rng = np.random.default_rng([seed, 11])
    n = DAYS * A_DAY

    def drawn(size: int, more: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        usual = rng.gamma(4.0, 0.25, size)
        return usual, usual * rng.gamma(2.0, 0.5, size) * (1.0 + more)

    when = np.sort(rng.integers(0, DAYS * DAY, n))
    recent = when >= (DAYS - 28) * DAY
    answer, outcome = drawn(n, np.where(recent, worse, 0.0))
    follow = rng.exponential(limit, n) + 0.3
    bounded = follow < outcome
    amount = np.where(bounded, follow, outcome)
    late = rng.exponential(5.0, n)
    known = when + late * DAY <= DAYS * DAY
    then, came = drawn(OLD, 0.0)
    loss, money = np.square(outcome - answer), -np.maximum(outcome - answer, 0.0)
    full = known & ~bounded
    traffic = Traffic(
        model="made-up", bundle_digest="0" * 64, as_of=DAYS * DAY, when=when, score=answer, acted=np.full(n, np.nan),
        warned=np.zeros(n, bool), refused=np.zeros(n, bool), overridden=np.zeros(n, bool), labelled=full, censored=known & bounded,
        delay=np.where(known, late, np.nan), loss=np.where(full, loss, np.nan), saved=np.where(full, money, np.nan),
        loss_if=np.full((n, 2), np.nan), in_full=known_in_full(np.where(known, amount, np.nan), known & bounded),
        promised=Promised(metric="squared error", loss=_mean(np.square(came - then)), saved=_mean(-np.maximum(came - then, 0.0)),
                          against="nobody", currency="EUR"),
    )  # fmt: skip
    return traffic, float(_true(worse))


def _true(worse: float) -> float:
    """The mean squared error: E[u²]·E[(g(1+worse) - 1)²] with u of mean 1 and g of mean 1, variances a quarter and a half."""
    return 1.25 * ((1.0 + worse) ** 2 * 1.5 - 2.0 * (1.0 + worse) + 1.0)


def _mean(rows: np.ndarray) -> Interval:
    half = 1.96 * float(rows.std()) / np.sqrt(len(rows))
    return Interval(
        value=float(rows.mean()),
        low=float(rows.mean() - half),
        high=float(rows.mean() + half),
        n=len(rows),
        method="normal",
    )


def one(seed: int, limit: float, worse: float) -> dict[str, float]:
    """What one look says, with bounds counted and with bounded rows left out."""
    traffic, true = world(seed, limit, worse)
    said: dict[str, float] = {"true": true, "bounded": float(np.mean(traffic.censored[traffic.told]))}
    left_out = replace(traffic, in_full=None, censored=np.zeros(len(traffic), bool))
    for name, of in (("", traffic), (" left out", left_out)):
        at = look(of)
        mean = late_mean(at.window, at.window.loss, learned(of))
        low, high = mean.spread.interval(mean.value, 0.95)
        said |= {f"mean{name}": mean.value, f"covers{name}": float(low <= true <= high)}
        for code, watcher in (("MON007", WorsePerformance()), ("MON011", BENEFIT)):
            for alpha in ALPHAS:
                said[f"{code} {alpha}{name}"] = float(bool(watcher.watch(at, alpha=alpha, seed=0)))
    return said


def main() -> None:
    """All lines, each recorded."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for limit in LIMITS:
        for worse in (0.0, 0.1, 0.2):
            begun = time.process_time()
            looks = [one(seed, limit, worse) for seed in range(worlds)]
            cells = {k: round(float(np.mean([x[k] for x in looks])), 5) for k in looks[0]}
            record(
                NAME,
                {
                    "machine": machine(),
                    "limit": limit,
                    "worse": worse,
                    "worlds": worlds,
                    "cpu_s": round(time.process_time() - begun, 1),
                    **cells,
                },
            )


if __name__ == "__main__":
    main()
