"""What balanced weights and more rows would change, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.records import ClassShare, Comparison, Interval, MoreRows

NAMED = 6
"""Classes that a sentence names; the others are counted."""


def sentences(
    classes: Sequence[ClassShare], rare: int, loss: Comparison, money: Comparison | None, more: Sequence[MoreRows],
    level: Comparison, currency: str,
) -> tuple[str, ...]:  # fmt: skip
    """From what weighting changes to what more rows would buy. ``rare``: the class that is spoken of; ``level``: largest against
    smallest size of the learning curve.
    """
    own, several = classes[rare], len(classes) > 2
    unit = f"{currency} a row".strip()
    what = f"all {len(classes)} classes" if several else f"class {own.label} up"
    of = f"class {own.label}, of {own.rows:,} rows, " if several else ""
    said = [
        f"Weighting {what} to balance: log loss {_spread(loss)} gained, {_proven(loss)}. "
        f"It would state {of}{own.stated_weighted:.1%} on average where {own.observed:.1%} happened; without weights {own.stated:.1%}."
    ]
    said += [*_on_own_rows(classes), *_thin(classes)] if several else []
    if money is None:
        said.append("No costs are declared: what it would change in money is not known.")
    else:
        how = "each by its answers of least expected cost, weights undone" if several else "each at its own threshold"
        proven = "not proven" if money.verdict == "not proven" else money.verdict
        said.append(f"In money, {how}: {_spread(money)} {unit} gained, {proven}.")
    if level.verdict != "better":
        said.append("The learning curve is not proven to fall: more rows of the same kind are not known to help.")
    for m in more:
        worth = "" if m.money is None else f", and {_span(m.money)} {unit}"
        said.append(
            f"{m.rare_rows:,} more rows of class {own.label} (now {own.rows:,}), with the others that come along, would be expected to "
            f"gain {_span(m.gain)} log loss{worth}; an extrapolation."
        )
    return tuple(said)


def _on_own_rows(classes: Sequence[ClassShare]) -> list[str]:
    """Which classes would be judged better on their own rows, and which worse."""
    told = {
        word: [c.label for c in classes if c.loss is not None and c.loss.verdict == word]
        for word in ("better", "worse")
    }
    parts = [f"{_named(labels)} {word}" for word, labels in told.items() if labels]
    return [f"On a class's own rows, proven over all classes together: {', '.join(parts) or 'no difference'}."]


def _thin(classes: Sequence[ClassShare]) -> list[str]:
    thin = [f"{c.label} ({c.rows})" for c in classes if c.loss is None]
    return [f"Too few rows to say anything of: {_named(thin)}. Collect more of them first."] if thin else []


def _named(labels: Sequence[str]) -> str:
    """The first few by name, the others counted.

    >>> _named(["a", "b"]), _named(list("abcdefgh"))
    ('a, b', 'a, b, c, d, e, f and 2 more')
    """
    some = ", ".join(labels[:NAMED])
    return some + (f" and {len(labels) - NAMED} more" if len(labels) > NAMED else "")


def _proven(gain: Comparison) -> str:
    return {"better": "proven better", "worse": "proven worse"}.get(gain.verdict, "no proven difference")


def _spread(gain: Comparison) -> str:
    return f"{gain.difference:.3g} (95%: {gain.low:.3g} to {gain.high:.3g})"


def _span(value: Interval) -> str:
    return f"{value.value:.3g} (95%: {value.low:.3g} to {value.high:.3g})"
