"""What to try once the portfolio is through: each family's parameters by a tree of Parzen estimators (Bergstra et al. 2011).

One Optuna study a family, which begins with what the portfolio showed of it. Families take turns by chance, in favour of
those whose best is near the best of all, and of the quick. A proposal first shows one fold and is stopped where it can
hardly win; what the study is told is its loss relative to one and the same trial on the folds that it has done, so that
proposals stopped early and late can be compared.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from holdgood.core.protocols import Candidate, Dimension, Json, Space
from holdgood.training.progress import Progress

STARTS = 6
"""Proposals of a family (what the portfolio showed included) before estimates are trusted."""
NEAR = 0.02
"""A family whose best loss is this share above the best of all gets a turn 2.7 times more seldom."""
FLOOR = 0.03
NEAR_OF_WAY, HOPELESS, WORSE = 0.1, 0.15, 0.25
"""The same as a share of the way from the prior to the best, where that is less (data with a weak signal); a family that is
this share of the way behind, or whose loss is this share larger, is not searched: no parameters bridge that."""
SLACK = 1.3
SAME = 8
"""So many proposals in a row that were tried already, and a family's space counts as exhausted."""
MOST = 600


class Search:
    """Proposals, family by family. Deterministic in the seed and in what it is told, in the order in which it is asked."""

    def __init__(self, spaces: Sequence[Space], seed: int) -> None:
        self.spaces = {s.family: s for s in spaces if s.dimensions}
        self._seed = seed
        self._rng = np.random.default_rng([seed, 41])
        self._studies: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._told: set[int] = set()
        self._seen: dict[str, set[str]] = {f: set() for f in self.spaces}
        self._count = dict.fromkeys(self.spaces, 0)

    def ask(self, progress: Sequence[Progress], reference: Progress, many: int, *, room: float) -> list[Candidate]:
        """Up to ``many`` new candidates; none where nothing is left to try, or no family's fold ends in ``room`` seconds."""
        self._tell(progress, reference)
        proposals: list[Candidate] = []
        while self.spaces and len(proposals) < many and sum(self._count.values()) < MOST:
            family = self._family(progress, reference, room)
            if family is None:
                break
            candidate = self._propose(family)
            if candidate is None:
                del self.spaces[family]
            else:
                proposals.append(candidate)
        return proposals

    def _family(self, progress: Sequence[Progress], reference: Progress, room: float) -> str | None:
        """Whose turn it is: by how near its best is to the best of all, and where time counts by how quick it is."""
        best: dict[str, float] = {}
        seconds: dict[str, float] = {}
        for p in progress:
            family = p.candidate.family
            if family in self.spaces and p.done and p.status != "failed":
                best[family] = min(best.get(family, math.inf), p.relative(reference))
                seconds.setdefault(family, p.fold_seconds())
        known = [f for f in self.spaces if f in best and SLACK * seconds[f] <= room]
        if not known:
            return None
        top = min(best.values())
        simplest = min(progress, key=lambda p: (p.candidate.rung, p.index))
        way = simplest.relative(reference) - top if simplest.done else 0.0
        way = way if way > 0 else math.inf  # where the simplest is the best of all it says nothing of the signal
        bearable = min(HOPELESS * way, WORSE * (1.0 + top))
        known = [f for f in known if best[f] - top <= bearable]
        if not known:
            return None
        near = min(NEAR, NEAR_OF_WAY * way)
        weights = np.array([math.exp(-(best[f] - top) / near) + FLOOR for f in known])
        if math.isfinite(room):
            weights *= np.array([1.0 / math.sqrt(max(seconds[f], 1e-3)) for f in known])
        return known[int(self._rng.choice(len(known), p=weights / weights.sum()))]

    def _tell(self, progress: Sequence[Progress], reference: Progress) -> None:
        for p in progress:
            if p.searched:
                self._taken(p)
            unknown = p.status == "skipped" or (
                p.status == "open" and not p.later
            )  # one that waits is known by its first fold
            if p.index in self._told or unknown or p.candidate.family not in self._seen:
                continue
            self._told.add(p.index)
            failed = p.status == "failed" or not p.done
            asked = self._asked.pop(p.candidate.name, None)
            if asked is None:
                self._warm(p, reference, failed)
                continue
            state = optuna.trial.TrialState.FAIL if failed else None
            self._study(p.candidate.family).tell(asked, None if failed else p.relative(reference), state=state)

    def _taken(self, p: Progress) -> None:
        """Of an earlier, interrupted search, too: whatever became of it, or will, its name and parameters are not given again."""
        family, number = p.candidate.family, p.candidate.name.rpartition("-s")[2]
        if family in self._count and number.isdigit():
            self._count[family] = max(self._count[family], int(number))
        if family in self.spaces:
            self._seen[family].add(_key(self.spaces[family], p.candidate.parameters))

    def _warm(self, p: Progress, reference: Progress, failed: bool) -> None:
        """What the portfolio, or an interrupted search, showed of a family, as far as its space can say it."""
        space = self.spaces.get(p.candidate.family)
        if space is None:
            return
        self._seen[space.family].add(_key(space, p.candidate.parameters))
        given = {**space.base, **p.candidate.parameters}
        values = {name: within(d, given[name]) for name, d in space.dimensions.items() if name in given}
        other = set(given) - set(space.base)  # on other columns: no measure of the parameters
        if failed or other or len(values) < len(space.dimensions) or any(v is None for v in values.values()):
            return
        distributions = {name: _distribution(d) for name, d in space.dimensions.items()}
        self._study(space.family).add_trial(
            optuna.trial.create_trial(params=values, distributions=distributions, value=p.relative(reference))
        )

    def _propose(self, family: str) -> Candidate | None:
        space, study = self.spaces[family], self._study(family)
        distributions = {name: _distribution(d) for name, d in space.dimensions.items()}
        for _ in range(SAME):
            trial = study.ask(distributions)
            parameters = {**space.base, **trial.params}
            if _key(space, parameters) not in self._seen[family]:
                self._seen[family].add(_key(space, parameters))
                self._count[family] += 1
                candidate = space.make(f"{family}-s{self._count[family]:03d}", parameters)
                self._asked[candidate.name] = trial
                return candidate
        return None

    def _study(self, family: str) -> Any:
        """The study of one family, made at first use."""
        if family not in self._studies:
            optuna.logging.set_verbosity(optuna.logging.ERROR)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                sampler = optuna.samplers.TPESampler(
                    seed=(self._seed + sum(map(ord, family))) % 2**32,
                    n_startup_trials=STARTS,
                    multivariate=True,
                    constant_liar=True,
                )
            self._studies[family] = optuna.create_study(sampler=sampler)
        return self._studies[family]


def within(dimension: Dimension, value: Json) -> Json | None:
    """A value as the dimension can say it: clipped into its range; None where it is none of the choices.

    >>> within(("float", 0.1, 1.0, True), 0.0), within(("int", 2, 8, False), 11), within(["a", "b"], "c")
    (0.1, 8, None)
    """
    if not is_range(dimension):
        return value if value in dimension else None
    kind, low, high, _ = dimension
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    clipped = min(max(value, low), high)
    return int(clipped) if kind == "int" else float(clipped)


def is_range(dimension: Dimension) -> bool:
    """Whether a dimension is a range of numbers; else its entries are choices."""
    return isinstance(dimension, tuple) and len(dimension) == 4 and dimension[0] in ("float", "int")


def _distribution(dimension: Dimension) -> Any:
    if not is_range(dimension):
        return CategoricalDistribution(list(dimension))
    kind, low, high, log = dimension
    if kind == "int":
        return IntDistribution(int(low), int(high), log=bool(log))
    return FloatDistribution(float(low), float(high), log=bool(log))


def _key(space: Space, parameters: Mapping[str, Json]) -> str:
    """Equal for parameters that make equal models."""
    return repr(sorted({**space.base, **parameters}.items(), key=lambda item: item[0]))
