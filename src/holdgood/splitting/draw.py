"""Drawing holdout rows: at random, class by class, or whole groups. All give positions, ascending."""

from __future__ import annotations

import numpy as np

from holdgood.core.errors import SplitError
from holdgood.core.task import Task

TRIES = 10


def one_class(y: np.ndarray) -> bool:
    """Whether all codes are the same (or there are none)."""
    return len(y) == 0 or bool(np.all(y == y[0]))


def draw_rows(n: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A simple random sample of about ``share`` of n rows, at least one."""
    return np.sort(rng.permutation(n)[: max(1, round(share * n))])


def draw_stratified(y: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The share of each class, rounded so that the whole comes out right; a class of one row stays in development."""
    codes, counts = np.unique(y, return_counts=True)
    wanted = np.where(counts > 1, counts * share, 0.0)
    take = np.floor(wanted).astype(np.int64)
    short = round(float(wanted.sum())) - int(take.sum())
    order = np.argsort(-(wanted - take), kind="stable")
    take[order[:short]] += 1
    take = np.minimum(take, counts - 1)
    picked = [rng.permutation(np.flatnonzero(y == c))[:k] for c, k in zip(codes, take, strict=True)]
    return np.sort(np.concatenate(picked))


def draw_groups(groups: np.ndarray, y: np.ndarray, task: Task, share: float, rng: np.random.Generator) -> np.ndarray:
    """Rows of whole groups that come near the share; of several draws the one with classes most like the whole."""
    codes, member = np.unique(groups, return_inverse=True)
    if len(codes) < 2:
        raise SplitError(
            "a split by group, but all rows are of one group",
            "at least two groups",
            "choose other columns for split.by",
        )
    labels = np.zeros(len(y), np.int64) if task.kind == "regression" else np.unique(y, return_inverse=True)[1]
    k = int(labels.max()) + 1
    table = np.bincount(member * k + labels, minlength=len(codes) * k).reshape(len(codes), k)
    best: tuple[float, np.ndarray] | None = None
    for _ in range(TRIES):
        held = _greedy(table.sum(axis=1), share, rng.permutation(len(codes)))
        inside = table[held].sum(axis=0)
        away = float(np.max(np.abs(inside / table.sum(axis=0) - share)))
        if np.count_nonzero(table.sum(axis=0) - inside) < 2 <= k:
            away += 1.0  # development would have one class
        if best is None or away < best[0] - 1e-12:
            best = (away, held)
    assert best is not None
    chosen = np.zeros(len(codes), bool)
    chosen[best[1]] = True
    return np.flatnonzero(chosen[member])


def _greedy(sizes: np.ndarray, share: float, order: np.ndarray) -> np.ndarray:
    """Take groups in the order given while each brings the rows nearer to the share; never none, never all."""
    held: list[int] = []
    target, rows = share * float(sizes.sum()), 0.0
    for g in order:
        size = float(sizes[g])
        if abs(rows + size - target) < abs(rows - target) and len(held) < len(sizes) - 1:
            held.append(int(g))
            rows += size
    return np.array(held or [int(order[np.argmin(sizes[order])])])
