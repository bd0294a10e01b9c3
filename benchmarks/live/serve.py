"""holdgood serve on one core, the load generator on the other: latency, top rate, batches, peers, memory, kills.

    python benchmarks/live/serve.py                        # all of it, a few seconds each: about 5 minutes (peers are installed once)
    python benchmarks/live/serve.py --seconds 30           # on a quiet machine
    python benchmarks/live/serve.py --parts memory --minutes 10 --load 80
    python benchmarks/live/serve.py --parts kills --kills 20

Rows: ten numbers (one in twenty missing), four categories, two moments, a truth value.
The model: one LightGBM, the simplest that a run delivers, so that peers serve the same.
Validation, tokens and the journal are on (SQLite, on disk before each answer).
A part that is there for this machine, code and length is not run again (--again).
CPU per request is told beside wall clock: on a shared machine it is the steadier of the two.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine import machine
from own_cores import own_cores
from record import RESULTS, record
from serve_load import Told, load
from serve_subjects import Subject, bare, bentoml, encoded_bodies, mlflow, ours

NAME = "live-serve"
ARROW = "application/vnd.apache.arrow.stream"
SERVER, CLIENT = 0, 1
ROOT = Path(__file__).resolve().parent.parent.parent


def rows_of(n: int, seed: int) -> pa.Table:
    """Made-up rows."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {"id": [f"R{i:07d}" for i in range(n)]}
    for i in range(10):
        columns[f"n{i}"] = pa.array(rng.normal(size=n).round(4), mask=rng.random(n) < 0.05)
    for i, levels in enumerate((3, 12, 40, 200)):
        columns[f"c{i}"] = np.array([f"level {k}" for k in range(levels)])[rng.integers(0, levels, n)]
    at = np.datetime64("2026-01-01", "s") + np.sort(rng.integers(0, 300 * 86400, n)).astype("timedelta64[s]")
    columns |= {
        "asked": at,
        "due": at + rng.integers(3600, 10**6, n).astype("timedelta64[s]"),
        "rush": rng.random(n) < 0.3,
    }
    return pa.table(columns)


def made(folder: Path) -> Path:
    """A bundle of a run over 20,000 rows, once: one booster, so that peers serve the same model."""
    bundle = folder / "bundle-of-one"
    if not bundle.exists():
        import shutil

        import holdgood as hg

        data = rows_of(20_000, 0).to_pandas()
        signal_ = (
            data.n0.fillna(0) + data.n1.fillna(0) * data.rush + (data.c1 == "level 3") + np.sin(3 * data.n2.fillna(0))
        )
        data["late"] = signal_ + np.random.default_rng(1).normal(0, 0.7, len(data)) > 0.8
        data.to_parquet(folder / "train.parquet")
        declared = {
            "name": "late", "task": {"target": "late"}, "tables": {"data": {"source": "train.parquet", "key": ["id"], "time": "asked"}},
            "budget": {"trials": 3, "workers": 1, "models": ["lightgbm"], "prefer": "simple"},
        }  # fmt: skip
        shutil.copytree(hg.run(declaration=declared, project=folder).bundle, bundle)
    return bundle


class Bench:
    """What the parts share: the bundle, rows as JSON and as Arrow, and the encoded matrix with the booster for the peers."""

    def __init__(self, folder: Path, seconds: float) -> None:
        from holdgood.core.table import Table
        from holdgood.workflow.predict import Predictor

        self.folder, self.seconds = folder, seconds
        self.bundle = made(folder)
        self.table = rows_of(20_000, 7)
        model = Predictor.load(self.bundle)
        chain = model.chain
        while hasattr(chain, "inner"):
            chain = chain.inner
        frame = model.frame(model.repaired(model.as_read(self.table)), {})
        self.members = [(m.model, m.encoder.transform(frame).values) for m in getattr(chain, "members", [chain])]
        self.booster, self.matrix = self.members[0]
        self.text = folder / "booster.txt"
        self.text.write_text(self.booster.text)
        self.trees = self.booster.text.count("Tree=")
        self.rows = [
            {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}
            for row in self.table.slice(0, 2_000).to_pylist()
        ]
        assert isinstance(model.as_read(self.table), Table)
        self.bodies = [json.dumps({"row": row}).encode() for row in self.rows]

    def place(self, name: str) -> Path:
        """A fresh folder for a server."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


def measured(subject: Subject, ask: Callable[[], Told]) -> dict[str, object]:
    """Load with the server's CPU beside it."""
    before = subject.cpu()
    told = ask()
    answered = len(told.seconds)
    return {
        "answered": answered, "rate": told.rate, "p50_ms": told.quantile(0.5), "p99_ms": told.quantile(0.99), "max_ms": told.quantile(1.0),
        "cpu_us": round(1e6 * (subject.cpu() - before) / max(1, answered), 1), "others": told.others, "late": told.late,
        "sent_p50_ms": told.quantile(0.5, told.behind),
    }  # fmt: skip


def latency(bench: Bench, rate: float) -> dict[str, object]:
    """Open loop at a rate."""
    at = bench.place("latency")
    subject, token = ours(bench.bundle, at, SERVER)
    with subject:
        load(subject.port, bench.bodies, token=token, seconds=1.0)
        return {"asked_rate": rate, "sync_ms": sync_ms(at)} | measured(
            subject,
            lambda: load(subject.port, bench.bodies, token=token, rate=rate, seconds=bench.seconds, connections=32),
        )


def sync_ms(folder: Path, times: int = 100) -> float:
    """Median milliseconds until 1.5 kB are on this disk: an answer waits for one such sync at least, for two if one was under way."""
    took = []
    with (folder / "sync").open("wb") as file:
        for _ in range(times):
            file.write(bytes(1500))
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begun)
    return round(1e3 * sorted(took)[times // 2], 2)


def top(bench: Bench, rounds: int = 3) -> dict[str, object]:
    """Closed loop, ours and the bare route in turn; the share is of the medians."""
    at = bench.place("top")
    found: dict[str, list[dict[str, object]]] = {"ours": [], "bare": []}
    subject, token = ours(bench.bundle, at, SERVER)
    with subject, bare(at, SERVER) as beside:
        for _ in range(rounds):
            found["ours"].append(
                measured(
                    subject,
                    lambda: load(subject.port, bench.bodies, token=token, seconds=bench.seconds, connections=32),
                )
            )
            found["bare"].append(
                measured(beside, lambda: load(beside.port, bench.bodies, seconds=bench.seconds, connections=32))
            )
    middle = {
        who: {k: float(np.median([f[k] for f in some])) for k in ("rate", "cpu_us", "p50_ms", "p99_ms")}
        for who, some in found.items()
    }
    return {
        "ours": middle["ours"], "bare": middle["bare"], "share": round(middle["ours"]["rate"] / middle["bare"]["rate"], 3),
        "share_cpu": round(middle["bare"]["cpu_us"] / middle["ours"]["cpu_us"], 3), "others": [f["others"] for f in found["ours"]],
    }  # fmt: skip


def batches(bench: Bench, size: int = 5_000) -> dict[str, object]:
    """Arrow streams, one after the other, against booster.predict over the encoded matrix of the same rows, on one thread of the same core.

    The booster is the first of the served model, as the peers have it; ``served``: all boosters that the server asks, one after the other.
    """
    at = bench.place("batch")
    sink = pa.BufferOutputStream()
    some = bench.table.slice(0, size)
    with pa.ipc.new_stream(sink, some.schema) as writer:
        writer.write_table(some)
    subject, token = ours(bench.bundle, at, SERVER)
    with subject:
        body = [sink.getvalue().to_pybytes()]

        def ask(seconds: float) -> Told:
            return load(subject.port, body, token=token, seconds=seconds, connections=1, kind=ARROW)

        ask(1.0)
        told = measured(subject, lambda: ask(bench.seconds))
    per_s, per_cpu = boosters(bench.members[:1], size, at)
    all_per_s, all_per_cpu = boosters(bench.members, size, at)
    rows, rows_cpu = float(told["rate"]) * size, 1e6 * size / float(told["cpu_us"])  # type: ignore[arg-type]
    return {
        "rows": size, "rows_per_s": round(rows), "rows_per_cpu_s": round(rows_cpu), "booster_rows_per_s": round(per_s),
        "booster_rows_per_cpu_s": round(per_cpu),
        "share": round(rows / per_s, 3), "share_cpu": round(rows_cpu / per_cpu, 3), "others": told["others"],
        "served": len(bench.members), "share_served": round(rows / all_per_s, 3), "share_served_cpu": round(rows_cpu / all_per_cpu, 3),
    }  # fmt: skip


def boosters(members: list[tuple[Any, np.ndarray]], size: int, at: Path) -> tuple[float, float]:
    """Rows a second and a CPU second that boosters predict of their matrices, one booster after the other."""
    for k, (booster, matrix) in enumerate(members):
        (at / f"booster-{k}.txt").write_text(booster.text)
        np.save(at / f"matrix-{k}.npy", matrix[:size])
    code = (
        "import lightgbm, numpy, time\n"
        f"x = [numpy.load(f'matrix-{{k}}.npy') for k in range({len(members)})]\n"
        f"b = [lightgbm.Booster(model_file=f'booster-{{k}}.txt') for k in range({len(members)})]\n"
        "def once(): [m.predict(v, num_threads=1) for m, v in zip(b, x)]\n"
        "once(); t, c = time.perf_counter(), time.process_time()\nfor _ in range(5): once()\n"
        f"print({size} * 5 / (time.perf_counter() - t), {size} * 5 / (time.process_time() - c))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=at,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: own_cores({SERVER}),
    ).stdout.split()
    return float(said[0]), float(said[1])


def peers(bench: Bench) -> dict[str, object]:
    """MLflow and BentoML with the same booster over encoded rows, ours over raw ones, closed loop."""
    at = bench.place("peers")
    subject, token = ours(bench.bundle, at, SERVER)
    with subject:
        found: dict[str, object] = {
            "ours": measured(subject, lambda: load(subject.port, bench.bodies, token=token, seconds=bench.seconds))
        }
    for who, path in (("mlflow", "/invocations"), ("bentoml", "/predict")):
        try:
            start = (
                mlflow(bench.text, bench.matrix.shape[1], at, SERVER)
                if who == "mlflow"
                else bentoml(bench.text, at, SERVER)
            )
        except (subprocess.CalledProcessError, RuntimeError) as error:
            found[who] = {"failed": str(error)[-300:]}
            continue
        with start as beside:
            bodies = encoded_bodies(bench.matrix[:500], who)
            load(beside.port, bodies, path=path, seconds=1.0)
            told = measured(beside, lambda b=beside, x=bodies, p=path: load(b.port, x, path=p, seconds=bench.seconds))
            found[who] = told | {"times": round(float(found["ours"]["rate"]) / max(0.1, float(told["rate"])), 2)}  # type: ignore[index, arg-type]
    return found


def memory(bench: Bench, minutes: float, share: float) -> dict[str, object]:
    """Open loop at a share of the top rate; resident memory each second, medians of its second and last fifth."""
    at = bench.place("memory")
    subject, token = ours(bench.bundle, at, SERVER)
    with subject:
        best = load(subject.port, bench.bodies, token=token, seconds=max(2.0, bench.seconds), connections=32).rate
        held: list[float] = []
        done = threading.Event()

        def watch() -> None:
            while not done.wait(1.0):
                held.append(subject.resident())

        watcher = threading.Thread(target=watch)
        watcher.start()
        told = measured(
            subject,
            lambda: load(
                subject.port, bench.bodies, token=token, rate=best * share / 100, seconds=60 * minutes, connections=64
            ),
        )
        done.set()
        watcher.join()
    fifth = max(1, len(held) // 5)
    early, late = float(np.median(held[fifth : 2 * fifth] or held)), float(np.median(held[-fifth:]))
    return {
        "minutes": minutes,
        "load": share,
        "top": best,
        "early_mb": round(early, 1),
        "late_mb": round(late, 1),
        "grown_mb": round(late - early, 1),
    } | told


def kills(bench: Bench, times: int) -> dict[str, object]:
    """kill -9 under load: what the clients saw acknowledged is in the journal, and nothing is there twice."""
    from holdgood.core.records import Prediction
    from holdgood.journal import Journal

    at = bench.place("kills")
    bodies = [json.dumps({"row": row, "id": "@ID@"}).encode() for row in bench.rows]
    acknowledged: set[str] = set()
    for k in range(times):
        subject, token = ours(bench.bundle, at, SERVER)
        timer = threading.Timer(0.5 + 0.1 * (k % 8), subject.end, args=(signal.SIGKILL,))
        timer.start()
        told = load(subject.port, bodies, token=token, seconds=2.0, connections=16, named=f"k{k}")
        timer.join()
        acknowledged |= {f"k{k}-{n}" for n in told.acknowledged}
    journal = Journal(at / "journal.sqlite")
    ids = [p.id for _, p in journal.read(Prediction)]
    return {
        "kills": times, "acknowledged": len(acknowledged), "journalled": len(ids), "lost": len(acknowledged - set(ids)),
        "twice": len(ids) - len(set(ids)), "faults": len(journal.verify()),
    }  # fmt: skip


def code() -> str:
    """Which code: the commit, and whether it was changed since."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--minutes", type=float, default=0.5, help="of the memory part")
    parser.add_argument("--load", type=float, default=80.0, help="of the top rate in the memory part, in percent")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--parts", default="latency,top,batch,peers,memory,kills")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "holdgood-bench-serve")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT})
    given.folder.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{NAME}.jsonl"
    there = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    bench = Bench(given.folder, given.seconds)
    parts: dict[str, tuple[str, Callable[[], dict[str, object]]]] = {
        "latency": (f"{given.rate:g}/s", lambda: latency(bench, given.rate)),
        "top": ("", lambda: top(bench)),
        "batch": ("", lambda: batches(bench)),
        "peers": ("", lambda: peers(bench)),
        "memory": (f"{given.minutes:g} min {given.load:g}%", lambda: memory(bench, given.minutes, given.load)),
        "kills": (f"{given.kills}", lambda: kills(bench, given.kills)),
    }
    for part in given.parts.split(","):
        size, work = parts[part]
        key = {"part": part, "size": size, "seconds": given.seconds, "machine": machine(), "code": code()}
        if not given.again and any(all(row.get(k) == v for k, v in key.items()) for row in there):
            continue
        began = time.time()
        busy = os.getloadavg()[0]
        record(
            NAME,
            key
            | {
                "trees": bench.trees,
                "columns": bench.matrix.shape[1],
                **work(),
                "wall_s": round(time.time() - began, 1),
                "load_before": round(busy, 1),
            },
        )


if __name__ == "__main__":
    main()
