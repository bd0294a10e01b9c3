"""A cell with nothing in it is missing on every road, as it was in the CSV file of training, unless the model learned it as a word."""

import csv

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest

from holdgood.journal import Journal
from holdgood.serving.exchange import ARROW
from holdgood.workflow.predict import Predictor
from holdgood.workflow.single.scorer import RowScorer

WORDS = ("kind", "line", "note")


@pytest.fixture
def emptied(job_rows):
    """Rows whose words are missing, in one column each, then in all."""
    return [
        {**row, **dict.fromkeys(names)}
        for row, names in zip(job_rows, (("kind",), ("line",), ("note",), WORDS), strict=False)
    ]


def blank(rows):
    return [{k: "" if v is None and k in WORDS else v for k, v in row.items()} for row in rows]


def stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_stream(body):
    told = pa.ipc.open_stream(body).read_all().to_pylist()
    return [(r["probability"], r["verdict"], r["why"]) for r in told]


def written(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_an_empty_text_is_missing_on_every_road(within, bundles, emptied, tmp_path):
    file = written(tmp_path / "rows.csv", emptied)
    model = Predictor.load(bundles())
    read = model.as_read(file)
    said, main = model.judge(read), model.repaired(read)
    output = model.output(main, model.scored(main)[0], "arrow", said).to_pylist()
    expected = [(r["probability"], r["verdict"], r["why"]) for r in output]
    assert not any("never seen" in why for _, _, why in expected)

    table = arrow_csv.read_csv(file)
    assert table.column("note").to_pylist()[2] == ""

    async def scenario(ask, desk):
        status, body, _ = await ask("POST", "/predict", raw=stream(table), content_type=ARROW)
        assert status == 200
        assert from_stream(body) == expected
        for rows in (emptied, blank(emptied)):
            scored = RowScorer(model).rows(rows)
            assert [(a.answer["probability"], a.verdict, a.why) for a in scored] == expected
            status, told, _ = await ask("POST", "/predict", {"rows": rows})
            assert status == 200
            assert [(a["probability"], a["verdict"], a.get("why", "")) for a in told["answers"]] == expected
            for row, (chance, verdict, why) in zip(rows, expected, strict=True):
                alone = RowScorer(model).row(row)
                assert (alone.answer["probability"], alone.verdict, alone.why) == (chance, verdict, why)

    within(scenario)
    kept = [e.record["payload"]["facts"] for e in Journal(tmp_path / "journal.sqlite").entries("prediction")]
    assert {f["note"] for f in kept} >= {"", None}  # as each was sent


def test_an_empty_text_that_the_model_learned_stays_a_word(bundles, emptied):
    model = Predictor.load(bundles(blanks=("kind", "note")))
    assert "line" in model.blank_is_missing("jobs")
    assert not {"kind", "note"} & model.blank_is_missing("jobs")
    rows = blank(emptied)
    table = model.as_read(pa.Table.from_pylist(rows))
    assert [table.data.column(n).to_pylist()[3] for n in WORDS] == ["", None, ""]
    cells = RowScorer(model).row(rows[3]).cells
    assert [cells[n] for n in WORDS] == ["", None, ""]
    assert RowScorer(model).table(rows).data.column("note").to_pylist()[3] == ""


def test_blanks_are_words_as_they_are_in_a_csv_file(bundles, emptied, tmp_path):
    model = Predictor.load(bundles())
    row = {**emptied[0], "kind": " "}
    read = model.as_read(written(tmp_path / "rows.csv", [row]))
    assert read.data.column("kind").to_pylist() == [" "]
    assert RowScorer(model).row(row).cells["kind"] == " "


def test_what_is_told_of_an_empty_text_that_may_not_be_missing(bundles, emptied):
    model = Predictor.load(bundles())
    scorer = RowScorer(model)
    row = blank(emptied)[1]
    (told,) = [d for d in scorer.details(scorer.row(row), row) if d["column"] == "line"]
    assert (told["rule"], told["came"]) == ("missing", "a blank text")
