"""AUD015: columns that look too good: nearly a copy of the outcome, far ahead of all others, or an identifier that predicts."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit import aud014_late_facts
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import Evidence, found, listed
from holdgood.audit.power import powers, rows_of
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding

HIGH_AUC, HIGH_R2 = 0.95, 0.93
AHEAD_AUC, AHEAD_R2 = 0.90, 0.80
OTHERS_AUC, OTHERS_R2 = 0.75, 0.30
ID_AUC, ID_R2 = 0.70, 0.30


class Leaks:
    """Measures every column alone, out of fold. What AUD014 has proven to be late is not told twice."""

    code: ClassVar[str] = "AUD015"
    title: ClassVar[str] = "possible leaks"
    scope: ClassVar[Literal["tables", "target"]] = "target"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at development rows with an outcome."""
        if context.main is None or context.y is None:
            raise NotApplicable("no rows with a target")
        alone = powers(context)
        if not alone:
            raise NotApplicable("fewer than 40 rows have an outcome")
        late = {c for f in aud014_late_facts.CHECK.run(context) for c in f.columns if f.table == context.main.name}
        classes = rows_of(context).classes
        measure = "AUC" if classes else "R²"
        high, ahead, others = (HIGH_AUC, AHEAD_AUC, OTHERS_AUC) if classes else (HIGH_R2, AHEAD_R2, OTHERS_R2)
        honest = {n: v for n, v in alone.items() if n not in late}
        place = {n: i for i, n in enumerate(context.main.names)}
        ranked = sorted(honest, key=lambda n: (-honest[n], place[n]))
        second = honest[ranked[1]] if len(ranked) > 1 else (0.5 if classes else 0.0)
        out = [
            self._tell(
                context.main.name,
                name,
                f"`{name}` alone tells most of the outcome ({measure} {honest[name]:.3f} out of fold)",
                honest[name],
            )
            for name in ranked
            if honest[name] >= high
        ]
        if not out and len(ranked) >= 4 and honest[ranked[0]] >= ahead and second <= others:
            name = ranked[0]
            message = (
                f"`{name}` alone tells most of the outcome ({measure} {honest[name]:.3f} out of fold), and no other column comes near it "
                f"(next: {second:.3f})"
            )
            out = [self._tell(context.main.name, name, message, honest[name])]
        return out + self._identifiers(context, honest, ID_AUC if classes else ID_R2, measure)

    def _tell(self, table: str, name: str, message: str, value: float) -> Finding:
        evidence: Evidence = {"alone": round(value, 4)}
        return found(
            self,
            "tip",
            "medium",
            table,
            [name],
            f"{message}; make sure that it is known at the decision",
            evidence=evidence,
        )

    def _identifiers(self, context: AuditContext, alone: dict[str, float], bar: float, measure: str) -> list[Finding]:
        assert context.main is not None
        if context.decision_time is not None:
            return []  # numbers that run with time may follow the outcome through time
        spec = context.spec(context.main.name)
        named = [*spec.key, *spec.ids, *identifiers(context.main, known=[*spec.key, *spec.ids])]
        telling = [n for n in context.main.names if n in named and alone.get(n, 0.0) >= bar]
        if not telling:
            return []
        best = max(alone[n] for n in telling)
        message = (
            f"{listed(telling)} should only name the row, but predicts the outcome ({measure} {best:.3f} out of fold): "
            "the rows were numbered by outcome, or come from sources that differ in it"
        )
        return [found(self, "tip", "medium", context.main.name, telling, message, evidence={"alone": round(best, 4)})]


CHECK = Leaks()
