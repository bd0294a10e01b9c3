from dataclasses import replace

import pyarrow as pa
import pytest

from holdgood.audit.aud012_reading import CHECK
from holdgood.connectors import read_table
from holdgood.core.table import Note, Table


@pytest.fixture
def put_csv(tmp_path):
    def read(content):
        path = tmp_path / "t.csv"
        path.write_text(content)
        return read_table(path)

    return read


def test_notes_become_findings(tables_of):
    table = replace(
        Table.of(pa.table({"a": [1]}), "t"),
        notes=(
            Note("bad-lines", "3 lines have too many fields", 3),
            Note("encoding", "read as latin-1"),
            Note("mixed-types", "m"),
        ),
    )
    findings = CHECK.run(tables_of({"t": table}))
    assert [(f.level, f.severity, f.rows) for f in findings] == [("issue", "high", 3), ("tip", "low", 1)]


def test_dates_that_allow_one_order_only_have_a_repair(put_csv, tables_of):
    sure, unsure = put_csv("when,x\n01/31/2024,a\n02/01/2024,b\n"), put_csv("when,x\n01/02/2024,a\n02/01/2024,b\n")
    (finding,) = CHECK.run(tables_of({"t": sure}))
    assert finding.proposal.parameters == {"formats": ["%m/%d/%Y"]}
    (finding,) = CHECK.run(tables_of({"t": unsure}))
    assert finding.proposal is None


def test_duplicate_names_of_a_frame_are_told(tables_of):
    table = Table.of(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "t")
    (finding,) = CHECK.run(tables_of({"t": table}))
    assert "twice" in finding.message


def test_quiet_without_notes_not_applicable_without_tables(tables_of, refuses):
    assert CHECK.run(tables_of({"t": {"a": [1]}})) == []
    assert refuses(CHECK, tables_of({}))
