"""make bench-demo: the flights from raw tables to report, seconds a step. One JSON line a step and one for the whole."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path

from record import record

from holdgood.workflow.demo import make_demo
from holdgood.workflow.project import run_project


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        made = make_demo(Path(folder) / "flights")
        run = run_project(made.folder)
        wall = time.perf_counter() - begun
        for step in sorted(p for p in run.folder.path.iterdir() if (p / "step.json").exists()):
            seconds = json.loads((step / "step.json").read_text())["seconds"]
            record("demo", {"step": step.name, "wall_s": seconds})
        used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        cpu = sum(u.ru_utime + u.ru_stime for u in used)
        peak = max(u.ru_maxrss for u in used) / 1024
        headline = run.holdout.metrics[run.holdout.metric]
        record(
            "demo",
            {
                "step": "all",
                "wall_s": round(wall, 1),
                "cpu_s": round(cpu, 1),
                "peak_mb": round(peak),
                "metric": run.holdout.metric,
                "value": headline.value,
                "low": headline.low,
                "high": headline.high,
                "chosen": run.leaderboard.chosen,
            },
        )


if __name__ == "__main__":
    main()
