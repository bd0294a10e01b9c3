"""Overfitting in words: what a model knows by heart, what choosing flattered, and whether its promise held on fresh rows."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from holdgood.core.records import Interval, Leaderboard, Overfitting, Rung

Verdict: TypeAlias = Literal["held", "better", "worse", "harder rows", "cannot tell"]
FLATTERED = 0.005
"""A pick that flatters the winner by less than this share of its gain over the prior is not worth a sentence of its own."""


def overfitting(
    board: Leaderboard,
    fresh: Interval | None,
    *,
    learned: float,
    learned_rows: int,
    prior_fresh: Interval | None = None,
    judged_on: str = "the sealed holdout",
) -> Overfitting | None:
    """Hold three scores of the delivered choice against each other; None where the ladder or a score is missing.

    ``learned``: its score on ``learned_rows`` rows that it could learn from; ``fresh`` and ``prior_fresh``: the choice's and the
    prior's on rows that chose nothing. The prior has nothing to overfit with: where it falls as far, the rows are harder.
    """
    chosen = next((r for r in board.ladder if r.trial == board.chosen), None)
    if chosen is None or fresh is None or not math.isfinite(chosen.score.value) or not math.isfinite(fresh.value):
        return None
    prior, sign = board.ladder[0], -1.0 if board.higher_is_better else 1.0
    worse = _difference(fresh, chosen.score, sign)
    harder = math.nan if prior_fresh is None else sign * (prior_fresh.value - prior.score.value)
    verdict = _verdict(worse, harder)
    picked = next((t.score.value for t in board.trials if t.name == board.chosen and t.score is not None), math.nan)
    return Overfitting(
        metric=board.metric,
        learned=learned,
        learned_rows=learned_rows,
        out_of_fold=chosen.score,
        fresh=fresh,
        picked=picked,
        tries=chosen.tries,
        worse=worse,
        verdict=verdict,
        sentences=tuple(
            s
            for s in (
                _by_heart(board, prior, chosen, learned, sign),
                _flattery(prior, chosen, picked, sign),
                _promise(worse, harder, verdict, chosen, fresh, judged_on),
            )
            if s
        ),
    )


def _difference(fresh: Interval, promised: Interval, sign: float) -> Interval:
    """Fresh rows against those out of fold: different rows, so that the errors add up in squares."""
    half = math.hypot((fresh.high - fresh.low) / 2, (promised.high - promised.low) / 2)
    middle = sign * (fresh.value - promised.value)
    return Interval(value=middle, low=middle - half, high=middle + half, n=fresh.n, method="two sets of rows, unpaired")


def _verdict(worse: Interval, harder: float) -> Verdict:
    if not math.isfinite(worse.low):
        return "cannot tell"
    if worse.high < 0:
        return "better"
    if worse.low <= 0:
        return "held"
    return "harder rows" if harder >= worse.value else "worse"


def _by_heart(board: Leaderboard, prior: Rung, chosen: Rung, learned: float, sign: float) -> str:
    """What is left, on rows that it has not seen, of what the model seems to gain over the prior on rows that it knows."""
    if chosen is prior:
        return "The prior is what is delivered: it has nothing to overfit with."
    if not math.isfinite(learned):
        return ""
    name = board.metric.replace("_", " ")
    said = f"On rows that it learned from, the model scores {_told(learned)} ({name}), on rows kept out of its fits {_told(chosen.score.value)}"
    seems, real = sign * (prior.score.value - learned), sign * (prior.score.value - chosen.score.value)
    if not 0 < real < seems:
        return f"{said}: it knows nothing by heart."
    return (
        f"{said}: {real / seems:.0%} of what it seems to gain over the prior is left on rows that it has not seen. "
        "The rest is known by heart; no choice and no amount here counts it."
    )


def _flattery(prior: Rung, chosen: Rung, picked: float, sign: float) -> str:
    if chosen.tries < 2 or not math.isfinite(picked):
        return ""
    flattered = max(0.0, sign * (chosen.score.value - picked))
    gain = abs(prior.score.value - chosen.score.value)
    most = "next to nothing" if flattered < FLATTERED * gain else _told(flattered)
    return (
        f"It is the best of {chosen.tries} configurations; being picked on the rows that judge flatters it by {most}. "
        f"The ladder counts {_told(chosen.score.value)}, without that."
    )


def _promise(worse: Interval, harder: float, verdict: Verdict, chosen: Rung, fresh: Interval, judged_on: str) -> str:
    start = f"Promised out of fold: {_told(chosen.score.value)}; on {judged_on}: {_told(fresh.value)}."
    size = f"{_told(abs(worse.value))} (95%: {_told(worse.low)} to {_told(worse.high)})"
    if verdict == "cannot tell":
        return f"{start} How far these may differ by chance is not known, so that nothing can be said."
    if verdict == "held":
        return f"{start} The promise held: the difference is within what chance explains. No sign of overfitting."
    if verdict == "better":
        return f"{start} It does better than promised: no sign of overfitting."
    if verdict == "harder rows":
        return (
            f"{start} That is worse by {size}, but the prior, which learns nothing it could overfit, fell by {_told(harder)}: "
            "the rows got harder, and that is not overfitting."
        )
    fell = f" The prior, which cannot overfit, changed by {_told(harder)}." if math.isfinite(harder) else ""
    return (
        f"{start} That is worse by {size}, more than chance explains.{fell} The model was fitted too closely to the development rows, "
        "or the world has changed since: count on the fresh score, and collect recent rows."
    )


def _told(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
