"""What people decided about a plan: each change with who, why, from what to what and when; and what it was worth in the end."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.common import Interval
from holdgood.core.records.envelope import Number, Part, Record


class Override(Part):
    """One line on which a person decided otherwise than the plan. ``before`` and ``after`` in units; ``when`` in UTC."""

    line: str
    item: str
    before: float
    after: float
    who: str
    reason: str = ""
    when: str = ""


class DecidedOrder(Part):
    """What is ordered of one item. ``by``: who decided it; the plan itself where it was approved without a look."""

    line: str
    item: str
    supplier: str = ""
    quantity: float = 0.0
    arrives: str = ""
    by: str = ""


class CellFault(Part):
    """A cell that could not be taken as it is, in words; where ``taken`` is False its line stays open."""

    sheet: str
    cell: str
    item: str = ""
    found: str = ""
    said: str
    taken: bool = False


class DecidedOrders(Record):
    """A sheet that was read back: orders of every line that was decided, what people changed, and the lines still open.

    ``broken``: limits of the plan that these orders don't keep, in words.
    """

    kind: ClassVar[str] = "decided-orders"

    plan: str
    plan_digest: str
    who: str = ""
    when: str = ""
    orders: tuple[DecidedOrder, ...] = ()
    overrides: tuple[Override, ...] = ()
    open: tuple[str, ...] = ()
    faults: tuple[CellFault, ...] = ()
    broken: tuple[str, ...] = ()


class OverrideOutcome(Part):
    """One override against what came. ``added``: money saved (below zero: lost) against the plan's own quantity.

    ``seen``: False where a stock-out hid demand, so that the cost of ordering less is told too low.
    """

    item: str
    who: str
    reason: str
    before: float
    after: float
    demand: Number
    added: Number
    seen: bool = True


class PersonOutcome(Part):
    """One person's overrides. ``added``: money in all, with its interval; ``verdict``: added, lost, or not proven."""

    who: str
    overrides: int
    added: Interval
    verdict: Literal["added", "lost", "not proven"]


class OverrideReview(Record):
    """What overrides were worth. ``waiting``: items whose outcome is not known yet; ``unpriced``: those whose
    costs nobody declared; ``unseen``: outcomes of which a stock-out hid demand.
    """

    kind: ClassVar[str] = "override-review"

    plans: tuple[str, ...] = ()
    currency: str = ""
    outcomes: tuple[OverrideOutcome, ...] = ()
    people: tuple[PersonOutcome, ...] = ()
    waiting: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    unseen: int = 0
