import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit import audit, installed
from holdgood.core.errors import DeclarationError, NotApplicable
from holdgood.core.records.audit import Finding


class _Made:
    code, title, scope = "ZZZ001", "made up", "tables"

    def __init__(self, answer):
        self.answer = answer

    def run(self, context):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _finding(*columns, level="issue"):
    return Finding(
        code="ZZZ001", title="made up", level=level, severity="low", table="t", columns=columns, message="m", rows=1
    )


def _run(tables_of, answer, ignore=()):
    context = tables_of({"t": {"a": [1], "b": [2]}}, audit={"ignore": list(ignore)})
    return audit(context, "tables", checks={"ZZZ001": _Made(answer)})


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ([_finding("a")], "issue"),
        ([_finding("a", level="tip")], "tip"),
        ([], "passed"),
        (NotApplicable("nothing here"), "not applicable"),
        (ValueError("broken\nmore"), "skipped"),
    ],
)
def test_every_check_ends_as_exactly_one_outcome(tables_of, answer, status):
    report = _run(tables_of, answer)
    (outcome,) = report.outcomes
    assert outcome.status == status
    assert outcome.seconds >= 0
    if status in ("skipped", "not applicable"):
        assert outcome.reason.splitlines() == [outcome.reason]


def test_an_ignored_check_says_who_and_why(tables_of):
    rule = {"code": "ZZZ001", "who": "Ada", "why": "known"}
    report = _run(tables_of, [_finding("a")], [rule])
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.ignored_by, outcome.reason) == ("ignored", "Ada", "known")
    assert report.issues == []
    assert _run(tables_of, [], [rule]).outcomes[0].status == "passed"


def test_columns_can_be_ignored_alone(tables_of):
    rule = {"code": "ZZZ001", "who": "Ada", "why": "known", "columns": ["a"]}
    (finding,) = _run(tables_of, [_finding("a", "b")], [rule]).issues
    assert finding.columns == ("b",)
    assert "ignored by Ada" in finding.message
    assert _run(tables_of, [_finding("a")], [rule]).outcomes[0].status == "ignored"


def test_an_unknown_code_gets_a_suggestion(tables_of):
    with pytest.raises(DeclarationError, match="did you mean"):
        _run(tables_of, [], [{"code": "AUD0O1", "who": "Ada", "why": "x"}])


def test_all_checks_are_registered_and_ours_survive_hard_tables(tables_of):
    assert set(installed()) >= {f"AUD{i:03d}" for i in range(1, 22)}
    assert len(installed("tables")) >= 13
    for table in ({}, {"a": pa.nulls(0, pa.string())}, {"a": [1]}, {"a": pa.nulls(5, pa.float64())}):
        report = audit(tables_of({"t": table}), "tables", checks=installed("tables"))
        assert [o.reason for o in report.outcomes if o.status == "skipped"] == []


def test_many_columns(tables_of):
    rng = np.random.default_rng(0)
    wide = {f"c{i}": rng.normal(size=50) if i % 2 else rng.choice(list("abcd"), 50) for i in range(2000)}
    report = audit(tables_of({"t": wide}), "tables", checks=installed("tables"))
    assert report.issues == []
    assert report.tables[0].columns == 2000


def test_the_listener_hears_every_check(tables_of):
    heard = []
    audit(tables_of({"t": {"a": [1]}}), "tables", checks=installed("tables"), listener=heard.append)
    assert [e.message[:6] for e in heard] == sorted(installed("tables"))


def test_the_audit_is_light_to_import():
    code = (
        "import sys, holdgood.audit as a; a.installed(); "
        "print([m for m in ('pandas', 'sklearn', 'scipy', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
