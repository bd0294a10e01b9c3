import math

import pytest

from holdgood.core.declaration import Costs, GateSpec, People
from holdgood.core.records import Comparison, Interval, Outcome
from holdgood.governance import judge


def gate(verdict, name):
    return next(g for g in verdict.gates if g.name == name)


def change(record, **more):
    return record.model_copy(update=more)


def test_everything_in_order_is_ready(declaration, records):
    verdict = judge(declaration, **records)
    assert verdict.status == "ready"
    assert verdict.headline == f"ready, all {len(verdict.gates)} gates passed"
    assert all(g.required and g.observed and g.sentence for g in verdict.gates)


def test_an_unsigned_checklist_leaves_one_gate_open(declaration, records):
    verdict = judge(change(declaration, gates=GateSpec()), **records)
    assert verdict.status == "ready to pilot"
    assert verdict.headline == "ready to pilot, 1 gate open (nobody has signed the checklist)"


def test_sentences_begin_with_money_and_count_the_ladder(declaration, records):
    money, metric, ladder, first, second, fairness = judge(declaration, **records).sentences
    assert "€41,200 a month" in money
    assert (
        metric == "On 3,000 holdout rows from 2013-07-01 on: log loss 0.4 (95%: 0.39 to 0.41, n=1,000), the prior 0.5."
    )
    assert ladder == "1 of 2 steps up the ladder was worth climbing:"
    assert first.startswith("– prior → linear +€29,100, yes")
    assert second.startswith("– linear")
    assert fairness.startswith("Fairness")
    best = change(records["leaderboard"], prefer="best")  # its choice need not be proven over the rung below
    assert "1 of 2 steps up the ladder was taken:" in judge(declaration, **records | {"leaderboard": best}).sentences


def test_not_better_than_the_prior_fails(declaration, records):
    same = Comparison(first="the model", second="the prior", difference=0.0, low=-0.1, high=0.1, n=9)
    verdict = judge(declaration, **records | {"evaluation": change(records["evaluation"], against_prior=same)})
    assert verdict.status == "not ready"
    assert verdict.headline == "not ready, 1 gate failed (not proven better than the prior)"
    itself = change(records["leaderboard"], chosen="prior")
    told = judge(
        declaration,
        **records | {"evaluation": change(records["evaluation"], against_prior=same), "leaderboard": itself},
    )
    assert gate(told, "beats the prior").observed == ("the model chosen is the prior itself: nothing was proven better")
    # where nothing but the prior was judged nobody knows what the data hold: more time is asked for instead
    board = change(records["leaderboard"], budget="20s", only_prior=True)
    alone = judge(
        declaration,
        **records | {"evaluation": change(records["evaluation"], against_prior=same), "leaderboard": board},
    )
    assert alone.status == "not ready"
    assert gate(alone, "beats the prior").sentence == (
        "only the prior was reached within the budget of 20s, nothing else was judged: run again with a larger budget"
    )
    none = judge(declaration, **records | {"evaluation": change(records["evaluation"], against_prior=None)})
    assert gate(none, "beats the prior").status == "open"


@pytest.mark.parametrize(
    ("value", "low", "high", "status"),
    [
        (0.02, 0.0, 0.09, "passed"),
        (0.08, 0.0, 0.2, "open"),
        (0.15, 0.05, 0.2, "open"),
        (0.15, 0.11, 0.2, "failed"),
        (math.nan, 0, 0, "open"),
    ],
)
def test_calibration_by_its_whole_interval(declaration, records, value, low, high, status):
    evaluation = records["evaluation"]
    error = Interval(value=value, low=low, high=high, n=10)
    evaluation = change(evaluation, calibration=change(evaluation.calibration, error=error))
    assert gate(judge(declaration, **records | {"evaluation": evaluation}), "calibration").status == status


@pytest.mark.parametrize(
    ("floor", "higher", "status"), [(0.45, False, "passed"), (0.405, False, "failed"), (0.3, True, "passed")]
)
def test_the_metric_floor_looks_at_the_near_end(declaration, records, floor, higher, status):
    wanted = change(declaration, gates=GateSpec(min_metric=floor))
    board = change(records["leaderboard"], higher_is_better=higher)
    assert gate(judge(wanted, **records | {"leaderboard": board}), "log_loss").status == status


@pytest.mark.parametrize(("ms", "status"), [(49.0, "passed"), (51.0, "failed"), (math.nan, "open")])
def test_latency_and_size(declaration, records, ms, status):
    assert gate(judge(declaration, **records | {"latency_ms": ms}), "latency").status == status
    assert gate(judge(declaration, **records | {"size_mb": ms * 4}), "size").status == status


def test_latency_and_size_say_what_was_measured(declaration, records):
    verdict = judge(declaration, **records | {"latency_ms": 60.0, "size_mb": 3.2})
    assert gate(verdict, "latency").sentence == "features and model take 60 ms a row, above 50 ms"
    assert gate(verdict, "size").sentence == "model files of 3.2 MB, within 200 MB"


def test_under_a_work_budget_a_slow_clock_decides_nothing(declaration, records):
    """A run that replays to the bit must not end as failed on a slower machine."""
    board = change(records["leaderboard"], budget="trials=40")
    slow = judge(declaration, **records | {"leaderboard": board, "latency_ms": 60.0})
    assert gate(slow, "latency").status == "open"
    assert gate(slow, "latency").sentence.endswith("above 50 ms, measured once on this machine")
    assert slow.status == "ready to pilot"
    fast = judge(declaration, **records | {"leaderboard": board, "latency_ms": 40.0})
    assert gate(fast, "latency").status == "passed"


@pytest.mark.parametrize(("verdict", "status"), [("within", "passed"), ("cannot tell", "open"), ("gap", "failed")])
def test_fairness_follows_the_gap(declaration, records, verdict, status):
    fairness = records["fairness"]
    report = fairness.attributes[0]
    changed = change(fairness, attributes=(change(report, gaps=(change(report.gaps[0], verdict=verdict),)),))
    assert gate(judge(declaration, **records | {"fairness": changed}), "fairness").status == status


def test_silence_is_not_fair(declaration, records):
    fairness = records["fairness"]
    for silent in (
        None,
        change(fairness, attributes=()),
        change(fairness, attributes=(change(fairness.attributes[0], gaps=()),)),
    ):
        assert gate(judge(declaration, **records | {"fairness": silent}), "fairness").status == "open"


def test_late_facts_that_are_left_out_pass_and_used_ones_fail(declaration, records, ledger):
    found = gate(judge(declaration, **records), "no late facts")
    assert found.status == "passed"
    assert found.observed == "1 late column found, none used"
    used = change(ledger, features=(*ledger.features, change(ledger.features[0], origin=("t.arrived",))))
    failed = gate(judge(declaration, **records | {"ledger": used}), "no late facts")
    assert failed.status == "failed"
    assert "t.arrived" in failed.sentence


def test_late_facts_that_nobody_looked_for_leave_the_gate_open(declaration, records, audit):
    assert gate(judge(declaration, **records | {"audit_target": None}), "no late facts").status == "open"
    skipped = change(
        audit, outcomes=(Outcome(code="AUD014", title="late", scope="target", status="skipped", reason="time"),)
    )
    assert gate(judge(declaration, **records | {"audit_target": skipped}), "no late facts").status == "open"


def test_without_a_ledger_the_declaration_decides(declaration, records):
    assert gate(judge(declaration, **records | {"ledger": None}), "no late facts").status == "passed"
    kept = change(declaration, audit=change(declaration.audit, exclude_late=False))
    assert gate(judge(kept, **records | {"ledger": None}), "no late facts").status == "failed"


def test_an_ignored_check_names_who_ignored_it(declaration, records, audit):
    ignored = Outcome(
        code="AUD014",
        title="late",
        scope="target",
        status="ignored",
        reason="known from the plan",
        ignored_by="B. Person",
    )
    report = change(audit, outcomes=(ignored, audit.outcomes[1]))
    found = gate(judge(declaration, **records | {"audit_target": report}), "no late facts")
    assert found.status == "passed"
    assert "ignored by B. Person: known from the plan" in found.observed


def test_what_nobody_declared_is_open(declaration, records):
    bare = change(declaration, costs=Costs(), people=People())
    verdict = judge(bare, **records)
    assert gate(verdict, "costs declared").status == "open"
    assert gate(verdict, "people declared").sentence == "nobody has said who is affected"
    half = judge(change(declaration, people=People(affected=["x"])), **records)
    assert gate(half, "people declared").sentence == "nobody has said how people could be harmed"


def test_a_worn_holdout_is_open_and_said(declaration, records):
    worn = change(records["evaluation"], openings=9, worn=True)
    verdict = judge(declaration, **records | {"evaluation": worn})
    assert gate(verdict, "fresh holdout").status == "open"
    assert any("opened 9 times" in s for s in verdict.sentences)


def test_gates_that_are_switched_off_are_not_listed(declaration, records):
    off = GateSpec(
        beats_prior=False,
        max_calibration_error=None,
        max_latency_ms=None,
        max_size_mb=None,
        fairness=False,
        no_late_facts=False,
    )
    names = [g.name for g in judge(change(declaration, gates=off), **records).gates]
    assert names == ["fresh holdout", "costs declared", "people declared", "checklist signed"]


def test_failed_and_open_are_both_counted(declaration, records):
    verdict = judge(change(declaration, gates=GateSpec()), **records | {"latency_ms": 900.0, "size_mb": 900.0})
    assert verdict.headline.startswith(
        "not ready, 2 gates failed (features and model take 900 ms a row, above 50 ms; model files"
    )
    assert verdict.headline.endswith("1 open (nobody has signed the checklist)")


@pytest.mark.parametrize(("budget", "advised"), [("60s", True), ("trials=9", False)])
def test_a_model_that_is_not_the_full_refit_is_said_first(declaration, records, budget, advised):
    short = (
        "What is delivered was not refitted on all rows as wanted, but is fitted on 70 of 100 rows: the time was up."
    )
    records["leaderboard"] = change(records["leaderboard"], shortfall=short, budget=budget)
    verdict = judge(declaration, **records)
    assert verdict.headline.endswith("; the model delivered is not the full refit")
    assert verdict.sentences[0].startswith(short)
    assert ("--budget" in verdict.sentences[0]) == advised
