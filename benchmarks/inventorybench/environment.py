"""The rules of InventoryBench, many instances at once: order, receive what arrives, sell, pay for what is left."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray


@dataclass
class Instances:
    """n instances over at most T periods; past the end of one demand is NaN."""

    name: list[str]
    item: Array
    kind: Array
    price: Array
    holding: Array
    promised: Array
    history: Array
    periods: Array
    demand: Array
    lead: Array
    published_order: Array
    published_reward: Array
    perfect: Array

    def take(self, rows: Array) -> Instances:
        """Some instances, in that order."""
        values = {k: ([v[i] for i in rows] if isinstance(v, list) else v[rows]) for k, v in vars(self).items()}
        return Instances(**values)


def read(path: str) -> Instances:
    """All instances of the file."""
    frame = pd.read_parquet(path).sort_values(["unique_id", "t"])
    first = frame.groupby("unique_id").first()
    width = int(frame["t"].max())

    def table(column: str) -> Array:
        wide = frame.pivot(index="unique_id", columns="t", values=column)
        return wide.reindex(index=first.index, columns=range(1, width + 1)).to_numpy(float)

    # Real: the article. Synthetic: pattern and variant, of which realisations and prices are repetitions.
    parts = first.index.str.split("/")
    item = np.array(["/".join(p[2:4]) if len(p) > 3 else p[2] for p in parts])
    return Instances(
        name=list(first.index),
        item=item,
        kind=first["lead_setting"].to_numpy(str),
        price=first["p"].to_numpy(float),
        holding=first["h"].to_numpy(float),
        promised=first["L"].to_numpy(int),
        history=np.array([json.loads(text) for text in first["train"]], float),
        periods=frame.groupby("unique_id").size().to_numpy(int),
        demand=table("y"),
        lead=table("lead_time"),
        published_order=table("or_order"),
        published_reward=first["or_reward"].to_numpy(float),
        perfect=first["perfect"].to_numpy(float),
    )


class World:
    """Holds the future; gives out only what a period showed."""

    def __init__(self, instances: Instances) -> None:
        n, width = instances.demand.shape
        self.of, self.period = instances, 0
        self.on_hand = np.zeros(n)
        self.due = np.zeros((n, width + 64))
        self.reward = np.zeros(n)

    def step(self, order: Array) -> tuple[Array, Array, Array]:
        """Play one period. Returns what arrived, demand (NaN where the instance is over) and what was sold, each (n,)."""
        t, of = self.period, self.of
        running = t < of.periods
        order = np.where(running, np.maximum(np.trunc(order), 0), 0)
        lead = np.where(running, of.lead[:, t], np.inf)
        comes = np.isfinite(lead)
        np.add.at(self.due, (np.flatnonzero(comes), t + lead[comes].astype(int)), order[comes])
        arrived = np.where(running, self.due[:, t], 0.0)
        self.on_hand = self.on_hand + arrived
        sold = np.where(running, np.minimum(self.on_hand, np.nan_to_num(of.demand[:, t])), 0.0)
        self.on_hand = self.on_hand - sold
        self.reward += np.where(running, of.price * sold - of.holding * self.on_hand, 0.0)
        self.period += 1
        return arrived, of.demand[:, t], sold

    def score(self) -> Array:
        """Reward over what perfect selling without stock would earn, not below 0; (n,)."""
        return np.maximum(self.reward / (self.of.price * np.nansum(self.of.demand, 1)), 0.0)


def foresight(of: Instances) -> Array:
    """Scores of one who knows all demand and lead times: each unit comes with the last order that arrives before it is sold, if that pays."""
    n, width = of.demand.shape
    arrival = np.zeros((n, width), bool)
    due = np.arange(width) + np.where(np.isfinite(of.lead), of.lead, width)
    for i, t in zip(*np.nonzero(due < width), strict=True):
        arrival[i, int(due[i, t])] = True
    last = np.maximum.accumulate(np.where(arrival, np.arange(width), -1), 1)
    margin = np.where(last >= 0, of.price[:, None] - of.holding[:, None] * (np.arange(width) - last), 0.0)
    return np.asarray(np.nansum(np.maximum(margin, 0) * of.demand, 1) / (of.price * np.nansum(of.demand, 1)))
