"""make bench-audit (5): CPU seconds and peak memory of `holdgood audit FILE`, as a user runs it, report included; peers beside it.

Three generated tables, a mix of types such as companies have (rounded and skewed numbers, counts, categories of 4 to 200 levels,
dates, an id, some missing cells), seeded: 1,000,000 × 20 Parquet, 5,000,000 × 20 CSV, 100,000 × 2,000 Parquet. Each measurement is a
process of its own (user + system time of it and what it starts; its peak resident memory). ydata-profiling, deepchecks and
skrub see the first table in the same run, in environments of their own.

One JSON line a measurement in benchmarks/results/speed.jsonl. Options: --only long,huge,wide --peers (or --no-peers) --limit 900
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.csv as pa_csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from record import record  # noqa: E402
from venvs import CACHE, PINS, QUIET, python_of  # noqa: E402

AIMS = {"long": (15.0, 1500.0), "huge": (60.0, None), "wide": (120.0, None)}
_YDATA = "from ydata_profiling import ProfileReport as R; R(d, progress_bar=False{more}).to_file(o)"
_DEEPCHECKS = (
    "import numpy as np; np.Inf, np.NaN = np.inf, np.nan; from deepchecks.tabular import Dataset as D; "
    "from deepchecks.tabular.suites import data_integrity as s; words = [c for c in d if d[c].dtype == object]; "
    "s().run(D(d, label=None, cat_features=words)).save_as_html(o)"
)
PEERS = {
    "ydata": ("ydata-profiling, full", _YDATA.format(more="")),
    "ydata_minimal": ("ydata-profiling, minimal", _YDATA.format(more=", minimal=True")),
    "deepchecks": ("deepchecks, data integrity", _DEEPCHECKS),
    "skrub": ("skrub, TableReport", "from skrub import TableReport as R; R(d, verbose=0).write_html(o)"),
}


def chunk(rows: int, columns: int, start: int, rng: np.random.Generator) -> pa.Table:
    """Some rows of the mix; its twenty kinds of columns are repeated as often as asked for."""
    made: dict[str, Any] = {}
    for i in range(columns):
        made[f"c{i:04d}"] = _column(i % 20 if i < 20 else 1 + i % 17, rows, start, rng)
    return pa.table(made)


def _column(kind: int, n: int, start: int, rng: np.random.Generator) -> Any:
    if kind == 0:
        return np.arange(start, start + n) + 1_000_000
    if kind in (1, 2):
        return rng.normal(50, 12, n).round(kind)
    if kind in (3, 4):
        return rng.lognormal(3, 1, n).round(2)
    if kind in (5, 6):
        return rng.poisson(4 * kind, n)
    if kind == 7:
        return rng.integers(0, 100, n) * 5
    if kind in (8, 9):
        return np.where(rng.random(n) < 0.05, np.nan, rng.gamma(2.0, 30.0, n).round(1))
    if kind == 10:
        return rng.random(n)
    if kind == 11:
        return rng.random(n) < 0.2
    if kind in (12, 13, 14, 15):
        levels = {12: 4, 13: 12, 14: 50, 15: 200}[kind]
        weight = 1.0 / np.arange(1, levels + 1)
        words = pa.array([f"level {j:03d}" for j in range(levels)])
        return words.take(pa.array(rng.choice(levels, n, p=weight / weight.sum())))
    if kind == 16:
        levels = pa.array(["north", "south", "east", "west", None])
        return levels.take(pa.array(rng.choice(5, n, p=[0.4, 0.3, 0.2, 0.07, 0.03])))
    if kind in (17, 18):
        day = 1_600_000_000 + np.sort(rng.integers(0, 40_000_000, n)) + start
        return (
            pa.array(day * 1_000_000).cast(pa.timestamp("us"))
            if kind == 18
            else pa.array((day // 86400).astype("int32")).cast(pa.date32())
        )
    return rng.integers(1, 90_000, n)


def write(path: Path, rows: int, columns: int) -> None:
    """Written piece by piece, so that the writer needs little memory."""
    rng = np.random.default_rng([rows, columns])
    step, writer = (250_000 if columns < 100 else 10_000), None
    for start in range(0, rows, step):
        part = chunk(min(step, rows - start), columns, start, rng)
        if writer is None:
            make = pa_csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
            writer = make(str(path), part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def spent(command: list[str], cwd: Path, limit: float) -> dict[str, Any]:
    """CPU seconds, wall seconds and peak MB of one process and what it waited for."""
    begun = time.perf_counter()
    with (cwd / "out.txt").open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, stdout=out, stderr=out, env={**os.environ, **QUIET})
        killer = threading.Timer(limit, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    said = (cwd / "out.txt").read_text(encoding="utf-8", errors="replace")
    return {
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_s": round(time.perf_counter() - begun, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "ended": "ok"
        if process.returncode == 0
        else f"exit {process.returncode}: {said.strip().splitlines()[-1][:200] if said.strip() else ''}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="long,huge,wide")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument(
        "--limit", type=float, default=900.0, help="seconds of wall clock after which a process is ended"
    )
    options = parser.parse_args()
    holdgood = str(Path(sys.executable).parent / "holdgood")
    shapes = {"long": (1_000_000, 20, "parquet"), "huge": (5_000_000, 20, "csv"), "wide": (100_000, 2_000, "parquet")}
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in options.only.split(","):
        rows, columns, form = shapes[name]
        with tempfile.TemporaryDirectory(dir=CACHE) as place:
            folder = Path(place)
            file = folder / f"table.{form}"
            write(file, rows, columns)
            what = f"{rows:,} x {columns:,} {form}"
            aim_s, aim_mb = AIMS[name]
            ours = spent([holdgood, "audit", str(file), "--report", str(folder / "r.html")], folder, options.limit)
            record(
                "speed",
                {
                    "what": f"{what}: holdgood audit",
                    "shape": what,
                    "who": "holdgood",
                    **ours,
                    "aim_s": aim_s,
                    "aim_mb": aim_mb,
                },
            )
            if name != "long" or options.no_peers:
                continue
            for peer, (said, code) in PEERS.items():
                program = f"import pandas as pd; d = pd.read_parquet(r'{file}'); o = r'{folder / 'peer.html'}'; {code}"
                theirs = spent([str(python_of(peer.split("_")[0])), "-c", program], folder, options.limit)
                ratio = round(theirs["cpu_s"] / max(ours["cpu_s"], 1e-9), 1)
                pin = PINS[peer.split("_")[0]][0].split("==")[-1]
                record(
                    "speed",
                    {"what": f"{what}: {said}", "shape": what, "who": f"{said} {pin}", **theirs, "times_ours": ratio},
                )


if __name__ == "__main__":
    main()
