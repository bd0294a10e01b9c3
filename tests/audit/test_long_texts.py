"""Cells that hold whole documents are looked at in their beginnings, and that is told."""

from holdgood.audit import audit, installed
from holdgood.audit.long_texts import LONGEST, shortened


def test_long_cells_are_cut_and_told(tables_of):
    context = tables_of({"t": {"a": ["x" * (LONGEST + 5), None, "é" * LONGEST], "b": [1, 2, 3]}})
    cut = shortened(context).tables["t"]
    assert cut.data.column("a").to_pylist() == ["x" * LONGEST, None, "é" * LONGEST]
    (note,) = cut.notes
    assert (note.code, note.count, note.columns) == ("long-text", 1, ("a",))
    assert f"{LONGEST + 5:,}" in note.message
    assert context.tables["t"].notes == ()


def test_tables_without_long_cells_are_the_very_same(tables_of):
    context = tables_of({"t": {"a": ["x" * LONGEST, "y"]}})
    assert shortened(context) is context


def test_a_hundred_megabytes_in_a_cell(tables_of):
    values = [f"word {i % 7}" for i in range(60)]
    values[3] = "long " * 20_000_000
    report = audit(tables_of({"t": {"a": values, "n": list(range(60))}}), "tables", checks=installed("tables"))
    assert [o.reason for o in report.outcomes if o.status == "skipped"] == []
    assert any("100,000,000" in f.message for f in report.tips)
