"""The verbs of Python behave as the commands do."""

import pandas as pd
import pyarrow as pa
import pytest

import holdgood
from holdgood.core.errors import DataError, ReadError

GOOD = {"a": list(range(100)), "b": ["x", "y"] * 50}


def test_a_source_that_cannot_be_read_is_a_finding_and_the_others_are_audited(tmp_path):
    pd.DataFrame(GOOD).to_csv(tmp_path / "good.csv", index=False)
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    torn, empty = str(tmp_path / "torn.parquet"), pa.table({"a": pa.array([], pa.int64())})
    report = holdgood.audit_tables({"torn": torn, "good": str(tmp_path / "good.csv"), "empty": empty})
    assert [t.name for t in report.tables] == ["good"]
    unread = [f for f in report.issues if f.evidence.get("note") == "unread"]
    assert sorted(f.table for f in unread) == ["empty", "torn"]
    assert "AUD011" in {f.code for f in report.tips}


def test_where_nothing_can_be_read_the_error_is_raised(tmp_path):
    with pytest.raises(ReadError, match="no file"):
        holdgood.audit_tables(str(tmp_path / "none.csv"))
    with pytest.raises(DataError, match="no rows"):
        holdgood.audit_tables({"t": pa.table({"a": pa.array([], pa.int64())})})
