"""Judge: gates first, then the verdict in one line, then what it brings in money and what complexity was worth."""

from __future__ import annotations

import math

from holdgood.core.declaration import Declaration
from holdgood.core.records import (
    AuditReport,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Gate,
    Leaderboard,
    Split,
    Verdict,
)
from holdgood.governance import gates, words

SHORT = "; the model delivered is not the full refit"
WIDER = "With a larger --budget it can learn from all of them."


def judge(
    declaration: Declaration,
    *,
    audit_tables: AuditReport | None,
    audit_target: AuditReport | None,
    split: Split,
    leaderboard: Leaderboard,
    evaluation: Evaluation,
    fairness: FairnessReport | None,
    latency_ms: float,
    size_mb: float,
    ledger: FeatureLedger | None = None,
) -> Verdict:
    """All gates and the verdict.

    ``latency_ms``: one row through features and model, at the 95th percentile; ``size_mb``: the model's files on disk;
    NaN where nobody measured.
    ``ready``: all gates passed; ``ready to pilot``: none failed, some open; ``not ready``: at least one failed.
    A gate that the declaration switches off is not listed.
    """
    spec = declaration.gates
    found: list[Gate] = []
    if spec.beats_prior:
        found.append(gates.beats_prior(evaluation, leaderboard))
    if spec.min_metric is not None:
        found.append(gates.metric_floor(spec.min_metric, leaderboard.higher_is_better, evaluation))
    if spec.max_calibration_error is not None:
        found.append(gates.calibration(spec.max_calibration_error, evaluation))
    if spec.no_late_facts:
        found.append(gates.no_late_facts(declaration, audit_tables, audit_target, ledger))
    if spec.fairness:
        found.append(gates.fair(declaration.fairness.max_gap, fairness))
    if spec.max_latency_ms is not None:
        found.append(gates.fast_enough(spec.max_latency_ms, latency_ms, leaderboard.budget))
    if spec.max_size_mb is not None:
        found.append(gates.small_enough(spec.max_size_mb, size_mb))
    found.append(gates.fresh_holdout(evaluation))
    found.append(gates.costs_declared(declaration))
    found.append(gates.people_declared(declaration))
    found.append(gates.signed(declaration))
    failed = [g for g in found if g.status == "failed"]
    open_ = [g for g in found if g.status == "open"]
    status = "not ready" if failed else "ready to pilot" if open_ else "ready"
    issues = len(audit_tables.issues) if audit_tables is not None and not declaration.repairs else 0
    return Verdict(
        status=status,
        headline=_headline(status, failed, open_, len(found)) + (SHORT if leaderboard.shortfall else ""),
        sentences=_sentences(split, leaderboard, evaluation, fairness, issues),
        gates=tuple(found),
    )


def _headline(status: str, failed: list[Gate], open_: list[Gate], total: int) -> str:
    if not failed and not open_:
        return f"{status}, all {total} gates passed"
    parts = [status]
    if failed:
        parts.append(f"{words.counted(len(failed), 'gate')} failed ({'; '.join(g.sentence for g in failed)})")
    if open_:
        noun = f"{len(open_)}" if failed else words.counted(len(open_), "gate")
        parts.append(f"{noun} open ({'; '.join(g.sentence for g in open_)})")
    return ", ".join(parts)


def _sentences(
    split: Split, leaderboard: Leaderboard, evaluation: Evaluation, fairness: FairnessReport | None, issues: int
) -> tuple[str, ...]:
    short = leaderboard.shortfall
    if short and not leaderboard.budget.startswith("trials"):
        short = f"{short} {WIDER}"
    said = [short, evaluation.money_sentence, _headline_metric(split, evaluation), *_ladder(leaderboard)]
    if issues:
        said.append(
            f"The audit found {words.counted(issues, 'issue')} in the tables and no repair is declared: "
            "holdgood show audit, then [[repairs]] in the declaration."
        )
    if evaluation.worn:
        said.append(
            f"The holdout was opened {words.counted(evaluation.openings, 'time')}: read its numbers as optimistic."
        )
    if fairness is not None and fairness.sentence:
        said.append(fairness.sentence)
    return tuple(s for s in said if s)


def _headline_metric(split: Split, evaluation: Evaluation) -> str:
    found = evaluation.metrics.get(evaluation.metric)
    if found is None or math.isnan(found.value):
        return ""
    kind = "rows in outer folds" if split.outer else "holdout rows"
    where = f"{evaluation.rows:,} {kind}" + (f" from {split.cutoff} on" if split.cutoff else "")
    sentence = f"On {where}: {evaluation.metric.replace('_', ' ')} {words.interval(found)}"
    prior = evaluation.baselines.get("prior", {}).get(evaluation.metric)
    return sentence + (f", the prior {words.number(prior.value)}." if prior is not None else ".")


def _ladder(leaderboard: Leaderboard) -> list[str]:
    """How many steps up the ladder were worth it, then a line for each."""
    steps = leaderboard.ladder[1:]
    if not steps:
        return []
    worth = sum(step.taken for step in steps)
    noun = "step" if len(steps) == 1 else "steps"
    # only where each is taken for a gain that is proven and worth its cost does a step that is taken say so
    how = "worth climbing" if leaderboard.prefer == "balanced" else "taken"
    head = f"{worth} of {len(steps)} {noun} up the ladder {'was' if worth == 1 else 'were'} {how}"
    each = [f"– {step.sentence.rstrip('.')}" for step in steps if step.sentence]
    return [f"{head}{':' if each else '.'}", *each]
