"""Cells that hold whole documents are looked at in their beginnings, and that is told."""

from holdgood.audit import audit, installed
from holdgood.audit.long_texts import LONGEST, shortened


def test_long_cells_are_cut_and_told(tables_of):
    context = tables_of({"t": {"a": ["x" * (LONGEST + 5), None, "é" * LONGEST], "b": [1, 2, 3]}})
    cut = shortened(context).tables["t"]
    first, *others = cut.data.column("a").to_pylist()
    assert first.startswith("x" * LONGEST + "…")
    assert len(first) < LONGEST + 20
    assert others == [None, "é" * LONGEST]
    (note,) = cut.notes
    assert (note.code, note.count, note.columns) == ("long-text", 1, ("a",))
    assert f"{LONGEST + 5:,}" in note.message
    assert context.tables["t"].notes == ()


def test_texts_that_begin_alike_stay_different_and_end_in_no_blank(tables_of):
    start = "word " * (LONGEST // 5)
    alike = [f"{start} and {i % 50}" for i in range(60)]
    report = audit(tables_of({"t": {"a": alike, "n": list(range(60))}}), "tables", checks=installed("tables"))
    assert {f.code for f in report.issues + report.tips} == {"AUD011", "AUD012"}
    cut = shortened(tables_of({"t": {"a": alike}})).tables["t"].data.column("a")
    assert len(set(cut.to_pylist())) == 50


def test_tables_without_long_cells_are_the_very_same(tables_of):
    context = tables_of({"t": {"a": ["x" * LONGEST, "y"]}})
    assert shortened(context) is context


def test_a_hundred_megabytes_in_a_cell(tables_of):
    values = [f"word {i % 7}" for i in range(60)]
    values[3] = "long " * 20_000_000
    report = audit(tables_of({"t": {"a": values, "n": list(range(60))}}), "tables", checks=installed("tables"))
    assert [o.reason for o in report.outcomes if o.status == "skipped"] == []
    assert any("100,000,000" in f.message for f in report.tips)
