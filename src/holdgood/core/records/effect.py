"""What repairs do to a model: paired comparisons on the same folds of the development rows, with and without each."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Part, Record


class RepairEffect(Part):
    """One repair (or all together): what it changed, and the model's gain by it; positive differences mean that it helps.

    ``gain`` is in the ladder's loss, ``money`` in the declared currency a row; both are None with the reason in ``note``
    where nothing could be compared. p-values are adjusted over all repairs (Holm).
    """

    repair: str
    table: str = ""
    columns: tuple[str, ...] = ()
    why: str = ""
    cells_changed: int = 0
    rows_removed: int = 0
    gain: Comparison | None = None
    money: Comparison | None = None
    note: str = ""


class RepairEffects(Record):
    """All repairs that were compared. Development rows only; the holdout was not looked at."""

    kind: ClassVar[str] = "repair-effects"

    effects: tuple[RepairEffect, ...]
    loss: str
    learner: str
    rows: int
    folds: int
    fold_kind: str = ""
    sentence: str = ""
