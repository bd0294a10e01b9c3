"""An agent that is told observations only: a JSON line in, a JSON line out.

In, once:       {"start": [{"id", "history", "price", "holding", "promised_lead_time", "periods"?}, ...], "seed"?}
In, each period: {"seen": [{"id", "arrived", "on_hand", "demand"? , "sold"?}, ...]}
Out, each time: {"orders": {id: units}}

``demand`` is what was asked for. Without it ``sold`` counts, and where nothing is left on hand demand was that or more.
``periods`` is the length of the instance if it is known. Instances in one line are many games side by side: none learns from another.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from holdgood.decisions.learning_orders import LearningOrders


class Agent:
    """Keeps the belief of each instance between lines."""

    def __init__(self, start: list[dict[str, Any]], seed: int = 0) -> None:
        self.ids = [one["id"] for one in start]
        self.row = {name: i for i, name in enumerate(self.ids)}
        self.periods = np.array([one.get("periods") or np.inf for one in start], float)
        self.period = 0
        self.running = np.ones(len(start), bool)
        self.on_hand = np.zeros(len(start))
        self.policy = LearningOrders(
            np.array([one["history"] for one in start], float),
            np.array([one["price"] for one in start], float),
            np.array([one["holding"] for one in start], float),
            np.array([one["promised_lead_time"] for one in start], int),
            seed=seed,
        )

    def orders(self) -> dict[str, int]:
        """Orders of this period, of the instances that still run."""
        units = self.policy.decide(self.on_hand, np.minimum(self.periods - self.period, 10_000).astype(int))
        return {name: int(units[self.row[name]]) for name in self.ids if self.running[self.row[name]]}

    def see(self, seen: list[dict[str, Any]]) -> None:
        """What the period showed. An instance that is not named is over; its belief is kept going on its own mean and asked no more."""
        arrived, demand = np.zeros(len(self.ids)), self.policy.demand.scale.copy()
        at_least = np.zeros(len(self.ids), bool)
        self.running[:] = False
        for one in seen:
            i = self.row[one["id"]]
            self.running[i] = True
            arrived[i], self.on_hand[i] = one["arrived"], one["on_hand"]
            known = one.get("demand") is not None
            demand[i] = one["demand"] if known else one["sold"]
            at_least[i] = not known and one["on_hand"] <= 0
        self.policy.observe(arrived, demand, at_least)
        self.period += 1


def main() -> None:
    """Answer each line until there are no more."""
    agent: Agent | None = None
    for line in sys.stdin:
        told = json.loads(line)
        if "start" in told:
            agent = Agent(told["start"], told.get("seed", 0))
        elif agent is None:
            sys.exit('expected: a first line {"start": [...]}')
        else:
            agent.see(told["seen"])
        print(json.dumps({"orders": agent.orders()}), flush=True)


if __name__ == "__main__":
    main()
