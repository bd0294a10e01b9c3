"""Drift: false alarms of a look, false alarms of a year of weekly looks in a seasonal world, and weeks until a change is seen, beside peers.

    python benchmarks/live/drift.py                   # 2,000 pairs, 50 years, 60 streams a cell; what is there already is not done again
                                                      # (pairs come in parts of 250, years in parts of 5: a run that was killed loses one)
    python benchmarks/live/drift.py 40 4 6            # a small size
    python benchmarks/live/drift.py level year        # these parts only: level, lumpy, shaken, year, classifier, delay
    python benchmarks/live/drift.py level rows=500    # this size of a week only
    python benchmarks/live/drift.py delay frouros-ks  # this peer only (several at a time may run); "none" for ours only

Peers: each one's own statistic, with the threshold at which it raises as many false alarms a year on streams without a change as ours may
(known to it, not to us). Ours: the stated budget for MON001 and MON002 (pairs), with the weights and windows that it ships, the other detectors left
out ([watch] without). A delay is counted in weeks from the change; a stream that ends unseen counts as the weeks that were left.
Threads of linear algebra and of boosters are held to one, so that CPU seconds mean something.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from drift_worlds import CHANGE, KINDS, NUMBERS, SHAKEN, SIZES, WEEKS, lumpy, reference, rows, week
from machine import machine
from record import record
from summarise import lines
from venvs import QUIET, python_of

from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Clock
from holdgood.core.records import Alarm
from holdgood.monitoring import FeatureDrift, JointDrift
from holdgood.monitoring.schedule import WINDOWS, alpha_of_look, shares
from holdgood.workflow.live.detecting import WEIGHTS
from holdgood.workflow.live.learner import learner

NAME = "live-drift"
PARTS = ("level", "lumpy", "shaken", "year", "classifier", "delay")
PAIRS, YEARS = 250, 5
ALPHAS, BUDGET, DAY = (0.05, 0.01, 0.002), 1.0, 86_400_000_000
SIZES_OF_ROWS, REFERENCE, SEASON, SHORT = (500, 5000), 5000, 0.5, 60
OF_PEER = {
    "evidently": "evidently",
    "frouros-ks": "frouros",
    "frouros-mmd": "frouros",
    "nannyml-js": "nannyml",
    "nannyml-pca": "nannyml",
    "alibi-cvm": "alibi",
}
FEATURES = (*(Feature(f"x{j}", "number") for j in range(NUMBERS)), Feature("level", "category"))


def frame(x: np.ndarray, level: np.ndarray) -> Frame:
    return Frame(FEATURES, (*x.T.copy(), level.astype(object)))


def clock(before: np.ndarray, now: np.ndarray) -> Clock:
    return Clock(*((1_767_225_600_000_000 + d * DAY).astype(np.int64) for d in (before, now)))


def family(n: int, seed: int, detectors: list[Any], world: str = "") -> dict[str, list[bool]]:
    """One look at a week of unchanged rows: did anything alarm, at each of ``ALPHAS``? ``world``: one of ``SHAKEN``, seen with a clock."""
    rng = np.random.default_rng([seed, n, 9])
    days = (-np.sort(rng.random(REFERENCE) * 730.0)[::-1], 7.0 * rng.integers(0, 50) + np.sort(rng.random(n) * 7.0))
    before, now = (frame(*rows(rng, day, **SHAKEN[world] if world else {})) for day in days)
    at = clock(*days) if world else None
    out = {}
    for detector in detectors:
        found = detector.look(before, now, alpha=max(ALPHAS), seed=seed, clock=at)
        out[detector.code] = _alarms(found, 2 if isinstance(detector, Apart) else 1)
    return out


def short(seed: int) -> dict[str, list[bool]]:
    """One look at few rows of columns of which a few rows say most."""
    rng = np.random.default_rng([seed, SHORT, 8])
    before, now = (_lumpy_frame(lumpy(rng, n)) for n in (REFERENCE, SHORT))
    return {d.code: _alarms(d.look(before, now, alpha=max(ALPHAS), seed=seed)) for d in (FeatureDrift(), JointDrift())}


def _lumpy_frame(columns: dict[str, np.ndarray]) -> Frame:
    kinds = [Feature(name, "number" if a.dtype.kind == "f" else "category") for name, a in columns.items()]
    return Frame(tuple(kinds), tuple(a if a.dtype.kind == "f" else a.astype(object) for a in columns.values()))


def _alarms(found: list[Alarm], parts: int = 1) -> list[bool]:
    """At each of ``ALPHAS``, divided over so many parts of the detector."""
    sure = min((a.p for a in found), default=1.0)
    return [sure < alpha / parts for alpha in ALPHAS]


class Apart(JointDrift):
    """The domain classifier of MON002, with the learner that watches in use."""

    code = "MON002 with the domain classifier"

    def __init__(self) -> None:
        super().__init__(learner("binary"))


def look(before: Frame, days: np.ndarray, past: list[tuple[np.ndarray, Frame]], seasonal: bool) -> bool:
    """One weekly look over all windows with its part of the budget."""
    spend = shares(alpha_of_look(BUDGET, 7.0), ["MON001", "MON002"], WEIGHTS)
    windows = WINDOWS[: 1 + sum(len(past) > w for w in WINDOWS[:-1])]
    for looks in windows:
        held = past[-looks:]
        when = np.concatenate([d for d, _ in held])
        now = Frame(FEATURES, tuple(np.concatenate([f.arrays[j] for _, f in held]) for j in range(len(FEATURES))))
        at = clock(days, when) if seasonal else None
        for detector in (FeatureDrift(), JointDrift()):
            if detector.look(before, now, alpha=spend[detector.code] / len(windows), seed=0, clock=at):
                return True
    return False


def stream(n: int, seed: int, *, weeks: int, kind: str = "", size: str = "", season: float = 0.0) -> list[bool]:
    """Which of a stream's looks alarmed; one that changes is looked at from its change to its first alarm only."""
    days, x, level = reference(seed, REFERENCE, season=season)
    before, past, found = frame(x, level), [], []
    for number in range(weeks):
        day, now, now_level = week(seed, number, n, kind=kind, size=size, season=season)
        past.append((day, frame(now, now_level)))
        past = past[-max(WINDOWS) :]
        # What is looked at before the change tells nothing of the delay.
        found.append(not (kind and number < CHANGE) and look(before, days, past, season > 0))
        if kind and number >= CHANGE and found[-1]:
            break
    return found


def peer(
    name: str, n: int, streams: int, kind: str = "", size: str = "", first: int = 0, at: float = math.inf
) -> np.ndarray:
    """A peer's statistics, (streams, weeks), from the change until one lies above ``at``, where that is given."""
    command = [
        str(python_of(OF_PEER[name])),
        str(Path(__file__).with_name("drift_peer.py")),
        name,
        str(n),
        str(REFERENCE),
        str(streams),
    ]
    command += [kind, size, str(first), str(at)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return np.array([json.loads(line)["statistic"] for line in done.stdout.splitlines() if line.startswith("{")])


def main(
    pairs: int, years: int, streams: int, peers: list[str], parts: list[str], sizes: list[int], *, ours: bool = True
) -> None:
    there = {r["cell"]: r for r in lines(NAME)}

    def kept(cell: str, count: int, make: Callable[[int], dict[str, Any]]) -> None:
        """Make the cell's row where it is not there, or was smaller."""
        if count > 0 and int(there.get(cell, {}).get("count", 0)) < count:
            start = time.process_time()
            row = {"cell": cell, "count": count, **make(count)}
            row |= {"cpu_s": round(time.process_time() - start, 1), "machine": machine()}
            record(NAME, row)
            there[cell] = row

    def in_parts(cell: str, count: int, part: int, make: Callable[[int, int], dict[str, Any]]) -> None:
        for first in range(0, count, part):
            kept(f"{cell} {first}", min(part, count - first), partial(make, first))

    if "lumpy" in parts:
        in_parts("lumpy", pairs, PAIRS, lumps)
    for n in sizes:
        for world in ("", *SHAKEN):
            if ("shaken" if world else "level") in parts:
                in_parts(f"family {n} {world}", pairs, PAIRS, partial(levels, n, world))
        if "year" in parts:
            in_parts(f"year {n}", years, YEARS, partial(seasons, n))
        if "classifier" in parts:
            in_parts(f"family {n} classifier", pairs, PAIRS, partial(levels, n, "", apart=True))
    for n in sizes:
        for name in peers if "delay" in parts else []:
            kept(f"null {n} {name}", streams, partial(calm, n, name))
        for kind in KINDS if "delay" in parts else []:
            for size in SIZES:
                if ours:
                    kept(
                        f"delay {n} {kind} {size} holdgood",
                        streams,
                        partial(delays, n, kind, size, "holdgood", math.nan),
                    )
                for name in peers:
                    at = float(there[f"null {n} {name}"]["threshold"])
                    kept(f"delay {n} {kind} {size} {name}", streams, partial(delays, n, kind, size, name, at))


def levels(n: int, world: str, first: int, count: int, *, apart: bool = False) -> dict[str, Any]:
    """Looks with an alarm, of ``count`` looks at unchanged rows; each look has rows of its own on both sides."""
    detectors = [Apart()] if apart else [FeatureDrift(), JointDrift()]
    found = [family(n, s, detectors, world) for s in range(first, first + count)]
    return {"part": "family", "rows": n, "world": world, "alpha": ALPHAS, "alarms": _counted(found)}


def lumps(first: int, count: int) -> dict[str, Any]:
    """The same for short windows of lumpy columns."""
    found = [short(s) for s in range(first, first + count)]
    return {"part": "family", "rows": SHORT, "world": "calm, lumpy columns", "alpha": ALPHAS, "alarms": _counted(found)}


def _counted(found: list[dict[str, list[bool]]]) -> dict[str, list[int]]:
    return {code: np.sum([f[code] for f in found], axis=0).tolist() for code in found[0]}


def seasons(n: int, first: int, count: int) -> dict[str, Any]:
    """Looks with an alarm, a year."""
    found = [sum(stream(n, 10_000 + s, weeks=52, season=SEASON)) for s in range(first, first + count)]
    return {"part": "year", "rows": n, "budget": BUDGET, "looks_with_alarm": found}


def calm(n: int, name: str, count: int) -> dict[str, Any]:
    """A peer's threshold, from four times as many streams without a change: few would make it a matter of luck."""
    return {"part": "null", "rows": n, "peer": name, "threshold": threshold(peer(name, n, 4 * count, first=50_000))}


def delays(n: int, kind: str, size: str, who: str, at: float, count: int) -> dict[str, Any]:
    """Weeks until each of ``count`` changed streams is seen."""
    if who == "holdgood":
        found = [stream(n, s, weeks=WEEKS, kind=kind, size=size) for s in range(count)]
    else:
        found = (peer(who, n, count, kind, size, at=at) > at).tolist()
    return {"part": "delay", "rows": n, "kind": kind, "size": size, "who": who, "weeks": [delay(f) for f in found]}


def threshold(statistics: np.ndarray) -> float:
    """Above which the looks of streams without a change alarm ``BUDGET`` times in 52 weeks."""
    return float(np.quantile(statistics.ravel(), 1.0 - BUDGET / 52.0))


def delay(found: list[bool]) -> int:
    """Weeks from the change until it is seen, 1 for at once; the weeks left where it never was."""
    after = found[CHANGE:]
    return after.index(True) + 1 if True in after else WEEKS - CHANGE


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    named = [a for a in sys.argv[1:] if a in OF_PEER]
    asked = [a for a in sys.argv[1:] if a in PARTS]
    main(
        *(numbers or [2000, 50, 60]),
        peers=named or ([] if "none" in sys.argv else list(OF_PEER)),
        parts=asked or list(PARTS),
        sizes=[n for n in SIZES_OF_ROWS if f"rows={n}" in sys.argv] or list(SIZES_OF_ROWS),
        ours=not named,
    )
