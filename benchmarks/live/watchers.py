"""The watchers of answers and outcomes (MON004 to MON011): false alarms where every promise is kept, and what of a change they see.

    python benchmarks/live/watchers.py            # 2,000 looks a world, 200 a change; parts that are there already are not made again
    python benchmarks/live/watchers.py 100        # a small size
    python benchmarks/live/watchers.py false | short | power     # one part

Seventy days of 30 answers a day, of which the last 28 are looked at; outcomes come after five days in the mean. Where days have a life of
their own, each multiplies odds of refusals, warnings and overrides (standard deviation 0.7 of the logit), losses and money (0.3 of
their size), and how late outcomes come (0.3). *short*: windows of seven, four and two days, as daily looks have. *power*: one look, with
the part of the yearly budget that a usual look gives each watcher for a window.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record
from summarise import lines

from holdgood.core import plugins
from holdgood.core.declared_watch import WatchingSpec
from holdgood.core.protocols import Watcher
from holdgood.core.traffic import DAY, Traffic
from holdgood.monitoring.schedule import alpha_of_look, shares
from holdgood.testing.watcher import look, made_up
from holdgood.workflow.live.detecting import WEIGHTS

NAME = "live-watchers"
CODES = ("MON004", "MON005", "MON006", "MON007", "MON008", "MON009", "MON010", "MON011")
ALPHAS, PART = (0.05, 0.01, 0.002), 250
WORLDS = ("days are alike", "days differ")
SHORT = {"MON007": (7, 4, 2), "MON011": (7, 4, 2)}
BUSY = (30, 300)

CHANGES: Mapping[str, tuple[tuple[str, Mapping[str, float]], ...]] = {
    "MON004": tuple((f"refused: 1% becomes {x:.0%}", {"refused": x}) for x in (0.03, 0.05, 0.1)),
    "MON005": tuple((f"nothing for {24 * x:.0f} hours", {"stops": x}) for x in (0.25, 0.5, 1.0)),
    "MON006": tuple((f"outcomes after {x:g} days, not 5", {"late": x}) for x in (7.0, 10.0, 15.0)),
    "MON007": tuple((f"loss rises by {t}", {"worse": x}) for t, x in (("5%", 0.08), ("10%", 0.15), ("21%", 0.3))),
    "MON008": tuple((f"loss will rise by {t}", {"flat": x}) for t, x in (("4%", 0.15), ("8%", 0.35), ("15%", 0.8))),
    "MON009": tuple((f"gap of 10 points becomes {100 * x:.0f}", {"apart": x}) for x in (0.2, 0.3, 0.4)),
    "MON010": tuple((f"overruled: 2% becomes {x:.0%}", {"overruled": x}) for x in (0.04, 0.06, 0.1)),
    "MON011": tuple((f"money falls by {x:.0%}", {"dearer": 3.0 * x}) for x in (0.1, 0.25, 0.5)),
}  # fmt: skip


def differing(
    traffic: Traffic, seed: int, *, refused: float = 0.01, overruled: float = 0.02, late: float = 5.0
) -> Traffic:
    """The same in the mean, but each day has rates, losses and delays of its own; shares and days until an outcome are those of the last 28 days."""
    rng = np.random.default_rng([seed, 3])
    day = (traffic.when // DAY).astype(int)
    recent = traffic.when >= traffic.as_of - 28 * DAY
    days = int(day.max()) + 1
    odd, size, slow = (
        rng.normal(0.0, 0.7, days),
        np.exp(rng.normal(-0.045, 0.3, days)),
        np.exp(rng.normal(0, 0.3, days)),
    )

    def share(before: float, now: float) -> np.ndarray:
        p = np.where(recent, now, before)
        return rng.random(len(day)) < 1.0 / (1.0 + (1.0 - p) / p * np.exp(-odd[day]))

    delay = rng.exponential(np.where(recent, late, 5.0) * slow[day])
    labelled = traffic.when + delay * DAY <= traffic.as_of
    whole = made_whole(traffic, recent)
    return replace(
        traffic, refused=share(0.01, refused), warned=share(0.02, 0.02), overridden=share(0.02, overruled), labelled=labelled,
        delay=np.where(labelled, delay, np.nan), loss=np.where(labelled, whole[0] * size[day], np.nan),
        saved=np.where(labelled, whole[1] * size[day], np.nan),
        promised=replace(traffic.promised, warned=(0, 0), refused=(0, 0)),
    )  # fmt: skip


def made_whole(traffic: Traffic, recent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses and money of all rows: those without an outcome get that of a row of their time that has one, by chance."""
    rng = np.random.default_rng(int(traffic.when[0]) % 2**32)
    filled = np.arange(len(traffic))
    for rows in (recent, ~recent):
        known = np.flatnonzero(traffic.labelled & rows)
        filled[rows & ~traffic.labelled] = rng.choice(known, int((rows & ~traffic.labelled).sum()))
    return traffic.loss[filled], traffic.saved[filled]


def traffic_of(seed: int, world: str, changed: Mapping[str, float], a_day: int = BUSY[0]) -> Traffic:
    traffic = made_up(seed, a_day=a_day, **changed)  # type: ignore[arg-type]
    if world == WORLDS[0]:
        return traffic
    return differing(traffic, seed, **{k: v for k, v in changed.items() if k in ("refused", "overruled", "late")})


def watchers() -> dict[str, Watcher]:
    return {c: plugins.load("holdgood.detectors", c) for c in CODES}


def found(seed: int, world: str) -> dict[str, list[bool]]:
    """Which watchers alarm at each level."""
    at = look(traffic_of(500_000 + seed, world, {}))
    return {c: [bool(w.watch(at, alpha=a, seed=0)) for a in ALPHAS] for c, w in watchers().items()}


def found_short(seed: int, world: str) -> dict[str, list[bool]]:
    """Which alarm at each level in windows of a few days."""
    traffic, all_of = traffic_of(500_000 + seed, world, {}), watchers()
    return {
        f"{code}, {days} days": [bool(all_of[code].watch(look(traffic, days), alpha=a, seed=0)) for a in ALPHAS]
        for code, several in SHORT.items()
        for days in several
    }


def counted(part: str, looks: int, each: Callable[[int, str], dict[str, list[bool]]]) -> None:
    """Alarms a world, in pieces that are kept."""
    there = {str(r["cell"]) for r in lines(NAME)}
    for world in WORLDS:
        for first in range(0, looks, PART):
            cell, count = f"{part} {world} {first}", min(PART, looks - first)
            if cell in there:
                continue
            start = time.process_time()
            seen = [each(s, world) for s in range(first, first + count)]
            alarms = {c: np.sum([f[c] for f in seen], axis=0).tolist() for c in seen[0]}
            row = {"cell": cell, "part": part, "world": world, "count": count, "alpha": ALPHAS, "alarms": alarms}
            record(NAME, row | {"cpu_s": round(time.process_time() - start, 1), "machine": machine()})


def power(looks: int, codes: tuple[str, ...] = CODES) -> None:
    """How often one look at the last 28 days sees a change, at what a usual look spends on one of its windows."""
    there, all_of, spec = {str(r["cell"]) for r in lines(NAME)}, watchers(), WatchingSpec()
    alpha = alpha_of_look(spec.false_a_year, spec.days)
    spent = shares(alpha, list(plugins.load_all("holdgood.detectors")), WEIGHTS)
    for code in codes:
        for what, changed in CHANGES[code]:
            for world in WORLDS:
                for a_day in BUSY:
                    cell = f"power {code} {what} {world} {a_day}"
                    if cell in there:
                        continue
                    a, watch = spent[code] / len(spec.windows), all_of[code].watch
                    seen = [
                        bool(watch(look(traffic_of(900_000 + s, world, changed, a_day)), alpha=a, seed=0))
                        for s in range(looks)
                    ]
                    row = {"cell": cell, "part": "power", "code": code, "what": what, "world": world, "a_day": a_day}
                    record(NAME, row | {"count": looks, "alpha": a, "seen": sum(seen), "machine": machine()})


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    parts = tuple(p for p in ("false", "short", "power") if p in sys.argv[1:]) or ("false", "short", "power")
    if "false" in parts:
        counted("false", numbers[0] if numbers else 2000, found)
    if "short" in parts:
        counted("short", numbers[0] if numbers else 2000, found_short)
    if "power" in parts:
        power(min(numbers[0], 200) if numbers else 200, tuple(c for c in CODES if c in sys.argv[1:]) or CODES)
