"""AUD010: one level in several spellings: case, accents, punctuation, the order of words, words and their abbreviations."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit import columns
from holdgood.audit.abbreviated import abbreviated
from holdgood.audit.folded import variants
from holdgood.audit.found import counted, found, listed
from holdgood.audit.vocabulary import vocabulary, where
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Proposal
from holdgood.core.table import Table
from holdgood.core.text import mend


class Spellings:
    """Groups the levels of columns kept as text that differ in nothing but spelling. Damaged text is told by AUD025."""

    code: ClassVar[str] = "AUD010"
    title: ClassVar[str] = "spelling variants"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at columns of categories kept as text whose levels repeat."""
        if not any(columns.is_text(t, c) for t in context.tables.values() for c in t.of_type("category")):
            raise NotApplicable("no column of categories")
        out: list[Finding] = []
        for table in context.tables.values():
            for name in table.of_type("category"):
                if columns.is_text(table, name):
                    out += self._look(table, name)
        return out

    def _look(self, table: Table, name: str) -> list[Finding]:
        spelt = {text: to for text, to in variants(table, name).items() if mend(text) != to}
        # a text whose damage was mended before must be found too
        mapping = spelt | {mend(t): to for t, to in spelt.items() if mend(t) not in variants(table, name)}
        short = {t: mapping.get(to, to) for t, to in abbreviated(table, name).items() if t not in mapping}
        out = []
        if spelt:
            they = "they differ in case, accents, punctuation, spaces or the order of words only"
            out.append(self._tell(table, name, spelt, mapping, they))
        if short:
            they = "some cells abbreviate what the others write in full"
            out.append(self._tell(table, name, short, short, they))
        return out

    def _tell(self, table: Table, name: str, spelt: dict[str, str], mapping: dict[str, str], they: str) -> Finding:
        words = vocabulary(table, name)
        assert words is not None
        rows, into = sum(words.rows_of[t] for t in spelt), len(set(spelt.values()))
        message = (
            f"{listed([name])} has {counted(len(spelt), 'spelling')} ({counted(rows, 'row')}) of "
            f"{counted(into, 'other level')}: {they}"
        )
        proposal = Proposal(
            repair="unify-spellings",
            table=table.name,
            columns=(name,),
            parameters={"mapping": dict(sorted(mapping.items()))},
            cells=rows,
            sentence=f"each of them becomes the most frequent spelling, {counted(rows, 'cell')} of {name}",
        )
        evidence = {"spellings": len(spelt), "rows": rows, "levels": into}
        order = sorted(spelt, key=lambda t: (words.rows_of[t], t))
        return found(
            self,
            "issue",
            "medium",
            table.name,
            [name],
            message,
            rows=rows,
            evidence=evidence,
            proposal=proposal,
            examples=where(table, name, order),
        )


CHECK = Spellings()
"""The check that is registered."""
