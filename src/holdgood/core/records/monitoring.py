"""Alarms, and what was decided because of them."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Number, Record
from holdgood.core.records.journal import Place


class Alarm(Record):
    """Something changed. ``p`` is corrected for everything looked at; ``alpha`` the stated family-wise false-alarm rate.

    ``id`` names the same trouble at every look (model, code and subject), so that it is told once; ``model`` is the name of what is live;
    ``begins`` and ``ends`` are the rows looked at (UTC); ``stake``: what it may cost a period in money, where costs are declared.
    """

    kind: ClassVar[str] = "alarm"

    code: str
    title: str
    subject: str
    severity: Literal["high", "medium", "low"]
    message: str
    statistic: Number = float("nan")
    p: Number = float("nan")
    alpha: float = 0.05
    n_reference: int = 0
    n_current: int = 0
    id: str = ""
    model: str = ""
    begins: str = ""
    ends: str = ""
    stake: Number = float("nan")
    currency: str = ""
    todo: str = ""


class RetrainDecision(Record):
    """Retrain, do not retrain, or not yet; with its reasons.

    ``model`` and ``bundle_digest``: whom it is about; ``performance``: now against promised; ``new_rows``: with an outcome that the model
    has not learned from; ``as_of``: what was known when (UTC); ``by``: who asked, or the policy.
    """

    kind: ClassVar[str] = "retrain-decision"

    decision: Literal["retrain", "do not retrain", "not yet"]
    reasons: tuple[str, ...]
    alarms: tuple[str, ...] = ()
    model: str = ""
    bundle_digest: str = ""
    performance: Comparison | None = None
    new_rows: int = 0
    as_of: str = ""
    by: str = ""


class ChallengeLook(Record):
    """One look at a challenger beside the champion on rows that neither has learned from.

    ``phase``: ``gates`` (its own verdict), ``held out`` (rows its run held out), ``shadow`` (before it goes live) or ``probation`` (after: the
    replaced model is the challenger). ``share``: of the planned rows that are in; ``level``: the one-sided p-value at which this look
    decides. ``begins`` and ``ends``: the rows looked at (UTC). ``run``: that made the challenger.
    """

    kind: ClassVar[str] = "challenge-look"

    model: str
    champion: str
    challenger: str
    phase: Literal["gates", "held out", "shadow", "probation"]
    decision: Literal["promote", "keep", "not yet"]
    reason: str
    look: int = 1
    share: Number = float("nan")
    level: Number = float("nan")
    rows: int = 0
    waiting: int = 0
    comparison: Comparison | None = None
    begins: str = ""
    ends: str = ""
    run: str = ""


class Promotion(Record):
    """Who put which bundle where, on what evidence. The newest one of a model and a place says what is live.

    ``action``: ``promote`` and ``roll back`` put ``bundle_digest`` in the place of ``replaces``; ``retire`` empties the place
    (``bundle_digest`` is what leaves). ``share``: of the requests that a canary answers. ``run``: the run that made the bundle.
    ``approvals``: who has approved. ``overruled``: what spoke against it, overruled for the reason in ``why``. ``when``: the moment from
    which it counts (UTC); empty: when it was written down.
    """

    kind: ClassVar[str] = "promotion"

    bundle_digest: str
    replaces: str = ""
    by: str
    why: str
    evidence: Comparison | None = None
    model: str = ""
    action: Literal["promote", "roll back", "retire"] = "promote"
    place: Place = "champion"
    share: float = 1.0
    run: str = ""
    approvals: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()
    when: str = ""
