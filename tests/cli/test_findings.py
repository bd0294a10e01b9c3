"""The audit in the terminal: three findings, counts that agree, long names cut on a screen and whole in a pipe."""

import io

import pytest
from rich.console import Console

from holdgood.cli import findings
from holdgood.core.records import AuditReport, Finding, Outcome, TableSummary
from holdgood.core.records.audit import Proposal

LONG = "measurement_" * 9


def a_report(n=5, **more):
    found = [
        Finding(
            code=f"AUD00{i}", title="a title", level="issue", severity="high", table="t", columns=(f"c{i}",),
            message=f"`{LONG}` number {i} holds what it should not hold, and that at length", examples=(4, 5, 6),
            proposal=Proposal(repair="r", table="t", cells=10), **more,
        )
        for i in range(n)
    ]  # fmt: skip
    outcomes = tuple(
        Outcome(code=f.code, title="a title", scope="tables", status="issue", findings=(f,)) for f in found
    )
    return AuditReport(
        scope="tables", tables=(TableSummary(name="t", source="t.csv", rows=9, columns=2),), outcomes=outcomes
    )


def test_three_are_shown_the_rest_counted_and_every_line_agrees(capsys):
    findings.audit_text([a_report()], seconds=1.94)
    said = capsys.readouterr().out
    assert "t.csv · 9 rows · 2 columns · 1.9 s" in said
    assert said.count(" issue ") == 3
    assert "and 2 more (--all shows them)" in said
    assert "5 of 5 checks found 5 things: 5 issues · 0 passed" in said
    assert "[rows 5 to 7" in said
    assert said.count("counted from 1") == 1
    findings.audit_text([a_report()], every=True)
    said = capsys.readouterr().out
    assert said.count(" issue ") == 5
    assert "high severity, 2 more" in said


def test_how_sure_is_said_where_it_is_not_certain(capsys):
    findings.audit_text([a_report(1, sure="possible")])
    assert "at length (possible)" in capsys.readouterr().out


def test_many_repairs_are_one_command(capsys):
    findings.repairs_text(a_report(5))
    assert capsys.readouterr().out == (
        " repair: holdgood clean t.csv --apply all   (50 cells by 5 repairs; --preview shows them first)\n"
    )
    findings.repairs_text(a_report(2))
    assert "holdgood clean t.csv --apply AUD000 --apply AUD001   (20 cells)" in capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 132])
def test_on_a_screen_lines_fit_and_long_names_are_cut(monkeypatch, width):
    file = io.StringIO()
    screen = Console(file=file, force_terminal=True, width=width, highlight=False, markup=False, color_system=None)
    monkeypatch.setattr(findings, "out", screen)
    findings.audit_text([a_report(3)])
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert LONG not in file.getvalue()
    assert "measurement_measurem…" in file.getvalue()


def test_in_a_pipe_a_finding_is_one_whole_line(capsys):
    findings.audit_text([a_report(1)])
    assert sum(LONG in line for line in capsys.readouterr().out.splitlines()) == 1


def test_the_next_decision_is_a_command_that_can_be_copied(capsys):
    findings.decision_text([a_report(1)])
    assert "holdgood ignore AUD000 --table t.csv --accept --who NAME --why TEXT" in capsys.readouterr().out
    findings.decision_text([AuditReport(scope="tables", tables=(), outcomes=())])
    assert capsys.readouterr().out == ""


def test_a_run_points_at_rows_of_the_source(cli, make_orders, make_project):
    gauge = [7.5 + i % 10 / 8 for i in range(400)]
    bad = [13, 200, 201, 202, 350, 351, 360, 370, 380, 390]
    for row in bad:
        gauge[row] = -999.0
    folder = make_project(make_orders(400, gauge=gauge))
    assert cli("run", "--until", "audit-target", at=folder).code == 0
    told = cli("show", "audit", "--json", at=folder).json
    found = [f for o in told[0]["outcomes"] for f in o["findings"] if f["code"] == "AUD007"]
    assert found
    assert found[0]["examples"]
    assert set(found[0]["examples"]) <= set(bad)
