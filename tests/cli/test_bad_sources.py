"""Bad input, each kind once through the command line: a clear finding or error, and the rest of the audit still comes."""

import json
import sqlite3
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.connectors import csv_files, json_lines, parquet_files, python_values, sqlite
from holdgood.connectors.text_body import Body

ROWS = 400


def sound(rows=ROWS):
    """A running number, a code for missing in a tenth of the rows, words."""
    rng = np.random.default_rng(0)
    weight = np.where(rng.random(rows) < 0.1, -999.0, rng.gamma(4, 3, rows).round(2))
    return pd.DataFrame({"id": np.arange(rows), "weight": weight, "word": rng.choice(["red", "green", "blue"], rows)})


@pytest.fixture
def folder(tmp_path):
    sound().to_parquet(tmp_path / "good.parquet")
    return tmp_path


def findings(answer):
    return [f for o in answer.json["audit"]["outcomes"] if o["status"] in ("issue", "tip") for f in o["findings"]]


def unread(cli, folder, source, says):
    """One source is told as not audited, in these words; the sound one is audited all the same."""
    answer = cli("audit", source, "good.parquet", "--json", "--no-report", at=folder)
    assert answer.code == 3
    (told,) = [f for f in findings(answer) if f["evidence"].get("note") == "unread"]
    assert says in told["message"]
    assert "expected: " in told["message"]
    assert "do this: " in told["message"]
    assert {"AUD007", "AUD011"} <= {f["code"] for f in findings(answer) if f["table"] == "good"}
    return told


def audited(cli, folder, source, says, code="AUD012"):
    """A source is read, what is odd is told in these words, and its other faults are found all the same."""
    answer = cli("audit", source, "--json", "--no-report", at=folder)
    assert answer.code == 0
    assert [o for o in answer.json["audit"]["outcomes"] if o["status"] == "skipped"] == []
    assert any(f["code"] == code and says in f["message"] for f in findings(answer)), findings(answer)
    assert "AUD007" in {f["code"] for f in findings(answer)}
    return answer.json["audit"]["tables"][0]


# ── files that are damaged ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("damage", ["cut", "page", "footer"])
def test_a_corrupt_parquet_file(cli, folder, damage):
    path = folder / "bad.parquet"
    pq.write_table(pa.table({"a": np.random.default_rng(1).normal(size=5000)}), path, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        at = len(content) // 2 if damage == "page" else len(content) - 8
        content[at : at + 8] = bytes(255 - b for b in content[at : at + 8])
    path.write_bytes(content)
    unread(cli, folder, "bad.parquet", "bad.parquet is not a readable Parquet file")


def test_a_csv_file_with_broken_lines(cli, folder):
    lines = sound().to_csv(index=False).splitlines()
    for at in range(50, 400, 100):
        lines[at] += ",one too many"
    (folder / "bad.csv").write_text("\n".join(lines) + "\n")
    table = audited(cli, folder, "bad.csv", "4 lines of bad.csv do not have 3 values and were left out")
    assert table["rows"] == ROWS - 4
    lines[80] = lines[80].rpartition(",")[0] + ",999999999"
    (folder / "bad.csv").write_text("\n".join(lines) + "\n")
    assert "a header, and lines that were left out, not counted" in cli("audit", "bad.csv", "--all", at=folder).out


def test_a_damaged_gzip_file(cli, folder):
    sound().to_csv(folder / "bad.csv.gz", index=False)
    content = (folder / "bad.csv.gz").read_bytes()
    (folder / "bad.csv.gz").write_bytes(content[:-200])
    unread(cli, folder, "bad.csv.gz", "damaged gzip file")
    (folder / "bad.csv.gz").write_bytes(content[:100] + zlib.compress(b"x") + content[100:])
    unread(cli, folder, "bad.csv.gz", "damaged gzip file")


def test_a_web_page_in_place_of_a_table(cli, folder):
    (folder / "bad.csv").write_text("\n<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n")
    unread(cli, folder, "bad.csv", "is a web page")


# ── sources that change or go away ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_table_that_changes_while_it_is_read(cli, folder, monkeypatch, kind):
    path = folder / f"bad.{kind}"
    text = {"csv": sound().to_csv(index=False), "jsonl": sound().to_json(orient="records", lines=True)}
    if kind in text:
        path.write_text(text[kind])
        read = Body.read

        def grows(self, at, length):
            with path.open("a") as more:
                more.write("1,2,red\n")
            return read(self, at, length)

        monkeypatch.setattr(Body, "read", grows)
    elif kind == "parquet":
        sound().to_parquet(path)
        groups = parquet_files._groups

        def replaced(file, wanted):
            for group in groups(file, wanted):
                if file.metadata.num_rows == ROWS and "other" not in file.schema_arrow.names:
                    path.touch()
                yield group

        monkeypatch.setattr(parquet_files, "_groups", replaced)
        sound().assign(other=1).to_parquet(folder / "good.parquet")
    else:
        sound().to_excel(path, index=False)
        from holdgood.connectors import excel

        rows = excel._rows

        def changed(*asked):
            yield from rows(*asked)
            path.touch()

        monkeypatch.setattr(excel, "_rows", changed)
    unread(cli, folder, f"bad.{kind}", f"bad.{kind} changed while it was read")


def test_a_database_that_goes_away_half_way(cli, folder, monkeypatch):
    with sqlite3.connect(folder / "bad.db") as connection:
        sound(20_000).to_sql("t", connection, index=False)
    monkeypatch.setattr(sqlite, "_BATCH", 100)
    add = python_values.Growing.add
    seen = []

    def cut(self, values):
        seen.append(len(values))
        if len(seen) == 30:
            with (folder / "bad.db").open("r+b") as same:
                same.truncate(4096)
        return add(self, values)

    monkeypatch.setattr(python_values.Growing, "add", cut)
    told = unread(cli, folder, "bad.db", "bad.db")
    assert "changed while it was read" in told["message"] or "cannot be read" in told["message"]


# ── odd but readable ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_columns_of_lists_and_structs(cli, folder, kind):
    nested = sound().assign(tags=[["a", "b"]] * ROWS, place=[{"x": i} for i in range(ROWS)])
    if kind == "parquet":
        nested.to_parquet(folder / "bad.parquet")
    else:
        nested.to_json(folder / "bad.jsonl", orient="records", lines=True)
    audited(cli, folder, f"bad.{kind}", "'tags' holds")
    audited(cli, folder, f"bad.{kind}", "'place' holds")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "db"])
def test_very_long_strings(cli, folder, monkeypatch, kind):
    """Longer than every piece that a reader takes at once; 100 MB in one cell goes the same way (tests/audit/test_long_texts.py)."""
    monkeypatch.setattr(csv_files, "_PIECE", 500_000)
    monkeypatch.setattr(json_lines, "_PIECE", 500_000)
    frame = sound()
    frame.loc[7, "word"] = 'he said "no", then\nleft; ' * 80_000
    if kind == "csv":
        frame.to_csv(folder / "bad.csv", index=False)
    elif kind == "jsonl":
        frame.to_json(folder / "bad.jsonl", orient="records", lines=True)
    elif kind == "parquet":
        frame.to_parquet(folder / "bad.parquet")
    else:
        with sqlite3.connect(folder / "bad.db") as connection:
            frame.to_sql("t", connection, index=False)
    table = audited(cli, folder, f"bad.{kind}", "1 cell of more than 100,000 characters")
    assert table["rows"] == ROWS


@pytest.mark.parametrize("kind", ["csv", "parquet", "db", "xlsx"])
def test_no_rows(cli, folder, kind):
    nothing = sound(0)
    if kind == "csv":
        nothing.to_csv(folder / "bad.csv", index=False)
    elif kind == "parquet":
        nothing.to_parquet(folder / "bad.parquet")
    elif kind == "xlsx":
        nothing.to_excel(folder / "bad.xlsx", index=False)
    else:
        with sqlite3.connect(folder / "bad.db") as connection:
            nothing.to_sql("t", connection, index=False)
    unread(cli, folder, f"bad.{kind}", "has no rows")


def test_names_that_sql_and_terminals_trip_over(cli, folder):
    names = ["select", "from", 'a"b', "x\ny", "where; drop table t", "it's", "ü", "order"]
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({n: rng.normal(size=ROWS) for n in names})
    frame["order"] = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    frame["x\ny"] = np.where(rng.random(ROWS) < 0.1, -999.0, frame["x\ny"])
    frame["select"] = np.where(frame["from"] > 0, "yes", "no")
    frame.to_csv(folder / "bad.csv", index=False)
    audited(cli, folder, "bad.csv", "x\ny", code="AUD007")
    said = cli("audit", "bad.csv", "--no-report", "--all", at=folder)
    assert "`x\\ny`" in said.out
    refused = cli("audit", "bad.csv", "--target", "ordr", "--no-report", at=folder)
    assert len(refused.err.splitlines()) == 3
    assert "x\\ny" in refused.err
    both = cli(
        "audit",
        "bad.csv",
        "--target",
        "select",
        "--time",
        "order",
        "--only",
        "AUD014",
        "--json",
        "--no-report",
        at=folder,
    )
    assert both.code == 0
    assert ["bad", "from"] in [
        [f["table"], c] for o in both.json["target"]["outcomes"] for f in o["findings"] for c in f["columns"]
    ]
    cleaned = cli("clean", "bad.csv", "--apply", "AUD007", "--json", at=folder).json
    assert cleaned["clean"]["entries"][0]["columns"] == ["x\ny"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "no file is named"),
        ("bad.db?table=t", "write sqlite:///bad.db?table=t"),
        ("sqllite:///bad.db?table=t", "did you mean 'sqlite'?"),
        ("https://example.org/t.csv", "download the file first"),
        ("postgresql://ada:s3cret@localhost:1/x?table=t", "no answer from"),
    ],
)
def test_sources_that_were_meant_otherwise(refuses, folder, source, says):
    answer = refuses("audit", source, at=folder, code=3, says=says)
    assert "s3cret" not in answer.all


def test_a_bad_array_of_json_is_one_error(refuses, folder):
    (folder / "bad.json").write_text(json.dumps(sound(50).to_dict("records"))[:-5])
    refuses("audit", "bad.json", at=folder, code=3, says="no valid JSON")
