"""How fast the simulator is: 10,000 items, two years, 100 scenarios, drawn as they are needed.

    python benchmarks/decide/simulator.py

Two years are 104 weeks, and 730 days. Order-up-to levels in units show the simulator alone; minimum and maximum in weeks of a moving
average, and spoiling goods, show what they add. Each in a process of its own, for its peak memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.simulator import Drawn, MinMax, World, simulate

ITEMS, SCENARIOS, PAST = 10_000, 100, 26
AIM_S = 60
CASES = {
    "104 weeks, order up to a level": (104, False, np.inf),
    "730 days, order up to a level": (730, False, np.inf),
    "104 weeks, min-max by a moving average": (104, True, np.inf),
    "104 weeks, goods that keep for 4": (104, False, 4.0),
}


def measure(what: str) -> dict[str, object]:
    """One case in this process."""
    steps, average, life = CASES[what]
    rate = np.random.default_rng(0).gamma(1.0, 3.0, ITEMS)

    drawing = 0.0

    def draw(first: int, last: int) -> np.ndarray:
        nonlocal drawing
        begun = time.thread_time()
        worlds = [np.random.default_rng([1, s]).poisson(rate, (steps, ITEMS)).T for s in range(first, last)]
        made = np.stack(worlds, axis=1).astype(np.float32)
        drawing += time.thread_time() - begun
        return made

    past = np.random.default_rng(2).poisson(rate, (PAST, ITEMS)).T.astype(float)
    terms = Terms.of(ITEMS, holding=0.2, shortage=1.0, lead=2, shelf_life=life, waste=0.5)
    stock = Stock(np.ceil(2 * rate), np.zeros((ITEMS, 2)), np.zeros(ITEMS))
    world = World(terms, stock, Drawn(SCENARIOS, steps, draw), past, np.ones(past.shape, bool))
    level = np.ceil(3 * rate + 2 * np.sqrt(3 * rate))
    policy = MinMax(3.0, 5.0, 13) if average else MinMax(level, level, 0)
    begun, cpu = time.perf_counter(), time.process_time()
    outcome = simulate(policy, world, threads=2)
    return {
        "what": what,
        "items": ITEMS,
        "steps": steps,
        "scenarios": SCENARIOS,
        "wall_s": round(time.perf_counter() - begun, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "drawing_cpu_s": round(drawing, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "aim_s": AIM_S,
        "fill_rate": round(outcome.fill_rate, 4),
        "machine": machine(),
    }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    for what in CASES:
        done = subprocess.run([sys.executable, __file__, what], capture_output=True, text=True, check=True)
        record("simulator", json.loads(done.stdout))


if __name__ == "__main__":
    main()
