"""Tables in which several sources tell the same facts of the same things, and disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from holdgood.audit.broken_rules import as_plain, changed
from holdgood.audit.claims import believed
from holdgood.audit.coded import coded
from holdgood.audit.dependencies import Groups, groups
from holdgood.audit.profile import profile
from holdgood.audit.rules_found import Looked, look, pair
from holdgood.core.table import Table

ONCE = 0.99
COPIES = 3.0
TOLD_AGREEMENT = 0.25
TOLD_CHANCE = 0.3
LEAST_COLUMNS = 2
OWN_AGREEMENT = 0.1


@dataclass(frozen=True)
class Sources:
    """``columns`` of ``key`` are told by several values of ``source``. ``values``: by column, [key, value believed].

    ``cells`` differ from what is believed, ``empty`` lack it, out of ``told``; ``set`` of them, and of those that are only
    written otherwise, would change. ``disagreement``: by source (``names``), the
    share of its cells that differ.
    """

    source: str
    key: str
    columns: tuple[str, ...]
    values: dict[str, list[list[Any]]]
    cells: int
    empty: int
    set: int
    told: int
    rows: int
    keys: int
    names: tuple[object, ...]
    disagreement: tuple[float, ...]
    examples: tuple[int, ...]


def sources(table: Table) -> Sources | None:
    """What sources disagree on; None where the table is not of that kind, or they agree."""
    looked = look(table)
    everything = [c.name for c in profile(table).columns if c.distinct > 1]
    # all facts must be about the key: one measured column that is not, and the table is a panel
    if len(everything) < 2 + LEAST_COLUMNS or len(everything) != len(looked.codes):
        return None
    found = _roles(looked, everything)
    if found is None:
        return None
    source, key, facts = found
    return _told(table, source, key, facts)


def _roles(looked: Looked, names: list[str]) -> tuple[str, str, list[str]] | None:
    """Which column names the source, which the thing, and which hold facts."""
    codes = looked.codes
    for key in names:
        sizes = np.bincount(codes[key][codes[key] >= 0])
        if len(sizes) < 5 or sizes.mean() < COPIES:
            continue
        by = {c: groups(codes[key], codes[c]) for c in names if c != key}
        agreeing = [c for c, g in by.items() if g is not None and _is_told(g)]
        rest = [c for c in by if c not in agreeing]
        if len(rest) != 1 or len(agreeing) < LEAST_COLUMNS:
            continue
        both = pair(codes[rest[0]], codes[key])
        once = len(np.unique(both[both >= 0])) / max(1, int((both >= 0).sum()))
        own = [groups(codes[rest[0]], codes[c]) for c in agreeing]
        apart = all(g is None or g.kappa <= OWN_AGREEMENT for g in own)
        disagree = any(g is not None and g.broken > 0.0 for c, g in by.items() if c in agreeing)
        if once >= ONCE and apart and disagree:
            return rest[0], key, agreeing
    return None


def _is_told(g: Groups) -> bool:
    return g.kappa >= TOLD_AGREEMENT and g.chance <= TOLD_CHANCE


def _told(table: Table, source: str, key: str, facts: list[str]) -> Sources | None:
    by, what = coded(table, source), coded(table, key)
    cells = [coded(table, c) for c in facts]
    best, _ = believed(what.codes, [c.codes for c in cells], by.codes)
    known = what.codes >= 0
    wrong = np.zeros(table.rows, dtype=np.int64)
    empty = np.zeros(table.rows, dtype=np.int64)
    said = np.zeros(table.rows, dtype=np.int64)
    values: dict[str, list[list[Any]]] = {}
    to_set = 0
    for name, cell, lead in zip(facts, cells, best, strict=True):
        should = np.where(known, lead[np.clip(what.codes, 0, len(lead) - 1)], -1)
        differs = (cell.codes >= 0) & (should >= 0) & (cell.codes != should)
        lacks = (cell.codes < 0) & (should >= 0)
        wrong += differs
        empty += lacks
        said += cell.codes >= 0
        at = np.unique(what.codes[differs | lacks])
        to_set += changed(what.codes, at, lead, cell)
        values[name] = [[as_plain(what.values[k]), as_plain(cell.values[lead[k]])] for k in at.tolist()]
    if not wrong.any():
        return None
    of = by.codes >= 0
    per = [np.bincount(by.codes[of], weights=x[of], minlength=len(by.values)) for x in (wrong, said)]
    share = np.divide(per[0], per[1], out=np.zeros(len(by.values)), where=per[1] > 0)
    order = np.argsort(-wrong, kind="stable")[:20]
    return Sources(
        source,
        key,
        tuple(facts),
        {c: v for c, v in values.items() if v},
        int(wrong.sum()),
        int(empty.sum()),
        to_set,
        int(said.sum()),
        int(((wrong > 0) | (empty > 0)).sum()),
        len(np.unique(what.codes[known])),
        by.values,
        tuple(share.tolist()),
        tuple(int(r) for r in order if wrong[r]),
    )
