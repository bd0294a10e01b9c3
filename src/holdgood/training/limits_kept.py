"""Limits on what is delivered: a refit on all rows may be larger and slower than the models of the folds that were judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from holdgood.core.frame import Frame
from holdgood.training.choice import Choice, ensemble_step
from holdgood.training.finish import Refit
from holdgood.training.ladder import Limits
from holdgood.training.progress import MOST_GROWTH, Cost, Progress
from holdgood.training.work import Work, row_ms_of, size_of

ROOMY = 1.5
"""A refit takes at most so many times what its rows and rounds are more: what is below a limit by that is not weighed."""


def broken_by_refits(choice: Choice, ready: Mapping[int, Refit], limits: Limits, work: Work) -> str:
    """The limit that the chosen refits break, in words; empty where they keep all.

    Where they come near one, their trials are known from then on by what the refits take, so that whoever chooses anew
    chooses by that.
    """
    if choice.step is choice.steps[0] or not _near(choice, limits, work.refit_rows):
        return ""
    row = work.frame.take(work.folds[0][1][:1])
    for p in choice.chosen:
        if p.weighed is None:
            p.weighed = _weighed(p, ready[p.index], row, limits)
    # counted as who chooses anew will count it: else the same could be left out and chosen again, for ever
    if choice.blend is not None and choice.step.ensemble:
        return limits.broken_by(ensemble_step(choice.blend, choice.members))
    (one,) = choice.chosen
    return limits.broken_by(replace(choice.step, size_bytes=one.size_bytes(), row_ms=one.row_ms()))


def _near(choice: Choice, limits: Limits, rows: int) -> bool:
    """Whether a refit on so many rows could break a limit; models of trees grow with rows and rounds."""
    growth = max(ROOMY * MOST_GROWTH * max(1.0, rows / max(1, p.done[0].learned_rows)) for p in choice.chosen)
    size, latency = growth * choice.step.size_bytes, growth * choice.step.row_ms
    large = limits.size_mb is not None and size > limits.size_mb * 1e6
    return large or (limits.latency_ms is not None and not limits.by_size and latency > limits.latency_ms)


def _weighed(p: Progress, refit: Refit, row: Frame, limits: Limits) -> Cost:
    by_clock = limits.latency_ms is not None and not limits.by_size
    took = row_ms_of(refit.chain, row) if by_clock else (p.row_ms(), p.encode_ms())
    return Cost(size_of(refit.chain), *took)
