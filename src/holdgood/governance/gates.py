"""The gates: one function a condition; each says what was required, what was observed, and how it ended."""

from __future__ import annotations

import math

from holdgood.core.declaration import Declaration
from holdgood.core.records import AuditReport, Evaluation, FairnessReport, FeatureLedger, Gate, Interval, Leaderboard
from holdgood.governance import words

_THE_PRIOR = "the model chosen is the prior itself: nothing was proven better"
LATE_CHECKS = ("AUD014", "AUD015")
"""The checks that can prove that a fact is known too late; where one did not run, nothing is proven either way."""


def beats_prior(evaluation: Evaluation, leaderboard: Leaderboard) -> Gate:
    """Proven better than answering the prior for every row; where the budget let nothing but the prior be judged, it says that instead."""
    required = "proven better than the prior on the holdout"
    comparison = evaluation.against_prior
    if comparison is None:
        return Gate(
            name="beats the prior",
            status="open",
            required=required,
            observed="not compared",
            sentence="nobody compared it with the prior",
        )
    passed = comparison.verdict == "better"
    failed = leaderboard.too_short or "not proven better than the prior"
    return Gate(
        name="beats the prior",
        status="passed" if passed else "failed",
        required=required,
        observed=_THE_PRIOR if leaderboard.chosen == "prior" else words.comparison(comparison),
        sentence="proven better than the prior" if passed else failed,
    )


def calibration(limit: float, evaluation: Evaluation) -> Gate:
    """Stated chances are near observed ones; an interval that straddles the limit leaves the gate open."""
    name, required = "calibration", f"calibration error at most {words.number(limit)}, the whole interval"
    if evaluation.calibration is None or math.isnan(evaluation.calibration.error.value):
        return Gate(
            name=name,
            status="open",
            required=required,
            observed="not measured",
            sentence="calibration was not measured",
        )
    error = evaluation.calibration.error
    if error.high <= limit:
        return Gate(
            name=name,
            status="passed",
            required=required,
            observed=words.interval(error),
            sentence="well enough calibrated",
        )
    if error.low > limit:
        sentence = f"calibration error {words.number(error.value)} is above {words.number(limit)}"
        return Gate(name=name, status="failed", required=required, observed=words.interval(error), sentence=sentence)
    sentence = f"too few rows to tell whether the calibration error is below {words.number(limit)}"
    return Gate(name=name, status="open", required=required, observed=words.interval(error), sentence=sentence)


def metric_floor(limit: float, higher_is_better: bool, evaluation: Evaluation) -> Gate:
    """The declared metric reaches its floor with the near end of its interval."""
    side = "at least" if higher_is_better else "at most"
    name, required = evaluation.metric, f"{evaluation.metric} {side} {words.number(limit)}, the whole interval"
    found: Interval | None = evaluation.metrics.get(evaluation.metric)
    if found is None or math.isnan(found.value):
        return Gate(
            name=name, status="open", required=required, observed="not measured", sentence=f"{name} was not measured"
        )
    near = found.low if higher_is_better else found.high
    passed = near >= limit if higher_is_better else near <= limit
    sentence = f"{name} {'reaches' if passed else 'is not proven to reach'} {words.number(limit)}"
    return Gate(
        name=name,
        status="passed" if passed else "failed",
        required=required,
        observed=words.interval(found),
        sentence=sentence,
    )


def fast_enough(limit: float, latency_ms: float, budget: str) -> Gate:
    """One row answered within the limit, features and model together.

    A clock says something about one machine on one day. Under a budget of trials, where a run has to replay to the bit,
    it decides nothing against the model: a slower time leaves the gate open.
    """
    name, required = "latency", f"features and model, one row: at most {words.number(limit)} ms"
    if not math.isfinite(latency_ms):
        return Gate(
            name=name, status="open", required=required, observed="not measured", sentence="latency was not measured"
        )
    observed = f"features and model: {words.number(latency_ms)} ms a row"
    sentence = f"features and model take {words.number(latency_ms)} ms a row"
    if latency_ms <= limit:
        sentence += f", within {words.number(limit)} ms"
        return Gate(name=name, status="passed", required=required, observed=observed, sentence=sentence)
    sentence += f", above {words.number(limit)} ms"
    if budget.startswith("trials"):
        observed, sentence = f"{observed}, measured once on this machine", f"{sentence}, measured once on this machine"
        return Gate(name=name, status="open", required=required, observed=observed, sentence=sentence)
    return Gate(name=name, status="failed", required=required, observed=observed, sentence=sentence)


def small_enough(limit: float, size_mb: float) -> Gate:
    """The model files stay below their limit."""
    name, required = "size", f"model files of at most {words.number(limit)} MB"
    if not math.isfinite(size_mb):
        return Gate(
            name=name, status="open", required=required, observed="not measured", sentence="size was not measured"
        )
    passed = size_mb <= limit
    observed = f"model files of {words.number(size_mb)} MB"
    sentence = f"{observed}, {'within' if passed else 'above'} {words.number(limit)} MB"
    return Gate(
        name=name, status="passed" if passed else "failed", required=required, observed=observed, sentence=sentence
    )


def fair(limit: float, fairness: FairnessReport | None) -> Gate:
    """No proven gap on the gate's measure; groups nobody declared and gaps nobody can tell leave the gate open."""
    measure = fairness.measure.replace("_", " ") if fairness and fairness.measure else "the measure"
    name, required = "fairness", f"gaps of {measure} between groups at most {words.number(limit)}, the whole interval"
    if fairness is None or not fairness.attributes:
        sentence = "nobody has declared the groups to be fair to"
        return Gate(name=name, status="open", required=required, observed="no groups declared", sentence=sentence)
    gaps = [(a.attribute, g) for a in fairness.attributes for g in a.gaps if g.measure == fairness.measure]
    told = {attribute for attribute, _ in gaps}
    untold = [a.attribute for a in fairness.attributes if a.attribute not in told]
    proven = [a for a, g in gaps if g.verdict == "gap"]
    unclear = [a for a, g in gaps if g.verdict == "cannot tell"] + untold
    observed = "; ".join(f"{a}: {words.interval(g.largest)}, {g.verdict}" for a, g in gaps) or "every group is too thin"
    if proven:
        sentence = f"proven gap in {measure} between groups of {words.listed(proven)}"
        return Gate(name=name, status="failed", required=required, observed=observed, sentence=sentence)
    if unclear:
        sentence = f"cannot tell whether gaps in {measure} are acceptable for {words.listed(unclear)}"
        return Gate(name=name, status="open", required=required, observed=observed, sentence=sentence)
    return Gate(name=name, status="passed", required=required, observed=observed, sentence="no gap above the limit")


def no_late_facts(
    declaration: Declaration,
    audit_tables: AuditReport | None,
    audit_target: AuditReport | None,
    ledger: FeatureLedger | None,
) -> Gate:
    """No column that the audit proved to be known too late feeds a feature; finding one and leaving it out passes."""
    name, required = "no late facts", "no column known only after the decision is used as a feature"
    reports = [r for r in (audit_tables, audit_target) if r is not None]
    looked = [o for r in reports for o in r.outcomes if o.code in LATE_CHECKS]
    late = list(dict.fromkeys(pair for r in reports for pair in r.late))
    if not looked or any(o.status == "skipped" for o in looked):
        sentence = "nobody has looked for facts that are known too late"
        return Gate(name=name, status="open", required=required, observed="the check did not run", sentence=sentence)
    if ledger is None:
        kept = late if not declaration.audit.exclude_late else []
    else:
        used = {origin for feature in ledger.features for origin in feature.origin}
        kept = [(t, c) for t, c in late if f"{t}.{c}" in used]
    accepted = [
        f"{o.code} ignored by {o.ignored_by}: {o.reason}" for o in looked if o.status == "ignored" and o.ignored_by
    ]
    found = words.counted(len(late), "late column") + " found" + "".join(f"; {a}" for a in accepted)
    if kept:
        names = words.listed([f"{t}.{c}" for t, c in kept])
        return Gate(
            name=name,
            status="failed",
            required=required,
            observed=f"{found}; used: {names}",
            sentence=f"late facts are used: {names}",
        )
    observed = f"{found}, none used" if late else found
    return Gate(name=name, status="passed", required=required, observed=observed, sentence="no late fact is used")


def fresh_holdout(evaluation: Evaluation) -> Gate:
    """The holdout was not looked at so often that its numbers flatter. New rows, as from a pilot, close a worn one."""
    name, required = "fresh holdout", "a holdout that few have looked at"
    observed = f"opened {words.counted(evaluation.openings, 'time')}"
    if evaluation.openings == 0:
        said = "no holdout: outer folds judged the whole procedure"
        return Gate(name=name, status="passed", required=required, observed=said, sentence=said)
    if evaluation.worn:
        sentence = f"the holdout is worn ({observed}); its numbers need new rows to confirm them"
        return Gate(name=name, status="open", required=required, observed=observed, sentence=sentence)
    return Gate(
        name=name, status="passed", required=required, observed=observed, sentence=f"the holdout was {observed}"
    )


def costs_declared(declaration: Declaration) -> Gate:
    """Somebody said what right and wrong cost."""
    name, required = "costs declared", "what each outcome costs, in money"
    if declaration.costs.declared:
        return Gate(name=name, status="passed", required=required, observed="declared", sentence="costs are declared")
    sentence = "nobody has declared what a wrong answer costs"
    return Gate(name=name, status="open", required=required, observed="assumed, all errors alike", sentence=sentence)


def people_declared(declaration: Declaration) -> Gate:
    """Somebody said who is affected and how they could be harmed."""
    name, required = "people declared", "who is affected, and how they could be harmed"
    people = declaration.people
    if people.affected and people.harms:
        observed = f"affected: {words.listed(people.affected)}; harms: {words.listed(people.harms)}"
        return Gate(
            name=name, status="passed", required=required, observed=observed, sentence="people and harms are declared"
        )
    missing = "who is affected" if not people.affected else "how people could be harmed"
    return Gate(
        name=name, status="open", required=required, observed="not declared", sentence=f"nobody has said {missing}"
    )


def signed(declaration: Declaration) -> Gate:
    """Somebody put their name under the release checklist."""
    name, required = "checklist signed", "a name under the release checklist"
    who = declaration.gates.signed_by.strip()
    if who:
        return Gate(
            name=name, status="passed", required=required, observed=f"signed by {who}", sentence=f"signed by {who}"
        )
    return Gate(
        name=name,
        status="open",
        required=required,
        observed="no signature: set signed_by under [gates]",
        sentence="nobody has signed the checklist",
    )
