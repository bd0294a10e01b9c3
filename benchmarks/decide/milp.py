"""Orders of 2,000 items at once under what binds them together: seconds, and how near the best they are proved to be.

    python benchmarks/decide/milp.py

Demand is made up (gamma-mixed Poisson, 200 joint paths of 6 steps); packs of 1, 6, 12 or 24; a quarter has a minimum order. The budget is six
tenths of what the items would cost on their own, the space seven tenths. Aim: 0.5% within 20 s.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import machine
from record import record

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.constrained import best_within
from holdgood.decisions.inventory.constraints import Constraints, JointMinimum, Limit
from holdgood.decisions.inventory.projected import best_orders

ITEMS, SAMPLES, STEPS, SUPPLIERS = 2_000, 200, 6, 40
AIM_S, AIM_GAP = 20, 0.005


def main() -> None:
    """One line a case."""
    rng = np.random.default_rng(0)
    mean = rng.lognormal(1.5, 1.0, ITEMS)
    paths = rng.poisson(mean[:, None, None] * rng.gamma(2.0, 0.5, (ITEMS, SAMPLES, 1)), (ITEMS, SAMPLES, STEPS)).astype(
        float
    )
    price = rng.lognormal(2.0, 1.0, ITEMS)
    lead, pack = rng.integers(1, 4, ITEMS), rng.choice([1, 6, 12, 24], ITEMS)
    minimum, some_fixed = rng.choice([0, 0, 0, 10], ITEMS), rng.choice([0.0, 0.0, 5.0], ITEMS)
    stock = Stock(np.round(mean * rng.uniform(0, 3, ITEMS)), np.zeros((ITEMS, 1)), np.zeros(ITEMS))
    space, supplier = rng.uniform(0.1, 2.0, ITEMS), rng.integers(0, SUPPLIERS, ITEMS)
    for case, fixed, joint in (
        ("budget and packs", 0.0, None),
        ("budget, space, packs, fixed costs, minimum orders", some_fixed, None),
        ("the same, and 40 suppliers with joint minimums", some_fixed, 0.9),
        ("the same, each minimum a fifth above what the items want", some_fixed, 1.2),
    ):
        terms = Terms.of(
            ITEMS, holding=0.02 * price, shortage=0.4 * price, lead=lead, pack=pack, unit=price,
            minimum=minimum if joint or np.any(fixed) else 0, fixed=fixed,
        )  # fmt: skip
        begun = time.process_time()
        free = best_orders(paths, stock, terms, review=2)
        projected = time.process_time() - begun
        spend = price * free.quantity
        limits = [Limit("budget", price, 0.6 * float(spend.sum()))]
        if np.any(fixed):
            limits.append(Limit("space", space, 0.7 * float(space @ free.quantity)))
        suppliers = [
            JointMinimum(f"supplier {k}", supplier == k, price, joint * float(spend[supplier == k].sum()), 30.0)
            for k in range(SUPPLIERS if joint else 0)
        ]
        begun, cpu = time.perf_counter(), time.process_time()
        got = best_within(free.projection.curve, terms, Constraints(tuple(limits), tuple(suppliers)), gap=AIM_GAP)
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        record(
            "decide-milp",
            {
                "case": case, "items": ITEMS, "gap": round(got.gap, 7), "aim_gap": AIM_GAP, "wall_s": round(wall, 2),
                "cpu_s": round(cpu, 2), "aim_s": AIM_S, "projection_cpu_s": round(projected, 2), "cost": round(got.cost, 2),
                "bound": round(got.bound, 2), "budget_used": round(got.used["budget"] / limits[0].most, 5), "machine": machine(),
            },
        )  # fmt: skip


if __name__ == "__main__":
    main()
