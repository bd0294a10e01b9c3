"""A file that is read piece by piece is the file read at once; lines that are broken are counted, all others are kept."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdgood.connectors import csv_files, read_table
from holdgood.connectors.bad_lines import scan
from holdgood.core.errors import HoldgoodError

cells = st.sampled_from(
    ["1", "22", "", "wörd", '"a, b"', '"x ""q"" y"', '"two\nlines"', '"three\n\nlines, yes\nthird"', "NA"]
)
faults = st.sampled_from(["none"] * 20 + ["more", "fewer", "stray quote", "late quote", "blank"])


@st.composite
def files(draw):
    width = draw(st.integers(1, 4))
    lines = [",".join(f"h{i}" for i in range(width))]
    for _ in range(draw(st.integers(1, 30))):
        row = [draw(cells) for _ in range(width)]
        fault = draw(faults)
        text = ",".join(row[:-1] if fault == "fewer" else [*row, "x"] if fault == "more" else row)
        lines.append(
            {"stray quote": '"' + text, "late quote": text.replace(",", ',"', 1), "blank": ""}.get(fault, text)
        )
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + (end if draw(st.booleans()) else "")


def _read(path):
    try:
        table = read_table(path)
    except HoldgoodError as error:
        return str(error)
    return table.data.to_pydict(), table.columns, table.notes


@given(body=files(), size=st.integers(5, 200), large=st.booleans())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_of_any_size_give_the_same_table(put, body, size, large):
    path = put("t.csv", body)
    whole = _read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "_PIECE", size)
        if large:
            patch.setattr("holdgood.connectors.text_body.WHOLE", 0)
        assert repr(_read(path)) == repr(whole)


def test_one_broken_line_in_a_hundred(put):
    rng = np.random.default_rng(1)
    rows = [
        [str(i), f"name {i}", str(round(float(x), 3)), "north" if i % 3 else "south"]
        for i, x in enumerate(rng.normal(size=20_000))
    ]
    broken = set(rng.choice(np.arange(1, 19_999), 200, replace=False).tolist())
    lines = []
    for i, row in enumerate(rows):
        text = ",".join(row)
        if i in broken:
            text = (f"{text},surplus", ",".join(row[:2]), text.replace(",", ',"', 1), "")[i % 4] or f"{row[0]},,"
        lines.append(text)
    table = read_table(put("t.csv", "id,name,x,side\n" + "\n".join(lines) + "\n"))
    kept = table.data.column("id").to_pylist()
    assert kept == [i for i in range(20_000) if i not in broken]
    assert [n.code for n in table.notes] == ["bad-lines", "bad-lines"]
    assert sum(n.count for n in table.notes) == 200
    assert table.type_of("x") == "number"


def test_a_quote_that_never_closes_does_not_swallow_rows():
    lines = [b'1,"open,2', b"3,4,5", b"6,7,8", b"9,10,11", b'12,"x",13']
    found = scan(lines, b",", b'"', width=3)
    assert found.unclosed == (0,)
    assert found.starts == (1, 2, 3, 4)
    honest = [b'1,"a letter', b"with lines, and", b"a comma here", b'the end",2']
    assert scan(honest, b",", b'"', width=3).starts == (0,)


def test_an_open_record_waits_for_more_lines():
    lines = [b"1,2", b'3,"open', b"still open"]
    assert scan(lines, b",", b'"', width=2, more=True).open == 1
    assert scan(lines, b",", b'"', width=2).unclosed == (1,)


def test_a_cell_of_many_pieces(put, monkeypatch):
    monkeypatch.setattr(csv_files, "_PIECE", 10_000)
    long = "x" * 1_000_000 + "\n" + "y" * 1_000_000
    out = io.StringIO()
    csv.writer(out).writerows([["a", "b"], [1, long], [2, "z"]])
    table = read_table(put("t.csv", out.getvalue()), options={"delimiter": ","})
    assert table.data.column("b").to_pylist() == [long, "z"]
    assert table.notes == ()
