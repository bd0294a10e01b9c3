import duckdb
import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud005_orphans import CHECK


def _joined(tables_of, here, there):
    specs = {"main": {}, "other": {"join": {"on": {"k": "key"}}}}
    return tables_of({"main": {"k": here}, "other": {"key": there}}, specs=specs)


def test_share_is_what_sql_says(tables_of):
    rng = np.random.default_rng(2)
    here = pa.array(rng.integers(0, 120, 1000), mask=rng.random(1000) < 0.03)
    there = list(range(100))
    (finding,) = CHECK.run(_joined(tables_of, here, there))
    main, other = pa.table({"k": here}), pa.table({"key": there})
    alone = duckdb.sql("SELECT count(*) FROM main WHERE NOT EXISTS (SELECT 1 FROM other WHERE key = k)").fetchall()[0][
        0
    ]
    assert finding.rows == alone
    assert finding.evidence["without_key"] == here.null_count
    assert len(main) == 1000
    assert len(other) == 100


@pytest.mark.parametrize(
    ("present", "level", "severity"), [(95, "tip", "low"), (70, "tip", "medium"), (30, "issue", "high")]
)
def test_level_follows_the_share(tables_of, present, level, severity):
    (finding,) = CHECK.run(_joined(tables_of, list(range(100)), list(range(present))))
    assert (finding.level, finding.severity) == (level, severity)


def test_whole_numbers_meet_floats_but_not_texts(tables_of):
    assert CHECK.run(_joined(tables_of, [1, 2, 3], [1.0, 2.0, 3.0])) == []
    (finding,) = CHECK.run(_joined(tables_of, [1, 2, 3], ["1", "2", "3"]))
    assert "never meet" in finding.message


def test_not_applicable_without_joins(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no join is declared"
