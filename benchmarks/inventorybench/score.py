"""InventoryBench: the agent plays the half that is in the data folder; the environment alone holds the future.

    HOLDGOOD_DATA=/path/to/data python benchmarks/inventorybench/score.py            # demand is seen, as published
    HOLDGOOD_DATA=/path/to/data python benchmarks/inventorybench/score.py --see sales   # sales and stock-outs only
    HOLDGOOD_DATA=/path/to/data python benchmarks/inventorybench/score.py --no-end      # the agent isn't told how long a game is

First the shipped orders of the published baseline are played: the reward of every instance has to come out to the unit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inventorybench.environment import Instances, World, foresight, read
from record import record

AGENT = Path(__file__).resolve().parent / "agent.py"
DRAWS = 4000
Array = np.ndarray


def replayed(of: Instances) -> Array:
    """Scores of the shipped baseline orders; stops where a reward isn't the shipped one."""
    world = World(of)
    for t in range(of.demand.shape[1]):
        world.step(np.nan_to_num(of.published_order[:, t]))
    wrong = int((world.reward != of.published_reward).sum())
    if wrong:
        sys.exit(
            f"{wrong} of {len(of.name)} shipped rewards of the baseline do not come out: the environment is not the published one"
        )
    return world.score()


def played(of: Instances, see: str, tell_end: bool, seed: int) -> Array:
    """Scores of the agent, which runs as a process of its own."""
    world = World(of)
    process = subprocess.Popen([sys.executable, str(AGENT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # Names would tell the kind of demand: instances are numbered.
    start = [
        {
            "id": str(i),
            "history": of.history[i].tolist(),
            "price": of.price[i],
            "holding": of.holding[i],
            "promised_lead_time": int(of.promised[i]),
            **({"periods": int(of.periods[i])} if tell_end else {}),
        }
        for i in range(len(of.name))
    ]
    answer = _ask(process, {"start": start, "seed": seed})
    for t in range(of.demand.shape[1]):
        order = np.array([answer.get(str(i), 0) for i in range(len(of.name))], float)
        arrived, demand, sold = world.step(order)
        if t + 1 == of.demand.shape[1]:
            break
        seen = [
            {
                "id": str(i),
                "arrived": arrived[i],
                "on_hand": world.on_hand[i],
                "sold": sold[i],
                **({"demand": demand[i]} if see == "demand" else {}),
            }
            for i in np.flatnonzero(t + 1 < of.periods)
        ]
        answer = _ask(process, {"seen": seen})
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    return world.score()


def _ask(process: subprocess.Popen[str], told: dict[str, object]) -> dict[str, int]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        sys.exit("the agent ended without an answer")
    return dict(json.loads(line)["orders"])


def with_interval(score: Array, item: Array) -> list[float]:
    """Mean, and 95% by the bootstrap over items."""
    items, row = np.unique(item, return_inverse=True)
    total, count = np.bincount(row, score), np.bincount(row)
    pick = np.random.default_rng(0).integers(0, len(items), (DRAWS, len(items)))
    means = total[pick].sum(1) / count[pick].sum(1)
    return [round(float(x), 4) for x in (score.mean(), *np.quantile(means, [0.025, 0.975]))]


def strata(score: Array, of: Instances) -> dict[str, list[float]]:
    """Mean and interval of all, and by kind of lead time."""
    kinds = {"all": np.ones(len(score), bool), **{k: of.kind == k for k in np.unique(of.kind)}}
    return {k: with_interval(score[rows], of.item[rows]) for k, rows in kinds.items()}


def main() -> None:
    """Play, and record one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--see", choices=["demand", "sales"], default="demand")
    parser.add_argument("--no-end", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, help="only so many instances")
    args = parser.parse_args()
    path = Path(os.environ.get("HOLDGOOD_DATA", "")) / "forecast" / "inventorybench_dev.parquet"
    if not path.exists():
        sys.exit(f"{path.name} is not there: set HOLDGOOD_DATA to the folder that has forecast/{path.name}")
    of = read(str(path))
    if args.first:
        of = of.take(np.arange(args.first))
    baseline, best = replayed(of), foresight(of)
    score = played(of, args.see, not args.no_end, args.seed)
    record(
        "inventorybench",
        {
            "see": args.see,
            "end_told": not args.no_end,
            "seed": args.seed,
            "instances": len(score),
            "items": len(np.unique(of.item)),
            "holdgood": strata(score, of),
            "published_or": strata(baseline, of),
            "perfect_foresight": strata(best, of),
            "gain": strata(score - baseline, of),
            "better_than_or": int((score > baseline).sum()),
            "agent_cpu_s": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 1),
        },
    )


if __name__ == "__main__":
    main()
