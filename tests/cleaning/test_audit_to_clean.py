"""What the audit proposes, cleaning can do: the fault is gone and the count was true. Rooms meet here through records only."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood import audit as auditing
from holdgood.cleaning import clean, installed, propose
from holdgood.core.declaration import parse
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table

rng = np.random.default_rng(1)
N = 500
PLANTED = {
    "AUD001": {"empty": pa.nulls(N, pa.float64())},
    "AUD002": {f"x{i}": np.r_[(v := rng.normal(size=N - 20)), v[:20]] for i in range(4)},
    "AUD003": {"same": ["x"] * N},
    "AUD006": {"price": [f"{i * 1.3:.2f}" for i in range(N - 5)] + ["ask"] * 5},
    "AUD007": {"x": np.where(rng.random(N) < 0.05, -999.0, rng.gamma(3, 2, N))},
    "AUD008": {"when": pa.array(np.r_[rng.integers(1.5e15, 1.6e15, N - 4), [9 * 10**16] * 4], pa.timestamp("us"))},
    "AUD009": {"x": np.r_[rng.normal(size=N - 2), [np.inf, -np.inf]]},
    "AUD010": {"town": [*rng.choice(["Lyon", "Paris"], N - 2), "lyon", "PARIS "]},
}


@pytest.mark.parametrize("code", sorted(PLANTED))
def test_a_proposal_repairs_what_was_found(code):
    columns = PLANTED[code] if code == "AUD002" else PLANTED[code] | {"other": rng.normal(size=N)}
    tables = {"t": Table.of(pa.table(columns), "t")}
    checks = {code: auditing.installed()[code]}
    declared = parse({"tables": {"t": {}}})
    report = auditing.audit(AuditContext(tables, declared), "tables", checks=checks)
    (finding,) = [*report.issues, *report.tips]
    out, log = clean(tables, propose(report), installed())
    assert log.entries
    if code not in ("AUD001", "AUD003"):
        assert log.cells_changed == finding.proposal.cells
    after = auditing.audit(AuditContext(out, declared), "tables", checks=checks)
    assert [f.message for f in (*after.issues, *after.tips)] == []


def test_a_stuck_sensor_in_hours_of_another_zone_loses_its_stuck_readings_and_no_others():
    n = 4000
    air, other = (np.cumsum(np.random.default_rng(s).normal(size=n)) + 50 for s in (0, 1))
    air[1200:1320] = air[1200]
    when = np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "h")
    when[1000:1500] += np.timedelta64(5, "h")
    columns = {"when": when, "hour": np.arange(n) % 24, "air": air, "other": other}
    tables = {"t": Table.of(pa.table(columns), "t")}
    checks = {code: auditing.installed()[code] for code in ("AUD027", "AUD033")}
    repairs = propose(auditing.audit(AuditContext(tables, parse({"tables": {"t": {}}})), "tables", checks=checks))
    assert sorted(r.repair for r in repairs) == ["shift-time", "where-to-missing"]
    out, _ = clean(tables, repairs, installed())
    assert np.flatnonzero(out["t"].data.column("air").is_null().to_numpy()).tolist() == list(range(1201, 1320))
    assert out["t"].data.column("when").to_numpy()[1000] == np.datetime64("2024-02-11T16:00", "us")


def test_codes_for_missing_with_spaces_at_their_ends_are_taken_out_too():
    words = np.random.default_rng(0).choice(["red", " red", "green", "n/a", " n/a", "N/A "], 1000)
    tables = {"t": Table.of(pa.table({"word": words, "x": np.random.default_rng(1).normal(size=1000)}), "t")}
    checks = {code: auditing.installed()[code] for code in ("AUD007", "AUD025")}
    repairs = propose(auditing.audit(AuditContext(tables, parse({"tables": {"t": {}}})), "tables", checks=checks))
    out, _ = clean(tables, repairs, installed())
    assert sorted(out["t"].data.column("word").unique().drop_null().to_pylist()) == ["green", "red"]
