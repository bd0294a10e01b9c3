"""The portfolio (2): from the losses of measure.py to an ordered list a kind of task and class of size, shipped as data.

A list begins with defaults written by hand from what is published (defaults.json: CatBoost's and tuned LightGBM defaults, linear models,
extra trees …); what is learned comes after them. At five thousand rows and two dozen sets a list that is learned alone is no better than
these where it did not see a set (`main` prints both), and it cannot know what suits more rows than were measured.
Greedy portfolio selection (as in auto-sklearn 2.0, Feurer et al. 2022, and TabRepo, Salinas & Erickson 2024): add, one by one, the
configuration that most lowers the mean regret of the list. Regret: how far the best so far is from the best of the whole pool on a
set, as a share of the way from the prior; it is averaged over budgets, each of which sees only what it has time for, in order.
Sets of the same kind and size count fully, others less, so that a class with two sets is not tuned to these two.

Writes src/holdgood/models/portfolio.json (what is shipped) and benchmarks/portfolio/left_out.json: for each set the list that is
chosen without it. Prints the regret of both, a set at a time: the left-out one is the honest figure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

ROOT = HERE.parents[1]
SHIPPED = ROOT / "src" / "holdgood" / "models" / "portfolio.json"
LEFT_OUT = HERE / "left_out.json"
DEFAULTS = HERE / "defaults.json"
RESULTS = HERE.parent / "results" / "portfolio.jsonl"
SMALL, MEDIUM = 3_000, 30_000
"""Rows below which a table is small, and medium: as in `holdgood.workflow.candidates`."""
BUDGETS = (5.0, 10.0, 20.0, 40.0, 80.0)
"""CPU seconds for whole configurations (three folds each), at the rows that were measured."""
FOLDS = 3
LENGTH = 24
OTHER_SIZE, OTHER_KIND = 0.7, 0.3
"""Weight of a set of another size, of another kind (both: multiplied)."""
LEAST = 1e-6
"""A list ends where the next configuration lowers the mean regret by less."""


@dataclass(frozen=True)
class Losses:
    """Of sets and configurations: regret (s, c) in 0…1, seconds a fold (s, c), and what they are called."""

    regret: np.ndarray
    seconds: np.ndarray
    sets: list[str]
    kinds: list[str]
    sizes: list[str]
    configurations: list[dict[str, Any]]


def size_class(rows: int) -> str:
    return "small" if rows < SMALL else "medium" if rows < MEDIUM else "large"


def read(lines: Sequence[dict[str, Any]], cap: int) -> Losses:
    """Means over folds; a configuration that failed on a set has a regret of one there and takes no time."""
    # forests drawn from the space were measured once, with fewer trees than the search would grow: they cannot be said in it
    mine = [r for r in lines if r["cap"] == cap and not r["configuration"]["name"].startswith("forest-p")]
    sets = list(dict.fromkeys(r["set"] for r in mine))
    names = list(dict.fromkeys(json.dumps(r["configuration"], sort_keys=True) for r in mine))
    loss, seconds = (np.full((len(sets), len(names)), np.nan) for _ in range(2))
    cells: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for r in mine:
        at = sets.index(r["set"]), names.index(json.dumps(r["configuration"], sort_keys=True))
        cells.setdefault(at, []).append(r)
    for at, rows in cells.items():
        if all(r["loss"] is not None for r in rows):
            loss[at], seconds[at] = np.mean([r["loss"] for r in rows]), np.mean([r["cpu_s"] for r in rows])
    configurations = [json.loads(n) for n in names]
    prior = next(i for i, c in enumerate(configurations) if c["family"] == "prior")
    first = {r["set"]: r for r in reversed(mine)}
    keep = [i for i in range(len(names)) if configurations[i]["family"] != "prior"]
    return Losses(
        regrets(loss, loss[:, prior])[:, keep], np.nan_to_num(seconds)[:, keep], sets,
        [first[s]["task"] for s in sets], [size_class(first[s]["rows"]) for s in sets], [configurations[i] for i in keep],
    )  # fmt: skip


def regrets(loss: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Share of the way from the best of the pool (0) to the prior (1), (s, c); what failed or is worse than the prior is 1."""
    best = np.nanmin(loss, axis=1)
    way = np.where(prior > best, prior - best, np.inf)
    return np.clip(np.nan_to_num((loss - best[:, None]) / way[:, None], nan=1.0), 0.0, 1.0)


def greedy(
    regret: np.ndarray,
    seconds: np.ndarray,
    weights: np.ndarray,
    budgets: Sequence[float] = BUDGETS,
    length: int = LENGTH,
    first: Sequence[int] = (),
) -> list[int]:
    """Positions of configurations in the order in which they are to be tried, after ``first``; ties go to the quicker one.

    ``regret`` and ``seconds`` (s, c): of a whole configuration on a set; ``weights`` (s,) of sets.
    """
    share = weights / weights.sum()
    chosen: list[int] = list(first)
    spent = np.zeros(len(regret))
    best = np.ones((len(regret), len(budgets)))
    for pick in first:
        spent = spent + seconds[:, pick]
        inside = spent[:, None] <= np.asarray(budgets)
        best = np.where(inside, np.minimum(best, regret[:, pick][:, None]), best)
    now = float(share @ best.mean(axis=1)) if chosen else 1.0
    while len(chosen) < length:
        inside = (spent[:, None] + seconds)[:, :, None] <= np.asarray(budgets)
        after = np.where(inside, np.minimum(best[:, None, :], regret[:, :, None]), best[:, None, :])
        value = share @ after.mean(axis=2)
        value[chosen] = np.inf
        near = np.flatnonzero(value <= value.min() + 1e-12)
        pick = int(near[np.argmin(share @ seconds[:, near])])
        if now - value[pick] < LEAST:
            break
        chosen.append(pick)
        now, best = float(value[pick]), after[:, pick]
        spent = spent + seconds[:, pick]
    return chosen


def worth(losses: Losses, kind: str, size: str, without: str = "") -> np.ndarray:
    """Weights of sets for one list."""
    same = [
        (1.0 if k == kind else OTHER_KIND) * (1.0 if s == size else OTHER_SIZE) * (name != without)
        for name, k, s in zip(losses.sets, losses.kinds, losses.sizes, strict=True)
    ]
    return np.array(same)


def chosen_for(losses: Losses, kind: str, size: str, without: str = "", first: Sequence[int] = ()) -> list[int]:
    return greedy(losses.regret, FOLDS * losses.seconds, worth(losses, kind, size, without), first=first)


def defaults(kind: str, size: str) -> list[dict[str, Any]]:
    """The list by hand for a kind of task and class of size."""
    return list(json.loads(DEFAULTS.read_text(encoding="utf-8"))["lists"][kind][size])


def measured(losses: Losses, configurations: Sequence[dict[str, Any]]) -> list[int]:
    """Positions of those that were measured, by name."""
    names = [c["name"] for c in losses.configurations]
    return [names.index(c["name"]) for c in configurations if c["name"] in names]


def completed(losses: Losses, kind: str, size: str, order: Sequence[int]) -> list[dict[str, Any]]:
    """The list as it is shipped: the defaults, then what was learned beyond them."""
    by_hand = defaults(kind, size)
    names = {c["name"] for c in by_hand}
    return by_hand + [losses.configurations[i] for i in order if losses.configurations[i]["name"] not in names]


def regret_of(losses: Losses, at: int, order: Sequence[int], budget: float) -> float:
    """Regret of a list on one set within a budget."""
    best, spent = 1.0, 0.0
    for c in order:
        spent += FOLDS * losses.seconds[at, c]
        if spent <= budget:
            best = min(best, float(losses.regret[at, c]))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cap", type=int, default=5000)
    parser.add_argument("--dry", action="store_true", help="print, write nothing")
    options = parser.parse_args()
    if not RESULTS.exists():
        sys.exit("no losses yet: run benchmarks/portfolio/measure.py")
    losses = read([json.loads(x) for x in RESULTS.read_text(encoding="utf-8").splitlines()], options.cap)
    lists: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for kind in ("binary", "multiclass", "regression"):
        for size in ("small", "medium", "large"):
            first = measured(losses, defaults(kind, size))
            order = chosen_for(losses, kind, size, first=first)
            lists.setdefault(kind, {})[size] = completed(losses, kind, size, order)
    left_out: dict[str, list[dict[str, Any]]] = {}
    print("regret of a list within 20, 80 and 300 CPU s: by hand, learned alone without the set, both without the set")
    means = []
    for at, (name, kind, size) in enumerate(zip(losses.sets, losses.kinds, losses.sizes, strict=True)):
        first = measured(losses, defaults(kind, size))
        both = chosen_for(losses, kind, size, name, first)
        left_out[name] = completed(losses, kind, size, both)
        alone = chosen_for(losses, kind, size, name)
        row = [regret_of(losses, at, o, b) for b in (20.0, 80.0, 300.0) for o in (first, alone, both)]
        means.append(row)
        print(f"{name:<20} {kind:<11} {size:<7} " + "  ".join(f"{v:.4f}" for v in row))
    print(f"{'mean':<40} " + "  ".join(f"{v:.4f}" for v in np.mean(means, axis=0)))
    if not options.dry:
        SHIPPED.write_text(json.dumps({"format": 1, "lists": lists}, indent=1) + "\n", encoding="utf-8")
        LEFT_OUT.write_text(json.dumps(left_out, indent=1) + "\n", encoding="utf-8")
        print(f"written: {SHIPPED.relative_to(ROOT)}, {LEFT_OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
