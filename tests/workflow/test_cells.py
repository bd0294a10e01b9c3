"""Every cell that is told wrong, held against planted errors and against what `clean` writes."""

import pandas as pd
import pyarrow.csv as pa_csv
import pytest

from holdgood.core.errors import DeclarationError
from holdgood.workflow.cells import SCHEMA
from holdgood.workflow.cleaning import clean_tables
from holdgood.workflow.tables import audit_files


def shop(rows=400):
    """A table of a shop; every number of it can be planted into."""
    return pd.DataFrame(
        {
            "price": [f"{10 + i % 17}.{i % 10}0" for i in range(rows)],
            "share": [f"{i % 90 + 1}%" for i in range(rows)],
            "town": [("Lyon", "Brno", "Kiel", "Graz")[(i * 7) % 4] for i in range(rows)],
            "weight": [20.0 + (i * 37) % 23 for i in range(rows)],
        }
    )


def told(path, tmp_path):
    out = tmp_path / "cells.csv"
    audit_files([str(path)], write=False, cells=out)
    return pd.read_csv(out, dtype=str, keep_default_na=False)


def test_planted_cells_are_listed_with_what_they_become_and_who_says_so(tmp_path):
    frame = shop()
    frame.loc[[5, 77, 200], "weight"] = -999.0
    frame.loc[[9, 120, 300], "town"] = "lyon "
    frame.loc[[33], "price"] = "n/a"
    path = tmp_path / "shop.csv"
    frame.to_csv(path, index=False)
    cells = told(path, tmp_path)
    where = {(int(r.row) - 1, r.column): r for r in cells.itertuples()}
    for row in (5, 77, 200):
        assert (where[row, "weight"].value, where[row, "weight"].becomes, where[row, "weight"].says) == (
            "-999",
            "",
            "missing",
        )
        assert "AUD007" in where[row, "weight"].checks
    for row in (9, 120, 300):
        assert (where[row, "town"].becomes, where[row, "town"].says) == ("Lyon", "wrong")
    assert where[33, "price"].says == "missing"
    # a percent sign that goes away is no claim that the number is wrong
    assert set(where) == {(5, "weight"), (77, "weight"), (200, "weight"), (33, "price")} | {
        (r, "town") for r in (9, 120, 300)
    }


def test_signs_beside_numbers_are_wrong_where_only_some_cells_have_them(tmp_path):
    frame = shop()
    frame["litres"] = [f"{i % 7 + 1}.5 l" if i % 8 == 0 else f"{i % 7 + 1}.5" for i in range(len(frame))]
    frame["rate"] = [f"{i % 50}.5%" if i % 10 == 0 else f"{i % 50}.5" for i in range(len(frame))]
    path = tmp_path / "shop.csv"
    frame.to_csv(path, index=False)
    cells = told(path, tmp_path)
    assert set(cells.column) == {"litres", "rate"}
    assert sorted(cells[cells.column == "litres"].row.astype(int) - 1) == list(range(0, 400, 8))
    assert sorted(cells[cells.column == "rate"].row.astype(int) - 1) == list(range(0, 400, 10))
    assert set(cells.says) == {"wrong"}


def test_what_is_listed_is_what_clean_writes(tmp_path):
    frame = shop()
    frame.loc[[5, 77, 200], "weight"] = -999.0
    frame.loc[[9, 120, 300], "town"] = "lyon "
    path = tmp_path / "shop.csv"
    frame.to_csv(path, index=False)
    cells = told(path, tmp_path)
    (done,) = clean_tables([str(path)], ["all"])
    after = pd.read_parquet(done.path)
    for r in cells[cells.column == "town"].itertuples():
        assert after["town"][int(r.row) - 1] == r.becomes
    assert len(cells) == 6


def test_a_clean_table_has_no_line(tmp_path):
    path = tmp_path / "shop.csv"
    shop().to_csv(path, index=False)
    out = tmp_path / "cells.csv"
    audit_files([str(path)], write=False, cells=out)
    assert pa_csv.read_csv(out).column_names == SCHEMA.names
    assert len(pd.read_csv(out)) == 0


def test_a_source_is_never_written_over(tmp_path):
    path = tmp_path / "shop.csv"
    shop().to_csv(path, index=False)
    before = path.read_bytes()
    with pytest.raises(DeclarationError, match="over its own source"):
        audit_files([str(path)], write=False, cells=path)
    assert path.read_bytes() == before
