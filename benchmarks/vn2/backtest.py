"""The VN2 agent against the published benchmark policy, on eight windows of the challenge's history.

    HOLDGOOD_DATA=... python benchmarks/vn2/backtest.py [--write]

Eight windows of eight weeks that do not overlap, the last one ending with the history: six rounds each, costs of the six weeks that they decide. Recorded
sales are demand; the benchmark policy leads up to each window. The agent's trees are fitted once a window, on what was known at its first round (in the
challenge it learns anew every round, on more). How demand spreads around forecasts, and the cover, come from the other seven windows. --write puts those
of all eight into spread.json, which the agent uses for weeks that are not here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from agent import LEARNED, decided
from demand import AHEAD, Demand, Known
from panel import NEWSVENDOR, ROUNDS, Sales, sales_of
from paths import Spread, sample_paths, spread_of
from record import record
from rules import BENCHMARK, WINDOWS, played

from holdgood.core.inventory import Observation
from holdgood.decisions.simulator import Outcome

COVERS = (0.70, 0.72, 0.74, 0.76, 0.78)
DRAWS = 2000


@dataclass(frozen=True)
class Agent:
    """The agent's rounds of one window. paths: of each round. cover: of all rounds but the last, which is the newsvendor's."""

    paths: list[np.ndarray]
    cover: float
    name: str = "holdgood"

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,); nothing after the last round."""
        now = seen.step + 1
        if now >= ROUNDS:
            return np.zeros(len(seen.stock))
        return decided(self.paths[now], seen.stock, NEWSVENDOR if now == ROUNDS - 1 else self.cover)


def forecasts(sales: Sales, known: int, remembered: Known) -> np.ndarray:
    """Means (rounds, n, weeks) by trees that learned from the first ``known`` weeks alone."""
    demand = Demand(sales.until(known), remembered)
    return np.stack([demand.means(sales.until(known + r)) for r in range(ROUNDS)])


def spread_from(sales: Sales, means: dict[int, np.ndarray], windows: list[int]) -> Spread:
    """How demand spread around the forecasts of ``windows``."""
    weeks = len(AHEAD)
    pieces = [
        (means[known][r], sales.units[:, known + r : known + r + weeks])
        for known in windows
        for r in range(ROUNDS)
        if known + r + weeks <= sales.units.shape[1]
    ]
    return spread_of(np.concatenate([m for m, _ in pieces]), np.concatenate([y for _, y in pieces]))


def bootstrapped(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """95% of the share saved, (n,) costs of the same pairs, pairs drawn anew."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(ours), (DRAWS, len(ours)))
    low, high = np.quantile(1 - ours[drawn].sum(1) / theirs[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write spread.json from all windows")
    write = parser.parse_args().write
    warnings.simplefilter("ignore")
    folder = Path(os.environ.get("HOLDGOOD_DATA", "../shared/data")) / "forecast"
    if not (folder / "vn2_history.parquet").exists():
        print(f"no vn2_history.parquet under {folder}: set HOLDGOOD_DATA")
        return
    history, state = (pd.read_parquet(folder / f"vn2_{name}.parquet") for name in ("history", "state"))
    sales, recorded = sales_of(history, state)
    begun = time.process_time()
    remembered: Known = {}
    means = {}
    for known in WINDOWS:
        means[known] = forecasts(sales, known, remembered)
        print(f"{known} weeks known: {time.process_time() - begun:.0f} CPU s", file=sys.stderr, flush=True)
    spreads = {known: spread_from(sales, means, [w for w in WINDOWS if w != known]) for known in WINDOWS}

    paths = {k: [sample_paths(sales.until(k + r), means[k][r], spreads[k]) for r in range(ROUNDS)] for k in WINDOWS}

    def play(known: int, cover: float) -> Outcome:
        return played(Agent(paths[known], cover), sales, recorded, known)

    costs = np.array([[play(k, c).cost.sum() for c in COVERS] for k in WINDOWS])
    print("cost by cover", dict(zip(COVERS, costs.mean(axis=0).round(1), strict=True)), file=sys.stderr, flush=True)
    ours, theirs = [], []
    for i, known in enumerate(WINDOWS):
        cover = COVERS[int(np.argmin(np.delete(costs, i, axis=0).sum(axis=0)))]
        got, usual = play(known, cover), played(BENCHMARK, sales, recorded, known)
        ours.append(got.cost[:, 0])
        theirs.append(usual.cost[:, 0])
        row = {
            "window": known,
            "first_week": str(history["ds"].drop_duplicates().sort_values().iloc[known].date()),
            "cost": round(float(got.cost.sum()), 1),
            "holding": round(float(got.holding.sum()), 1),
            "shortage": round(float(got.shortage.sum()), 1),
            "benchmark": round(float(usual.cost.sum()), 1),
            "saved": round(1 - float(got.cost.sum() / usual.cost.sum()), 4),
            "fill_rate": round(got.fill_rate, 4),
            "benchmark_fill_rate": round(usual.fill_rate, 4),
            "cover": cover,
        }
        record("vn2", row)
    one, other = np.array(ours), np.array(theirs)
    low, high = bootstrapped(one.sum(0), other.sum(0))
    saved = 1 - one.sum(1) / other.sum(1)
    record("vn2", {
        "window": "all", "pairs": one.shape[1], "cost": round(float(one.sum() / len(one)), 1),
        "benchmark": round(float(other.sum() / len(other)), 1), "saved": round(1 - float(one.sum() / other.sum()), 4),
        "low": round(low, 4), "high": round(high, 4), "saved_mean_of_windows": round(float(saved.mean()), 4),
        "wins": int((saved > 0).sum()), "of": len(saved), "aim": 0.16, "cpu_s": round(time.process_time() - begun, 1),
    })  # fmt: skip
    if write:
        whole = spread_from(sales, means, list(WINDOWS))
        cover = COVERS[int(np.argmin(costs.sum(axis=0)))]
        LEARNED.write_text(json.dumps(asdict(whole) | {"cover": cover}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
