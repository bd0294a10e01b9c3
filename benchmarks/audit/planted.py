"""make bench-audit (1): plant every kind of error at three strengths into five real tables (eight for what needs a clock), audit,
and count what is found and what is said without cause.

One JSON line a run in benchmarks/results/planted.jsonl; a run that was killed goes on where it stopped. Lines of other code (the
audit's, the injector's) are not counted as done: --fresh drops them. Options:

    --quick               strong and middle; 3 seeds, each on three tables of five; a kind's own pass only; nothing is kept
    --kinds a,b --tables a,b --strengths strong,middle --seeds 20 --jobs 2 --fresh --clean (clean tables only) --list
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from case import Case, NotPlantable  # noqa: E402
from look import BROKEN, CHECKS, Looked, look  # noqa: E402
from plant import KINDS, STRENGTHS, plant, prepared, seeded  # noqa: E402
from score import Counts, Spot, score, spots  # noqa: E402
from summarise import wilson  # noqa: E402
from tables import BASES, CLOCKED, DATA, VARIANTS  # noqa: E402

RESULTS = HERE.parent / "results" / "planted.jsonl"
BOTH_PASSES = 2
"""For the first so many seeds both passes are run with every check, to count what else they say; then the kind's own pass and checks."""


def code_stamp() -> str:
    """A hash of what decides the results: the audit, core, and the injector."""
    digest = hashlib.sha256()
    folders = (HERE.parents[1] / "src" / "holdgood" / "audit", HERE.parents[1] / "src" / "holdgood" / "core", HERE)
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=64)
def base(table: str, variant: int) -> Case:
    return ({**BASES, **CLOCKED})[table](variant)


@lru_cache(maxsize=512)
def ready(table: str, variant: int, kind_of_preparation: str, kind: str) -> Case:
    return prepared(kind, base(table, variant), variant)


def ready_for(kind: str, table: str, variant: int) -> Case:
    prepare = KINDS[kind].prepare
    name = prepare.__name__ if prepare else ""
    first = next(k for k in KINDS if (KINDS[k].prepare.__name__ if KINDS[k].prepare else "") == name)
    return ready(table, variant, name, first)


_clean: dict[tuple[str, int, str, bool, bool, tuple[str, ...] | None], dict[Spot, Counts]] = {}


def clean_spots(kind: str, table: str, variant: int, target: bool, codes: tuple[str, ...] | None) -> dict[Spot, Counts]:
    """What is said about the prepared case before anything is planted; once a process and preparation."""
    k = KINDS[kind]
    key = (table, variant, k.prepare.__name__ if k.prepare else "", k.declared, target, codes)
    if key not in _clean:
        case = ready_for(kind, table, variant)
        _clean[key] = spots(look(case, declared=k.declared, target=target, codes=codes).findings)
    return _clean[key]


def run_one(kind: str, table: str, strength: str, seed: int, both: int = BOTH_PASSES) -> dict[str, Any]:
    """Plant, audit, score: one line. ``both``: so many first seeds have both passes run."""
    k, variant = KINDS[kind], seed % VARIANTS
    line: dict[str, Any] = {"kind": kind, "group": k.group, "table": table, "strength": strength, "seed": seed}
    begun = time.process_time()
    try:
        case, truth = plant(kind, ready_for(kind, table, variant), strength, seeded(kind, table, strength, seed))
    except NotPlantable as reason:
        return line | {"outcome": "n/a", "why": str(reason)}
    whole = seed < both
    codes = None if whole else k.codes + k.also
    target = k.scope == "target" or whole
    clean = clean_spots(kind, table, variant, target, codes)
    middle = time.process_time()
    looked: Looked = look(case, declared=k.declared, target=target, first=k.scope == "tables" or whole, codes=codes)
    result = score(k, truth, clean, looked.findings)
    return line | {
        "outcome": "found" if result.found else "other name" if result.other_name else "missed",
        "code": result.found or result.other_name,
        "sure": result.sure,
        "pointed": result.pointed,
        "whole": whole,
        "at": [truth.table, *truth.columns],
        "rows": len(truth.rows),
        "parameters": {p: v for p, v in truth.parameters.items() if isinstance(v, (int, float, str))},
        "beside": result.beside,
        "strays": [list(s) for s in result.strays],
        "skipped": looked.skipped,
        "plant_s": round(middle - begun, 3),
        "audit_s": round(time.process_time() - middle, 3),
    }


def batch(jobs: list[tuple[str, str, str, int]], both: int = BOTH_PASSES) -> list[dict[str, Any]]:
    """Runs of one base and variant together, so that a process reads and audits the clean case once."""
    out = []
    for job in jobs:
        try:
            out.append(run_one(*job, both))
        except Exception as error:  # one broken run must not cost the others; the line says so
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            out.append(dict(zip(("kind", "table", "strength", "seed"), job)) | {"outcome": "error", "why": told[:300]})
    return out


def jobs_of(options: argparse.Namespace) -> Iterator[tuple[str, str, str, int]]:
    kinds = options.kinds.split(",") if options.kinds else list(KINDS)
    strengths = options.strengths.split(",") if options.strengths else list(STRENGTHS)
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        sys.exit(f"no kind called {', '.join(unknown)}; --list shows them")
    for kind in kinds:
        tables = [*BASES, *(CLOCKED if KINDS[kind].clocked else ())]
        for table in options.tables.split(",") if options.tables else tables:
            for strength in strengths:
                for seed in range(options.seeds):
                    thinned = options.quick and not options.tables and (tables.index(table) + seed) % 5 >= 3
                    if table in tables and not thinned:
                        yield kind, table, strength, seed


def grouped(jobs: Iterable[tuple[str, str, str, int]], size: int = 24) -> list[list[tuple[str, str, str, int]]]:
    """Batches with one table and variant each, kinds with the same preparation side by side."""
    parts: dict[tuple[str, int], list[tuple[str, str, str, int]]] = defaultdict(list)
    for job in jobs:
        parts[job[1], job[3] % VARIANTS].append(job)
    out = []
    for part in parts.values():
        part.sort(key=lambda j: (KINDS[j[0]].prepare.__name__ if KINDS[j[0]].prepare else "", KINDS[j[0]].declared))
        out += [part[i : i + size] for i in range(0, len(part), size)]
    return out


def read_lines(stamp: str) -> list[dict[str, Any]]:
    out = []
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row.get("code_stamp") == stamp:
            out.append(row)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kinds", "tables", "strengths"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    for flag in ("quick", "fresh", "clean", "list", "verbose"):
        parser.add_argument(f"--{flag}", action="store_true")
    options = parser.parse_args()
    if options.list:
        for kind in KINDS.values():
            print(
                f"{kind.name:<22} {'/'.join(kind.codes):<14} {kind.group:<20} {(kind.plant.__doc__ or '').splitlines()[0]}"
            )
        return
    if not DATA.exists():
        sys.exit(f"no data at {DATA}: set HOLDGOOD_DATA")
    if options.quick:
        options.seeds, options.strengths = min(options.seeds, 3), options.strengths or "strong,middle"
    stamp = code_stamp()
    known = [] if options.fresh or options.quick else read_lines(stamp)
    done = {(r["kind"], r["table"], r["strength"], r["seed"]) for r in known if r["outcome"] != "error"}
    wanted = list(jobs_of(options))
    lines = [r for r in known if (r["kind"], r["table"], r["strength"], r["seed"]) in set(wanted)]
    missing = [j for j in wanted if j not in done]
    keep = not options.quick
    if keep:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        if options.fresh:
            RESULTS.unlink(missing_ok=True)
    begun = time.perf_counter()
    print(f"{len(CHECKS)} checks · {len(wanted):,} runs, {len(missing):,} to do", flush=True)
    for code, said in BROKEN.items():
        print(f"NOT LOADED {code}: {said}")
    parts = grouped(missing)
    both = 0 if options.quick else BOTH_PASSES
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told = time.perf_counter()
    # spawned, not forked: threads of Arrow, DuckDB and OpenMP do not survive a fork
    with ProcessPoolExecutor(max_workers=options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(batch, part, both) for part in parts]
        try:
            for number, future in enumerate(as_completed(waiting), 1):
                rows = future.result()
                lines += rows
                if keep:
                    with RESULTS.open("a", encoding="utf-8") as file:
                        file.writelines(json.dumps({**r, "code_stamp": stamp}) + "\n" for r in rows)
                if time.perf_counter() - told > 60:
                    told = time.perf_counter()
                    print(f"{number} of {len(parts)} batches, {told - begun:.0f} s", flush=True)
        except KeyboardInterrupt:
            print("interrupted: what is finished is shown" + (" and kept" if keep else ""), flush=True)
            pool.shutdown(wait=False, cancel_futures=True)
    show(lines, options.verbose)
    print(f"{time.perf_counter() - begun:.0f} s of wall clock")


def show(lines: list[dict[str, Any]], verbose: bool = False) -> None:
    """Recall a kind and strength, with what was found under another name, and the complaints beside."""
    cells: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        cells[line["kind"], line["strength"]].append(line)
    print(
        f"\n{'kind':<22} {'strength':<8} {'runs':>4} {'found':>5} {'other':>5} {'recall':>6}  95%          n/a  strays  missed at"
    )
    for kind in KINDS:
        for strength in reversed(STRENGTHS):
            rows = cells.get((kind, strength), [])
            real = [r for r in rows if r["outcome"] not in ("n/a", "error")]
            if not rows:
                continue
            found = sum(r["outcome"] == "found" for r in real)
            other = sum(r["outcome"] == "other name" for r in real)
            low, high = wilson(found, len(real)) if real else (0.0, 1.0)
            missed = defaultdict(int)
            for r in real:
                if r["outcome"] != "found":
                    missed[r["table"]] += 1
            strays = sum(len(r["strays"]) for r in real) / max(1, sum(r["whole"] for r in real))
            print(
                f"{kind:<22} {strength:<8} {len(real):>4} {found:>5} {other:>5} {found / max(1, len(real)):>6.2f}  "
                f"{low:.2f} to {high:.2f} {sum(r['outcome'] == 'n/a' for r in rows):>4} {strays:>7.2f}  "
                + ", ".join(f"{t} {n}" for t, n in missed.items())
            )
    broken = [r for r in lines if r["outcome"] == "error"]
    for r in broken[:20]:
        print("ERROR", r["kind"], r["table"], r["strength"], r["seed"], r["why"])
    skipped = sorted({s for r in lines for s in r.get("skipped", ())})
    for s in skipped[:20]:
        print("SKIPPED", s)
    if verbose:
        for r in lines:
            if r["outcome"] in ("missed", "other name"):
                print(
                    "MISS",
                    r["kind"],
                    r["strength"],
                    r["table"],
                    r["seed"],
                    r["at"],
                    r["rows"],
                    r["parameters"],
                    r["code"],
                    r["beside"],
                )
        counted: dict[str, int] = defaultdict(int)
        for r in lines:
            for s in r.get("strays", ()):
                counted[f"{r['kind']} on {r['table']}: {' '.join(s)}"] += 1
        for what, n in sorted(counted.items(), key=lambda x: -x[1])[:60]:
            print("STRAY", n, what)
    seconds = [r["audit_s"] for r in lines if "audit_s" in r]
    if seconds:
        print(f"\naudit: mean {sum(seconds) / len(seconds):.2f} CPU s; in all {sum(seconds):.0f} CPU s")


if __name__ == "__main__":
    main()
