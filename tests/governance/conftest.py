import pytest

from holdgood.core.declaration import Costs, Declaration, FairnessSpec, GateSpec, People, TaskSpec
from holdgood.core.records import (
    AuditReport,
    Calibration,
    Comparison,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Finding,
    Gap,
    GroupReport,
    GroupResult,
    Interval,
    Leaderboard,
    LedgerEntry,
    Outcome,
    Rung,
    Split,
    TableSummary,
    Trial,
)


def interval(value, half=0.01, n=1000):
    return Interval(value=value, low=value - half, high=value + half, n=n)


@pytest.fixture
def declaration():
    """Everything that can be declared is declared, and signed."""
    return Declaration(
        name="flights",
        task=TaskSpec(target="late", question="Which flights will be late?", decision_time="departure - 2h"),
        costs=Costs(miss=300, false_alarm=40, currency="€"),
        people=People(affected=["passengers"], harms=["a needless warning"], contact="ops desk"),
        fairness=FairnessSpec(groups=["site"]),
        gates=GateSpec(signed_by="A. Person"),
    )


@pytest.fixture
def split():
    return Split(
        how="time",
        table="t",
        development=9000,
        holdout=3000,
        unused=10,
        no_outcome=7,
        cutoff="2013-07-01",
        end="2013-09-01",
        holdout_fingerprint="abcdef0123456789abcdef",
    )


@pytest.fixture
def leaderboard():
    rungs = (
        Rung(name="prior", trial="prior", family="prior", score=interval(0.5), taken=True),
        Rung(
            name="linear",
            trial="l",
            family="linear",
            score=interval(0.4),
            taken=True,
            sentence="prior → linear +€29,100, yes",
        ),
        Rung(
            name="forest",
            trial="f",
            family="forest",
            score=interval(0.4),
            sentence="linear → forest +€1,900, not proven.",
        ),
    )
    return Leaderboard(
        metric="log_loss",
        higher_is_better=False,
        trials=(Trial(name="l", family="linear", rung=1, status="ok"),),
        ladder=rungs,
        chosen="linear",
        seconds=12.0,
        budget="60s",
        folds=5,
        fold_kind="time",
        reason="linear is enough",
    )


@pytest.fixture
def evaluation():
    return Evaluation(
        rows=3000,
        metric="log_loss",
        metrics={"log_loss": interval(0.4)},
        baselines={"prior": {"log_loss": interval(0.5)}},
        against_prior=Comparison(
            first="the model", second="the prior", difference=0.1, low=0.08, high=0.12, n=3000, verdict="better"
        ),
        calibration=Calibration(
            stated=(0.1,), observed=(0.1,), low=(0.0,), high=(0.2,), counts=(3000,), error=interval(0.02)
        ),
        money_sentence="At your costs it would have saved €41,200 a month.",
        openings=1,
        notes=("Intervals: blocks of 4 days.",),
    )


@pytest.fixture
def fairness():
    gap = Gap(
        measure="true_positive_rate", largest=interval(0.03), between=("A", "B"), verdict="within", sentence="tpr: fine"
    )
    groups = (
        GroupResult(name="A", n=2000),
        GroupResult(name="B", n=990),
        GroupResult(name="C", n=10, thin=True, rows_needed=400),
    )
    return FairnessReport(
        attributes=(GroupReport(attribute="site", groups=groups, gaps=(gap,)),),
        measure="true_positive_rate",
        rows=3000,
        sentence="Fairness (true positive rate): within the limit for site.",
    )


@pytest.fixture
def audit():
    late = Finding(
        code="AUD014",
        title="late facts",
        level="issue",
        severity="high",
        table="t",
        columns=("arrived",),
        message="late",
        late=True,
    )
    return AuditReport(
        scope="target",
        tables=(TableSummary(name="t", rows=12007, columns=9),),
        outcomes=(
            Outcome(code="AUD014", title="late facts", scope="target", status="issue", findings=(late,)),
            Outcome(code="AUD015", title="leaks", scope="target", status="passed"),
        ),
    )


@pytest.fixture
def ledger():
    return FeatureLedger(
        features=(LedgerEntry(name="hour", type="number", builder="dates", origin=("t.scheduled",)),),
        left_out={"t.arrived": "known only after the decision"},
    )


@pytest.fixture
def records(split, leaderboard, evaluation, fairness, audit, ledger):
    return {
        "audit_tables": audit.model_copy(update={"scope": "tables", "outcomes": ()}),
        "audit_target": audit,
        "split": split,
        "leaderboard": leaderboard,
        "evaluation": evaluation,
        "fairness": fairness,
        "ledger": ledger,
        "latency_ms": 2.0,
        "size_mb": 1.8,
    }
