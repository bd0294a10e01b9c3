"""holdgood predict over many rows, beside booster.predict on the matrix of the same rows: rows a second, CPU seconds, peak memory.

    python benchmarks/live/batch.py                                   # 5 million rows, the model that a run delivers
    python benchmarks/live/batch.py --rows 400000 --model best        # an ensemble
    python benchmarks/live/batch.py --model none                      # a model without trees: what everything but scoring costs

The table: a key, a moment, ten numbers (one in twenty missing), four categories. The model: LightGBM as a run delivers it. The source and the answers may
take HOLDGOOD_MEMORY (500 MB) in memory and lie in a temporary file beyond that. What is there for this machine, number of rows and way is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine import machine
from record import RESULTS, record

NAME = "live-batch"
WAYS = ("parquet to parquet", "csv to parquet", "csv to csv", "parquet to sqlite", "booster.predict, matrix in memory")
NUMBERS = [f"n{i}" for i in range(10)]
_PART = 500_000


def rows_of(n: int, seed: int, start: int = 0) -> pa.Table:
    """Made-up rows."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {"id": np.arange(start, start + n)}
    columns["at"] = np.datetime64("2026-01-01", "s") + (np.arange(start, start + n) * 7).astype("timedelta64[s]")
    for name in NUMBERS:
        values = rng.normal(size=n).round(4)
        columns[name] = pa.array(values, mask=rng.random(n) < 0.05)
    for i, levels in enumerate((3, 12, 40, 200)):
        columns[f"c{i}"] = np.array([f"level {k}" for k in range(levels)])[rng.integers(0, levels, n)]
    return pa.table(columns)


def make(folder: Path, rows: int, name: str) -> None:
    """The bundle and the rows, once."""
    if not (folder / name).exists():
        import shutil

        import holdgood as hg

        data = rows_of(20_000, 0)
        rng = np.random.default_rng(1)
        signal = data.column("n0").to_pandas().fillna(0) + (data.column("c1").to_pandas() == "level 3")
        frame = data.to_pandas().assign(late=signal + rng.normal(size=len(signal)) > 0.5)
        frame.to_parquet(folder / "train.parquet")
        table = {"source": "train.parquet", "key": ["id"], "time": "at"}
        declared = {"task": {"target": "late"}, "tables": {"data": table}}
        declared["budget"] = {"trials": 3, "prefer": "best" if name == "best" else "balanced", "workers": 1}
        declared["budget"]["models"] = ["prior" if name == "none" else "lightgbm"]
        run = hg.run(declaration=declared, project=folder)
        shutil.copytree(run.bundle, folder / name)
    parquet, text = folder / f"{rows}.parquet", folder / f"{rows}.csv"
    if not parquet.exists():
        sinks = None
        for part, start in enumerate(range(0, rows, _PART)):
            data = rows_of(min(_PART, rows - start), 100 + part, start)
            if sinks is None:
                sinks = (
                    pq.ParquetWriter(folder / "new.parquet", data.schema),
                    pc.CSVWriter(folder / "new.csv", data.schema),
                )
            for sink in sinks:
                sink.write_table(data)
        assert sinks is not None
        for sink in sinks:
            sink.close()
        (folder / "new.csv").rename(text)
        (folder / "new.parquet").rename(parquet)


def measured(folder: Path, rows: int, way: str, name: str) -> dict[str, object]:
    """One way in this process; the peak is that of the whole process."""
    from holdgood.workflow.predict import Predictor
    from holdgood.workflow.scoring import predict_file

    bundle = folder / name
    began, cpu = time.perf_counter(), time.process_time()
    if way.startswith("booster"):
        model = Predictor.load(bundle)
        frame = model.frame(model.table_of(str(folder / f"{rows}.parquet")), {})
        chain = getattr(model.chain, "inner", model.chain)  # what calibrates costs next to nothing
        models = getattr(chain, "models", None) or (chain.model,)  # an ensemble's boosters read one matrix here
        encoder = chain.encoders[0] if hasattr(chain, "encoders") else chain.encoder
        matrix, natives = encoder.transform(frame).values, [m.native for m in models]
        del frame
        began, cpu = time.perf_counter(), time.process_time()
        for native in natives:
            native.predict(matrix)
    else:
        source, _, target = way.partition(" to ")
        with tempfile.TemporaryDirectory(dir=folder) as out:
            to = f"sqlite:///{out}/o.db?table=t" if target == "sqlite" else f"{out}/o.{target}"
            done = predict_file(bundle, str(folder / f"{rows}.{source}"), [], to=to, records=False)
            assert done.rows == rows
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": round(wall, 2), "cpu_s": round(used, 2), "rows_per_s": round(rows / wall),
            "rows_per_cpu_s": round(rows / used), "peak_mb": round(peak), "trees": trees(bundle)}  # fmt: skip


def trees(bundle: Path) -> int:
    return sum(p.read_bytes().count(b"Tree=") for p in bundle.rglob("*") if p.is_file())


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--rows", type=int, default=5_000_000)
    ask.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "holdgood-bench-batch")
    ask.add_argument("--model", choices=("balanced", "best", "none"), default="balanced")
    ask.add_argument("--way")
    asked = ask.parse_args()
    if asked.way:
        print(json.dumps(measured(asked.folder, asked.rows, asked.way, asked.model)))
        return
    path = RESULTS / f"{NAME}.jsonl"
    there = [json.loads(x) for x in path.read_text().splitlines()] if path.exists() else []
    done = {(r["machine"], r["rows"], r["model"], r["way"]): r for r in there}
    asked.folder.mkdir(parents=True, exist_ok=True)
    make(asked.folder, asked.rows, asked.model)
    for way in (WAYS[-1], *WAYS[:-1]):
        if (machine(), asked.rows, asked.model, way) in done or (asked.model == "none" and way == WAYS[-1]):
            continue
        command = [
            sys.executable,
            __file__,
            "--rows",
            str(asked.rows),
            "--folder",
            str(asked.folder),
            "--way",
            way,
            "--model",
            asked.model,
        ]
        setting = {**os.environ, "HOLDGOOD_MEMORY": os.environ.get("HOLDGOOD_MEMORY", "500 MB")}
        said = subprocess.run(command, env=setting, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        base = done.get((machine(), asked.rows, asked.model, WAYS[-1]))
        row = {"way": way, "rows": asked.rows, "model": asked.model, "machine": machine(), **json.loads(said)}
        row["share_of_booster"] = None if base is None else round(row["rows_per_cpu_s"] / base["rows_per_cpu_s"], 3)
        done[machine(), asked.rows, asked.model, way] = row
        record(NAME, row)


if __name__ == "__main__":
    main()
