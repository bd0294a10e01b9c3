"""What many series take: seconds and peak memory of ``holdgood.forecast`` on made-up weekly demand, a process a size, and a line through them.

    python benchmarks/forecast/many.py --sizes 2000,8000 --plan 100000

One JSON line a size in benchmarks/results/many.jsonl; what 100,000 series would take is printed, not measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "stats"), str(HERE.parent)]

from demand import World, frame  # noqa: E402
from machine import machine  # noqa: E402
from record import record  # noqa: E402
from used import cpu_seconds  # noqa: E402


def alone(size: int, models: str, workers: int) -> None:
    """One forecast in this process: CPU and wall seconds, peak resident memory of it and of all it started together."""
    import holdgood

    world = World.drawn(size // 4, np.random.default_rng(0), weeks=104)
    rows = frame(world.history, world.ids)
    peak, over, me = [0], threading.Event(), psutil.Process()

    def look() -> None:
        while not over.wait(0.1):
            held = 0
            for one in (me, *me.children(recursive=True)):
                try:
                    held += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], held)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    before, cpu, begun = me.memory_info().rss, cpu_seconds(), time.perf_counter()
    made = holdgood.forecast(
        rows, 12, target="y", id="unique_id", time="ds", models=models.split(","), budget="trials=40",
        declaration={"budget": {"workers": workers}},
    )  # fmt: skip
    assert len(made.frame) == 12 * len(made.read.panel)
    over.set()
    print(json.dumps({
        "series": size, "models": models, "workers": workers, "wall_s": round(time.perf_counter() - begun, 1),
        "cpu_s": round(cpu_seconds() - cpu, 1), "peak_mb": round(peak[0] / 2**20), "table_mb": round(before / 2**20),
        "machine": machine(),
    }))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="2000,8000")
    parser.add_argument("--models", default="window-average,croston,theta,lightgbm-lags")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plan", type=int, default=100_000)
    parser.add_argument("--alone", type=int)
    options = parser.parse_args()
    if options.alone:
        return alone(options.alone, options.models, options.workers)
    found = []
    for size in options.sizes.split(","):
        words = [
            sys.executable,
            __file__,
            "--alone",
            size,
            "--models",
            options.models,
            "--workers",
            str(options.workers),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        record("many", found[-1])
    if len(found) > 1:
        x = [f["series"] for f in found]
        for what in ("cpu_s", "peak_mb"):
            slope, start = np.polyfit(x, [f[what] for f in found], 1)
            print(f"{what} of {options.plan:,} series by a line through these: {start + slope * options.plan:,.0f}")
    return None


if __name__ == "__main__":
    main()
