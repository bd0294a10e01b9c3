"""An order sheet on real demand: what forecast, handling of stock-outs, distribution and policy each bring, in declared money.

    HOLDGOOD_DATA=... python benchmarks/decide/sheet.py [SET …]      sets: m5, favorita, null, m5-hidden, favorita-hidden

Windows at the end of the training rows, one after the other; recorded sales are demand, sales that stock does not serve are lost and seen by nobody.
Before each window the incumbent (order up to cover times a moving average) is tuned on the steps before it, and leaves the stock that all begin with; every
forecast learns from what is before the window and is not fitted anew inside it. ``-hidden``: in the history a stock-out hides a part of
demand in 30% of steps. ``null``: demand that nobody can foresee, symmetric costs, demand waits.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from foreseen import Ets, Items, Ours
from machine import machine
from record import record
from ways import AtReviews, BaseStock, SafetyStock

from holdgood.core.inventory import Observation, OrderPolicy, Stock, Terms
from holdgood.decisions.inventory.projected_policy import ProjectedOrders
from holdgood.decisions.simulator import MinMax, Outcome, World, simulate, tuned
from holdgood.metrics.compare import paired

SERIES, HIDDEN, MOST_PAST = 100, 0.3, 730
DATA = (
    Path(os.environ.get("HOLDGOOD_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data")) / "forecast"
)


@dataclass(frozen=True)
class Case:
    """Declared: money a unit and step, lead time and review in steps. ``tuning`` steps before each of ``windows`` of ``steps`` tune the incumbent;
    ``averages``: the moving averages that it may take.
    """

    name: str
    holding: float
    shortage: float
    lead: int
    review: int
    windows: int
    steps: int
    tuning: int
    averages: tuple[int, ...]
    lost_sales: bool = True

    @property
    def span(self) -> int:
        return self.lead + self.review

    def terms(self, n: int) -> Terms:
        return Terms.of(n, holding=self.holding, shortage=self.shortage, lead=self.lead, lost_sales=self.lost_sales)


M5 = Case("m5", 1 / 7, 5.0, 3, 7, 4, 56, 168, (14, 28, 56, 91))
FAVORITA = Case("favorita", 1.0, 5.0, 2, 1, 6, 8, 26, (4, 8, 13, 26))
NULL = Case("null", 1.0, 1.0, 2, 1, 6, 8, 26, (8, 13, 26, 52), lost_sales=False)


@dataclass(eq=False)
class Watched:
    """A policy whose last observation is kept."""

    policy: OrderPolicy
    stock: Stock | None = None
    name: str = "watched"

    def order(self, seen: Observation) -> np.ndarray:
        self.stock = seen.stock
        return self.policy.order(seen)


def incumbent(case: Case, sales: np.ndarray, in_stock: np.ndarray) -> tuple[OrderPolicy, Stock]:
    """Tuned on the last steps of history, and the stock that it has left at their end."""
    terms, cut = case.terms(len(sales)), sales.shape[1] - case.tuning
    past, demand, rate = sales[:, :cut], sales[:, cut:], sales[:, cut - case.tuning : cut].mean(axis=1)
    begun = Stock(rate * case.review, np.repeat(rate[:, None], max(case.lead, 1), axis=1), np.zeros(len(sales)))
    covers = case.span * np.arange(0.8, 1.81, 0.1)
    candidates: list[OrderPolicy] = [
        AtReviews(MinMax(cover, cover, window, "tuned min-max"), case.review) for window in case.averages for cover in covers
    ]  # fmt: skip
    shown = in_stock[:, :cut]
    best = tuned(candidates, [World(terms, begun, demand[:, None, :], past, shown, since=2 * case.span)]).policy
    # a step more, so that the rule looks at the end of history once
    whole = np.concatenate([demand, np.zeros((len(sales), 1))], axis=1)
    watched = Watched(best)
    simulate(watched, World(terms, begun, whole[:, None, :], past, shown))
    assert watched.stock is not None
    return best, watched.stock


def windows(case: Case, items: Items) -> list[int]:
    """First steps of the windows; the last one ends where forecasts from its end still have a calendar."""
    end = items.demand.shape[1] - case.span
    return [end - case.steps * k for k in range(case.windows, 0, -1)]


def replayed(
    case: Case, items: Items, sales: np.ndarray, in_stock: np.ndarray, ways: Callable[[np.ndarray, np.ndarray, int], Sequence[OrderPolicy]]
) -> dict[str, list[Outcome]]:  # fmt: skip
    """Outcomes by policy, one a window. sales, in_stock (n, T): the history as it was recorded; demand of the windows is the true one."""
    found: dict[str, list[Outcome]] = {}
    for start in windows(case, items):
        past = slice(max(0, start - MOST_PAST), start)
        usual, stock = incumbent(case, sales[:, past], in_stock[:, past])
        ahead = items.demand[:, None, start : start + case.steps]
        world = World(case.terms(len(sales)), stock, ahead, sales[:, past], in_stock[:, past], since=case.lead)
        for policy in (usual, *ways(sales[:, past], in_stock[:, past], start)):
            found.setdefault(policy.name, []).append(simulate(policy, world))
    return found


def chain(case: Case, items: Items) -> Callable[[np.ndarray, np.ndarray, int], Sequence[OrderPolicy]]:
    """One thing changes from each to the next."""

    def ways(sales: np.ndarray, in_stock: np.ndarray, start: int) -> Sequence[OrderPolicy]:
        ets = Ets.learned(sales, case.span, items.ets_season)
        kept = Ours.learned(items, sales, in_stock, start, case.span, "keep")
        # nothing is hidden before the window, so that what was learned is the same; inside it is not
        ours = Ours(**{**vars(kept), "how": "impute"})
        r = case.review
        policies = [
            SafetyStock(ets, r, "ETS, normal safety stock"),
            SafetyStock(kept, r, "our forecast, normal safety stock"),
            SafetyStock(ours, r, "and stock-outs completed"),
            BaseStock(ours, r, "and joint paths, base stock"),
        ]
        return [*(AtReviews(p, r) for p in policies), ProjectedOrders(ours.paths, r, "and projected stock")]

    return ways


def handled(case: Case, items: Items) -> Callable[[np.ndarray, np.ndarray, int], Sequence[OrderPolicy]]:
    """The whole policy, by what it does with hidden demand; beside one that was told the demand of the past."""

    def ways(sales: np.ndarray, in_stock: np.ndarray, start: int) -> Sequence[OrderPolicy]:
        true = items.demand[:, start - sales.shape[1] : start]
        told = Ours.learned(items, true, np.ones(true.shape, bool), start, case.span, "impute")

        def as_told(seen: Observation, steps: int) -> np.ndarray:
            known = true.shape[1]
            whole = np.concatenate([true, seen.sales[:, known:]], axis=1)
            shown = np.concatenate([np.ones(true.shape, bool), seen.in_stock[:, known:]], axis=1)
            return told.paths(Observation(seen.step, whole, shown, seen.stock, seen.terms), steps)

        kept, completed = (Ours.learned(items, sales, in_stock, start, case.span, how) for how in ("keep", "impute"))
        r = case.review
        return [
            ProjectedOrders(kept.paths, r, "sales kept as demand"),
            ProjectedOrders(completed.paths, r, "hidden demand completed"),
            ProjectedOrders(as_told, r, "told the true history"),
        ]

    return ways


def compared(first: list[Outcome], second: list[Outcome]) -> dict[str, Any]:
    """What ``first`` saves as a share of what ``second`` costs; intervals over items (all windows of one together) and over windows."""
    one, two = (np.stack([o.loss[:, 0] for o in some], axis=1) for some in (first, second))
    item, window = np.indices(one.shape)
    base = float(two.mean())
    row: dict[str, Any] = {"first": first[0].policy, "second": second[0].policy}
    for over, clusters in (("items", item), ("windows", window)):
        got = paired(one.ravel(), two.ravel(), first="", second="", clusters=clusters.ravel())
        row |= {"saved": round(got.difference / base, 5), over: [round(got.low / base, 5), round(got.high / base, 5)]}
    return row | {"wins": int((one.sum(axis=0) < two.sum(axis=0) * (1 - 1e-9)).sum()), "of": one.shape[1]}


def measured(case: Case, items: Items, *, hidden: bool = False) -> dict[str, Any]:
    """One row of results."""
    begun = time.process_time()
    sales, in_stock = items.demand, np.ones(items.demand.shape, bool)
    if hidden:
        rng = np.random.default_rng(0)
        in_stock = rng.random(sales.shape) >= HIDDEN
        sales = np.where(in_stock, sales, np.floor(sales * rng.uniform(0.2, 0.9, sales.shape)))
    found = replayed(case, items, sales, in_stock, (handled if hidden else chain)(case, items))
    names = list(found)
    pairs = list(zip(names[1:], names[:-1], strict=True)) + (
        [] if hidden else [(names[-1], names[0]), (names[-1], names[1])]
    )
    return {
        "set": case.name + ("-hidden" if hidden else ""), "items": len(items.ids), "windows": case.windows, "steps": case.steps, "lead": case.lead,
        "review": case.review, "holding": round(case.holding, 4), "shortage": case.shortage,
        "policies": [
            {
                "name": name, "cost": round(float(np.mean([o.loss.mean() for o in some])), 3),
                "holding": round(float(np.mean([o.holding.mean() for o in some])), 3),
                "fill_rate": round(1 - sum(float(o.units.short.sum()) for o in some) / sum(float(o.units.demand.sum()) for o in some), 5),
            }
            for name, some in found.items()
        ],
        "compared": [compared(found[a], found[b]) for a, b in pairs],
        "cpu_s": round(time.process_time() - begun, 1), "machine": machine(),
    }  # fmt: skip


def m5() -> Items:
    """70 series of store and department, daily; events and food stamp days are known ahead."""
    frame = pd.read_parquet(DATA / "m5_store_dept.parquet")
    frame = frame[frame["split"] == "train"].sort_values(["unique_id", "ds"])
    ids = frame["unique_id"].drop_duplicates().to_numpy(str)
    event = frame["event_name_1"].astype("category").cat.codes.to_numpy(float)
    known = {"event": event.reshape(len(ids), -1), "snap": frame["snap"].to_numpy(float).reshape(len(ids), -1)}
    return Items(
        ids, frame["y"].to_numpy(float).reshape(len(ids), -1), frame["ds"].drop_duplicates().to_numpy("M8[us]"), "D", (7,), 7, known,
        frozenset({"event"}),
    )  # fmt: skip


def favorita() -> Items:
    """SERIES of store and item, weekly, drawn as shared/data/README.md says; returns count as no demand."""
    frame = pd.read_parquet(DATA / "favorita_weekly_21stores.parquet")
    every = np.sort(frame["unique_id"].astype(str).unique())
    chosen = np.random.default_rng(0).choice(every, SERIES, replace=False)
    frame = frame[(frame["split"] == "train") & frame["unique_id"].isin(chosen)].sort_values(["unique_id", "ds"])
    ids = frame["unique_id"].drop_duplicates().to_numpy(str)
    y = np.maximum(frame["y"].to_numpy(float).reshape(len(ids), -1), 0.0)
    return Items(ids, y, frame["ds"].drop_duplicates().to_numpy("M8[us]"), "W-TUE", (52,))


def null(n: int = SERIES, steps: int = 160, seed: int = 0) -> Items:
    """Independent Poisson demand of constant mean: the past says the mean, and nothing else."""
    rng = np.random.default_rng(seed)
    y = rng.poisson(rng.lognormal(3.0, 0.7, n)[:, None], (n, steps)).astype(float)
    ds = np.datetime64("2020-01-07", "us") + np.arange(steps) * np.timedelta64(7, "D")
    return Items(np.array([f"item {i}" for i in range(n)]), y, ds, "W-TUE", (52,))


SETS = {"m5": (M5, m5), "favorita": (FAVORITA, favorita), "null": (NULL, null)}


def main() -> None:
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or ("m5", "favorita", "null", "m5-hidden", "favorita-hidden"):
        case, load = SETS[name.removesuffix("-hidden")]
        if load is not null and not DATA.exists():
            print(f"{name}: no data under {DATA}: set HOLDGOOD_DATA")
            continue
        record("decide-sheet", measured(case, load(), hidden=name.endswith("-hidden")))


if __name__ == "__main__":
    main()
