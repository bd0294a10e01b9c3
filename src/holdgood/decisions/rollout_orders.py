"""Orders chosen by what would follow: every candidate is played forward on the same drawn futures.

Future orders in the play follow a capped base-stock rule (order up to a multiple of the demand of the coming window, at most a multiple of
a step's demand; near-optimal among simple rules under lost sales: Xin, 2021), whose two multiples are chosen item by item as the best on these
futures. Then the order of now alone is varied and the best kept (a rollout: Bertsekas, 1999), so the play improves on the rule it follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Futures:
    """What n items may meet, on m drawn paths each. demand (n, m, T). out (n, k): units of the order that is of age a in the coming step (column
    0 is empty). out_lead (n, m, k), new_lead (n, m, T): lead times, k where never. arrives (n, k): chance that an order of age a that is out
    still comes, as the rule reckons with it.
    """

    demand: Array
    out: Array
    out_lead: Array
    new_lead: Array
    arrives: Array


@dataclass(frozen=True)
class Search:
    """Multiples tried, and the candidates for the order of now: multiples of what the rule would order, and of a step's demand."""

    up_to: tuple[float, ...] = (0.3, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.1, 2.6, 3.3)
    cap: tuple[float, ...] = (0.8, 1.1, 1.5, 2.2, 4.0)
    around: tuple[float, ...] = (0.0, 0.5, 0.7, 0.85, 1.0, 1.15, 1.35, 1.6, 2.0)
    steps: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


def rollout_orders(
    on_hand: Array, price: Array, holding: Array, futures: Futures, steps: int, search: Search | None = None
) -> Array:
    """Units to order now, (n,), that earn the most over the next ``steps`` steps: price a unit sold less holding a unit kept a step."""
    search = search or Search()
    up_to, cap = (g.ravel() for g in np.meshgrid(search.up_to, search.cap, indexing="ij"))
    mean = futures.demand.mean(1)
    window = _window(futures)
    n, total = mean.shape
    running = np.concatenate([np.zeros((n, 1)), np.cumsum(mean, 1)], 1)
    ends = np.minimum(np.arange(steps) + window[:, None], total)
    need = running[np.arange(n)[:, None], ends] - running[:, :steps]
    need *= (window[:, None] / (ends - np.arange(steps))).astype(need.dtype)
    pace = mean[np.arange(n)[:, None], np.minimum(ends - 1, total - 1)] / np.maximum(futures.arrives[:, :1], 0.2)
    value = _play(on_hand, price, holding, futures, steps, need[..., None] * up_to, pace[..., None] * cap, None)
    best = value.argmax(1)
    chosen_up_to, chosen_cap = up_to[best], cap[best]
    position = on_hand + (futures.out * futures.arrives).sum(1)
    rule = np.clip(need[:, 0] * chosen_up_to - position, 0, pace[:, 0] * chosen_cap)
    candidates = np.concatenate([rule[:, None] * np.array(search.around), pace[:, :1] * np.array(search.steps)], 1)
    candidates = np.sort(np.rint(candidates), 1)
    value = _play(
        on_hand,
        price,
        holding,
        futures,
        steps,
        (need * chosen_up_to[:, None])[..., None],
        (pace * chosen_cap[:, None])[..., None],
        candidates,
    )
    return np.asarray(candidates[np.arange(n), value.argmax(1)])


def _window(futures: Futures) -> Array:
    """Steps that an order placed now has to cover: its mean age at arrival, and one, (n,) int."""
    k = futures.out.shape[1]
    lead = futures.new_lead[:, :, 0]
    comes = lead < k
    return np.asarray(np.rint((lead * comes).sum(1) / np.maximum(comes.sum(1), 1)).astype(int) + 1)


def _play(
    on_hand: Array,
    price: Array,
    holding: Array,
    futures: Futures,
    steps: int,
    target: Array,
    most: Array,
    first: Array | None,
) -> Array:
    """Mean reward (n, g) of g rules (target, most: n, steps, g or 1), the first order given or by the rule."""
    f = np.float32
    n, m, _ = futures.demand.shape
    k = futures.out.shape[1]
    g = target.shape[2] if first is None else first.shape[1]
    shape = (n, m, g)
    demand = np.ascontiguousarray(np.moveaxis(futures.demand[:, :, :steps], 2, 0)[..., None], f)
    target, most = np.moveaxis(target, 1, 0).astype(f)[:, :, None], np.moveaxis(most, 1, 0).astype(f)[:, :, None]
    weight = futures.arrives.astype(f)[:, :, None, None]
    stock = np.empty(shape, f)
    stock[...] = on_hand[:, None, None]
    out = [np.ascontiguousarray(np.broadcast_to(futures.out[:, a, None, None], (n, m, 1)), f) for a in range(k)]
    leads = [futures.out_lead[:, :, a, None] for a in range(k)]
    reward = np.zeros((n, g), f)
    price, holding = price.astype(f)[:, None], holding.astype(f)[:, None]
    order, sales = np.empty(shape, f), np.empty(shape, f)
    for j in range(steps):
        if j == 0 and first is not None:
            order = np.broadcast_to(first.astype(f)[:, None, :], shape)
        else:
            order = target[j] - stock
            for a in range(1, k):
                order -= weight[:, a] * out[a]
            np.maximum(order, 0, out=order)
            np.minimum(order, most[j], out=order)
        out[0], leads[0] = order, futures.new_lead[:, :, j, None]
        for a in range(k):
            now = leads[a] == a
            if now.all():
                stock += out[a]
                out[a] = np.zeros((n, 1, 1), f)
            elif now.any():
                came = out[a] * now
                stock += came
                out[a] = out[a] - came
        out = [out[-1], *out[:-1]]
        leads = [leads[-1], *leads[:-1]]
        np.minimum(stock, demand[j], out=sales)
        stock -= sales
        reward += price * sales.sum(1) - holding * stock.sum(1)
    return np.asarray(reward / m)
