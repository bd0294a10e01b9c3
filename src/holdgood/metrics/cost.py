"""Money: costs of a task, answers and what they cost, the threshold that earns most, and the break-even ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.declaration import Costs
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records import Interval
from holdgood.core.task import Label, Task, TaskKind
from holdgood.metrics.interval import mean_interval, resample_counts, weighted
from holdgood.metrics.ranking import cumulative

NEVER = math.nextafter(1.0, 2.0)
"""A threshold that no chance reaches."""


@dataclass(frozen=True, eq=False)
class CostTable:
    """Costs of one task, as amounts of money.

    Classes: ``cost[truth, answer]``, shape (k, k), in the order of ``Task.classes``. Regression: ``over`` and ``under``
    per unit of the target above and below the truth. ``assumed``: nobody declared costs; each mistake then costs 1, or
    what its true class weighs. ``tilt`` (k,): weights of classes that the chances were learned with, or None; answers
    undo them, so that declared amounts decide. ``capacity``: rows that can be acted on a day, at most (binary), or None.
    """

    kind: TaskKind
    cost: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    over: float = 1.0
    under: float = 1.0
    assumed: bool = True
    currency: str = ""
    per: str = "row"
    tilt: np.ndarray | None = None
    capacity: int | None = None

    @property
    def deciding(self) -> np.ndarray:
        """Amounts to weigh stated chances with: those of a class that counted k times in learning, by k; (k, k)."""
        return self.cost if self.tilt is None else self.cost / self.tilt[:, None]

    @property
    def act_on_quiet(self) -> float:
        """Binary: what acting adds to the cost of a negative (the price of a false alarm)."""
        return float(self.cost[0, 1] - self.cost[0, 0])

    @property
    def act_on_event(self) -> float:
        """Binary: what acting saves on a positive."""
        return float(self.cost[1, 0] - self.cost[1, 1])


def resolve(
    costs: Costs, task: Task, class_weight: np.ndarray | None = None, average: np.ndarray | None = None
) -> CostTable:
    """Costs of a task; unit costs marked as assumed where none are declared. DeclarationError where they do not fit.

    ``class_weight`` (k,): what models were told that rows of each class count. ``average`` (k, k): mean amounts of a cost
    function of the user's own.
    """
    _refuse(
        costs.capacity is not None and task.kind != "binary", "a capacity", task.kind, "a binary task: act or do not"
    )
    table = _declared(costs, task) if costs.function is None else _own(costs, task, average)
    table = replace(table, capacity=costs.capacity)
    if class_weight is None:
        return table
    assumed = {"cost": table.cost * class_weight[:, None]} if table.assumed else {}
    return replace(table, tilt=class_weight, **assumed)


def _own(costs: Costs, task: Task, average: np.ndarray | None) -> CostTable:
    """Average amounts decide; what rows cost is the function's own business."""
    if task.kind == "regression":  # nothing is said of a unit too much or too little: the answer is the prediction
        return CostTable(task.kind, over=0.0, under=0.0, assumed=False, currency=costs.currency, per=costs.per)
    cost = average
    if cost is None:
        raise DeclarationError(
            f"the average amounts of {costs.function} are not at hand", "a run that has computed them", "run again"
        )
    return CostTable(task.kind, cost, assumed=False, currency=costs.currency, per=costs.per)


def _declared(costs: Costs, task: Task) -> CostTable:
    if task.kind == "regression":
        return _regression(costs)
    k = max(task.n_classes, 2)
    if costs.matrix:
        return CostTable(
            task.kind, _matrix(costs.matrix, task.classes), assumed=False, currency=costs.currency, per=costs.per
        )
    if task.kind == "binary" and costs.miss is not None and costs.false_alarm is not None:
        table = np.array([[costs.quiet, costs.false_alarm], [costs.miss, costs.hit]])
        return CostTable("binary", table, assumed=False, currency=costs.currency, per=costs.per)
    _refuse(costs.miss is not None, "miss and false_alarm", task.kind, "costs.matrix, one row a true class")
    instead = "miss and false_alarm, or a matrix" if task.kind == "binary" else "costs.matrix, one row a true class"
    _refuse(costs.over is not None, "over and under", task.kind, instead)
    return CostTable(task.kind, 1.0 - np.eye(k), currency=costs.currency, per=costs.per)


def _regression(costs: Costs) -> CostTable:
    if costs.over is not None and costs.under is not None:
        return CostTable(
            "regression", over=costs.over, under=costs.under, assumed=False, currency=costs.currency, per=costs.per
        )
    _refuse(costs.miss is not None, "miss and false_alarm", "regression", "over and under, per unit of the target")
    _refuse(bool(costs.matrix), "a matrix", "regression", "over and under, per unit of the target")
    return CostTable("regression", currency=costs.currency, per=costs.per)


def _refuse(declared: bool, what: str, kind: str, expected: str) -> None:
    if declared:
        raise DeclarationError(f"costs declare {what}, but the task is {kind}", expected, "change [costs]")


def _names(label: Label) -> tuple[str, ...]:
    """How a label may be written as a key in TOML."""
    if isinstance(label, bool):
        return str(label).lower(), str(label)
    if isinstance(label, float) and label.is_integer():
        return str(int(label)), str(label)
    return (str(label),)


def _matrix(matrix: Mapping[str, Mapping[str, float]], classes: tuple[Label, ...]) -> np.ndarray:
    position = {name: i for i, label in enumerate(classes) for name in _names(label)}
    cost = np.full((len(classes), len(classes)), np.nan)
    np.fill_diagonal(cost, 0.0)
    for truth, answers_ in matrix.items():
        for answer, amount in answers_.items():
            for name in (truth, answer):
                if name not in position:
                    raise DeclarationError(
                        f"costs.matrix names the class {name!r}",
                        "one of: " + ", ".join(_names(c)[0] for c in classes),
                        did_you_mean(name, position) or "check the spelling",
                    )
            if not math.isfinite(amount):
                came = f"costs.matrix.{truth}.{answer} is {amount}"
                raise DeclarationError(came, "a finite amount", "change [costs]")
            cost[position[truth], position[answer]] = amount
    gaps = np.argwhere(np.isnan(cost))
    if len(gaps):
        truth, answer = (_names(classes[i])[0] for i in gaps[0])
        raise DeclarationError(
            f"costs.matrix does not say what answering {answer!r} costs where {truth!r} is true",
            f"an amount for each of the {len(classes) * (len(classes) - 1)} kinds of mistake",
            f"add {answer} = … under [costs.matrix.{truth}]",
        )
    return cost


def bayes_threshold(table: CostTable) -> float:
    """Binary: the chance from which acting costs no more than waiting, if stated chances are true (Elkan 2001)."""
    cost = table.deciding
    price, saves = float(cost[0, 1] - cost[0, 0]), float(cost[1, 0] - cost[1, 1])
    if price <= 0.0 and saves <= 0.0:
        return 0.5  # acting changes nothing, or costs are upside down: nothing to choose by
    if saves <= 0.0:
        return NEVER
    return max(0.0, price) / (max(0.0, price) + saves)


def answers(table: CostTable, prediction: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Class codes (int64), or the values themselves for regression; (n,).

    Binary: acts where the chance is at least ``threshold`` (default: the Bayes threshold). Multiclass: the answer of
    least expected cost, the first of equals.
    """
    if table.kind == "regression":
        return prediction
    if prediction.ndim == 1:
        return (prediction >= (bayes_threshold(table) if threshold is None else threshold)).astype(np.int64)
    # einsum adds in the same order for one row as for many (no BLAS): answers do not depend on the batch
    expected = np.einsum("ij,jk->ik", prediction, table.deciding, optimize=False)
    return np.argmin(expected, axis=1)


def cost_rows(table: CostTable, y: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """What each answer cost, given the truth; (n,) amounts.

    A true class that development never saw costs as much as the dearest mistake with that answer.
    """
    if table.kind == "regression":
        off = answer - y
        return np.where(off > 0, off * table.over, -off * table.under)
    codes, k = y.astype(np.int64), len(table.cost)
    given = answer.astype(np.int64)
    dearest = np.where(np.eye(k, dtype=bool), -np.inf, table.cost).max(axis=0)
    known = (codes >= 0) & (codes < k)
    return np.where(known, table.cost[np.where(known, codes, 0), given], dearest[given])


def as_they_are(table: CostTable, prediction: np.ndarray) -> np.ndarray:
    """Chances with the weights of classes taken out again (Elkan 2001), shapes as in Task."""
    if table.tilt is None:
        return prediction
    if prediction.ndim == 1:
        no, yes = (1.0 - prediction) / table.tilt[0], prediction / table.tilt[1]
        return yes / (yes + no)
    found: np.ndarray = prediction / table.tilt
    return found / found.sum(axis=1, keepdims=True)


def _cuts(scores: np.ndarray) -> np.ndarray:
    """Thresholds between distinct scores given from high to low: act on none, on the first, …, on all."""
    above = np.r_[1.0, scores]
    below = np.r_[scores, 0.0]
    middle = (above + below) / 2.0
    middle = np.where(middle > below, middle, above)  # neighbours so close that no number lies between
    if len(scores) and scores[0] >= 1.0:
        middle[0] = NEVER
    if len(scores) and scores[-1] <= 0.0:
        middle[-1] = 0.0
    return middle


def _best(gain: np.ndarray, cuts: np.ndarray, bayes: float) -> float:
    scale = np.max(np.abs(gain), initial=0.0)
    best = np.flatnonzero(gain >= np.max(gain) - 1e-12 * scale)
    away = np.abs(cuts[best] - bayes)
    return float(cuts[best[np.flatnonzero(away == away.min())[-1]]])


def best_threshold(
    table: CostTable, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None, worth: np.ndarray | None = None
) -> float:
    """The threshold that earns most on these rows, each counting its ``weight``; O(n log n).

    ``worth`` (n,): what acting on each row saves, where rows differ; else by its class.

    It lies midway between neighbouring chances; of equals it is the one nearest the Bayes threshold. Choose it on
    out-of-fold rows and judge it on others: on its own rows it looks better than it is.
    """
    scores, gain = gain_curve(table, y, p, weight, worth)
    return _best(gain, _cuts(scores), bayes_threshold(table))


def gain_curve(
    table: CostTable, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None = None, worth: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct chances from high to low, (m,), and what acting on none, on those of the first, …, on all saves; (m + 1,)."""
    scores, true, false = cumulative(y, p, weight)
    if worth is None:
        return scores, table.act_on_event * np.r_[0, true] - table.act_on_quiet * np.r_[0, false]
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(p[order]) != 0, True]) if len(p) else np.zeros(0, np.int64)
    counted = worth if weight is None else worth * weight
    return scores, np.r_[0.0, np.cumsum(counted[order])[last]]


def threshold_interval(
    table: CostTable,
    y: np.ndarray,
    p: np.ndarray,
    clusters: np.ndarray | None = None,
    seed: int = 0,
    n_boot: int = 200,
    level: float = 0.95,
    weight: np.ndarray | None = None,
    worth: np.ndarray | None = None,
) -> Interval:
    """The best threshold, and between which values it moves when rows (or clusters) are drawn again."""
    order = np.argsort(-p, kind="stable")
    scores, _, _ = cumulative(y, p)
    cuts, bayes = _cuts(scores), bayes_threshold(table)
    ordered = p[order]
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True]) if len(p) else np.zeros(0, np.int64)
    saves = np.where(y == 1, table.act_on_event, -table.act_on_quiet) if worth is None else worth
    saves = (saves if weight is None else saves * weight)[order]
    found = np.empty(n_boot)
    for b, counts in enumerate(resample_counts(len(y), clusters, seed, n_boot)):
        gain = np.r_[0.0, np.cumsum(saves * counts[order])[last]]
        found[b] = _best(gain, cuts, bayes)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    value = best_threshold(table, y, p, weight, worth)
    return Interval(
        value=value, low=min(float(low), value), high=max(float(high), value), level=level, n=len(y),
        method=f"percentile bootstrap of the choice, {n_boot} draws of " + ("rows" if clusters is None else "clusters"),
    )  # fmt: skip


def cost_curve(table: CostTable, y: np.ndarray, p: np.ndarray, points: int = 101) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds from 0 to 1 and the mean cost a row of acting at each; both (points,). At 0 everybody is acted on."""
    thresholds = np.linspace(0.0, 1.0, points)
    ordered = np.sort(p, kind="stable")
    positives = np.sort(p[y == 1], kind="stable")
    acted = len(p) - np.searchsorted(ordered, thresholds, side="left")
    true = len(positives) - np.searchsorted(positives, thresholds, side="left")
    idle = table.cost[1, 0] * len(positives) + table.cost[0, 0] * (len(p) - len(positives))
    total = idle - table.act_on_event * true + table.act_on_quiet * (acted - true)
    return thresholds, total / max(len(p), 1)


@dataclass(frozen=True)
class BreakEven:
    """Ratios of what a miss costs to what a false alarm costs (right answers cost nothing).

    Acting on the model pays against acting on nobody above ``pays_above``; acting on everybody is as good or better
    from ``everybody_from`` on. NaN: no ratio was found; infinite: beyond all that were tried. ``threshold``: as used,
    or NaN where it follows the ratio.
    """

    pays_above: float
    everybody_from: float
    threshold: float


def break_even_ratio(
    y: np.ndarray,
    p: np.ndarray,
    threshold: float | None = None,
    clusters: np.ndarray | None = None,
    level: float = 0.95,
    weight: np.ndarray | None = None,
) -> BreakEven:
    """Between which ratios of miss to false alarm acting on the model is worth it.

    With a ``threshold`` the answers are fixed and the ratios are counts: a false alarm for every hit it brings
    (FP / TP), and quiet rows left in peace for every miss (TN / FN). Without one the answers follow the ratio r (act
    where the chance is at least 1 / (1 + r)), and the range is the ratios on a grid from 1:100 to 1,000:1 where the
    gain over acting on nobody *and* over acting on everybody is proven (interval of the mean gain a row above zero).
    """
    event = y == 1
    if threshold is not None:
        act = p >= threshold
        tp, fp = int(np.sum(act & event)), int(np.sum(act & ~event))
        fn, tn = int(np.sum(~act & event)), int(np.sum(~act & ~event))
        return BreakEven(_over(fp, tp), _over(tn, fn), threshold)
    grid = np.logspace(-2.0, 3.0, 101)
    start, end = len(grid), len(grid)
    # From the dearest misses down, as far as the gain over acting on nobody stays proven
    while start > 0 and _gains(event, p, float(grid[start - 1]), clusters, level, weight, over_everybody=False):
        start -= 1
    if start == len(grid):
        return BreakEven(math.nan, math.nan, math.nan)
    while end > start and not _gains(event, p, float(grid[end - 1]), clusters, level, weight, over_everybody=True):
        end -= 1
    return BreakEven(float(grid[start]), float(grid[end]) if end < len(grid) else math.inf, math.nan)


def _gains(
    event: np.ndarray, p: np.ndarray, ratio: float, clusters: np.ndarray | None, level: float,
    weight: np.ndarray | None, *, over_everybody: bool,
) -> bool:  # fmt: skip
    """Whether acting from the chance 1 / (1 + ratio) on is proven to gain over acting on nobody, or on everybody."""
    act = p >= 1.0 / (1.0 + ratio)
    worth = np.where(event, ratio, -1.0)
    gain = weighted(np.where(act, 0.0, -worth) if over_everybody else np.where(act, worth, 0.0), weight)
    # Rows left alone may hold no event by luck: the gain must also outlive one more miss than was seen.
    least = ratio if over_everybody else 0.0
    return float(np.sum(gain)) > least and mean_interval(gain, clusters, level).low > 0.0


def _over(top: int, bottom: int) -> float:
    if bottom == 0:
        return math.nan if top == 0 else math.inf
    return top / bottom
