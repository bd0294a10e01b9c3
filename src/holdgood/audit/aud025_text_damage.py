"""AUD025: damaged text: spaces at the ends, invisible signs, broken encoding, entities, letters of another alphabet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.sample import sample
from holdgood.audit.vocabulary import vocabulary, where
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table
from holdgood.core.text import LOST, RULES, mend

WORDS = {
    "mojibake": "text that was decoded twice",
    "entities": "HTML entities",
    "invisible": "invisible or control characters",
    "composed": "letters composed in another way",
    "look-alikes": "letters of another alphabet that look alike",
    "quotes": "curly quotes beside straight ones",
    "odd-spaces": "no-break spaces, tabs or line breaks",
    "spaces": "double spaces",
    "edges": "spaces at the ends",
    "lost": "characters that were lost in decoding",
}
PADDED = 0.95
NEEDS_TWIN = ("spaces", "quotes")
HARMLESS_IN_PROSE = ("spaces", "quotes", "edges", "odd-spaces", "composed")
_SOUND = r"^(?:[!-%'-~]+(?: [!-%'-~]+)*)?$"
_AT_ONCE = 2_000
_RARE = 0.05


@dataclass(frozen=True)
class Damage:
    """Kinds of damage in one column, the damaged texts, how many cells hold one, and how many hold any text."""

    rules: tuple[str, ...]
    texts: tuple[str, ...]
    cells: int
    present: int


class TextDamage:
    """Looks at a sample of each column first, and counts on all rows where the sample holds damage."""

    code: ClassVar[str] = "AUD025"
    title: ClassVar[str] = "damaged text"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column kept as text; columns with the same damage are told together."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.names):
            raise NotApplicable("no column is kept as text")
        out = []
        for table in context.tables.values():
            alike: dict[tuple[str, ...], dict[str, Damage]] = defaultdict(dict)
            for name in table.names:
                damage = _look(table, name) if columns.is_text(table, name) else None
                if damage is not None:
                    alike[damage.rules][name] = damage
            out += [self._tell(table, rules, some) for rules, some in alike.items()]
        return out

    def _tell(self, table: Table, rules: tuple[str, ...], some: dict[str, Damage]) -> Finding:
        names = tuple(some)
        cells, present = sum(d.cells for d in some.values()), sum(d.present for d in some.values())
        padded = rules == ("edges",) and cells >= PADDED * present
        what = ", ".join(WORDS[r] for r in rules)
        message = f"{counted(cells, 'cell')} of {listed(names)} ({percent(cells, present)}) {'holds' if cells == 1 else 'hold'} {what}"
        if padded:
            message += ": the columns are padded throughout"
        mendable = [r for r in rules if r in RULES]
        proposal = None
        if mendable:
            proposal = Proposal(
                repair="repair-text",
                table=table.name,
                columns=names,
                parameters={"rules": mendable},
                cells=cells,
                sentence=f"mend {what}, {counted(cells, 'cell')} of {', '.join(names)}",
            )
        else:
            message += "; what stood there can only be read again from the source"
        grave = cells >= 3 and not padded
        first = min(names, key=table.names.index)
        return found(
            self,
            "issue" if grave else "tip",
            "medium" if grave else "low",
            table.name,
            names,
            message,
            rows=max(d.cells for d in some.values()),
            evidence={"cells": cells, "texts": sum(len(d.texts) for d in some.values()), "kinds": len(rules)},
            proposal=proposal,
            examples=where(table, first, some[first].texts[:1000]),
        )


def _look(table: Table, name: str) -> Damage | None:
    prose = table.type_of(name) == "text"
    words = vocabulary(table, name)
    cells = table.data.column(name)
    if words is not None:
        texts: list[str] = list(words.texts)
    else:
        rows = sample(table)
        some = pc.unique(cells.take(pa.array(rows)) if len(rows) < table.rows else cells).drop_null()
        texts = _suspicious(some)
        if not _damaged(texts, prose, None, len(rows)):
            return None
        texts = _suspicious(pc.unique(cells).drop_null())
    known = set(words.texts) if words is not None else None
    by_rule = _damaged(texts, prose, known, table.rows)
    if not by_rule:
        return None
    hit = tuple(dict.fromkeys(t for found_in in by_rule.values() for t in found_in))
    in_all = pc.is_in(cells, value_set=pa.array(hit, pa.string()))
    rules = tuple(r for r in WORDS if r in by_rule)
    return Damage(rules, tuple(sorted(hit)), int(pc.sum(in_all).as_py() or 0), len(cells) - cells.null_count)


def _suspicious(texts: pa.Array) -> list[str]:
    """Texts that are more than printable ASCII with single spaces within; the others are sound."""
    if len(texts) > _AT_ONCE:
        texts = texts.filter(pc.invert(pc.match_substring_regex(texts, _SOUND)))
    return [t for t in texts.to_pylist() if t.strip()]


def _damaged(texts: list[str], prose: bool, known: set[str] | None, rows: int) -> dict[str, list[str]]:
    """Damaged texts by kind. ``known``: all texts of the column, where these are few: some kinds count only beside a twin."""
    out: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        if mend(text) == text and LOST not in text:
            continue
        for rule in RULES:
            if prose and rule in HARMLESS_IN_PROSE:
                continue
            if mend(text, (rule,)) == text:
                continue
            if rule in NEEDS_TWIN and known is not None and mend(text) not in known:
                continue
            out[rule].append(text)
        if LOST in text:
            out["lost"].append(text)
    if known is None:
        # without a vocabulary there are no twins: what many cells have is how the column is written
        for rule in NEEDS_TWIN:
            if len(out.get(rule, ())) > _RARE * rows or rule == "quotes":
                out.pop(rule, None)
    return dict(out)


CHECK = TextDamage()
"""The check that is registered."""
