"""In which order repairs make sense: each may rely on what those before it have set right.

What names values as they came (a mapping of words, the value that a key settles, a code for missing) goes first, before
anything rewrites them; text is then mended, types read, and only then are values judged by their size. Moments are
moved after that: a stretch of bad readings is named by the moments that stand there when it is found. Cells come before rows
that are compared whole, and columns that go away go last, because until then they say what else is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.declaration import RepairSpec

ORDER = (
    "set-by-key",
    "replace-values",
    "unify-spellings",
    "sentinel-to-missing",
    "repair-text",
    "to-number",
    "parse-dates",
    "infinite-to-missing",
    "swap-columns",
    "scale-values",
    "out-of-range-to-missing",
    "where-to-missing",
    "shift-time",
    "drop-duplicate-rows",
    "drop-columns",
)


def ordered(repairs: Sequence[RepairSpec]) -> list[RepairSpec]:
    """The repairs in that order; those of one kind, and a guest's (after ours that change cells), keep theirs."""
    rank = {name: i for i, name in enumerate(ORDER)}
    guests = ORDER.index("drop-duplicate-rows") - 0.5
    return sorted(repairs, key=lambda r: rank.get(r.repair, guests))
