"""Audit and clean of single files: nothing that a user has is ever written over."""

import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.cli.findings import repairs_text
from holdgood.core.errors import DeclarationError
from holdgood.core.records import CleanLog
from holdgood.core.records.envelope import read
from holdgood.workflow.cleaning import clean_tables
from holdgood.workflow.tables import audit_files


def clean_file(source, codes, **more):
    """One table."""
    (done,) = clean_tables([source], codes, **more)
    return done


def a_table(first=0):
    """Sixty rows; the text column has padded spellings, which a repair trims."""
    return pa.table(
        {
            "n": [float(first + i % 7) for i in range(60)],
            "word": [("red", " red", "red", "blue", "green")[i % 5] for i in range(60)],
        }
    )


def written(path, first=0):
    """The table as a file."""
    if path.suffix == ".parquet":
        pq.write_table(a_table(first), path)
    else:
        rows = zip(*(c.to_pylist() for c in a_table(first).columns), strict=True)
        path.write_text("n,word\n" + "".join(f"{n},{w}\n" for n, w in rows))
    return path


def test_clean_writes_beside_and_leaves_the_source(tmp_path):
    source = written(tmp_path / "o.parquet")
    before = source.read_bytes()
    done = clean_file(str(source), ["all"])
    assert done.log.cells_changed > 0
    assert done.path == tmp_path / "o.clean.parquet"
    assert source.read_bytes() == before
    assert set(pq.read_table(done.path).column("word").to_pylist()) == {"red", "blue", "green"}
    assert read(tmp_path / "o.clean.parquet.log.json", CleanLog) == done.log


def test_clean_of_a_cleaned_file_never_writes_over_it(tmp_path):
    source = written(tmp_path / "o.clean.parquet")
    before = source.read_bytes()
    assert clean_file(str(source), ["all"]).path == tmp_path / "o.clean.clean.parquet"
    with pytest.raises(DeclarationError, match="over its own source"):
        clean_file(str(source), ["all"], to=tmp_path / "." / "o.clean.parquet", force=True)
    assert source.read_bytes() == before


def test_another_name_of_the_source_is_still_the_source(tmp_path):
    source = written(tmp_path / "o.parquet")
    before = source.read_bytes()
    (tmp_path / "same.parquet").hardlink_to(source)
    (tmp_path / "link.parquet").symlink_to(source)
    for name in ("same.parquet", "link.parquet"):
        with pytest.raises(DeclarationError, match="over its own source"):
            clean_file(str(source), ["all"], to=tmp_path / name, force=True)
    assert source.read_bytes() == before


def test_a_folder_may_be_named(tmp_path):
    source = written(tmp_path / "o.csv")
    (tmp_path / "out").mkdir()
    assert clean_file(str(source), ["all"], to=tmp_path / "out").path == tmp_path / "out" / "o.clean.parquet"


def test_dots_in_names_are_kept(tmp_path):
    one, two = written(tmp_path / "sales.2024.csv"), written(tmp_path / "sales.2025.csv", first=3)
    assert clean_file(str(one), ["all"]).path == tmp_path / "sales.2024.clean.parquet"
    assert clean_file(str(two), ["all"]).path == tmp_path / "sales.2025.clean.parquet"
    assert audit_files([str(one)]).path == tmp_path / "sales.2024.audit.html"


def test_a_file_of_somebody_else_is_not_replaced_unless_forced(tmp_path):
    source = written(tmp_path / "o.csv")
    target = tmp_path / "o.clean.parquet"
    target.write_bytes(b"mine")
    with pytest.raises(DeclarationError, match="there already"):
        clean_file(str(source), ["all"])
    assert target.read_bytes() == b"mine"
    assert clean_file(str(source), ["all"], force=True).path == target
    assert clean_file(str(source), ["all"]).path == target, "its own earlier answer is replaced"
    written(source, first=1)
    with pytest.raises(DeclarationError, match="there already"):
        clean_file(str(source), ["all"])  # other rows: the file may still be wanted


def test_without_codes_every_proposal_is_shown_and_nothing_written(tmp_path):
    source = written(tmp_path / "o.csv")
    done = clean_file(str(source), [])
    assert done.log.entries
    assert done.path is None
    assert [p.name for p in tmp_path.iterdir()] == ["o.csv"]


def test_a_report_is_not_written_over_a_source(tmp_path):
    one, two = written(tmp_path / "one.csv"), written(tmp_path / "two.csv")
    before = two.read_bytes()
    with pytest.raises(DeclarationError, match="over its own source"):
        audit_files([str(one), str(two)], report=two)
    assert two.read_bytes() == before
    audit_files([str(one)])
    assert audit_files([str(one)]).path.exists(), "a report may be replaced"


def test_a_database_names_its_answers_by_the_table_not_by_the_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute('CREATE TABLE "the orders" (n REAL, word TEXT)')
        rows = list(zip(*(c.to_pylist() for c in a_table().columns), strict=True))
        connection.executemany('INSERT INTO "the orders" VALUES (?, ?)', rows)
    url = "sqlite:///x.db?table=the orders"
    assert str(clean_file(url, ["all"]).path) == "the_orders.clean.parquet"
    assert str(audit_files([url]).path) == "the_orders.audit.html"


def test_each_repair_names_the_file_of_its_own_table_once(tmp_path, capsys):
    one, two = written(tmp_path / "one.csv"), written(tmp_path / "two of it.csv", first=3)
    repairs_text(audit_files([str(one), str(two)], write=False).report)
    lines = [line.split("   (")[0].strip() for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == len(set(lines)) >= 2
    assert any(line.startswith(f"repair: holdgood clean {one} --apply AUD") for line in lines)
    assert any(line.startswith(f"repair: holdgood clean '{two}' --apply AUD") for line in lines)
