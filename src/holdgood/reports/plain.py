"""The ladder where nobody has declared costs, in words: rows of 1,000 judged wrongly, or the average miss in the target's unit."""

from __future__ import annotations

from dataclasses import dataclass

from holdgood.core.records import Comparison, Leaderboard, Rung
from holdgood.reports import format as words
from holdgood.reports.words import family

OF_ROWS = "of 1,000 rows"
"""The unit of a gain in rows (see ``Rung``); any other is the target's own."""


@dataclass(frozen=True)
class Plain:
    """``heading`` of the table's column, the sentence on top of the page, the notes under the table, and a text for each rung's gain."""

    heading: str
    sentence: str
    notes: tuple[str, ...]
    gains: dict[str, str]


def plain(board: Leaderboard, target: str) -> Plain | None:
    """The ladder in words; None where its rungs have none (costs are declared, or the metric is the average miss itself)."""
    told = [r for r in board.ladder if r.plain is not None and words.known(r.plain.value)]
    steps = [r.plain_gain for r in told if r.plain_gain is not None]
    if not told or not steps:
        return None
    rows = steps[0].unit == OF_ROWS
    chosen = next((r for r in told if r.trial == board.chosen), told[0])
    ends = [told[0]] if chosen is told[0] else [told[0], chosen]
    name = target or "the target"
    said = "; ".join(_of(r, rows, name) for r in ends)
    return Plain(
        heading=f"Judged wrongly, {OF_ROWS}" if rows else f"Average miss, in the unit of {name}",
        sentence=f"In plain words, on rows that the models had not seen: {said}.",
        notes=_notes(chosen, rows),
        gains={r.name: fewer(r.plain_gain, rows) for r in told if r.plain_gain is not None},
    )


def _of(rung: Rung, rows: bool, target: str) -> str:
    assert rung.plain is not None
    label, found = family(rung.name).label, words.interval(rung.plain)
    return f"{label} judges {found} {OF_ROWS} wrongly" if rows else f"{label} misses {target} by {found} on average"


def fewer(gain: Comparison, rows: bool) -> str:
    """A gain without signs: what is above zero is fewer, or smaller.

    >>> found = Comparison(first="a", second="b", difference=11.2, low=-2.0, high=24.4, level=0.95)
    >>> fewer(found, rows=True)
    '11 fewer (95%: 2 more to 24 fewer)'
    >>> fewer(found.model_copy(update={"difference": 0.8, "low": 0.4, "high": 1.2}), rows=False)
    '0.8 smaller (95%: 0.4 to 1.2)'
    """
    up, down = ("fewer", "more") if rows else ("smaller", "larger")
    values = (gain.difference, gain.low, gain.high)
    if not all(map(words.known, values)):
        return words.NOTHING
    places = words.decimals(gain.low, gain.high, gain.difference)
    shown = [words.fixed(abs(v), places) for v in values]
    ways = [up if v >= 0 else down for v in values]
    same = ways[0] == ways[1] == ways[2]
    # from the smaller to the larger where all point one way: "2 to 5 more", not "5 to 2 more"
    ends = sorted(shown[1:], key=lambda text: float(text.replace(",", ""))) if same else shown[1:]
    spread = " to ".join(ends if same else [f"{v} {w}" for v, w in zip(ends, ways[1:], strict=True)])
    return f"{shown[0]} {ways[0]} ({words.percent(gain.level)}: {spread})"


def _notes(chosen: Rung, rows: bool) -> tuple[str, ...]:
    gain = chosen.plain_gain
    how = (
        "Judged wrongly: where the answer is the one with the fewest mistakes, all of them counted alike (or by class_weight); "
        "a threshold is chosen on the other folds."
        if rows
        else "The average miss counts too much and too little alike."
    )
    if gain is None or chosen.gain is None or chosen.gain.verdict != "better" or gain.verdict == "better":
        return (how,)
    truer = (
        "its chances are truer, which counts where one kind of mistake costs more than another"
        if rows
        else "large misses weigh more in what it was judged by"
    )
    return (
        how,
        f"The step to {family(chosen.name).label} is proven, but not in these words: {truer}. Declare [costs] to see it in money.",
    )
