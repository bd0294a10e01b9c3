"""What the terminal shows: names with square brackets are names, not commands."""

import math

import pytest

from holdgood.cli import app, draw
from holdgood.cli.findings import audit_text, repairs_text
from holdgood.core.budget import Budget
from holdgood.core.errors import DataError
from holdgood.core.events import Event
from holdgood.core.records import AuditReport, FairnessReport, Finding, Leaderboard, Outcome, TableSummary, Verdict
from holdgood.core.records.audit import Proposal
from holdgood.core.records.common import Interval
from holdgood.core.records.fairness import Gap, GroupReport
from holdgood.core.records.leaderboard import Rung, Trial
from holdgood.core.records.verdict import Gate

ODD = ["weight [kg]", "rate [/min]", "[red]x[/red]", "a\\[b]", "[/]"]
SCORE = Interval(value=0.5, low=0.4, high=0.6)


@pytest.mark.parametrize("name", ODD)
def test_grids_lines_and_errors_print_what_they_are_given(name, capsys):
    draw.rows_text([name, "missing"], [[name, "1 %"], ["plain", name]])
    draw.out.print(f" left out {name}: why", style="dim")
    draw.status_line(1, "title", "done", name, name)
    assert capsys.readouterr().out.count(name) == 6
    with pytest.raises(SystemExit) as ended:
        app._fail(DataError(f"no column {name}", name, name))
    assert ended.value.code == 3
    assert capsys.readouterr().err.count(name) == 3


@pytest.mark.parametrize("name", ODD)
def test_records_print_what_they_hold(name, capsys):
    proposal = Proposal(repair="drop", table=name, cells=3)
    finding = Finding(
        code="AUD007", title=name, level="issue", severity="high", table=name, message=name, proposal=proposal
    )
    passed = Outcome(code="AUD001", title="t", scope="tables", status="skipped", reason=name)
    found = Outcome(code="AUD007", title="t", scope="tables", status="issue", findings=(finding, finding))
    audit = AuditReport(scope="tables", tables=(TableSummary(name=name, rows=3, columns=2),), outcomes=(found, passed))
    audit_text([audit], every=True)
    assert capsys.readouterr().out.count(name) == 6
    repairs_text(audit)
    told = capsys.readouterr().out
    assert name in told
    assert told.count("\n") == 1, "two findings of one code and table are one command"
    assert "(6 cells)" in told
    rung = Rung(name=name, trial="t", family="f", score=SCORE, sentence=name)
    draw.ladder_text(
        Leaderboard(metric="m", higher_is_better=True, trials=(), ladder=(rung,), chosen=name, reason=name)
    )
    assert capsys.readouterr().out.count(name) == 4
    gap = Gap(measure="m", largest=SCORE, sentence=name)
    draw.fairness_text(FairnessReport(attributes=(GroupReport(attribute=name, groups=(), gaps=(gap,)),)))
    assert capsys.readouterr().out.count(name) == 2
    gate = Gate(name=name, status="open", required="r", observed=name)
    draw.verdict_text(Verdict(status="not ready", headline=name, sentences=(name,), gates=(gate,)))
    assert capsys.readouterr().out.count(name) == 4


def test_an_interval_that_one_fold_alone_cannot_tell_is_no_nan(capsys):
    alone = Interval(value=0.5, low=math.nan, high=math.nan)
    trial = Trial(name="a", family="a", rung=0, status="ok", score=alone)
    rung = Rung(name="a", trial="a", family="a", score=alone)
    board = Leaderboard(metric="m", higher_is_better=True, trials=(trial,), ladder=(rung,), chosen="a")
    draw.ladder_text(board)
    draw.trials_text(board)
    told = capsys.readouterr().out
    assert told.count("0.5000") == 2
    assert "nan" not in told


def test_without_a_terminal_what_runs_is_told_now_and_then(capsys, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(draw.time, "monotonic", lambda: clock[0])
    with draw.Progress() as progress:
        for second in range(600):
            clock[0] = 100.0 + second
            progress(Event("candidate", "train", f"second {second}", 0.25, "linear 0.4", 30.0))
        clock[0] += 5.0
        progress(Event("step-done", "train", numbers={"seconds": 605.0}))
        progress(Event("step-start", "evaluate"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "  … train · second 10 · 25% · best so far linear 0.4 · about 30 s left"
    assert lines[1].startswith("  … train · second 20 ") and 10 < len(lines) < 35
    assert lines[-1].split() == ["✓", "train", "605.0", "s"]
    with draw.Progress(quiet=True) as progress:
        clock[0] += 1_000.0
        progress(Event("candidate", "train", "unheard"))
    assert capsys.readouterr().err == ""


def test_a_run_begins_with_what_its_budget_bounds(capsys):
    with draw.Progress() as progress:
        progress(Event("note", "run", Budget.parse("30s").bounds))
        progress(Event("note", "train", "a note of a step is no line of its own"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("  budget 30s: training gets what the other steps leave of it")
    assert "trials=20: bounds training" in Budget.parse("trials=20").bounds
