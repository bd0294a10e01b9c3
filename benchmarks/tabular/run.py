"""make bench-tabular: AutoML peers, defaults of boosters and holdgood on the tabular sets, one fit a process, one process at a time.

What a plain call does, in this order: 60 s on all sets with all systems, 20 s on all sets (AutoGluon medium, FLAML, holdgood), 300 s
on eight sets (AutoGluon best, MLJAR, holdgood). Unattended and resumable: a run is known by machine, versions, system, set, split and
budget, and what is in benchmarks/results/tabular.jsonl is not done again (failures included; --again does them once more). A fit that
has not returned after twice its budget and 60 s is killed and told as such. Test outcomes never reach the process that fits.

    --budget 60,20,300   --sets adult,credit_g   --systems holdgood,FLAML   --splits 5   --again   --list
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import numpy as np  # noqa: E402
from machine import machine  # noqa: E402
from own_cores import own_cores, scheduled  # noqa: E402
from record import RESULTS, record  # noqa: E402
from sets import DATA, Set, eight, entries, load, score  # noqa: E402
from systems import SYSTEMS, THREADS, WITHOUT_BUDGET  # noqa: E402
from venvs import PINS, QUIET, python_of  # noqa: E402

SHORT = ("AutoGluon medium", "FLAML", "holdgood")
LONG = ("AutoGluon best", "MLJAR", "holdgood")
PREDICT_S = 240.0
"""What a process may take besides the fit: imports before it, predictions after it."""
LOOK_S = 0.1
REACHED = ("features", "metrics", "models/tabular", "scale", "splitting", "training")
"""The rooms that decide what a fit gives: our results are known by a hash of them."""
FORECASTS = {"forecasting", "panels", "series.py"}
"""Parts of these rooms that only forecasts reach."""
LEFT_OUT = HERE.parent / "portfolio" / "left_out.json"
"""For each set the portfolio that was chosen without it (portfolio/choose.py): a set never votes on its own list."""


def jobs(
    budgets: list[int], splits: int, sets: list[str], systems: list[str]
) -> Iterator[tuple[int, int, dict[str, Any], str]]:
    """(split, budget, set, system); systems of one set follow each other, so that they meet the same machine.

    ``sets`` and ``systems`` that are named are run whatever the plan says; systems without a budget once, beside 60 s.
    """
    for split in range(splits):
        for budget in budgets:
            planned = {300: LONG, 20: SHORT}.get(budget, tuple(SYSTEMS))
            where = sets or (eight() if budget >= 300 else [e["name"] for e in entries()])
            for entry in entries():
                if entry["name"] in where:
                    of = [s for s in systems or planned if budget == 60 or s not in WITHOUT_BUDGET]
                    yield from ((split, budget, entry, s) for s in of)


@lru_cache
def stamp(system: str) -> str:
    """What a result of a system stands for: the pins of its environment, or a hash of our own source."""
    digest = hashlib.sha256()
    environment = SYSTEMS[system][0]
    if environment:
        digest.update("\n".join(PINS[environment]).encode())
    else:
        home = HERE.parents[1] / "src" / "holdgood"
        files = sorted(path for part in REACHED for path in (home / part).rglob("*") if not FORECASTS & {*path.parts})
        for path in [*files, home / "models" / "portfolio.json", home / "workflow" / "estimator.py", LEFT_OUT]:
            if path.suffix in (".py", ".json") and path.exists():
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def prepare(one: Set, system: str, budget: int, split: int, folder: Path) -> Path:
    one.train.to_parquet(folder / "train.parquet")
    one.test.to_parquet(folder / "test.parquet")
    np.save(folder / "outcome.npy", one.y_train)
    left_out = json.loads(LEFT_OUT.read_text(encoding="utf-8")) if LEFT_OUT.exists() else {}
    job = {
        "system": system, "set": one.name, "task": one.task, "metric": one.metric, "classes": one.classes,
        "positive": one.positive, "budget": budget, "seed": split, "folder": str(folder),
        "portfolio": left_out.get(one.name),
    }  # fmt: skip
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


class Watch:
    """A process and all that it started: resident memory over time, and an end when it takes too long."""

    def __init__(self, process: subprocess.Popen[bytes], marks: Path, limit: float) -> None:
        self.process, self.marks, self.limit = process, marks, limit
        self.seen: list[tuple[float, int]] = []
        self.killed = ""

    def wait(self) -> None:
        begun, top = time.time(), psutil.Process(self.process.pid)
        while self.process.poll() is None:
            now = time.time()
            self.seen.append((now, resident(top)))
            marks = self.times()
            if len(marks) == 1 and now - marks[0] > self.limit:
                self.killed = f"the fit had not returned after {self.limit:.0f} s"
            elif now - (marks[1] if len(marks) == 2 else begun) > PREDICT_S and len(marks) != 1:
                self.killed = f"{'predictions' if marks else 'the start'} took more than {PREDICT_S:.0f} s"
            if self.killed:
                break
            time.sleep(LOOK_S)
        end(self.process)

    def times(self) -> list[float]:
        """When the fit began and when it returned, as far as known."""
        text = self.marks.read_text(encoding="utf-8") if self.marks.exists() else ""
        return [float(x) for x in text.splitlines() if x]

    def peak_mb(self) -> float:
        """Most resident memory of the process and its descendants while it fitted (shared pages count once a process)."""
        times = self.times()
        low, high = (times or [0.0])[0], times[1] if len(times) == 2 else time.time()
        return max((r for t, r in self.seen if low <= t <= high), default=0) / 1e6


def resident(top: psutil.Process) -> int:
    """Resident bytes of a process and its descendants; those that just ended count nothing."""
    total = 0
    with contextlib.suppress(psutil.Error):
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total


def end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group, also what outlived its parent."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def own_two() -> None:
    """The first two cores that this process may use, whatever the machine has."""
    own_cores(sorted(os.sched_getaffinity(0))[:THREADS])


def measure(one: Set, system: str, budget: int, split: int, said_to: Path) -> dict[str, Any]:
    """Fit, watch, score; a failure is a result as well."""
    environment = SYSTEMS[system][0]
    python = str(python_of(environment)) if environment else sys.executable
    threads = {f"{x}_NUM_THREADS": str(THREADS) for x in ("OMP", "OPENBLAS", "MKL")}
    quiet = {**os.environ, **QUIET, "GOMP_SPINCOUNT": "0", **threads}
    with tempfile.TemporaryDirectory(prefix="bench-tabular-") as place:
        folder = Path(place)
        job = prepare(one, system, budget, split, folder)
        quiet["TMPDIR"] = str(folder)
        with said_to.open("wb") as said:
            process = subprocess.Popen(
                [python, str(HERE / "fit_one.py"), str(job)], cwd=folder, env=quiet, stdout=said, stderr=said,
                stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=own_two,
            )  # fmt: skip
            watch = Watch(process, folder / "marks.txt", 2.0 * budget + 60.0)
            try:
                watch.wait()
            finally:
                end(process)
        out: dict[str, Any] = {"score": None, "ended": watch.killed or "ok", "peak_mb": round(watch.peak_mb(), 1)}
        answer = folder / "answer.json"
        try:
            out["score"] = score(one, np.load(folder / "prediction.npy"))
        except (OSError, ValueError) as error:
            out["ended"] = watch.killed or f"failed: {last_words(said_to) or error}"
        if answer.exists():
            out |= json.loads(answer.read_text(encoding="utf-8"))
        elif out["score"] is not None and not watch.killed:
            out["ended"] = f"scored, but: {last_words(said_to)}"
        times = watch.times()
        if "wall_s" not in out and times:
            out["wall_s"] = round((times[1] if len(times) == 2 else time.time()) - times[0], 1)
    return out


def last_words(path: Path) -> str:
    lines = [x.strip() for x in path.read_text(encoding="utf-8", errors="replace").splitlines() if x.strip()]
    return lines[-1][:300] if lines else ""


def known() -> list[dict[str, Any]]:
    path = RESULTS / "tabular.jsonl"
    out = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            out.append(json.loads(line))
        except ValueError:
            continue
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="60,20,300", help="seconds, joined by commas; done in this order")
    parser.add_argument("--sets", default="")
    parser.add_argument("--systems", "--only", default="")
    parser.add_argument("--splits", type=int, default=1, help="the manifest's split, then seeded ones")
    parser.add_argument("--again", action="store_true", help="do failed and killed runs once more")
    parser.add_argument("--list", action="store_true", help="say what is to do, and stop")
    options = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    sets, systems = (list(filter(None, x.split(","))) for x in (options.sets, options.systems))
    for wanted, there in ((sets, [e["name"] for e in entries()]), (systems, list(SYSTEMS))):
        for name in wanted:
            if name not in there:
                sys.exit(f"nothing is named {name!r} here; there are: " + ", ".join(there))
    keys = ("machine", "stamp", "system", "set", "split", "budget")
    done = {tuple(r[k] for k in keys) for r in known() if not (options.again and r["ended"] != "ok")}
    missing = []
    for split, budget, entry, system in jobs(
        [int(b) for b in options.budget.split(",")], options.splits, sets, systems
    ):
        key = (machine(), stamp(system), system, entry["name"], split, budget)
        if key not in done:
            missing.append((split, budget, entry, system))
    hours = sum(b * 1.15 + 25 if s not in WITHOUT_BUDGET else 30 for _, b, _, s in missing) / 3600
    print(f"{len(missing)} runs to do, about {hours:.1f} hours · {machine()}", flush=True)
    if options.list:
        for split, budget, entry, system in missing:
            print(f"{budget:>4} s  split {split}  {entry['name']:<20} {system}")
        return
    for environment in sorted({SYSTEMS[s][0] for *_, s in missing} - {""}):
        python_of(environment)
    RESULTS.mkdir(parents=True, exist_ok=True)
    how = scheduled()
    for split, budget, entry, system in missing:
        one, busy = load(entry, split), os.getloadavg()[1]
        result = measure(one, system, budget, split, RESULTS / "tabular-last.log")
        row = {
            "machine": machine(), "stamp": stamp(system), "system": system, "set": one.name, "task": one.task,
            "metric": one.metric, "split": split, "budget": budget, "rows": len(one.train), "load": round(busy, 2), "scheduled": how,
        }  # fmt: skip
        record("tabular", row | result)


if __name__ == "__main__":
    main()
