"""The review of changes on one screen: what is shown adds up, change by change to each person's sum and these to that of all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from holdgood.cli import draw
from holdgood.core.text import counted

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import OverrideReview

ROWS = 15
_CENTS_BELOW = 100.0


def review_text(found: OverrideReview) -> None:
    """By person, then change by change, those with most money first; the others as one row a person."""
    if not found.outcomes:
        draw.out.print("no change has an outcome yet")
    else:
        _tables(found)
    if found.unseen:
        draw.err.print(
            f"note: of {counted(found.unseen, 'change')} a stock-out hid demand: what ordering less cost is told too low",
            style="yellow",
        )
    if found.unpriced:
        said = f"{counted(len(found.unpriced), 'change')} without declared costs: holding, and shortage or price and unit cost"
        draw.err.print(f"note: {said}", style="yellow")
    if found.waiting:
        draw.err.print(f"note: {counted(len(found.waiting), 'change')} wait for their outcome", style="yellow")


def _tables(found: OverrideReview) -> None:
    from holdgood.reports.adding_up import adding_up
    from holdgood.reports.format import interval_pieces, money, number, percent, sign

    places = 0 if max(abs(o.added) for o in found.outcomes) >= _CENTS_BELOW else 2
    single = found.people[:-1] if len(found.people) > 1 else found.people
    total = math.fsum(o.added for o in found.outcomes)

    def shown_as(value: float) -> str:
        return sign(value, money(value, found.currency, places))

    sums = adding_up([p.added.value for p in single], total, places)
    rows = []
    for person, value in zip(found.people, [*sums, math.fsum(sums)], strict=False):
        spread = interval_pieces(person.added, found.currency, signed=True)[1]
        added = shown_as(value) + (f" ({percent(person.added.level)}: {spread})" if spread else "")
        rows.append([person.who, f"{person.overrides:,}", added, person.verdict])
    draw.rows_text(["who", "changes", "added in all", ""], rows)
    ranked = sorted(found.outcomes, key=lambda o: -abs(o.added))
    shown, others = sorted(ranked[:ROWS], key=lambda o: o.added), ranked[ROWS:]
    amounts: dict[int, float] = {}
    rest: list[list[str]] = []
    for person, value in zip(single, sums, strict=True):
        mine = [k for k, o in enumerate(shown) if o.who == person.who]
        left = [o.added for o in others if o.who == person.who]
        parts = [*(shown[k].added for k in mine), *([math.fsum(left)] if left else [])]
        rounded = adding_up(parts, value, places, rest=bool(left))
        amounts |= dict(zip(mine, rounded, strict=False))
        if left:
            rest.append([f"… and {len(left):,} more", person.who, "", "", shown_as(rounded[-1]), "", ""])
    table = []
    for k, o in enumerate(shown):
        units, added = f"{number(o.before)} → {number(o.after)}", shown_as(amounts[k])
        table.append([o.item, o.who, units, number(o.demand), added, "" if o.seen else "demand hidden", o.reason])
    draw.rows_text(["item", "who", "units", "asked for", "added", "", "why"], table + rest)
