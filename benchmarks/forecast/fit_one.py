"""One forecast in a process of its own: python fit_one.py JOB.json, in the environment of the system that is measured."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from systems import SYSTEMS  # noqa: E402
from used import cpu_seconds  # noqa: E402

if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    train, future = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "future.parquet")
    cpu, begun = cpu_seconds(), time.perf_counter()
    out = SYSTEMS[job["system"]][1](train, future, job)
    used = {"wall_s": round(time.perf_counter() - begun, 2), "cpu_s": round(cpu_seconds() - cpu, 2)}
    out.to_parquet(folder / "out.parquet")
    (folder / "answer.json").write_text(json.dumps(used | {"said": job.get("said", {})}), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # some libraries hang on their own threads at exit; everything is written
