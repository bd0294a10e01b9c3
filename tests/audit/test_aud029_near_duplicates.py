import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.audit.aud029_near_duplicates import CHECK
from holdgood.cleaning import clean, installed, propose
from holdgood.core.records.audit import AuditReport, Outcome
from holdgood.core.table import Table
from holdgood.testing.check import check_check

TOWNS = ["Hamburg", "Marseille", "Rotterdam", "Gothenburg"]


def _entered_again(n=1_500, share=0.02, seed=0, change="number"):
    rng = np.random.default_rng(seed)
    columns = {f"x{i}": rng.normal(100, 20, n).round(2) for i in range(7)}
    columns |= {"town": rng.choice(TOWNS, n).astype(object), "kind": rng.choice(list("abc"), n)}
    rows = rng.choice(n, int(share * n), replace=False)
    out = {c: np.concatenate([v, v[rows]]) for c, v in columns.items()}
    for i in range(len(rows)):
        if change == "number":
            out[f"x{i % 7}"][n + i] += 0.5
        elif change == "slip":
            out["town"][n + i] = out["town"][n + i][1:]
    return {c: list(v) for c, v in out.items()}, len(rows)


@pytest.mark.parametrize("change", ["number", "slip"])
@pytest.mark.parametrize(("share", "level"), [(0.005, "tip"), (0.02, "issue"), (0.1, "issue")])
def test_rows_entered_again_are_counted(tables_of, change, share, level):
    columns, planted = _entered_again(share=share, change=change)
    if change == "slip" and share < 0.01:
        assert CHECK.run(tables_of({"t": columns})) == []  # few, and always the same column: may be meant
        return
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert (finding.level, finding.rows, finding.sure) == (level, planted, "likely")
    assert all(r >= 1_500 for r in finding.examples[1::2])


def test_the_repair_takes_out_exactly_the_copies(tables_of):
    columns, planted = _entered_again(change="slip")
    context = tables_of({"t": columns})
    (finding,) = CHECK.run(context)
    outcome = Outcome(code=CHECK.code, title=CHECK.title, scope="tables", status="issue", findings=(finding,))
    repairs = propose(AuditReport(scope="tables", tables=(), outcomes=(outcome,)))
    out, log = clean(context.tables, repairs, installed())
    assert (out["t"].rows, log.entries[0].rows_removed) == (1_500, planted)
    assert CHECK.run(tables_of({"t": out["t"]})) == []


def test_no_repair_where_no_column_stays_equal(tables_of):
    columns, _ = _entered_again()
    columns["town"] = ["one"] * len(columns["town"])
    columns["kind"] = ["k"] * len(columns["kind"])
    (finding,) = CHECK.run(tables_of({"t": columns}))
    assert finding.proposal is None


def test_copies_with_other_values_are_told_elsewhere(tables_of):
    columns, _ = _entered_again(change="none")
    for i in range(30):
        columns[f"x{i % 7}"][1_500 + i] += 80
    assert CHECK.run(tables_of({"t": columns})) == []


def test_contract_and_refusal(tables_of, refuses):
    check_check(CHECK, lambda: tables_of({"t": _entered_again()[0]}))
    assert "two rows" in refuses(CHECK, tables_of({"t": {"a": [1]}}))


def test_odd_columns_are_survived(tables_of):
    n = 80
    lists = pa.array([[i % 3] for i in range(n)])
    table = Table.of(pa.table({"l": lists, "m": pa.nulls(n, pa.float64()), "x": np.arange(n) % 7}), "odd")
    assert CHECK.run(tables_of({"odd": table})) == []


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["quality/diamonds", "quality/cal_housing", "quality/vic_elec", "fairness/adult", "tabular/letter"]
)
def test_silence_on_clean_real_tables(shared_data, tables_of, name):
    file = shared_data / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"shared data not found: {file.name}")
    assert CHECK.run(tables_of({"t": Table.of(pq.read_table(file), "t")})) == []
