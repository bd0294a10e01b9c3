"""Runs inside a peer's environment: profile the Parquet files that are listed, one JSON line of alerts a file.

    python peer_runner.py PEER JOBS.json    # a list of {"id": …, "path": …, "target": … or null, "train": …, "test": …}

An alert is [type, column or ""]. Only what the peer says by default counts; nothing is configured. Standard library, pandas and the peer.
"""

from __future__ import annotations

import json
import re
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

warnings.filterwarnings("ignore")


def main() -> None:
    peer, jobs = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    run = {"ydata": ydata, "deepchecks": deepchecks}[peer]
    for job in jobs:
        begun = time.process_time()
        try:
            alerts = run(job)
            line = {"id": job["id"], "alerts": alerts}
        except Exception as error:  # a peer that breaks down on a table is told as such
            line = {"id": job["id"], "alerts": [], "error": f"{type(error).__name__}: {error}"[:300]}
        print("@@" + json.dumps({**line, "cpu_s": round(time.process_time() - begun, 2)}), flush=True)


def ydata(job: dict) -> list[list[str]]:
    from ydata_profiling import ProfileReport

    report = ProfileReport(pd.read_parquet(job["path"]), progress_bar=False, pool_size=1)
    alerts = report.get_description().alerts
    return [[a.alert_type.name, str(a.column_name or "")] for a in alerts]


def deepchecks(job: dict) -> list[list[str]]:
    import numpy as np

    np.Inf, np.NaN = np.inf, np.nan  # it was written for numpy 1
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.suites import data_integrity, train_test_validation

    frame = pd.read_parquet(job["path"])
    names = [str(c) for c in frame.columns]
    found = _failed(data_integrity().run(_dataset(Dataset, frame, job)), names)
    if job.get("train"):
        train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
        found += _failed(
            train_test_validation().run(_dataset(Dataset, train, job), _dataset(Dataset, test, job)), names
        )
    return found


def _dataset(Dataset, frame: pd.DataFrame, job: dict):
    target = job.get("target") if job.get("target") in frame else None
    words = [c for c in frame.columns if frame[c].dtype == object and c != target]
    return Dataset(frame, label=target, cat_features=words)


def _failed(result, names: list[str]) -> list[list[str]]:
    """Checks whose conditions did not pass, with the columns that their texts name."""
    out = []
    for check in result.get_not_passed_checks():
        told = " ".join(c.details for c in check.conditions_results if not c.is_pass())
        named = [n for n in names if re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", told)] or [""]
        out += [[type(check.check).__name__, n] for n in named]
    return out


if __name__ == "__main__":
    main()
