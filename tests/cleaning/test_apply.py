import numpy as np
import pyarrow as pa
import pytest

from holdgood.cleaning import Change, clean, installed, preview, propose
from holdgood.core.declaration import RepairSpec
from holdgood.core.errors import DeclarationError
from holdgood.core.records.audit import AuditReport, Finding, Outcome, Proposal
from holdgood.core.table import Table


def _spec(repair, *columns, table="stock", **parameters):
    return RepairSpec(repair=repair, table=table, columns=list(columns), parameters=parameters, why="because")


def _changed(before, after):
    """By column the rows whose cell is another, by Python's own comparison; of columns that both have."""
    out = {}
    for name in [n for n in before.names if n in after.names]:
        was, now = before.data.column(name).to_pylist(), after.data.column(name).to_pylist()
        rows = [i for i, (a, b) in enumerate(zip(was, now, strict=True)) if a != b]
        if rows:
            out[name] = rows
    return out


def test_repairs_run_in_the_declared_order_and_are_logged(dirty):
    specs = [_spec("sentinel-to-missing", "town", values=["?"]), _spec("unify-spellings", "town", rule="case+space")]
    out, log = clean({"stock": dirty}, specs, installed())
    assert out["stock"].data.column("town").to_pylist() == ["lyon", "lyon", "paris", None, None, "lyon"]
    assert [(e.repair, e.cells_changed, e.why) for e in log.entries] == [
        ("sentinel-to-missing", 1, "because"),
        ("unify-spellings", 4, "because"),
    ]
    assert log.cells_changed == 5
    assert log.before == {"stock": dirty.fingerprint()}
    assert log.after == {"stock": out["stock"].fingerprint()}
    assert log.before != log.after


def test_counts_are_what_a_comparison_of_cells_says(dirty):
    out, log = clean({"stock": dirty}, [_spec("out-of-range-to-missing", "weight", low=0, high=50)], installed())
    assert _changed(dirty, out["stock"]) == {"weight": [1, 4]}
    assert log.cells_changed == 2


def test_nothing_declared_changes_nothing(dirty):
    out, log = clean({"stock": dirty}, [], installed())
    assert out["stock"] is dirty
    assert log.before == log.after


def test_the_only_table_needs_no_name(dirty):
    out, _ = clean({"stock": dirty}, [_spec("drop-columns", "flag", table=None)], installed())
    assert "flag" not in out["stock"].names
    assert _changed(dirty, out["stock"]) == {}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (_spec("sentinel-to-mising", "town", values=["?"]), "did you mean 'sentinel-to-missing'"),
        (_spec("drop-columns", "twon"), "did you mean 'town'"),
        (_spec("drop-columns", "town", table="stok"), "did you mean 'stock'"),
    ],
)
def test_unknown_names_get_suggestions(dirty, spec, said):
    with pytest.raises(DeclarationError, match=said):
        clean({"stock": dirty}, [spec], installed())


def test_without_a_table_name_two_tables_are_refused(dirty):
    with pytest.raises(DeclarationError, match="names no table"):
        clean({"stock": dirty, "other": dirty}, [_spec("drop-columns", "town", table=None)], installed())


def test_preview_shows_cells_spread_over_columns_and_stays_quiet_without_a_change(dirty):
    every = np.arange(dirty.rows)
    assert preview(dirty, dirty, every) == []
    booked = Table.of(pa.table({"x": ["(5)", "-4", "7"]}), "t")
    turned, _ = installed()["to-number"].apply(booked, ["x"], {"negatives": True})
    assert preview(booked, turned, np.arange(3)) == [Change(0, "x", "(5)", -5.0)]
    out, _ = clean({"stock": dirty}, [_spec("to-number", "price")], installed())
    # a text that became a number reads the same: only what was lost is shown
    assert preview(dirty, out["stock"], every) == [Change(1, "price", "ask", None)]
    specs = [_spec("sentinel-to-missing", "weight", values=[-999]), _spec("unify-spellings", "town", rule="case+space")]
    out, _ = clean({"stock": dirty}, specs, installed())
    shown = preview(dirty, out["stock"], every, limit=3)
    assert [(c.row, c.column) for c in shown] == [(0, "town"), (1, "weight"), (1, "town")]
    assert (shown[1].was, shown[1].becomes) == (-999.0, None)


def test_preview_finds_its_rows_where_some_were_removed(dirty):
    out, _ = clean({"stock": dirty}, [_spec("drop-duplicate-rows")], installed())
    left = np.array([i for i in range(dirty.rows) if i != 5])
    assert out["stock"].rows == len(left)
    assert preview(dirty, out["stock"], left) == []
    later, _ = clean(out, [_spec("infinite-to-missing", "weight")], installed())
    assert [(c.row, c.was) for c in preview(dirty, later["stock"], left)] == [(4, float("inf"))]


def test_proposals_of_an_audit_become_repairs():
    def finding(code, level, proposal):
        more = {"code": code, "level": level, "proposal": proposal}
        return Finding(title="t", severity="low", table="stock", columns=("weight",), message="m", **more)

    sentinel = Proposal(repair="sentinel-to-missing", table="stock", columns=("weight",), parameters={"values": [-999]})
    constant = Proposal(repair="drop-columns", table="stock", columns=("flag",))
    findings = [
        finding("AUD003", "tip", constant),
        finding("AUD007", "issue", sentinel),
        finding("AUD001", "issue", None),
    ]
    outcomes = tuple(Outcome(code=f.code, title="t", scope="tables", status=f.level, findings=(f,)) for f in findings)
    report = AuditReport(scope="tables", tables=(), outcomes=outcomes)
    assert [s.repair for s in propose(report)] == ["sentinel-to-missing", "drop-columns"]
    (only,) = propose(report, ["AUD007"])
    assert (only.columns, only.parameters, only.why) == (["weight"], {"values": [-999]}, "AUD007: m")
