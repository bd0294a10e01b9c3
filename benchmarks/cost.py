"""make bench-cost: CPU seconds of what people wait for first: import, --help, and the audit of a 100,000 × 20 CSV from a cold start.

One JSON line a measurement: the median of five runs, with the floor of a bare interpreter beside it.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from record import record

RUNS = 5


def cpu(command: list[str], cwd: str) -> tuple[float, float]:
    """Median CPU seconds and peak MB over the runs."""
    spent = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=cwd, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(spent)), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def table(path: Path) -> None:
    random = np.random.default_rng(0)
    n = 100_000
    columns: dict[str, object] = {f"n{i}": random.normal(size=n).round(4) for i in range(8)}
    columns |= {f"i{i}": random.integers(0, 1000, n) for i in range(4)}
    columns |= {f"c{i}": random.choice(["red", "green", "blue", "grey"], n) for i in range(4)}
    columns |= {f"m{i}": np.where(random.random(n) < 0.05, np.nan, random.normal(size=n).round(3)) for i in range(2)}
    columns["day"] = pd.date_range("2020-01-01", periods=n, freq="min").strftime("%Y-%m-%d %H:%M:%S")
    columns["site"] = random.choice([f"S{i:03d}" for i in range(200)], n)
    pd.DataFrame(columns).to_csv(path, index=False)


def main() -> None:
    holdgood = str(Path(sys.executable).parent / "holdgood")
    with tempfile.TemporaryDirectory() as folder:
        table(Path(folder) / "orders.csv")
        for name, aim, command in (
            ("bare python", None, [sys.executable, "-c", "pass"]),
            ("import holdgood", 0.5, [sys.executable, "-c", "import holdgood"]),
            ("holdgood --help", 0.6, [holdgood, "--help"]),
            ("holdgood audit 100,000 x 20 csv", 5.0, [holdgood, "audit", "orders.csv"]),
        ):
            seconds, peak = cpu(command, folder)
            record("cost", {"what": name, "cpu_s": round(seconds, 3), "aim_s": aim, "peak_mb_so_far": round(peak)})


if __name__ == "__main__":
    main()
