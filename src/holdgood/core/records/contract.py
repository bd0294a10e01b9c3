"""The contract: what later rows must keep. Inferred from data, reviewed by people, enforced row by row."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from holdgood.core.records.envelope import Number, Part, Record

PartT = TypeVar("PartT", bound=Part)
Breach: TypeAlias = Literal["allow", "warn", "refuse"]
"""What happens to a row that breaks a rule: nothing, a word beside its answer, or no answer."""

OutOfContract: TypeAlias = Literal["warn", "refuse"]
"""What becomes of a rule that warns where the contract is held: ``warn``, as it says; ``refuse``, the row gets no answer."""


class ColumnRule(Part):
    """What one column must keep. An inferred rule warns; only people refuse.

    ``unreadable``: cells that are not of the ``type``; ``missing``: empty cells (``missing_share`` was seen);
    ``outside``: numbers below ``low`` or above ``high`` (NaN: no bound), ``whole`` asks for whole numbers; ``unseen``: words
    that are not among the ``levels``; ``misshapen``: words that the regular expression ``shape`` does not match whole.
    """

    name: str
    type: str
    required: bool = True
    unreadable: Breach = "warn"
    missing: Breach = "allow"
    missing_share: float = 0.0
    low: Number = float("nan")
    high: Number = float("nan")
    whole: bool = False
    outside: Breach = "warn"
    levels: tuple[str, ...] = ()
    unseen: Breach = "warn"
    shape: str = ""
    misshapen: Breach = "warn"
    why: str = ""


class RowRule(Part):
    """An SQL expression over one row that must not be false; where it is NULL it says nothing."""

    rule: str
    breach: Breach = "warn"
    why: str = ""


class TableContract(Part):
    """The rules of one table. ``rows``: how many they were inferred from. Keys are judged over a table, not at scoring."""

    name: str
    columns: tuple[ColumnRule, ...]
    key: tuple[str, ...] = ()
    rules: tuple[RowRule, ...] = ()
    rows: int = 0


def _from_first(payload: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 had observed bounds and levels and enforced neither missing cells nor rules."""
    return payload


class Contract(Record):
    """The rules of some tables, and who has looked at them. ``reviewed_digest``: of the rules at that moment."""

    kind: ClassVar[str] = "contract"
    schema_number: ClassVar[int] = 2
    upgraders: ClassVar = {1: _from_first}

    tables: tuple[TableContract, ...] = ()
    version: int = 1
    reviewed_by: str = ""
    reviewed_on: str = ""
    reviewed_digest: str = ""

    def held(self, how: OutOfContract) -> Contract:
        """The rules as they are held: with ``refuse`` every rule that warns refuses; what is allowed stays so."""
        return self if how == "warn" else self.model_copy(update={"tables": tuple(_refusing(t) for t in self.tables)})


def _refusing(table: TableContract) -> TableContract:
    def harder(part: PartT, *breaches: str) -> PartT:
        return part.model_copy(update={b: "refuse" for b in breaches if getattr(part, b) == "warn"})

    columns = tuple(harder(c, "unreadable", "missing", "outside", "unseen", "misshapen") for c in table.columns)
    return table.model_copy(update={"columns": columns, "rules": tuple(harder(r, "breach") for r in table.rules)})
