"""AUD015: columns that look too good: nearly a copy of the outcome, a noisy copy, far ahead of all others, or a telling identifier.

A *noisy copy* gives itself away by what it lacks: within rows of the same outcome it goes with no other column, although the
others tell the outcome too. Honest columns that make the outcome stay tied to each other once the outcome is known.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.aud014_late_facts import late_columns
from holdgood.audit.found import Evidence, found, listed
from holdgood.audit.outoffold import out_of_fold
from holdgood.audit.power import Rows, powers, rows_of
from holdgood.audit.ties import PARTNERS, TELLING_AUC, TELLING_R2, TIED, TIED_AMOUNTS, strongest_tie
from holdgood.audit.yardstick import follows_the_past, runs_with_time
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Sure

HIGH_AUC, HIGH_R2 = 0.95, 0.93
AHEAD_AUC, AHEAD_R2 = 0.85, 0.70
FAR_AHEAD_AUC, FAR_AHEAD_R2 = 0.90, 0.80
OTHERS_AUC, OTHERS_R2 = 0.75, 0.30  # what no other column reaches alone
DESCRIBES = 0.2  # tie to other telling columns, given the outcome
BEHIND_AUC, BEHIND_R2 = 0.08, 0.15  # how far all other columns together stay behind
COPY_AUC, COPY_R2 = 0.85, 0.50
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
        late = late_columns(context)
        rows = rows_of(context)
        measure = "AUC" if rows.classes else "R²"
        high, ahead, copy = (HIGH_AUC, AHEAD_AUC, COPY_AUC) if rows.classes else (HIGH_R2, AHEAD_R2, COPY_R2)
        honest = {n: v for n, v in alone.items() if n not in late}
        place = {n: i for i, n in enumerate(context.main.names)}
        named = self._named(context)
        ranked = sorted(
            (n for n in honest if honest[n] >= min(ahead, copy) and n not in named),
            key=lambda n: (-honest[n], place[n]),
        )
        ranked = [n for n in ranked if not runs_with_time(context, n) and not follows_the_past(context, n)]
        copies, plain = [], []
        for name in ranked[:PARTNERS]:
            finding = self._noisy_copy(context, name, honest, rows, measure)
            copies += [] if finding is None else [finding]
            plain += [name] if finding is None and honest[name] >= high else []
        out = self._high(context.main.name, plain, honest, measure) + copies
        if not out and ranked and honest[ranked[0]] >= ahead:
            finding = self._ahead(context, ranked[0], honest, late, measure)
            out = [] if finding is None else [finding]
        return out + self._identifiers(context, named, honest, ID_AUC if rows.classes else ID_R2, measure)

    def _tell(self, table: str, name: str, message: str, evidence: Evidence, sure: Sure = "likely") -> Finding:
        message = f"{message}; make sure that it is known at the decision"
        return found(self, "tip", "medium", table, [name], message, evidence=evidence, sure=sure)

    def _high(self, table: str, names: list[str], alone: dict[str, float], measure: str) -> list[Finding]:
        if not names:
            return []
        best = max(alone[n] for n in names)
        each = " each" if len(names) > 1 else ""
        message = f"{listed(names)}{each} alone {'tell' if each else 'tells'} most of the outcome ({measure} {best:.3f} out of fold)"
        message += (
            "; make sure that it is known at the decision"
            if not each
            else "; make sure that they are known at the decision"
        )
        evidence: Evidence = {"alone": round(best, 4), "columns": len(names)}
        return [found(self, "tip", "medium", table, names, message, evidence=evidence, sure="possible")]

    def _noisy_copy(
        self, context: AuditContext, name: str, alone: dict[str, float], rows: Rows, measure: str
    ) -> Finding | None:
        assert context.main is not None
        tied = self._tie(context, name, alone, rows)
        if tied is None or tied > (TIED if rows.classes else TIED_AMOUNTS):
            return None
        message = (
            f"`{name}` alone tells much of the outcome ({measure} {alone[name]:.3f} out of fold), and among rows of the same outcome it goes with no "
            f"other telling column (strongest tie {tied:.2f}): that is how a copy of the outcome with noise behaves"
        )
        evidence: Evidence = {"alone": round(alone[name], 4), "strongest_tie": round(tied, 3)}
        return self._tell(context.main.name, name, message, evidence)

    def _tie(self, context: AuditContext, name: str, alone: dict[str, float], rows: Rows) -> float | None:
        """The strongest tie to other telling columns, given the outcome; None where there are none, or too few rows."""
        assert context.main is not None
        telling = TELLING_AUC if rows.classes else TELLING_R2
        place = {n: i for i, n in enumerate(context.main.names)}
        others = [n for n in alone if n != name and alone[n] >= telling]
        others = sorted(others, key=lambda n: (-alone[n], place[n]))[:PARTNERS]
        return strongest_tie(context.main, name, others, rows) if others else None

    def _ahead(
        self, context: AuditContext, name: str, alone: dict[str, float], late: tuple[str, ...], measure: str
    ) -> Finding | None:
        """Far ahead of any other column alone, or of all of them together."""
        assert context.main is not None
        classes, value = measure == "AUC", alone[name]
        nothing = 0.5 if classes else 0.0
        second = max((v for n, v in alone.items() if n != name), default=nothing)
        far, others, behind = (
            (FAR_AHEAD_AUC, OTHERS_AUC, BEHIND_AUC) if classes else (FAR_AHEAD_R2, OTHERS_R2, BEHIND_R2)
        )
        tie = self._tie(context, name, alone, rows_of(context))
        if tie is not None and tie > DESCRIBES:
            return None  # it describes the same thing as others do, only better
        said = f"`{name}` alone tells most of the outcome ({measure} {value:.3f} out of fold), and"
        if value >= far and second <= others and len(alone) >= 4:
            message = f"{said} no other column comes near it (next: {second:.3f})"
            return self._tell(
                context.main.name, name, message, {"alone": round(value, 4), "next": round(second, 4)}, "possible"
            )
        try:
            together = out_of_fold(context, without=(name, *late)).quality()
        except NotApplicable:
            return None
        if together > value - behind:
            return None
        message = f"{said} all other columns together do not come near it ({together:.3f})"
        evidence: Evidence = {"alone": round(value, 4), "others_together": round(together, 4)}
        return self._tell(context.main.name, name, message, evidence, "possible")

    def _named(self, context: AuditContext) -> list[str]:
        """Columns that only name the row."""
        assert context.main is not None
        spec = context.spec(context.main.name)
        declared = [n for n in (*spec.key, *spec.ids) if n in context.main.names]
        return [*declared, *identifiers(context.main, known=declared)]

    def _identifiers(
        self, context: AuditContext, named: list[str], alone: dict[str, float], bar: float, measure: str
    ) -> list[Finding]:
        assert context.main is not None
        if context.decision_time is not None:
            return []  # numbers that run with time may follow the outcome through time
        telling = [n for n in context.main.names if n in named and alone.get(n, 0.0) >= bar]
        if not telling:
            return []
        best = max(alone[n] for n in telling)
        message = (
            f"{listed(telling)} should only name the row, but predicts the outcome ({measure} {best:.3f} out of fold): "
            "the rows were numbered by outcome, or come from sources that differ in it"
        )
        evidence: Evidence = {"alone": round(best, 4)}
        return [found(self, "tip", "medium", context.main.name, telling, message, evidence=evidence, sure="likely")]


CHECK = Leaks()
