"""False alarms of the watchers of answers and outcomes (MON004 to MON011): looks at traffic that keeps its promises, days alike or each with a life of its own.

    python benchmarks/live/watchers.py            # 2,000 looks a world; parts of 250 that are there already are not made again
    python benchmarks/live/watchers.py 100        # a small size
    python benchmarks/live/watchers.py "days differ"

Seventy days of 30 answers a day, of which the last 28 are looked at; outcomes come after five days in the mean. Where days have a life of
their own, each multiplies odds of refusals, warnings and overrides (standard deviation 0.7 of the logit), losses and money (0.3 of
their size), and how late outcomes come (0.3).
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
from summarise import lines

from holdgood.core import plugins
from holdgood.core.traffic import DAY, Traffic
from holdgood.testing.watcher import look, made_up

NAME = "live-watchers"
CODES = ("MON004", "MON005", "MON006", "MON007", "MON008", "MON009", "MON010", "MON011")
ALPHAS, PART = (0.05, 0.01, 0.002), 250
WORLDS = ("days are alike", "days differ")


def differing(traffic: Traffic, seed: int) -> Traffic:
    """The same in the mean, but each day has rates, losses and delays of its own."""
    rng = np.random.default_rng([seed, 3])
    day = (traffic.when // DAY).astype(int)
    days = int(day.max()) + 1
    odd, size, slow = (
        rng.normal(0.0, 0.7, days),
        np.exp(rng.normal(-0.045, 0.3, days)),
        np.exp(rng.normal(0, 0.3, days)),
    )

    def share(p: float) -> np.ndarray:
        return rng.random(len(day)) < 1.0 / (1.0 + (1.0 - p) / p * np.exp(-odd[day]))

    delay = rng.exponential(5.0 * slow[day])
    labelled = traffic.when + delay * DAY <= traffic.as_of
    whole = made_whole(traffic)
    return replace(
        traffic, refused=share(0.01), warned=share(0.02), overridden=share(0.02), labelled=labelled,
        delay=np.where(labelled, delay, np.nan), loss=np.where(labelled, whole[0] * size[day], np.nan),
        saved=np.where(labelled, whole[1] * size[day], np.nan),
        promised=replace(traffic.promised, warned=(0, 0), refused=(0, 0)),
    )  # fmt: skip


def made_whole(traffic: Traffic) -> tuple[np.ndarray, np.ndarray]:
    """Losses and money of all rows: those without an outcome get that of a row that has one, by chance."""
    rng = np.random.default_rng(int(traffic.when[0]) % 2**32)
    known = np.flatnonzero(traffic.labelled)
    filled = np.where(traffic.labelled, np.arange(len(traffic)), rng.choice(known, len(traffic)))
    return traffic.loss[filled], traffic.saved[filled]


def found(seed: int, world: str) -> dict[str, list[bool]]:
    """Which watchers alarm at each level."""
    traffic = made_up(500_000 + seed)
    if world == WORLDS[1]:
        traffic = differing(traffic, seed)
    at = look(traffic)
    watchers = {c: plugins.load("holdgood.detectors", c) for c in CODES}
    return {c: [bool(w.watch(at, alpha=a, seed=0)) for a in ALPHAS] for c, w in watchers.items()}


def main(looks: int, worlds: tuple[str, ...]) -> None:
    there = {str(r["cell"]) for r in lines(NAME)}
    for world in worlds:
        for first in range(0, looks, PART):
            cell, count = f"{world} {first}", min(PART, looks - first)
            if cell in there:
                continue
            start = time.process_time()
            each = [found(s, world) for s in range(first, first + count)]
            alarms = {c: np.sum([f[c] for f in each], axis=0).tolist() for c in CODES}
            row = {"cell": cell, "world": world, "count": count, "alpha": ALPHAS, "alarms": alarms}
            record(NAME, row | {"cpu_s": round(time.process_time() - start, 1), "machine": machine()})


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    main(numbers[0] if numbers else 2000, tuple(w for w in WORLDS if w in sys.argv[1:]) or WORLDS)
