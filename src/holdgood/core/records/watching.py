"""A look at a model in use, and what became of the word that was sent about it."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Comparison, Interval
from holdgood.core.records.envelope import Number, Part, Record


class Drift(Part):
    """One feature, ranked by what its change does. ``effect``: distance of the distributions, 0 to 1; ``p``: after correction.

    ``moved``: mean change of a prediction in standard deviations; ``money``: change of expected cost a row.
    """

    feature: str
    effect: Number
    p: Number
    moved: Number = float("nan")
    money: Number = float("nan")


class GroupGap(Part):
    """The largest difference between groups in one measure, how often the model asks to act or what fairness was judged by; ``thin`` groups cannot tell."""

    attribute: str
    gap: Interval
    between: tuple[str, str]
    thin: tuple[str, ...] = ()
    measure: str = "selection_rate"


class Unjudged(Part):
    """An open alarm that a look could not have found. ``since``: the end of the look that told it; ``why``: what was too little."""

    alarm: str
    code: str
    subject: str
    since: str
    why: str


class WatchLook(Record):
    """One look: rows decided from ``begins`` until ``ends`` (UTC), as known at ``ends``. One a model and end.

    ``alpha``: what the look may spend, so that a year of looks raises at most ``budget`` false alarms. ``found``: ids of all
    alarms; ``told`` were sent, ``snoozed`` were kept quiet, ``ended`` are over. ``performance``: in use against promised,
    of ``loss`` and ``loss_promised`` a row;
    ``estimate``: the loss before outcomes are known; ``share_labelled`` of the rows. ``unjudged``: open alarms that had too few
    rows, or outcomes, to be found: their silence says nothing; ``blind`` says why.
    """

    kind: ClassVar[str] = "watch-look"

    model: str
    bundle_digest: str
    begins: str
    ends: str
    budget: float
    alpha: float
    rows: int
    labelled: int = 0
    share_labelled: Number = float("nan")
    found: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    snoozed: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    blind: tuple[Unjudged, ...] = ()
    performance: Comparison | None = None
    loss: Number = float("nan")
    loss_promised: Number = float("nan")
    estimate: Interval | None = None
    drift: tuple[Drift, ...] = ()
    gaps: tuple[GroupGap, ...] = ()
    overridden: Number = float("nan")
    notes: tuple[str, ...] = ()


class Delivery(Record):
    """One attempt to send word of an alarm by a route. ``begun`` is written before anything is sent, then what became of it.

    ``key`` names what is told (the alarm, the look, its begin or its end, the route): the receiver may use it to hear it once.
    """

    kind: ClassVar[str] = "delivery"

    model: str
    alarm: str
    route: str
    about: Literal["begins", "goes on", "ends"]
    key: str
    state: Literal["begun", "sent", "failed"]
    why: str = ""
