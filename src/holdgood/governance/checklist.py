"""The release checklist: questions that records can answer are answered; the others wait, open, for a person."""

from __future__ import annotations

from typing import Literal

from holdgood.core.declaration import Declaration
from holdgood.core.records import AuditReport, CleanLog, Evaluation, FeatureLedger, Leaderboard, Split, Verdict
from holdgood.core.records.envelope import Part
from holdgood.governance import words


class ChecklistItem(Part):
    """One question before release. ``done``: a record or the declaration answers it; ``open``: somebody has to."""

    question: str
    status: Literal["done", "open"]
    answer: str


def checklist(
    declaration: Declaration,
    *,
    audit_tables: AuditReport | None,
    audit_target: AuditReport | None,
    clean: CleanLog | None,
    split: Split,
    ledger: FeatureLedger | None,
    leaderboard: Leaderboard,
    evaluation: Evaluation,
    verdict: Verdict,
) -> tuple[ChecklistItem, ...]:
    """All questions in the order of the line: purpose, data, features, model, value, people, release."""
    return (
        _declared("Is the question written down in one sentence?", declaration.task.question),
        _audited("Were the tables audited?", audit_tables),
        _audited("Was the target audited for leaks, on development rows only?", audit_target),
        _cleaned(clean),
        ChecklistItem(
            question="Were the rows that judge the model sealed before anything learned?",
            status="done" if split.holdout or split.outer else "open",
            answer=split.sentence
            or f"{split.how} split, {split.holdout:,} of {split.holdout + split.development:,} rows held out",
        ),
        _features(ledger),
        ChecklistItem(
            question="Was the simplest thing tried first, and every step up compared?",
            status="done" if leaderboard.ladder and not leaderboard.only_prior else "open",
            answer=leaderboard.reason or f"chosen: {leaderboard.chosen or 'nothing'}",
        ),
        *(_gate(question, name, verdict) for question, name in _GATE_QUESTIONS),
        _declared("Is there somebody to turn to?", declaration.people.contact),
        ChecklistItem(
            question="Were weak parts of the data looked for?",
            status="done" if evaluation.slices or any("slice" in n for n in evaluation.notes) else "open",
            answer=words.listed([f"{s.name} (n={s.n:,})" for s in evaluation.slices], 3)
            or "none was confirmed, or nobody looked",
        ),
        _gate("Has somebody put their name under this list?", "checklist signed", verdict),
    )


_GATE_QUESTIONS = (
    ("Is it proven better than the prior?", "beats the prior"),
    ("Are stated chances near observed ones?", "calibration"),
    ("Is everything it uses known at the moment of decision?", "no late facts"),
    ("Has somebody said what right and wrong cost?", "costs declared"),
    ("Has somebody said who is affected and how they could be harmed?", "people declared"),
    ("Were the declared groups compared?", "fairness"),
    ("Is the holdout still fresh?", "fresh holdout"),
    ("Does it answer fast enough?", "latency"),
    ("Is it small enough?", "size"),
)


def _declared(question: str, text: str) -> ChecklistItem:
    text = text.strip()
    return ChecklistItem(question=question, status="done" if text else "open", answer=text or words.NOT_DECLARED)


def _audited(question: str, report: AuditReport | None) -> ChecklistItem:
    if report is None:
        return ChecklistItem(question=question, status="open", answer="No audit was run.")
    high = sum(f.severity == "high" for f in report.issues)
    skipped = report.count("skipped")
    answer = (
        f"{len(report.outcomes)} checks: {words.counted(len(report.issues), 'issue')} ({high} grave), "
        f"{words.counted(len(report.tips), 'tip')}, {report.count('passed')} passed, "
        f"{report.count('not applicable')} not applicable, {skipped} skipped, {report.count('ignored')} ignored"
    )
    return ChecklistItem(question=question, status="open" if skipped else "done", answer=answer)


def _cleaned(clean: CleanLog | None) -> ChecklistItem:
    question = "Is every changed cell counted, with its reason?"
    if clean is None:
        return ChecklistItem(question=question, status="open", answer="There is no clean log.")
    if not clean.entries:
        return ChecklistItem(question=question, status="done", answer="No repair was declared; nothing was changed.")
    without = [e.repair for e in clean.entries if not e.why.strip()]
    answer = f"{words.counted(len(clean.entries), 'repair')}, {words.counted(clean.cells_changed, 'cell')} changed"
    if without:
        answer += f"; no reason given for {words.listed(without)}"
    return ChecklistItem(question=question, status="open" if without else "done", answer=answer)


def _features(ledger: FeatureLedger | None) -> ChecklistItem:
    question = "Does every feature name the columns it comes from?"
    if ledger is None:
        return ChecklistItem(question=question, status="open", answer="There is no feature ledger.")
    without = [f.name for f in ledger.features if not f.origin]
    left_out = words.counted(len(ledger.left_out), "column")
    answer = f"{words.counted(len(ledger.features), 'feature')}, {left_out} left out with a reason"
    if without:
        answer += f"; no origin for {words.listed(without)}"
    return ChecklistItem(question=question, status="open" if without else "done", answer=answer)


def _gate(question: str, name: str, verdict: Verdict) -> ChecklistItem:
    """A question that a gate answers: done only where the gate passed."""
    for gate in verdict.gates:
        if gate.name == name:
            said = gate.sentence or gate.observed
            return ChecklistItem(question=question, status="done" if gate.status == "passed" else "open", answer=said)
    return ChecklistItem(question=question, status="open", answer="The declaration switched this gate off.")
