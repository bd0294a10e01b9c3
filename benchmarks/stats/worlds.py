"""Made-up ladders with a known truth: predictions whose errors have given sizes, hard and easy rows, clusters, configurations.

Squared error: outcomes are zero and a prediction is noise of size s, so its loss is s². All predictions share a part of their noise
(rows are hard or easy for all of them). In closed form, for correlation r of two predictions of sizes a and b:
cov(a-loss, b-loss) = 2 r² a² b²; rows of one cluster, whose noises correlate with k, add k² times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdgood.core.protocols import Candidate
from holdgood.core.task import Task
from holdgood.metrics import metric
from holdgood.training.choice import family_steps
from holdgood.training.further import GENERATION, race
from holdgood.training.ladder import Step
from holdgood.training.progress import Progress
from holdgood.training.races import Races, races
from holdgood.training.score import Judge
from holdgood.training.work import FoldFit

SQUARED = Task(kind="regression", metric="rmse")
CLASSES = Task(kind="binary", classes=(0, 1))
FOLDS = 5


@dataclass(frozen=True)
class World:
    """``sizes``: error of each rung's best configuration, the lowest first. ``shared``: weight of the common noise.

    ``configurations``: a rung; the others are as good as the lowest rung, or (``alike``) as the best. ``raced``: all but the
    first are proposals of a search that raced, the best among them at ``best_at`` (0: it is the first). ``clusters``: how many, of unequal size (0: none).
    """

    n: int
    sizes: tuple[float, ...]
    shared: float = 0.9
    configurations: int = 1
    clusters: int = 0
    within: float = 0.6
    measure: str = "rmse"
    alike: bool = False
    raced: bool = False
    best_at: int = 0

    @property
    def r(self) -> float:
        """Correlation of two predictions' noises."""
        return self.shared**2

    def cluster_of(self) -> np.ndarray | None:
        """Cluster of each row: sizes fall off by a power, the largest some ten times the median."""
        if not self.clusters:
            return None
        weight = 1.0 / np.arange(1, self.clusters + 1) ** 0.7
        edges = np.round(np.cumsum(weight) / weight.sum() * self.n).astype(int)
        return np.searchsorted(edges, np.arange(self.n), side="right")

    def inflation(self) -> float:
        """How many times the variance of a mean is that of independent rows."""
        codes = self.cluster_of()
        if codes is None:
            return 1.0
        m = np.bincount(codes).astype(float)
        return float(np.sum(m + self.within**2 * m * (m - 1.0)) / self.n)

    def gain_and_error(self, low: int, high: int) -> tuple[float, float]:
        """True gain of one rung over another, and the true standard error of its mean."""
        a, b = self.sizes[low], self.sizes[high]
        variance = 2 * a**4 + 2 * b**4 - 4 * self.r**2 * a**2 * b**2
        return a**2 - b**2, float(np.sqrt(variance * self.inflation() / self.n))

    def gains_correlate(self, low: float, ups: Sequence[float]) -> np.ndarray:
        """Correlations of the gains of several predictions, by their sizes, over one of size ``low``."""
        s = np.square([low, *ups])
        v = 2 * self.r**2 * np.outer(s, s)
        np.fill_diagonal(v, 2 * np.square(s))
        contrast = np.hstack([np.ones((len(ups), 1)), -np.eye(len(ups))])
        c = contrast @ v @ contrast.T
        d = np.sqrt(np.diag(c))
        return c / np.outer(d, d)


@dataclass(frozen=True)
class _Candidate:
    name: str
    family: str
    rung: int


@dataclass(frozen=True)
class Trial:
    """What the ladder's own selection needs to know of a trial."""

    index: int
    candidate: _Candidate

    def row_ms(self) -> float:
        return 1.0 + self.candidate.rung

    def size_bytes(self) -> float:
        return 1e3 * (1.0 + self.candidate.rung)

    def fit_seconds(self) -> float:
        return 1.0 + self.candidate.rung


def drawn(world: World, rng: np.random.Generator) -> tuple[list[Step], Judge, np.ndarray]:
    """One data set: the steps with their cross-fitted winners, the judge, and all predictions (rungs, configurations, n).

    The first configuration of a rung is the truly best; the ladder meets it at a random place among the others.
    """
    n, codes = world.n, world.cluster_of()
    rungs = len(world.sizes)
    sizes = np.array([[s] + [s if world.alike else world.sizes[0]] * (world.configurations - 1) for s in world.sizes])
    noise = rng.normal(size=(1 + rungs * world.configurations, n))
    if codes is not None:
        of = rng.normal(size=(len(noise), world.clusters))
        noise = np.sqrt(world.within) * of[:, codes] + np.sqrt(1 - world.within) * noise
    own = noise[1:].reshape(rungs, world.configurations, n)
    error = sizes[:, :, None] * (world.shared * noise[0] + np.sqrt(1 - world.shared**2) * own)
    if world.measure == "rmse":
        y, predictions, task = np.zeros(n), error, SQUARED
    else:
        truth = 1.5 * rng.normal(size=n)
        y = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
        predictions, task = 1 / (1 + np.exp(-(truth + error))), CLASSES
    fold_of = np.arange(n) % FOLDS if codes is None else codes % FOLDS
    judge = Judge(task, metric(world.measure, task), y, fold_of, codes)
    trials = [Trial(0, _Candidate("rung0", "rung0", 0))]
    table = {0: predictions[0, 0]}
    for i in range(1, rungs):
        place = int(rng.integers(world.configurations))
        for k in range(world.configurations):
            trials.append(Trial(len(trials), _Candidate(f"rung{i}-{k}", f"rung{i}", i)))
            table[len(trials) - 1] = predictions[i, 0 if k == place else k if k > place else k + 1]
    return family_steps(trials, table, judge), judge, predictions


def raced(world: World, rng: np.random.Generator) -> tuple[list[Step], Judge, np.ndarray, Races | None]:
    """One data set on which a search went on: each rung above the lowest has a default and raced proposals; as ``drawn``.

    Proposals come in generations, rungs in turn, race against the best trial so far, and those that are stopped are not judged.
    """
    _, judge, predictions = drawn(world, rng)
    rows = [np.flatnonzero(judge.fold_of == f) for f in range(FOLDS)]
    trials: list[Progress] = []

    def place(k: int) -> int:
        return 0 if k == world.best_at else k if k > world.best_at else k + 1

    def tried(rung: int, k: int, rival: Progress | None) -> None:
        made = Candidate(f"rung{rung}-{k}", f"rung{rung}", rung, "codes", list, list)
        p = Progress(len(trials), made, FOLDS, not k, searched=rival is not None, rival=rival)
        trials.append(p)
        answers = predictions[rung, place(k)]
        for f, inside in enumerate(rows):
            p.done[f] = FoldFit(f, answers[inside], row_ms=1.0 + rung, size_bytes=1000 * (1 + rung))
            p.losses[f] = np.square(judge.y[inside] - answers[inside])
            race(p)
            if p.status != "open":
                return
        p.status = "ok"

    rungs = len(world.sizes)
    for rung in range(rungs):
        tried(rung, 0, None)
    queue = [(rung, k) for k in range(1, world.configurations) for rung in range(1, rungs)]
    for start in range(0, len(queue), GENERATION):
        best = min((p for p in trials if p.status == "ok"), key=lambda p: (p.loss(), p.index))
        for rung, k in queue[start : start + GENERATION]:
            tried(rung, k, best)
    alive = [p for p in trials if p.status == "ok"]
    at = {p.index: predictions[p.candidate.rung, place(int(p.candidate.name.rpartition("-")[2]))] for p in alive}
    stopped = [p for p in trials if p.behind]

    def scattered(losses: Mapping[int, np.ndarray]) -> np.ndarray:
        out = np.empty(len(judge.y))
        for f, inside in enumerate(rows):
            out[inside] = losses[f]
        return out

    found = races(alive, stopped, at, FOLDS, scattered)
    return family_steps(alive, at, judge), judge, predictions, found
