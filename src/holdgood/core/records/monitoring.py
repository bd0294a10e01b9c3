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
    """Retrain, do not retrain, or not yet; with its reasons."""

    kind: ClassVar[str] = "retrain-decision"

    decision: Literal["retrain", "do not retrain", "not yet"]
    reasons: tuple[str, ...]
    alarms: tuple[str, ...] = ()


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
