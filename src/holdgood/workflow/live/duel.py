"""Two models beside each other on rows that neither has learned from: shadow, probation, or the newest rows held out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.errors import DataError
from holdgood.core.records import ChallengeLook
from holdgood.core.task import Task
from holdgood.journal import Journal
from holdgood.journal.outcomes import outcomes
from holdgood.metrics.score import loss_rows
from holdgood.retraining import Challenge, ChallengePlan, challenge, probation
from holdgood.workflow.live.told import DAY, Told, told, us_of
from holdgood.workflow.predict import Predictor

Phase = Literal["held out", "shadow", "probation"]


@dataclass(frozen=True)
class Pair:
    """Who is compared: digests, and the moment (UTC, microseconds) from which both answered the same requests."""

    model: str
    champion: str
    challenger: str
    since: int
    phase: Phase
    run: str = ""


def earlier_looks(journal: Journal, pair: Pair) -> list[ChallengeLook]:
    """Looks at this pair since it began, oldest first."""
    return [
        look
        for _, look in journal.read(ChallengeLook, model=pair.model)
        if (look.champion, look.challenger, look.phase) == (pair.champion, pair.challenger, pair.phase)
        and (not look.begins or us_of(look.begins) >= pair.since)
    ]


def look_at(journal: Journal, pair: Pair, model: Predictor, policy: PolicySpec, now: datetime) -> ChallengeLook | None:
    """One look at what both have answered and what came of it; None where nothing is new since the last look, or too early.

    Nothing is written down here. The earlier looks' shares come from the journal, so that a look is never counted twice.
    """
    task = model.task
    begins = datetime.fromtimestamp(pair.since / 1e6, UTC)
    rows = told(outcomes(journal, pair.model, begins, now, as_of=now), model)
    mine, other = _paired(rows, pair)
    settled = mine.moment < us_of(now) - int(policy.days("label_delay") * DAY)
    known = settled & np.isfinite(mine.y)
    past = earlier_looks(journal, pair)
    n = int(known.sum())
    if n == 0 or (past and n <= past[-1].rows):
        return None
    if pair.phase == "shadow" and (us_of(now) - pair.since) / DAY < policy.shadow_days:
        return None
    plan = plan_of(policy, pair.phase)
    losses = [loss_rows(task, mine.y[known], side.prediction[known]) for side in (mine, other)]
    test = probation if pair.phase == "probation" else challenge
    days = np.floor(mine.days[known]).astype(np.int64)
    found = test(*losses, plan=plan, earlier=[look.share for look in past], clusters=days, unit=unit_of(task))
    moments = mine.moment[known]
    return said(pair, found, len(mine) - n, int(moments.min()), int(moments.max()))


def refused_by_shadow(journal: Journal, pair: Pair, now: datetime) -> int:
    """Requests that the one in the shadow refused, by its contract, although the champion answered them."""
    begins = datetime.fromtimestamp(pair.since / 1e6, UTC)
    rows = outcomes(journal, pair.model, begins, now, as_of=now)
    no = rows.verdict == "refused"
    answered = set(rows.id[~no & (rows.digest == pair.champion)])
    return sum(name in answered for name in rows.id[no & (rows.digest == pair.challenger) & (rows.place == "shadow")])


def plan_of(policy: PolicySpec, phase: Phase, rows: int = 0) -> ChallengePlan:
    """What was agreed: the probation gives the replaced model its chance at the same error; held-out rows are looked at once."""
    if phase == "probation":
        return ChallengePlan(policy.probation_rows, policy.error)
    return ChallengePlan(rows or policy.shadow_rows, policy.error, policy.smallest_gain)


def unit_of(task: Task) -> str:
    """The unit of a loss, a row."""
    return "squared error a row" if task.kind == "regression" else "nats a row"


def said(pair: Pair, found: Challenge, waiting: int, begins: int, ends: int) -> ChallengeLook:
    """A look as the journal keeps it. ``waiting``: rows that both have answered and whose outcome is not settled."""
    return ChallengeLook(
        model=pair.model,
        champion=pair.champion,
        challenger=pair.challenger,
        phase=pair.phase,
        decision=found.decision,
        reason=found.reason,
        look=found.look,
        share=found.share,
        level=found.level,
        rows=found.comparison.n,
        waiting=waiting,
        comparison=found.comparison,
        begins=_text(begins),
        ends=_text(ends),
        run=pair.run,
    )


def _paired(rows: Told, pair: Pair) -> tuple[Told, Told]:
    """What both answered to the same request, in the same order. The outcome is the same: it was told of the request."""
    one = rows.where((rows.digest == pair.champion) & (rows.place != "shadow"))
    two = rows.where((rows.digest == pair.challenger) & (rows.place == "shadow"))
    at = {name: i for i, name in enumerate(two.id)}
    both = [(i, at[name]) for i, name in enumerate(one.id) if name in at]
    first, second = (np.array([b[k] for b in both], np.int64) for k in (0, 1))
    mine, other = one.where(first), two.where(second)
    if not np.array_equal(mine.y, other.y, equal_nan=True):
        raise DataError("one request has two outcomes", "one outcome a request", "holdgood journal verify")
    return mine, other


def _text(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1e6, UTC).isoformat(timespec="seconds")
