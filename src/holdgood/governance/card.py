"""The model card (Mitchell et al. 2019), made from records; what nobody declared says so."""

from __future__ import annotations

import math
from collections.abc import Mapping

from holdgood.core.declaration import Declaration
from holdgood.core.records import (
    AuditReport,
    CardSection,
    CleanLog,
    Comparison,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Leaderboard,
    ModelCard,
    Split,
    Verdict,
)
from holdgood.governance import words
from holdgood.governance.checklist import ChecklistItem, checklist


def card(
    declaration: Declaration,
    *,
    split: Split,
    leaderboard: Leaderboard,
    evaluation: Evaluation,
    verdict: Verdict,
    audit_tables: AuditReport | None = None,
    audit_target: AuditReport | None = None,
    clean: CleanLog | None = None,
    ledger: FeatureLedger | None = None,
    fairness: FairnessReport | None = None,
    versions: Mapping[str, str] | None = None,
    latency_ms: float = math.nan,
    size_mb: float = math.nan,
) -> ModelCard:
    """All sections, the release checklist among them.

    ``latency_ms``: one row through features and model, at the 95th percentile; ``size_mb``: the model's files; NaN where
    nobody measured.
    """
    items = checklist(
        declaration, audit_tables=audit_tables, audit_target=audit_target, clean=clean, split=split, ledger=ledger,
        leaderboard=leaderboard, evaluation=evaluation, verdict=verdict,
    )  # fmt: skip
    sections = (
        _use(declaration, verdict),
        _people(declaration),
        _checklist(items),
        _data(audit_tables, audit_target, clean, split),
        _left_out(declaration, ledger, split),
        _model(leaderboard, ledger),
        _evaluation(evaluation),
        _money(declaration, evaluation),
        _fairness(declaration, fairness),
        _limits(declaration, split, evaluation, leaderboard, fairness),
        _cost(leaderboard, latency_ms, size_mb),
        _versions(declaration, split, leaderboard, versions or {}),
    )
    return ModelCard(title=f"Model card: {declaration.name}", sections=sections)


def _use(declaration: Declaration, verdict: Verdict) -> CardSection:
    task = declaration.task
    table = [
        ("Question", task.question or words.NOT_DECLARED),
        ("Target", task.target or words.NOT_DECLARED),
        ("Moment of decision", task.decision_time or words.NOT_DECLARED),
        ("Verdict", verdict.headline),
    ]
    outside = "Use it for this question, on rows like the ones it was judged on, and for nothing else."
    return CardSection(title="Intended use", paragraphs=(outside,), table=tuple(table))


def _people(declaration: Declaration) -> CardSection:
    people = declaration.people
    return CardSection(
        title="Who is affected, and how",
        table=(
            ("Affected", words.listed(people.affected, 20) or words.NOT_DECLARED),
            ("How they could be harmed", words.listed(people.harms, 20) or words.NOT_DECLARED),
            ("Contact", people.contact or words.NOT_DECLARED),
        ),
    )


def _checklist(items: tuple[ChecklistItem, ...]) -> CardSection:
    """What is still open stands first: it is what somebody has to do."""
    done = sum(i.status == "done" for i in items)
    rows = sorted(items, key=lambda i: i.status == "done")
    return CardSection(
        title="Release checklist",
        paragraphs=(f"{done} of {len(items)} done, {len(items) - done} open.",),
        table=tuple((i.question, f"{i.status}: {i.answer}") for i in rows),
    )


def _data(tables: AuditReport | None, target: AuditReport | None, clean: CleanLog | None, split: Split) -> CardSection:
    rows = [(t.name, f"{t.rows:,} rows, {t.columns} columns") for t in tables.tables] if tables else []
    counts = f"{split.development:,} rows to learn from, {split.holdout:,} to be judged on"
    rows.append(
        ("Division", f"{split.how}: {counts}, {split.unused:,} unused, {split.no_outcome:,} without an outcome")
    )
    if split.cutoff:
        until = f", until {split.end}" if split.end else ""
        rows.append(("Dates", f"learned from before {split.cutoff}, judged from then on{until}"))
    for name, report in (("Audit of the tables", tables), ("Audit of the target", target)):
        said = (
            f"{words.counted(len(report.issues), 'issue')}, {words.counted(len(report.tips), 'tip')}"
            if report
            else "not run"
        )
        rows.append((name, said))
    if clean is not None:
        repairs = words.counted(len(clean.entries), "repair")
        rows.append(
            ("Repairs", f"{repairs}, {words.counted(clean.cells_changed, 'cell')} changed" if clean.entries else "none")
        )
    return CardSection(title="Data", paragraphs=(split.sentence,) if split.sentence else (), table=tuple(rows))


def _left_out(declaration: Declaration, ledger: FeatureLedger | None, split: Split) -> CardSection:
    rows = list(ledger.left_out.items()) if ledger else []
    rows += [(f"check {i.code}", f"ignored by {i.who}: {i.why}") for i in declaration.audit.ignore]
    said = []
    if split.no_outcome:
        said.append(f"{words.counted(split.no_outcome, 'row')} had no outcome and could neither teach nor judge.")
    if split.unused:
        said.append(f"{words.counted(split.unused, 'row')} lie in a gap or after the end and were not used at all.")
    if not rows:
        said.append("No column was left out." if ledger else "Nobody recorded which columns were left out.")
    return CardSection(title="What was left out, and why", paragraphs=tuple(said), table=tuple(rows))


def _model(leaderboard: Leaderboard, ledger: FeatureLedger | None) -> CardSection:
    finished = sum(t.status == "ok" for t in leaderboard.trials)
    rows = [("Chosen", leaderboard.chosen or "nothing")]
    if len(leaderboard.members) > 1:
        rows.append(
            ("Members", words.listed([f"{name} ({weight:.0%})" for name, weight in leaderboard.members.items()], 12))
        )
    rows.append(
        (
            "Tried",
            f"{finished} of {len(leaderboard.trials)} candidates, {leaderboard.division}",
        )
    )
    if ledger is not None:
        rows.append(("Features", f"{len(ledger.features)}"))
    if leaderboard.band is not None:
        rows.append(("Quantiles and intervals", leaderboard.band.sentence))
    rows += [(f"Step: {r.name}", r.sentence) for r in leaderboard.ladder if r.sentence]
    return CardSection(
        title="How it was made", paragraphs=(leaderboard.reason,) if leaderboard.reason else (), table=tuple(rows)
    )


def _evaluation(evaluation: Evaluation) -> CardSection:
    rows = [
        (name.replace("_", " "), words.interval(i)) for name, i in evaluation.metrics.items() if math.isfinite(i.value)
    ]
    comparisons: list[Comparison] = [c for c in (evaluation.against_prior, evaluation.against_simple) if c is not None]
    rows += [(f"Against {c.second}", words.comparison(c)) for c in comparisons]
    if evaluation.calibration is not None and evaluation.calibration.sentence:
        rows.append(("Calibration", evaluation.calibration.sentence))
    if evaluation.threshold is not None:
        rows.append(("Threshold", evaluation.threshold.sentence or words.number(evaluation.threshold.value)))
    if evaluation.capacity is not None:
        rows.append(("Capacity", evaluation.capacity.sentence))
    said = (
        f"{evaluation.rows:,} rows that taught and tuned nothing; opened {words.counted(evaluation.openings, 'time')}"
    )
    return CardSection(
        title="Evaluation",
        paragraphs=(said + (", worn: read as optimistic." if evaluation.worn else "."),),
        table=tuple(rows),
    )


def _money(declaration: Declaration, evaluation: Evaluation) -> CardSection:
    said = [evaluation.money_sentence] if evaluation.money_sentence else []
    if not declaration.costs.declared:
        said.append("Nobody has declared what a wrong answer costs, so no amount of money is stated.")
    rows = (
        [(f"Against {c.second}", words.comparison(c)) for c in evaluation.money_against]
        if declaration.costs.declared
        else []
    )
    return CardSection(title="Money", paragraphs=tuple(said), table=tuple(rows))


def _fairness(declaration: Declaration, fairness: FairnessReport | None) -> CardSection:
    if fairness is None or not fairness.attributes:
        said = "Nobody has declared the groups to be fair to. That is not the same as being fair."
        return CardSection(title="Fairness", paragraphs=(said,))
    rows = []
    for attribute in fairness.attributes:
        thin = sum(g.thin for g in attribute.groups)
        gate = [g for g in attribute.gaps if g.measure == fairness.measure]
        said = gate[0].sentence if gate else "fewer than two groups are large enough to compare"
        rows.append(
            (attribute.attribute, said + (f" ({words.counted(thin, 'group')} too thin to tell)" if thin else ""))
        )
    limit = f"The largest gap declared acceptable is {words.number(declaration.fairness.max_gap)}."
    return CardSection(
        title="Fairness", paragraphs=tuple(s for s in (fairness.sentence, limit) if s), table=tuple(rows)
    )


def _limits(
    declaration: Declaration,
    split: Split,
    evaluation: Evaluation,
    leaderboard: Leaderboard,
    fairness: FairnessReport | None,
) -> CardSection:
    said = [
        "It knows what went together with the outcome, not what causes it: changing a fact need not change the outcome."
    ]
    if split.how == "time":
        said.append("Its numbers hold for the period it was judged on; how it does in other seasons is not known.")
    else:
        said.append("Rows were divided without regard to time: how it does on later rows is not known.")
    if not declaration.task.decision_time:
        said.append(
            "Nobody declared when the decision is taken: that every fact is known by then was searched for, not proven."
        )
    thin = sum(g.thin for a in fairness.attributes for g in a.groups) if fairness else 0
    if thin:
        said.append(f"For {words.counted(thin, 'group')} there were too few rows to say anything.")
    weak = [f"{s.name} (n={s.n:,}, loss {words.number(s.loss.value)})" for s in evaluation.slices]
    if weak:
        said.append(f"It does worse where {words.listed(weak, 5)}.")
    said += [*evaluation.notes, *leaderboard.notes]
    return CardSection(title="Limits: what it does not know", paragraphs=tuple(dict.fromkeys(said)))


def _cost(leaderboard: Leaderboard, latency_ms: float, size_mb: float) -> CardSection:
    return CardSection(
        title="What it costs to make and to run",
        table=(
            (
                "Training",
                # the record's clock stops with the refits; what the step does besides is in its own time, which is longer
                f"search and refits: {words.number(leaderboard.seconds)} s (the step train also learns bands, keeps lessons and "
                f"writes files); budget of the run: {leaderboard.budget or 'unknown'}",
            ),
            (
                "One answer",
                f"features and model, one row: {words.number(latency_ms)} ms at the 95th percentile"
                if math.isfinite(latency_ms)
                else "not measured",
            ),
            ("Model files", f"{words.number(size_mb)} MB" if math.isfinite(size_mb) else "not measured"),
        ),
    )


def _versions(
    declaration: Declaration, split: Split, leaderboard: Leaderboard, versions: Mapping[str, str]
) -> CardSection:
    rows = [
        ("Seed", str(declaration.budget.seed)),
        ("Holdout fingerprint", split.holdout_fingerprint[:16] or "not recorded"),
    ]
    rows += [(name, versions[name]) for name in sorted(versions)]
    replays = "Same data, declaration, versions and seed give the same model under a budget of trials"
    clock = "" if leaderboard.budget.startswith("trials") else "; this one was made under a clock"
    return CardSection(title="Versions", paragraphs=(f"{replays}{clock}.",), table=tuple(rows))
