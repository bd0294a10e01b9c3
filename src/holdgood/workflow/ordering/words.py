"""The reason of a line in one sentence, and what to look at before it goes out."""

from __future__ import annotations

import math

import numpy as np

from holdgood.core.records import ItemTerms

_OFTEN = 0.2
"""Chance of running out before an order arrives, from which somebody should be told."""
_FAR = 2.0
_LOST = 0.1
"""Share of orders that never came from which it is worth asking."""
_LONG = 26
"""Steps of demand in one order from which it is worth a look."""


def amount(value: float) -> str:
    """Units for people.

    >>> amount(1234.0), amount(12.345), amount(0.04)
    ('1,234', '12.3', '0.04')
    """
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def chance(share: float) -> str:
    """A chance for people; samples are no proof of never.

    >>> chance(0.0), chance(0.123), chance(1.0)
    ('under 1%', '12%', 'over 99%')
    """
    return "under 1%" if share < 0.01 else "over 99%" if share > 0.99 else f"{share:.0%}"


def reason(
    *, quantity: float, on_hand: float, coming: float, demand: float, next_day: str, short_if_not: float, short: float,
    terms: ItemTerms, wanted: float, due: str, now: str, free: float, why: str, closed: str,
) -> str:  # fmt: skip
    """One sentence: what is there, what is asked for, what the order changes. ``free``: the order before what binds all orders together
    changed it, and ``why`` it did ("" where it did not). ``closed``: why no order is taken now, else "".
    """
    there = f"{amount(on_hand)} on hand" + (f" and {amount(coming)} coming" if coming > 0 else "")
    against = f"{there} against {amount(demand)} expected by {next_day}, when the next order could be there"
    none = closed or nothing_allowed(terms)
    if quantity > 0:
        more = ""
        most = _most(terms)
        if why and quantity < free:
            more = f" ({amount(free)} would be ordered, but {why})"
        elif why:
            more = f" ({f'{amount(free)} would do' if free > 0 else 'nothing would be ordered by itself'}; raised to reach {why})"
        elif most is not None and quantity >= most - 1e-9 and wanted > quantity:
            more = f" (at most {amount(most)} at a time, {amount(wanted)} are wanted)"
        elif wanted > 0 and quantity > 1.02 * wanted:
            more = f" ({amount(wanted)} are wanted; {_why_more(terms, quantity)})"
        return f"{against}: {amount(quantity)} more{more} bring the chance of running out from {chance(short_if_not)} to {chance(short)}."
    if why and free > 0:
        return (
            f"{against}, and a chance of {chance(short_if_not)} to run out: {amount(free)} would be ordered, but {why}."
        )
    if wanted > 0 and none:
        return f"{against}, and a chance of {chance(short_if_not)} to run out: {amount(wanted)} are wanted, but {none}."
    if wanted > 0 and short_if_not > _OFTEN:
        if terms.minimum > wanted or terms.pack > wanted:
            return f"{against}: {amount(wanted)} would do, but {_why_more(terms, max(terms.minimum, terms.pack))}, which costs more than it saves."
        return f"{against}: an order costs more than it saves."
    later = f"; an order is due by {due}" if due and due != now else ""
    return f"{against}: it suffices but for a chance of {chance(short_if_not)}{later}."


def nothing_allowed(terms: ItemTerms) -> str:
    """Why no order keeps the terms, "" where one does.

    >>> nothing_allowed(ItemTerms(pack=48.0, maximum=30.0)), nothing_allowed(ItemTerms(pack=48.0, maximum=50.0))
    ('packs hold 48 and at most 30 come at a time', '')
    """
    most = _most(terms)
    if most is None or (most > 0 and most >= terms.minimum - 1e-9):
        return ""
    pack = f"packs hold {amount(terms.pack)} and " if terms.pack > 0 else ""
    least = f", the smallest order is {amount(terms.minimum)}" if terms.minimum > 0 else ""
    return f"{pack}at most {amount(terms.maximum or 0.0)} come at a time{least}"


def _most(terms: ItemTerms) -> float | None:
    """The largest order in whole packs; None for no bound."""
    if terms.maximum is None or terms.pack <= 0:
        return terms.maximum
    return math.floor(terms.maximum / terms.pack + 1e-9) * terms.pack


def _why_more(terms: ItemTerms, quantity: float) -> str:
    if terms.minimum and quantity <= terms.minimum * 1.0001:
        return f"the smallest order is {amount(terms.minimum)}"
    if terms.pack:
        return f"packs hold {amount(terms.pack)}"
    return f"the smallest order is {amount(terms.minimum)}"


def worth_a_look(
    *, quantity: float, wanted: float, demand: float, low: float, high: float, short_if_not: float, short_before: float, steps: int, most: float,
    new: bool, stale: int, expedite: bool, free: float, why: str, terms: ItemTerms, closed: str,
) -> list[str]:  # fmt: skip
    """What the numbers themselves ask to look at; ``most``: the largest demand that a span of as many steps ever had."""
    found = []
    if why and quantity < free:
        found.append(f"cut from {amount(free)} to {amount(quantity)}: {why}")
    elif why:
        found.append(f"raised from {amount(free)} to {amount(quantity)} to reach {why}")
    if wanted > 0 and (none := nothing_allowed(terms)):
        found.append(f"nothing can be ordered: {none}")
    if closed and wanted > 0 and short_if_not > _OFTEN:
        found.append(f"{amount(wanted)} are wanted, but {closed}")
    if terms.never >= _LOST:
        found.append(f"{terms.never:.0%} of past orders never came: has the last one been confirmed?")
    if expedite and short_before > _OFTEN:
        found.append(
            f"runs out before an order can arrive with a chance of {chance(short_before)}: can something come sooner?"
        )
    if new:
        found.append("no history: forecast from items like it")
    if stale > 0:
        found.append(
            f"its history ends {stale:,} step{'' if stale == 1 else 's'} before that of others: the plan starts there"
        )
    if quantity > 0 and np.isfinite(most) and demand > 1.5 * most > 0:
        found.append(f"more is expected ({amount(demand)}) than {steps} steps ever sold ({amount(most)})")
    if quantity > 0 and demand > 0 and high - low > _FAR * demand:
        found.append(f"hard to foretell: {amount(low)} to {amount(high)} in four of five cases")
    per_step = demand / max(steps, 1)
    if quantity > 0 and wanted > 0 and quantity > _FAR * wanted and quantity > _LONG * max(per_step, 1e-12):
        found.append(
            f"pack or minimum makes it {quantity / wanted:.1f} times what is wanted, for more than {_LONG} steps"
        )
    return found
