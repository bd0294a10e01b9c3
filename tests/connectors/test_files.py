"""Parquet, JSON lines and Excel: what each can get wrong."""

import datetime as dt
import json
import sys

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdgood.connectors import json_lines, read_table, write_table
from holdgood.connectors.store import Store
from holdgood.core.errors import MissingExtra, ReadError

# --- Parquet --------------------------------------------------------------------------------------------------------


def test_parquet_reads_only_what_is_asked(tmp_path):
    path = write_table(pa.table({"a": [1], "b": [2], "c": [3]}), tmp_path / "t.parquet")
    assert read_table(path, options={"columns": ["c", "a"]}).names == ("c", "a")
    with pytest.raises(ReadError, match="no column 'bb'"):
        read_table(path, options={"columns": ["bb"]})


def test_parquet_nested_binary_and_dictionary_columns(tmp_path):
    data = pa.table(
        {
            "n": pa.array([{"x": 1}, None]),
            "l": pa.array([[1, 2], [3]]),
            "b": pa.array([b"\xff", None]),
            "d": pa.array(["u", "v"]).dictionary_encode(),
            "z": pa.array([0, 1], pa.timestamp("ms", "Europe/Berlin")),
            "m": pa.array([1, 2], pa.decimal128(10, 2)),
        }
    )
    pq.write_table(data, tmp_path / "t.parquet")
    t = read_table(tmp_path / "t.parquet")
    assert [c.type for c in t.columns] == ["other", "other", "other", "category", "datetime", "number"]
    assert [(n.code, n.columns) for n in t.notes] == [("unsupported-type", (c,)) for c in "nlb"]
    assert t.data.column("n").to_pylist() == ['{"x": 1}', None]
    assert t.data.column("b").to_pylist() == ["ff", None]


def test_parquet_truncated_garbage_empty(tmp_path, put):
    path = write_table(pa.table({"a": list(range(1000))}), tmp_path / "t.parquet")
    content = path.read_bytes()
    for part in (content[:-20], content[: len(content) // 2], b"PAR1PAR1", b"rubbish" * 10):
        with pytest.raises(ReadError, match="not a readable Parquet file") as caught:
            read_table(put("cut.parquet", part))
        assert "copy or write it again" in caught.value.do
    flipped = bytearray(content)
    flipped[40:400] = bytes(360)
    try:
        read_table(put("flipped.parquet", bytes(flipped)))
    except ReadError as error:
        assert error.do
    with pytest.raises(ReadError, match="is empty"):
        read_table(put("empty.parquet", b""))


def test_the_row_index_of_pandas_is_left_out(tmp_path):
    data = pa.table({"a": [1, 2], "__index_level_0__": [5, 7]})
    pq.write_table(data, tmp_path / "t.parquet")
    t = read_table(tmp_path / "t.parquet")
    assert t.names == ("a",)
    assert [(n.code, n.count) for n in t.notes] == [("left-out", 1)]
    assert read_table(tmp_path / "t.parquet", options={"columns": ["__index_level_0__"]}).rows == 2
    pq.write_table(data.select([1]), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").names == ("__index_level_0__",)


def test_parquet_with_flipped_bytes_is_refused_or_sound(tmp_path, put):
    data = pa.table(
        {"a": list(range(3000)), "t": [f"täxt {i % 50}" for i in range(3000)], "x": [i / 7 for i in range(3000)]}
    )
    pq.write_table(data, tmp_path / "t.parquet", write_page_checksum=True)
    content, refused = (tmp_path / "t.parquet").read_bytes(), 0
    pages = content.rindex(b"PAR1") - int.from_bytes(content[-8:-4], "little") - 4
    for at in range(30, pages, pages // 60):
        flipped = bytearray(content)
        flipped[at] ^= 1 << (at % 8)
        try:
            table = read_table(put("flipped.parquet", bytes(flipped)))
        except ReadError as error:
            assert "not a readable Parquet file" in error.came
            refused += 1
        else:
            table.data.validate(full=True)
    assert refused > 40


def test_parquet_of_many_columns_row_groups_and_names(tmp_path):
    data = pa.table({f"c{i}": [i, None, i + 1] for i in range(250)} | {"a.b": ["x", "y", None]})
    pq.write_table(data, tmp_path / "t.parquet", row_group_size=1)
    t = read_table(tmp_path / "t.parquet")
    assert t.data.to_pydict() == data.to_pydict()
    assert all(c.num_chunks == 1 for c in t.data.columns)
    twice = pa.Table.from_arrays([pa.array([1]), pa.array(["x"]), pa.array([2])], names=["a", "b", "a"])
    pq.write_table(twice, tmp_path / "t.parquet")
    t = read_table(tmp_path / "t.parquet")
    assert t.data.to_pydict() == {"a": [1], "b": ["x"], "a_2": [2]}
    assert [n.code for n in t.notes] == ["duplicate-names"]


# --- JSON lines -----------------------------------------------------------------------------------------------------


def test_json_lines_bad_lines_absent_keys_and_kinds(put, plain):
    rows = ['{"a": 1, "b": "x"}', "", "{broken", '{"b": "y", "a": 2.5, "c": true}', "[1]", '{"a": null}', "7"]
    t = read_table(put("t.jsonl", "\n".join(rows)))
    assert plain(t) == {"a": [1.0, 2.5, None], "b": ["x", "y", None], "c": [None, True, None]}
    assert [(n.code, n.count) for n in t.notes] == [("bad-lines", 3)]
    assert "first lines: 3, 5, 7" in t.notes[0].message


def test_json_mixed_nested_and_long_numbers(put, plain):
    rows = [{"m": 1, "n": {"k": [1]}, "l": 2**70}, {"m": "x", "n": None, "l": 1}, {"m": 2, "n": {"k": []}, "l": 2}]
    t = read_table(put("t.jsonl", "\n".join(map(json.dumps, rows))))
    assert plain(t)["m"] == ["1", "x", "2"]
    assert plain(t)["l"] == [str(2**70), "1", "2"]
    assert t.type_of("n") == "other"
    assert [(n.code, n.count, n.columns) for n in t.notes if n.columns != ("l",)] == [
        ("mixed-types", 1, ("m",)),
        ("unsupported-type", 1, ("n",)),
    ]
    assert ("unparsed", 3) in [(n.code, n.count) for n in t.notes]


def test_json_array_and_what_is_none(put, plain):
    assert plain(read_table(put("t.json", '[{"a": 1}, {"a": 2}]'))) == {"a": [1, 2]}
    for content in ('[{"a": 1}, 2]', '[{"a": 1}', "[]", '{\n "a": 1\n}', "just text", "[" * 100_000):
        with pytest.raises(ReadError) as caught:
            read_table(put("t.json", content))
        assert caught.value.expected


def test_json_encoding_and_deep_nesting(put):
    t = read_table(put("t.jsonl", '{"a": "grün"}\n'.encode("latin-1")))
    assert [n.code for n in t.notes] == ["encoding"]
    deep = '{"a": 1}\n{"a": ' + "[" * 100_000 + "\n"
    assert [n.code for n in read_table(put("t.jsonl", deep)).notes] == ["bad-lines"]


@pytest.mark.parametrize("piece", [1, 7, 40, 1000])
def test_json_lines_read_in_pieces_are_the_same_table(put, monkeypatch, piece):
    rows = [{"a": i if i % 3 else i / 2, "m": i if i < 5 else "x", "n": [i]} for i in range(9)]
    rows += [{"late": 2**70, "a": None}, {"late": 5, " a ": True}, {}]
    lines = [json.dumps(r) for r in rows]
    body = "\n".join([*lines[:4], "broken", *lines[4:], "", "[1]"])
    whole = read_table(put("t.jsonl", body))
    monkeypatch.setattr(json_lines, "_PIECE", piece)
    parts = read_table(put("t.jsonl", body))
    assert parts.data.equals(whole.data)
    assert parts.columns == whole.columns
    assert parts.notes == whole.notes
    assert whole.rows == 12
    assert "first lines: 5, 15" in next(n.message for n in whole.notes if n.code == "bad-lines")


def test_json_lines_beyond_memory_are_kept_in_a_file_and_arrays_and_excel_are_refused(put, tmp_path, monkeypatch):
    lines = [json.dumps({"i": i, "t": f"text number {i}"}) for i in range(20_000)]
    small = read_table(put("t.jsonl", "\n".join(lines)))
    monkeypatch.setenv("HOLDGOOD_MEMORY", "100 kB")
    monkeypatch.setattr(json_lines, "_PIECE", 50_000)
    spilled = []
    write = Store._write
    monkeypatch.setattr(Store, "_write", lambda self, data: spilled.append(data.nbytes) or write(self, data))
    assert read_table(put("t.jsonl", "\n".join(lines))).data.equals(small.data)
    assert len(spilled) > 5
    with pytest.raises(ReadError, match="read whole and unpacks to") as caught:
        read_table(put("t.json", "[" + ",".join(lines) + "]"))
    assert "HOLDGOOD_MEMORY" in caught.value.do
    pd.DataFrame({"a": range(9000), "b": "x"}).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(ReadError, match="read whole") as caught:
        read_table(tmp_path / "t.xlsx")
    assert "csv" in caught.value.do


# --- Excel ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path):
    def make(rows, **sheets):
        made = openpyxl.Workbook()
        made.active.title = "First"
        for row in rows:
            made.active.append(row)
        for title, content in sheets.items():
            page = made.create_sheet(title)
            for row in content:
                page.append(row)
        path = tmp_path / "t.xlsx"
        made.save(path)
        return path

    return make


def test_excel_titles_are_passed_over_and_other_sheets_told(book, plain, codes):
    rows = [["Log of plant 3"], [], ["id", "opened", "hours"], [1, dt.datetime(2024, 1, 1), 2.5]]
    path = book(rows, Other=[["a"], [1]], Blank=[])
    t = read_table(path)
    assert plain(t)["hours"] == [2.5]
    assert codes(t) == ["other-sheets", "title-lines"]
    assert "'Other'" in t.notes[0].message
    assert codes(read_table(path, options={"sheet": "Other"})) == []
    assert read_table(path, options={"header": 1}).names[0] == "Log of plant 3"


def test_excel_sheets_and_header_line(book, plain):
    path = book([["a"], [1]], Second=[["a report"], [None], ["p", "q"], [1, "x"], [None, None], [2.5, "y"]])
    assert plain(read_table(path)) == {"a": [1]}
    t = read_table(path, options={"sheet": "Second", "header": 3})
    assert plain(t) == {"p": [1.0, 2.5], "q": ["x", "y"]}
    assert (t.name, t.notes) == ("Second", ())
    assert read_table(path, options={"sheet": 2, "header": 3}).rows == 2
    with pytest.raises(ReadError, match="did you mean 'Second'"):
        read_table(path, options={"sheet": "Secnod"})
    with pytest.raises(ReadError, match="no sheet number 3"):
        read_table(path, options={"sheet": 3})
    with pytest.raises(ReadError, match="option 'header'"):
        read_table(path, options={"header": 0})
    with pytest.raises(ReadError, match="is blank"):
        read_table(path, options={"header": 50})


def test_excel_merged_and_empty_header_cells_get_names(tmp_path, book):
    path = book([["a", "wide", None, None], [1, 2, 3, None], [4, 5, 6, 7]])
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("B1:C1")
    made.save(path)
    t = read_table(path)
    assert t.names == ("a", "wide", "column_3", "column_4")
    assert [n.code for n in t.notes] == ["empty-names", "empty-names"]


def test_excel_kinds_of_cells(book, plain):
    day, moment = dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, 5)
    path = book(
        [
            ["d", "m", "t", "x", "num", 2020],
            [day, dt.time(1, 2), "01", 1, "5", True],
            [moment, None, "02", "#N/A", "6", False],
        ]
    )
    t = read_table(path)
    assert plain(t) == {
        "d": [dt.datetime(2024, 1, 2), moment],
        "m": ["01:02:00", None],
        "t": ["01", "02"],
        "x": [1, None],
        "num": ["5", "6"],
        "2020": [True, False],
    }
    assert [(n.code, n.columns) for n in t.notes] == [
        ("unsupported-type", ("m",)),
        ("unparsed", ("x",)),
        ("mixed-types", ("num",)),
    ]


def test_excel_formulas_are_read_as_last_computed(book):
    path = book([["a", "b"], [1, "=A2*2"]])
    t = read_table(path)  # never computed: openpyxl writes no value
    assert t.data.column("b").to_pylist() == [None]


def test_excel_damaged(put, book):
    for content in (b"no zip at all", b"PK\x03\x04rest", book([["a"], [1]]).read_bytes()[:2000]):
        with pytest.raises(ReadError, match="not a readable Excel workbook"):
            read_table(put("bad.xlsx", content))


def test_excel_without_its_library(monkeypatch, tmp_path, book):
    path = book([["a"], [1]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"holdgood\[excel\]"):
        read_table(path)
    with pytest.raises(MissingExtra, match=r"holdgood\[excel\]"):
        write_table(pa.table({"a": [1]}), tmp_path / "u.xlsx")
