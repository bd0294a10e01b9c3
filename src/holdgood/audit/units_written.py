"""Units beside numbers: which spellings name one unit, and whether a sign beside some numbers changes what they mean."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit.written import Vocabulary, Writing

LEAST = 5
APART = 3.0
_SPELLED = (
    "oz ounce ounces", "lb lbs pound pounds", "g gr gram grams gramme", "kg kgs kilo kilos kilogram kilograms", "mg milligram milligrams",
    "t ton tons tonne tonnes", "mm millimeter millimetre millimeters", "cm centimeter centimetre centimeters", "m meter metre meters metres",
    "km kms kilometer kilometre kilometers", "in inch inches", "ft foot feet", "yd yard yards", "mi mile miles",
    "ml milliliter millilitre milliliters", "cl", "l liter litre liters litres ltr", "gal gallon gallons", "s sec secs second seconds",
    "min mins minute minutes", "h hr hrs hour hours", "d day days", "w wk wks week weeks", "mo mos month months", "y yr yrs year years",
    "% pct percent", "pc pcs piece pieces", "$ usd us$", "€ eur", "£ gbp", "¥ jpy", "₹ inr rs",
)  # fmt: skip
_UNIT = {word: line.split()[0] for line in _SPELLED for word in line.split()}


def unit_of(beside: str) -> str:
    """The unit that a text beside a number names, whatever its case, its point and the words behind it.

    >>> unit_of("OZ."), unit_of("ounce"), unit_of("oz. Silo Can"), unit_of("boxes")
    ('oz', 'oz', 'oz', 'boxes')
    """
    words = beside.strip("<>=~≈≤≥+* ").lower().split()
    first = words[0].rstrip(".") if words else ""
    return _UNIT.get(first, beside.strip().lower().rstrip("."))


def among_bare(words: Vocabulary, seen: Writing, dress: str) -> bool:
    """Whether the numbers with this beside them are as large as the bare ones, so that it cannot mean another scale.

    Their middle lies within the bare ones and within three times theirs: 5% beside 0.05 is a hundredth, 5% beside 6 is not.
    """
    with_it = np.array([at for at, d in seen.dress_at.items() if d == dress], dtype=np.int64)
    bare = np.flatnonzero(seen.number)
    if words.cells_at(with_it) < LEAST or words.cells_at(bare) < LEAST:
        return False
    inside, all_bare = (_numbers(words, at, seen.decimal) for at in (with_it, bare))
    middle, usual = float(np.median(inside)), float(np.median(all_bare))
    low, high = np.quantile(all_bare, [0.02, 0.98])
    return bool(low <= middle <= high and abs(usual) <= APART * abs(middle) and abs(middle) <= APART * abs(usual))


def _numbers(words: Vocabulary, at: np.ndarray, decimal: str) -> np.ndarray:
    """The numbers in some texts, each as often as it has cells."""
    bare = pc.replace_substring_regex(words.values.take(pa.array(at)), r"[^\d.,+\-]", "")
    bare = pc.replace_substring(bare, "." if decimal == "," else ",", "")
    bare = pc.replace_substring(bare, decimal, ".")
    return np.repeat(np.array([_number(t) for t in bare.to_pylist()]), words.rows[at])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
