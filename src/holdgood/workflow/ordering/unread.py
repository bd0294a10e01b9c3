"""Columns of a state that nothing reads: a misspelt one is worth as much as one that is missing, and nobody would notice."""

from __future__ import annotations

from collections.abc import Sequence

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import did_you_mean
from holdgood.core.records import PanelNote
from holdgood.core.table import Table
from holdgood.core.text import counted

_OPEN = ("on_order", "arrives", "ordered")
_SHOWN = 8


def unread(
    spec: OrdersSpec, table: Table, id_columns: Sequence[str], amounts: Sequence[str], *, listed: bool
) -> tuple[PanelNote, ...]:
    """Notes on columns that have no part in the plan: an issue where the name is one that would be read, or near it, else a tip.

    ``amounts``: fields of ``[orders]`` that are a column or one number. ``listed``: open orders have a table of their own.
    """
    fields = [f for f in ("on_hand", "supplier", *_OPEN, *amounts) if not (listed and f in _OPEN)]
    declared = {f: getattr(spec, f) for f in fields}
    columns = {f: said or f for f, said in declared.items() if not isinstance(said, float)}
    read = {*columns.values(), *(spec.item or id_columns), *([spec.as_of] if spec.as_of else [])}
    rest = [n for n in table.names if n not in read]
    free = sorted(read - set(table.names))
    hints = {n: _instead(n, spec, columns, listed) or _near(n, free) for n in rest}
    odd, others = [n for n in rest if hints[n]], [n for n in rest if not hints[n]]
    notes = []
    if odd:
        words = "; ".join(f"{n}: {hints[n]}" for n in odd[:_SHOWN]) + _more(odd)
        message = f"{counted(len(odd), 'column')} of the state that nothing reads: {words}"
        notes.append(PanelNote(code="unread", level="issue", message=message, count=len(odd)))
    if others:
        message = f"{counted(len(others), 'column')} of the state that no order depends on: {', '.join(others[:_SHOWN])}{_more(others)}"
        notes.append(PanelNote(code="unread", level="tip", message=message, count=len(others)))
    return tuple(notes)


def _instead(name: str, spec: OrdersSpec, columns: dict[str, str], listed: bool) -> str:
    """What counts instead of a column that has the name of a setting, "" for another name."""
    if name not in OrdersSpec.model_fields:
        return ""
    if listed and name in _OPEN:
        return "the table of open orders counts instead"
    if name in columns:
        return f"{columns[name]!r} is declared instead, under [orders]"
    said = getattr(spec, name)
    if isinstance(said, float):
        return f"the number {said:g} under [orders] counts instead"
    return f"it is set under [orders]: {name} = …"


def _near(name: str, free: Sequence[str]) -> str:
    plain = "_".join(name.lower().replace("-", " ").split())
    return did_you_mean(name, free) or did_you_mean(plain, free)


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
