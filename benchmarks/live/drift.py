"""Drift: false alarms of a look, false alarms of a year of weekly looks in a seasonal world, and weeks until a change is seen, beside peers.

    python benchmarks/live/drift.py            # 2,000 pairs, 100 years, 60 streams a cell (hours on one core); what is there already is not done again
    python benchmarks/live/drift.py 40 4 6     # a small size
    python benchmarks/live/drift.py 2000 100 60 evidently frouros-ks frouros-mmd      # these peers only

Peers: each one's own statistic, with the threshold at which it raises as many false alarms a year on streams without a change as ours may
(known to it, not to us). Ours runs as it ships: its stated budget, windows of 1, 4 and 13 looks, MON001 and MON002 (pairs). A delay is
counted in weeks from the change; a stream that ends unseen counts as the weeks that were left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from drift_worlds import CHANGE, KINDS, NUMBERS, SIZES, WEEKS, reference, rows, week
from machine import machine
from record import record
from summarise import lines
from venvs import QUIET, python_of

from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Clock
from holdgood.monitoring import FeatureDrift, JointDrift
from holdgood.monitoring.schedule import WINDOWS, alpha_of_look

NAME = "live-drift"
ALPHA, BUDGET, DAY = 0.05, 1.0, 86_400_000_000
SIZES_OF_ROWS, REFERENCE, SEASON = (500, 5000), 5000, 0.5
OF_PEER = {"evidently": "evidently", "frouros-ks": "frouros", "frouros-mmd": "frouros"}
FEATURES = (*(Feature(f"x{j}", "number") for j in range(NUMBERS)), Feature("level", "category"))


def frame(x: np.ndarray, level: np.ndarray) -> Frame:
    return Frame(FEATURES, (*x.T.copy(), level.astype(object)))


def clock(before: np.ndarray, now: np.ndarray) -> Clock:
    return Clock(*((1_767_225_600_000_000 + d * DAY).astype(np.int64) for d in (before, now)))


def family(n: int, seed: int) -> dict[str, bool]:
    """One look at unchanged rows: did anything alarm?"""
    rng = np.random.default_rng([seed, n, 9])
    before, now = (frame(*rows(rng, rng.random(k) * 7)) for k in (REFERENCE, n))
    return {d.code: bool(d.look(before, now, alpha=ALPHA, seed=seed)) for d in (FeatureDrift(), JointDrift())}


def look(before: Frame, days: np.ndarray, past: list[tuple[np.ndarray, Frame]], seasonal: bool) -> bool:
    """One weekly look over all windows with its part of the budget."""
    spend = alpha_of_look(BUDGET, 7.0) / len(WINDOWS) / 2.0
    for looks in WINDOWS[: 1 + sum(len(past) > w for w in WINDOWS[:-1])]:
        held = past[-looks:]
        when = np.concatenate([d for d, _ in held])
        now = Frame(FEATURES, tuple(np.concatenate([f.arrays[j] for _, f in held]) for j in range(len(FEATURES))))
        at = clock(days, when) if seasonal else None
        for detector in (FeatureDrift(), JointDrift()):
            if detector.look(before, now, alpha=spend, seed=0, clock=at):
                return True
    return False


def stream(n: int, seed: int, *, weeks: int, kind: str = "", size: str = "", season: float = 0.0) -> list[bool]:
    """Which of a stream's looks alarmed; it stops at the first alarm after the change."""
    days, x, level = reference(seed, REFERENCE, season=season)
    before, past, found = frame(x, level), [], []
    for number in range(weeks):
        day, now, now_level = week(seed, number, n, kind=kind, size=size, season=season)
        past.append((day, frame(now, now_level)))
        past = past[-max(WINDOWS) :]
        found.append(look(before, days, past, season > 0))
        if kind and number >= CHANGE and found[-1]:
            break
    return found


def peer(name: str, n: int, streams: int, kind: str = "", size: str = "", first: int = 0) -> np.ndarray:
    """A peer's statistics, (streams, weeks)."""
    command = [
        str(python_of(OF_PEER[name])),
        str(Path(__file__).with_name("drift_peer.py")),
        name,
        str(n),
        str(REFERENCE),
        str(streams),
    ]
    command += [kind, size, str(first)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return np.array([json.loads(line)["statistic"] for line in done.stdout.splitlines() if line.startswith("{")])


def main(pairs: int, years: int, streams: int, peers: list[str]) -> None:
    there = {r["cell"]: r for r in lines(NAME)}

    def kept(cell: str, count: int, make) -> dict:
        """The cell's row, made where it is not there (or was smaller)."""
        if cell not in there or int(there[cell]["count"]) < count:
            start = time.process_time()
            row = {
                "cell": cell,
                "count": count,
                **make(),
                "cpu_s": round(time.process_time() - start, 1),
                "machine": machine(),
            }
            record(NAME, row)
            there[cell] = row
        return there[cell]

    for n in SIZES_OF_ROWS:

        def looks(n=n):
            found = [family(n, s) for s in range(pairs)]
            return {
                "part": "family",
                "rows": n,
                "alpha": ALPHA,
                "alarms": {c: sum(f[c] for f in found) for c in found[0]},
            }

        kept(f"family {n}", pairs, looks)

        def seasons(n=n):
            found = [sum(stream(n, 10_000 + s, weeks=52, season=SEASON)) for s in range(years)]
            return {"part": "year", "rows": n, "budget": BUDGET, "looks_with_alarm": found}

        kept(f"year {n}", years, seasons)
        for name in peers:

            def calm(n=n, name=name):
                at = threshold(peer(name, n, streams, first=50_000))
                return {"part": "null", "rows": n, "peer": name, "threshold": at}

            kept(f"null {n} {name}", streams, calm)
        for kind in KINDS:
            for size in SIZES:

                def ours(n=n, kind=kind, size=size):
                    found = [stream(n, s, weeks=WEEKS, kind=kind, size=size) for s in range(streams)]
                    return {
                        "part": "delay",
                        "rows": n,
                        "kind": kind,
                        "size": size,
                        "who": "holdgood",
                        "weeks": [delay(f) for f in found],
                    }

                kept(f"delay {n} {kind} {size} holdgood", streams, ours)
                for name in peers:

                    def theirs(n=n, kind=kind, size=size, name=name):
                        at = there[f"null {n} {name}"]["threshold"]
                        found = peer(name, n, streams, kind, size) > at
                        return {
                            "part": "delay",
                            "rows": n,
                            "kind": kind,
                            "size": size,
                            "who": name,
                            "weeks": [delay(f.tolist()) for f in found],
                        }

                    kept(f"delay {n} {kind} {size} {name}", streams, theirs)


def threshold(statistics: np.ndarray) -> float:
    """Above which the looks of streams without a change alarm ``BUDGET`` times in 52 weeks."""
    return float(np.quantile(statistics.ravel(), 1.0 - BUDGET / 52.0))


def delay(found: list[bool]) -> int:
    """Weeks from the change until it is seen, 1 for at once; the weeks left where it never was."""
    after = found[CHANGE:]
    return after.index(True) + 1 if True in after else WEEKS - CHANGE


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    named = [a for a in sys.argv[1:] if not a.isdigit()] or list(OF_PEER)
    main(*(numbers or [2000, 100, 60]), peers=[] if named == ["none"] else named)
