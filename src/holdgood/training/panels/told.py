"""Which columns beside the history forecasters are told of: those with which forecasts at past origins were proven better.

A column that says nothing of what comes can only harm: it takes splits from what does, and moves which combination is taken. So one
family that learns from all series is fitted on the history alone, with the columns known ahead, and with those of the past as well;
the more is taken only where it is worth it, at one level over both looks (Bonferroni). What is not taken, nobody sees.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import PanelContext
from holdgood.core.records import Comparison
from holdgood.metrics import paired
from holdgood.scale.local import Pool
from holdgood.training.panels.backtest import PanelCandidate, Plan
from holdgood.training.panels.censored import Demand
from holdgood.training.panels.fits import Job, hand_out
from holdgood.training.panels.judged import Outcomes, Rows, loss, rows_of
from holdgood.training.panels.origins import FEW_SERIES, Origin
from holdgood.training.panels.race import Ran, note
from holdgood.training.panels.seen import Seen

ALPHA = 0.05
WORTH = 0.01
"""Share of the loss that columns must gain. As much they may lose without the origin that speaks most for them."""
NAMED = 8
"""Columns that a note names at most."""
TOGETHER = 3
"""Origins of few series overlap: so many in a row are one observation."""


@dataclass(frozen=True, eq=False)
class Told:
    """``known`` and ``past``: names of the columns that are taken; ``notes``: what was found. ``unjudged``: names of columns that are not taken
    because nobody could judge them, with why.

    ``jobs``: fits that the race takes over, by the name of the candidate.
    """

    known: tuple[str, ...]
    past: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unjudged: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)

    def of(self, panel: Panel) -> Panel:
        """The panel as forecasters are told of it."""
        known, past = {n: panel.known[n] for n in self.known}, {n: panel.past[n] for n in self.past}
        kept = frozenset((*known, *past, *panel.static))
        return replace(panel, known=known, past=past, categories=panel.categories & kept)


def told(
    pool: Pool,
    panel: Panel,
    candidates: Sequence[PanelCandidate],
    cuts: Sequence[Origin],
    seen: Seen,
    demand: Demand,
    horizon: int,
    found: Outcomes,
    metric: str,
    *,
    embargo: int = 0,
    clusters: np.ndarray | None = None,
    seed: int = 0,
    deadline: float,
) -> Told:
    """Judge the columns by the first candidate that learns from all series; without one, nobody looks at columns.

    ``deadline`` (monotonic): fits that have not ended by then are ended; columns that could not be judged are not taken.
    """
    known, past = tuple(panel.known), tuple(panel.past)
    everything = Told(known, past)
    ways = [Told((), ())]
    if known:
        ways.append(Told(known, ()))
    if past:
        ways.append(everything)
    together = sorted((c for c in candidates if not c.local), key=lambda c: c.rung)
    if len(ways) == 1 or not together:
        return everything
    one, wide = together[0], max(1, pool.workers)
    plans = [Plan.of(way.of(panel), cuts, seen, demand, horizon) for way in ways]
    jobs = [Job.of(one, plan, pool.share(plan), wide) for plan, _ in plans]
    rounds = -(-len(ways) // wide)
    context = PanelContext(horizon, seed=seed, seconds=max(1.0, (deadline - time.monotonic()) / rounds))
    hand_out(pool, [(job, job.open) for job in jobs], context, keep=True, deadline=deadline)
    runs = [Ran(replace(one, name=_words(way))) for way in ways]
    for ran, job, (plan, some) in zip(runs, jobs, plans, strict=True):
        note(ran, job, plan, cuts, some)
    if runs[0].status != "ok":
        unjudged = dict.fromkeys((*known, *past), runs[0].reason)
        return replace(ways[0], notes=(_unjudged(everything, runs[0]),), unjudged=unjudged)
    lost = [_unjudged(way, ran) for way, ran in zip(ways, runs, strict=True) if ran.status != "ok"]
    there = [k for k, ran in enumerate(runs) if ran.status == "ok"]
    rows = rows_of([runs[k] for k in there], found, metric, embargo)
    losses = loss(metric, rows.points, rows.scored, rows.scale)
    chosen, said = 0, []
    for k in range(1, len(there)):
        verdict = worth(rows, losses[chosen], losses[k], clusters, looks=len(ways) - 1)
        said.append(f"{runs[there[k]].candidate.name}: {metric} of {one.name} at past origins {verdict}")
        chosen = k if verdict.taken else chosen
    best = there[chosen]
    judged = {name for k in there for name in (*ways[k].known, *ways[k].past)}
    pairs = [
        (n, ran.reason)
        for way, ran in zip(ways, runs, strict=True)
        for n in (*way.known, *way.past)
        if ran.status != "ok"
    ]
    unjudged = {n: why for n, why in pairs if n not in judged}
    return replace(ways[best], notes=(*said, *lost), jobs={one.name: jobs[best]}, unjudged=unjudged)


@dataclass(frozen=True)
class Verdict:
    """Loss without and with some columns, the gain with its interval, whether they are taken, and why."""

    without: float
    told: float
    gain: Comparison
    taken: bool
    why: str

    def __str__(self) -> str:
        """In words."""
        g = self.gain
        return (
            f"{self.told:.4g} with, {self.without:.4g} without (gain {g.difference:.3g}, {g.low:.3g} to {g.high:.3g}): "
            f"{'used' if self.taken else 'not used'}, {self.why}"
        )


def worth(rows: Rows, without: np.ndarray, told: np.ndarray, clusters: np.ndarray | None, *, looks: int) -> Verdict:
    """Whether losses a judged pair (rows,) with columns are better than those without, by enough and not at one origin alone.

    A series is one observation. Few series must prove it twice: with a series as one, and with every TOGETHER origins, which overlap,
    as one. ``clusters``: codes a series of the panel that share shocks. ``looks``: how many sets of columns are looked at.
    """
    level = 1.0 - 2.0 * ALPHA / looks
    who = np.unique(rows.series)
    ways = [rows.series if clusters is None else clusters[rows.series]]
    if len(who) < FEW_SERIES:
        ways = [w for w in (ways[0], rows.origin // TOGETHER) if len(np.unique(w)) > 1] or ways
    gains = [paired(told, without, first="with", second="without", clusters=w, level=level) for w in ways]
    gain = min(gains, key=lambda g: g.low)
    base = float(without.mean())
    each = np.array([(without - told)[rows.origin == k].sum() for k in np.unique(rows.origin)])
    others = (each.sum() - each.max()) / max(1, int((rows.origin != np.unique(rows.origin)[each.argmax()]).sum()))
    if gain.verdict != "better":
        taken, why = False, "proven worse" if gain.high < 0 else "no gain is proven"
    elif gain.difference < WORTH * base:
        taken, why = False, f"a gain of less than {WORTH:.0%}"
    elif len(each) > 1 and others < -WORTH * base:
        taken, why = False, "a gain at one origin and a loss at the others"
    else:
        taken, why = True, "a proven gain"
    return Verdict(base, float(told.mean()), gain, taken, why)


def _words(way: Told) -> str:
    parts = [f"{_some(names)} ({what})" for names, what in ((way.known, "known ahead"), (way.past, "past")) if names]
    return " and ".join(parts) or "the history alone"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _unjudged(way: Told, ran: Ran) -> str:
    return f"{_words(way)}: not used, for it could not be judged ({ran.reason})"
