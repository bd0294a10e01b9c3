"""make bench-stats (3): can forecasts and their intervals be trusted? By simulation through ``holdgood.forecast`` and ``train_panel``.

*Canary*: panels whose future nobody can know score as the naive (see canaries.py).
*Cover*: demand of four kinds whose truth is known; the share of futures, drawn from that truth, inside central intervals of 50, 80, 90
and 95%, by step and for sums over lead times. Randomised for counts. Aim: the nominal share within 3 points over all, 6 in a segment.
*Censored*: stock-outs hide 30% of the weeks; the bias of the forecast of demand against the naive's of sales. Aim: under a third.
*Climbs*: rungs that are exactly as good as the lowest, alone and in any combination; climbs at 5% or less.
One JSON line a cell in benchmarks/results/stats_forecasts.jsonl; finished cells of the same code are not done again.

    --panels 3   --simulations 400   --only canary,cover,censored,climbs   --fresh
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from canaries import sung  # noqa: E402
from demand import KINDS, World, frame  # noqa: E402
from nothing import climbs  # noqa: E402
from record import RESULTS, record  # noqa: E402
from used import cpu_seconds  # noqa: E402

import holdgood  # noqa: E402
from holdgood.evaluation.forecasts import LEVELS, randomised_pit  # noqa: E402

MODELS = ["window-average", "theta", "croston", "tsb", "lightgbm-lags"]
SPENT: dict[str, Any] = {"models": MODELS, "budget": "trials=40"}
HORIZON, LEADS = 8, (4, 8)
EACH, FUTURES = 60, 100
WORLDS: dict[str, dict[str, Any]] = {
    "each by itself": {}, "a shock a week in common": {"shared": 0.1}, "a season in common": {"together": True},
}  # fmt: skip
"""The third breaks the ground that intervals stand on: what all series do at the end, none did at past origins."""


def code_stamp() -> str:
    """A hash of what decides the results."""
    source, digest = HERE.parents[1] / "src" / "holdgood", hashlib.sha256()
    files = [
        *(source / "training" / "panels").glob("*.py"),
        *(source / "models" / "forecasting").glob("*.py"),
        source / "training" / "ladder.py",
    ]
    for path in [*sorted(files), *(HERE / f"{n}.py" for n in ("forecasts", "demand", "canaries", "nothing"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def covered(pit: np.ndarray) -> dict[str, float]:
    """Share inside each central interval."""
    return {f"{v:g}": round(float(np.mean(np.abs(pit - 0.5) <= v / 2)), 4) for v in LEVELS}


def cover(seed: int, *, each: int = EACH, world: dict[str, Any] | None = None, **spent: Any) -> dict[str, Any]:
    """One panel of all kinds: cover of steps and of sums, by kind and over all, from futures that the truth draws."""
    rng = np.random.default_rng([seed, 22])
    truth = World.drawn(each, rng, **(world or {}))
    made = holdgood.forecast(
        frame(truth.history, truth.ids), HORIZON, target="y", id="unique_id", time="ds", samples=400, seed=seed,
        keep_ended=True, **(spent or SPENT),
    )  # fmt: skip
    assert made.paths.ids.tolist() == truth.ids.tolist()
    futures, paths = truth.futures(rng, FUTURES, HORIZON), made.paths.y
    pits: dict[str, list[np.ndarray]] = {"steps": [], **{f"sum of {n}": [] for n in LEADS}}
    for y in futures:
        each_step = [randomised_pit(y[:, h], paths[:, :, h], rng.random(len(y))) for h in range(HORIZON)]
        pits["steps"].append(np.stack(each_step, axis=1))
        for n in LEADS:
            pits[f"sum of {n}"].append(
                randomised_pit(y[:, :n].sum(axis=1), paths[:, :, :n].sum(axis=2), rng.random(len(y)))
            )
    found = {}
    for what, values in pits.items():
        pit = np.stack(values, axis=1)  # (series, futures, …)
        found[what] = {"all": covered(pit)} | {k: covered(pit[truth.kind == k]) for k in np.unique(truth.kind).tolist()}
    bias = made.paths.y.mean(axis=1).sum() / futures.mean(axis=0).sum() - 1
    return {"cover": found, "chosen": made.leaderboard.chosen, "bias": round(float(bias), 4), "series": len(truth.ids)}


def censored(seed: int, *, each: int = EACH, share: float = 0.3, **spent: Any) -> dict[str, Any]:
    """Stock-outs hide ``share`` of the weeks: bias against expected demand of our forecast, of its paths, and of the naive of sales."""
    rng = np.random.default_rng([seed, 23])
    world = World.drawn(each, rng, kinds=KINDS[:2])
    demand = world.history
    stock = np.floor(np.quantile(demand, 1 - share, axis=1, keepdims=True)) * np.ones_like(demand)
    varied = rng.random(len(demand)) < 0.5  # half of the items: stocks that come and go instead of a shelf of one size
    comes = np.where(
        rng.random(demand.shape) < 1.6 * share,
        np.floor(demand.mean(axis=1, keepdims=True) * rng.uniform(0.2, 1.3, demand.shape)),
        np.inf,
    )
    stock = np.where(varied[:, None], comes, stock)
    sales, there = np.minimum(demand, stock), (demand < stock).astype(float)
    made = holdgood.forecast(
        frame(sales, world.ids, there=there), HORIZON, target="y", id="unique_id", time="ds", in_stock="there", seed=seed,
        **(spent or SPENT),
    )  # fmt: skip
    truth = world.mean(rng, HORIZON)
    naive = np.repeat(sales[:, -1:], HORIZON, axis=1)
    point, mean = made.paths.point, made.paths.y.mean(axis=1)
    found = {}
    for kind in (*KINDS[:2], "all"):
        at = np.ones(len(truth), bool) if kind == "all" else world.kind == kind
        # the naive of one week is noisy: its bias is that of sales of the last season as well
        yard = sales[:, -52:].mean(axis=1)[at].sum() / demand[:, -52:].mean(axis=1)[at].sum() - 1
        found[kind] = {
            "ours": float(point[at].sum() / truth[at].sum() - 1), "paths": float(mean[at].sum() / truth[at].sum() - 1),
            "naive": float(naive[at].sum() / truth[at].sum() - 1), "sales": float(yard),
        }  # fmt: skip
    return {
        "hidden": round(float(1 - there.mean()), 3),
        "bias": found,
        "chosen": made.leaderboard.chosen,
        "series": len(truth),
    }


def canary(kind: str, seed: int, **spent: Any) -> dict[str, Any]:
    """One canary: loss over the naive's (or the level's), and what the run said of itself."""
    found = sung(kind, 120, HORIZON, seed, **(spent or SPENT))
    return {
        "over_naive": found.ratio(found.naive), "over_known": found.ratio(found.known), "verdict": found.better(),
        "told_over_naive": found.backtest / found.backtest_naive, "chosen": found.chosen, "series": len(found.ours),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", type=int, default=3)
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--only", default="canary,cover,censored,climbs")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    stamp, path = code_stamp(), RESULTS / "stats_forecasts.jsonl"
    lines = [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    done = set() if options.fresh else {(r["part"], r["cell"]) for r in lines if r.get("stamp") == stamp}

    def keep(part: str, cell: str, of: str, measured: Callable[[], dict[str, Any]]) -> None:
        if part in options.only.split(",") and (part, cell) not in done:
            begun = cpu_seconds()
            row = {"part": part, "cell": cell, "of": of, "stamp": stamp, **measured()}
            record("stats_forecasts", {**row, "cpu_s": round(cpu_seconds() - begun, 1)})

    for k in range(options.panels):
        for kind in ("shuffled", "noise"):
            keep("canary", f"{kind} {k}", kind, lambda: canary(kind, k))  # noqa: B023
        for of, said in WORLDS.items():
            keep("cover", f"{of} {k}", of, lambda: cover(k, world=said))  # noqa: B023
        keep("censored", f"stock-outs {k}", "stock-outs", lambda: censored(k))  # noqa: B023
    for rungs, configurations in ((1, 1), (3, 1), (3, 3)):
        cell = f"{rungs} above, {configurations} each"
        keep("climbs", cell, cell, lambda: climbs(rungs, configurations, options.simulations))  # noqa: B023


if __name__ == "__main__":
    main()
