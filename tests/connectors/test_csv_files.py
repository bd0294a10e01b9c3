import csv
import gzip
import io
import os
import time

import numpy as np
import pyarrow as pa
import pytest

from holdgood.connectors.csv_files import CONNECTOR
from holdgood.connectors.write import write_table
from holdgood.core.errors import EnvironmentFault, HoldgoodError, ReadError


def read(source, **options):
    types = options.pop("types", {})
    return CONNECTOR.read(source, name="t", options=options, types=types)


@pytest.fixture
def table(put):
    return lambda content, name="t.csv", **options: read(put(name, content), **options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(table, plain, delimiter):
    t = table("a,b,c\n1,x y,2.5\n2,z,3\n".replace(",", delimiter))
    assert plain(t) == {"a": [1, 2], "b": ["x y", "z"], "c": [2.5, 3.0]}
    assert t.notes == ()


def test_semicolon_wins_over_commas_inside_decimals_and_texts(table, plain):
    t = table("name;x;y\nSmith, Ann;1,5;1.234,5\nDoe, Bob;-2,25;10,0\n")
    assert plain(t) == {"name": ["Smith, Ann", "Doe, Bob"], "x": [1.5, -2.25], "y": [1234.5, 10.0]}


def test_dots_beside_decimal_commas_may_be_thousands_and_stay_text_until_declared(table, codes):
    content = "a;b\n1,5;1.234\n2,5;2.500\n"
    t = table(content)
    assert t.type_of("b") == "category"
    assert codes(t) == ["unparsed"]
    assert table(content, decimal=",").data.column("b").to_pylist() == [1234.0, 2500.0]
    assert table("a;b\n1;1.234\n2;2.500\n").data.column("b").to_pylist() == [1.234, 2.5]
    assert table(content, decimal=".").type_of("a") == "category"


def test_single_quotes_and_a_blank_after_the_delimiter(table, plain):
    assert plain(table("a,b\n'x, y',1\n'z',2\n")) == {"a": ["x, y", "z"], "b": [1, 2]}
    assert plain(table("a, b, c\n1, x, 2\n3, , 4\n")) == {"a": [1, 3], "b": ["x", None], "c": [2, 4]}
    assert plain(table('a, b\n1, "x, y"\n2, z\n')) == {"a": [1, 2], "b": ["x, y", "z"]}


def test_apostrophes_in_text_are_no_quotes(table, plain):
    assert plain(table("a,b\nit's,1\nthat's,2\n")) == {"a": ["it's", "that's"], "b": [1, 2]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_blank_lines_and_quoted_line_ends(table, plain, end):
    t = table(end.join(["a,b", "", '1,"x', 'y"', "", "2,z", "", ""]))
    assert plain(t) == {"a": [1, 2], "b": [f"x{end}y", "z"]}
    assert t.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_encodings(table, plain, encoding, codes):
    t = table("name,n\ngrün,1\nnaïve,2\n".encode(encoding))
    assert plain(t) == {"name": ["grün", "naïve"], "n": [1, 2]}
    assert codes(t) == (["encoding"] if encoding[-2:] in ("le", "be") else [])


def test_western_encodings_are_assumed_aloud(table, plain):
    t = table("name,n\ngrün,1\n5 € net,2\n".encode("cp1252"))
    assert plain(t)["name"] == ["grün", "5 € net"]
    assert [(n.code, n.count) for n in t.notes] == [("encoding", 2)]
    assert "Windows-1252" in t.notes[0].message
    latin = table(b"name,n\ngr\xfcn \x81,1\n")
    assert "Latin-1" in latin.notes[0].message


def test_a_few_damaged_characters_do_not_garble_the_rest(table):
    t = table(b"name\n" + "grün\n".encode() * 20 + b"gr\xfcn\n")
    assert t.data.column("name").to_pylist()[0] == "grün"
    assert [(n.code, n.count) for n in t.notes] == [("encoding", 1)]


def test_encoding_option(table, plain):
    assert plain(table("a\nж\n".encode("cp1251"), encoding="cp1251")) == {"a": ["ж"]}
    with pytest.raises(ReadError, match="line 2"):
        table("a\nж\n".encode("cp1251"), encoding="utf-8")
    with pytest.raises(ReadError, match="did you mean"):
        table("a\n1\n", encoding="cp1253x")
    with pytest.raises(ReadError, match="unknown encoding 'base64'"):
        table("a\n1\n", encoding="base64")


def test_bad_lines_are_counted_with_their_line_numbers(table, plain):
    t = table('a,b\n1,x\n\n2,y,extra\n"3",z\n4\n5,"two\nlines"\n6,w,,\n')
    assert plain(t) == {"a": [1, 3, 5], "b": ["x", "z", "two\nlines"]}
    (note,) = t.notes
    assert (note.code, note.count) == ("bad-lines", 3)
    assert "4 (3), 6 (1), 9 (4)" in note.message


def test_a_quote_that_never_closes_costs_one_line(table, plain):
    t = table('a,b\n1,x\n2,"open\n3,y\n4,"z"\n5,w\n')
    assert plain(t) == {"a": [1, 3, 4, 5], "b": ["x", "y", "z", "w"]}
    assert [(n.code, n.count) for n in t.notes] == [("bad-lines", 1)]
    assert "first lines: 3" in t.notes[0].message
    last = table('a,b\n1,x\n2,y\n3,"open')
    assert plain(last) == {"a": [1, 2], "b": ["x", "y"]}
    assert last.notes[0].count == 1


def test_an_open_quote_early_in_a_large_file_costs_one_line(table):
    lines = ["a,b", '0,"open', *(f"{i},text {i}" for i in range(1, 150_000))]
    t = table("\n".join(lines))
    assert t.rows == 149_999 - 0
    assert [n.count for n in t.notes] == [1]


def test_no_line_is_lost_silently(table):
    """Rows and bad lines add up to the lines of the file, whatever is wrong with them."""
    rng = np.random.default_rng(3)
    kinds = ["1,a,2", "2,b", '3,"c,4', "5,d,6,7", '"8",e,9', '10,"f ""g""",11', ",,", '12,"h"i,13']
    for _ in range(30):
        picked = [kinds[i] for i in rng.integers(0, len(kinds), 25)]
        t = table("\n".join(["p,q,r", "0,z,0", "0,z,0", *picked]))
        bad = sum(n.count for n in t.notes if n.code == "bad-lines")
        spanning = sum(v.count("\n") for v in t.data.column("q").to_pylist() if isinstance(v, str))
        assert t.rows + bad + spanning == 27, picked


def test_gzip(put, plain):
    assert plain(read(put("t.csv.gz", gzip.compress(b"a,b\n1,2\n")))) == {"a": [1], "b": [2]}
    with pytest.raises(ReadError, match="damaged gzip"):
        read(put("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000)[:40]))


# --- header ---------------------------------------------------------------------------------------------------------


def test_no_header_line_is_seen_and_told(table, plain, codes):
    t = table("1,x,2.5\n2,y,3.5\n3,z,4.5\n")
    assert t.names == ("column_1", "column_2", "column_3")
    assert t.rows == 3
    assert codes(t) == ["empty-names"]


def test_header_of_years_and_of_text_over_text(table):
    assert table("country,2019,2020,2021\nA,1,2,3\nB,4,5,6\n").names == ("country", "2019", "2020", "2021")
    assert table(",0,1,2\n0,5,6,8\n1,7,8,1\n").names == ("column_1", "0", "1", "2")
    assert table("1,2,3\n2,3,4\n3,4,5\n").rows == 3
    assert table("first,second\na,b\nc,d\n").names == ("first", "second")


def test_header_options(table, plain):
    assert table("a,b\nc,d\n", header=False).rows == 2
    assert table("1,2\n3,4\n", header=True).names == ("1", "2")
    assert plain(table("about this file\n\na,b\n1,2\n", skip=1)) == {"a": [1], "b": [2]}
    assert plain(table("1,2\n", header=False, names=["p", "q"])) == {"p": [1], "q": [2]}


def test_duplicate_and_empty_names_are_told(table, codes):
    t = table("a,a,,b\n1,2,3,4\n")
    assert t.names == ("a", "a_2", "column_3", "b")
    assert sorted(codes(t)) == ["duplicate-names", "empty-names"]


def test_a_delimiter_at_the_end_of_each_row(table, plain, codes):
    t = table("a,b\n1,2,\n3,4,\n")
    assert plain(t) == {"a": [1, 3], "b": [2, 4], "column_3": [None, None]}
    assert codes(t) == ["empty-names"]


def test_a_header_that_does_not_fit_its_rows_is_refused(table):
    with pytest.raises(ReadError, match="2 names, but its rows have 3 values"):
        table("a,b\n1,2,3\n3,4,5\n4,5,6\n")


def test_header_only_is_a_table_without_rows(table):
    for content in ("a,b\n", "a,b", "a;b\r\n\r\n"):
        t = table(content)
        assert (t.names, t.rows) == (("a", "b"), 0)


def test_ten_thousand_columns(table):
    names = [f"c{i}" for i in range(10_000)]
    started = time.process_time()
    t = table(",".join(names) + "\n" + "\n".join(",".join(str(i * j) for j in range(10_000)) for i in range(3)))
    assert time.process_time() - started < 15
    assert (len(t.names), t.rows) == (10_000, 3)
    assert t.data.column(9_999).to_pylist() == [0, 9_999, 19_998]


# --- options --------------------------------------------------------------------------------------------------------


def test_options_are_checked(table):
    with pytest.raises(ReadError, match="did you mean 'delimiter'"):
        table("a\n1\n", delimeter=";")
    for wrong in (
        {"delimiter": ";;"},
        {"delimiter": 5},
        {"quote": "é"},
        {"decimal": ";"},
        {"dates": "us"},
        {"skip": -1},
        {"skip": True},
    ):
        with pytest.raises(ReadError) as caught:
            table("a\n1\n", **wrong)
        assert caught.value.do


# --- bad sources ----------------------------------------------------------------------------------------------------


def test_missing_file_suggests_near_names(put, tmp_path):
    put("flights.csv", "a\n1\n")
    with pytest.raises(ReadError, match=r"did you mean 'flights\.csv'"):
        read(str(tmp_path / "flihgts.csv"))
    with pytest.raises(ReadError, match="folder .* does not exist"):
        read(str(tmp_path / "nowhere" / "x.csv"))
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        read("x" * 5000 + ".csv")
    with pytest.raises(ReadError, match="NUL"):
        read("a\x00.csv")


def test_folder_empty_file_and_blank_file(put, tmp_path):
    with pytest.raises(ReadError, match="is a folder"):
        read(str(tmp_path))
    with pytest.raises(ReadError, match="is empty"):
        read(put("empty.csv", ""))
    with pytest.raises(ReadError, match="nothing but blank"):
        read(put("blank.csv", "\n \n\n"))


def test_no_permission(put, tmp_path):
    source = put("secret.csv", "a\n1\n")
    os.chmod(source, 0)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(EnvironmentFault, match="no permission"):
            read(source)
    finally:
        os.seteuid(was)


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 20, b"PK\x03\x04rest", b"PAR1rest", b"SQLite format 3\x00rest", b"\x00" * 100]
)
def test_binary_garbage_is_refused(table, content):
    with pytest.raises(ReadError, match="not text"):
        table(content)


def test_random_bytes_never_crash(put):
    rng = np.random.default_rng(0)
    alphabets = [bytes(range(256)), b"a1,\"\n;\r\t '", b'"\n', b",;\n", "ä,\n".encode("utf-16")]
    for i in range(200):
        letters = alphabets[i % len(alphabets)]
        content = bytes(letters[j] for j in rng.integers(0, len(letters), int(rng.integers(1, 200))))
        try:
            t = read(put("t.csv", content))
        except HoldgoodError as error:
            assert error.expected
            assert error.do
        else:
            assert t.data.num_columns == len(t.columns)


# --- by another road, and speed -------------------------------------------------------------------------------------


def test_agrees_with_the_standard_library(put):
    rng = np.random.default_rng(1)
    words = ["plain", "with, comma", 'a "quote"', "two\nlines", "ünï", " lead", "x;y", "tab\there", "0x1F"]
    rows = [[words[i] for i in rng.integers(0, len(words), 4)] for _ in range(300)]
    out = io.StringIO()
    csv.writer(out).writerows([["h1", "h2", "h3", "h4"], *rows])
    t = read(put("t.csv", out.getvalue()))
    assert [list(r.values()) for r in t.data.to_pylist()] == rows


def test_100_000_by_20_come_back_to_the_bit(tmp_path):
    rng = np.random.default_rng(0)
    n = 100_000
    columns = {f"f{i}": pa.array(rng.normal(size=n)) for i in range(8)}
    columns |= {f"i{i}": pa.array(rng.integers(0, 1000, n)) for i in range(4)}
    columns |= {f"c{i}": pa.array(np.array(["alpha", "beta", "gamma d"])[rng.integers(0, 3, n)]) for i in range(6)}
    columns["when"] = pa.array(
        np.datetime64("2024-01-01T00:00:00", "us") + rng.integers(0, 10**7, n).astype("timedelta64[s]")
    )
    columns["text"] = pa.array([f"some text number {k} here" for k in rng.integers(0, 10**6, n)])
    path = write_table(pa.table(columns), tmp_path / "big.csv")
    t = read(str(path))
    assert [c.type for c in t.columns] == ["number"] * 12 + ["category"] * 6 + ["datetime", "text"]
    assert t.data.column("f0").to_numpy().tobytes() == np.asarray(columns["f0"]).tobytes()


TITLES = "Report: Sales by region{0}\nCreated 2024-05-01{0}\n{0}\nRegion;Q1;Total\nNorth;1;1,5\nSouth;2;2,5\n"


@pytest.mark.parametrize("blanks", ["", ";;"])
def test_titles_above_the_names_are_passed_over_and_told(table, plain, codes, blanks):
    t = table(TITLES.format(blanks))
    assert plain(t) == {"Region": ["North", "South"], "Q1": [1, 2], "Total": [1.5, 2.5]}
    assert codes(t) == ["title-lines"]
    assert plain(table(TITLES.format(blanks), skip=t.notes[0].count)) == plain(t)


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n1,2,3\n",
        "id,,\nx,1,2\ny,3,4\n",  # words above numbers, and yet the first line may be the names
        "a\nSmith,Ann,1\nDoe,Bob,2\n",
    ],
)
def test_what_may_be_data_is_no_title(table, content):
    try:
        assert "title-lines" not in [n.code for n in table(content).notes]
    except ReadError as error:
        assert "as many names as values" in error.expected
