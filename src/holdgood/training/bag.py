"""The mean of the folds' models: what is delivered where a refit on all rows did not end in time.

Each of them learned from fewer rows than there are: the other folds' less those kept for early stopping. On few rows that
costs more than their mean gains, so a refit is what is wanted (docs/decisions/0011).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from holdgood.core.chain import Chain
from holdgood.core.protocols import Model
from holdgood.scale import Handle, Pool
from holdgood.training.cost import Aim
from holdgood.training.ensemble import Ensemble, fingerprint
from holdgood.training.finish import wait_for
from holdgood.training.progress import Progress, makespan
from holdgood.training.repeats import complete_repeats
from holdgood.training.timing import CLOSE
from holdgood.training.work import FoldFit, Work, fit_fold, size_of, timed

MOST_MODELS = 64


@dataclass(frozen=True)
class Bag:
    """What is delivered, of how many folds' models, and in how many models of its own it answers."""

    chain: Ensemble
    folds: int
    models: int

    @property
    def words(self) -> str:
        """For the record."""
        merged = f", merged into {self.models}" if self.models < self.folds else ""
        return f"the mean of {self.folds} models of the folds{merged}"


def bag(
    work: Work,
    pool: Pool,
    ticket: Any,
    members: Sequence[Progress],
    weights: Sequence[float],
    folds: int,
    aim: Aim,
    *,
    left: Callable[[], float],
    patience: float = math.inf,
) -> Bag | None:
    """The folds' models of all members, weighted; None where they cost more than ``aim`` or could not be brought together.

    All repeats where they are not too many, else the first. ``folds``: of one repeat, as many as were judged. ``patience``:
    seconds after which a fit is taken as hanging, where there is no clock.
    """
    if folds < 2:
        return None
    base = members[0].base
    repeats = [complete_repeats(p.done, base) if folds == base else 1 for p in members]
    for own in (repeats, [1] * len(members)) if max(repeats) > 1 else (repeats,):
        wanted = [[r * base + f for r in range(n) for f in range(folds)] for n in own]
        size = sum(p.size_bytes() * len(folds_) for p, folds_ in zip(members, wanted, strict=True))
        if sum(map(len, wanted)) > MOST_MODELS or size > aim.size_mb * 1e6 or aim.share(members) > 1.0:
            continue  # even merged into one each they would cost too much
        if not _brought(pool, ticket, members, wanted, left, patience):
            return None
        made = _assembled(members, weights, wanted)
        if _within(made, aim, work, members):
            return made
    return None


def _brought(
    pool: Pool,
    ticket: Any,
    members: Sequence[Progress],
    wanted: Sequence[Sequence[int]],
    left: Callable[[], float],
    patience: float,
) -> bool:
    """Fit again what was not kept (trials of an interrupted training), where there is time for it."""
    missing = [(p, f) for p, folds in zip(members, wanted, strict=True) for f in folds if p.done[f].chain is None]
    needed = makespan([1.1 * p.fold_seconds() for p, _ in missing], max(1, pool.workers))
    if missing and needed > left() - CLOSE:
        return False
    handles: dict[Handle, tuple[Progress, int]] = {}
    for p, f in missing:
        keep = pool.folder / f"chain-{p.index}-{f}"
        seconds = math.inf if math.isinf(left()) else max(1.0, 3.0 * p.fold_seconds())
        handles[pool.submit(fit_fold, ticket, p.candidate, f, seconds, keep)] = (p, f)
    wait_for(handles, pool, left, patience)
    whole = True
    for handle, (p, f) in handles.items():
        if handle.state in ("waiting", "running"):
            pool.kill(handle, restart=False)
            whole = False
            continue
        fit: FoldFit | None = None if handle.error is not None else handle.result()
        if fit is None or fit.chain is None:
            whole = False
        else:
            p.done[f] = fit
    return whole


def _assembled(members: Sequence[Progress], weights: Sequence[float], wanted: Sequence[Sequence[int]]) -> Bag:
    chains: list[Chain] = []
    shares: list[float] = []
    for p, weight, folds in zip(members, weights, wanted, strict=True):
        for chain, many in merged([_chain(p, f) for f in folds]):
            chains.append(chain)
            shares.append(weight * many / len(folds))
    total = math.fsum(shares)
    return Bag(Ensemble(chains, [s / total for s in shares]), sum(map(len, wanted)), len(chains))


def _chain(p: Progress, fold: int) -> Chain:
    kept = p.done[fold].chain
    assert kept is not None
    chain = kept.fresh()
    assert isinstance(chain, Chain)
    return chain


def merged(chains: Sequence[Chain]) -> list[tuple[Chain, int]]:
    """Chains of one candidate, those with equal encoders merged into one where the model knows how; with how many each is.

    A model that can be merged has ``merged(models)``, which gives one model or None.
    """
    groups: dict[str, list[Chain]] = {}
    for chain in chains:
        groups.setdefault(fingerprint(chain.encoder), []).append(chain)
    out: list[tuple[Chain, int]] = []
    for group in groups.values():
        first = group[0]
        merge: Callable[[Sequence[Model]], Model | None] | None = getattr(first.model, "merged", None)
        one = merge([c.model for c in group]) if merge is not None and len(group) > 1 else None
        if one is None:
            out += [(Chain(first.encoder, c.model), 1) for c in group]
        else:
            out.append((Chain(first.encoder, one), len(group)))
    return out


def _within(made: Bag, aim: Aim, work: Work, members: Sequence[Progress]) -> bool:
    """By what was put together, measured; under a work budget by its number of models and encoders."""
    if not aim.bounded:
        return True
    if size_of(made.chain) > aim.size_mb * 1e6:
        return False
    if aim.by_clock:
        row = work.frame.take(work.folds[0][1][:1])
        return timed(lambda: made.chain.predict(row)) <= aim.latency_ms
    return aim.nominal([p.candidate.needs for p in members], made.models, len(made.chain.encoders)) <= aim.latency_ms
