"""AUD044: rows that break the contract that people reviewed."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from holdgood.audit.found import counted, found, percent
from holdgood.audit.verdicts import verdicts
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding

_TOLD = 8


class ContractBroken:
    """One finding a table: how many rows are refused or warned of, and which rules they break."""

    code: ClassVar[str] = "AUD044"
    title: ClassVar[str] = "contract broken"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Hold every table that the contract names to its rules."""
        contract = context.contract
        if contract is None:
            raise NotApplicable("no contract.toml; holdgood contract infer writes one")
        out = []
        for rules in contract.tables:
            if rules.name not in context.tables:
                continue
            table = context.tables[rules.name]
            said = verdicts(table, rules)
            if not said.broken:
                continue
            refused, warned = said.count("refused"), said.count("warn")
            broken = sorted(said.broken, key=lambda b: (b.breach != "refuse", -b.rows))
            told = "; ".join(f"{b.reason} ({counted(b.rows, 'row')})" for b in broken[:_TOLD])
            more = f"; and {len(broken) - _TOLD} more rules" if len(broken) > _TOLD else ""
            rows = refused + warned
            columns = tuple(dict.fromkeys(b.column for b in broken if b.column in table.names))
            out.append(
                found(
                    self,
                    "issue" if refused else "tip",
                    "high" if refused else "medium",
                    table.name,
                    columns,
                    f"{counted(rows, 'row')} ({percent(rows, table.rows)}) break the contract: {told}{more}",
                    rows=rows,
                    evidence={"refused": refused, "warned": warned, "rules": len(broken)},
                    examples=np.flatnonzero(said.rank == said.rank.max()),
                )
            )
        return out


CHECK = ContractBroken()
