"""Whose the rows of an Arrow stream are, where the key is not the person: the column that the caller names."""

import io

import pyarrow as pa
import pytest

from holdgood.journal import Journal
from holdgood.journal.forgetting import of_subject
from holdgood.serving.exchange import ARROW


def stream(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("cells", "whose"),
    [
        (["ann", "bob", "ann", "cyd"], ["ann", "bob", "ann", "cyd"]),
        ([4711.0, 8.0, 4711.0, 9.0], ["4711", "8", "4711", "9"]),
        (["ann", None, "ann", ""], ["ann", "KEY", "ann", "KEY"]),
        ([None] * 4, ["KEY"] * 4),
        ([4711.0, float("nan"), 4711.0, 9.0], ["4711", "KEY", "4711", "9"]),
    ],
)
def test_a_persons_rows_are_found_by_the_column_that_the_caller_names(within, tmp_path, job_rows, cells, whose):
    table = pa.Table.from_pylist(job_rows[:4]).append_column("kündin", pa.array(cells))
    who = [str(row["job"]) if name == "KEY" else name for name, row in zip(whose, job_rows, strict=False)]

    async def scenario(ask, desk):
        headers = [(b"subject-column", "kündin".encode()), (b"idempotency-key", b"s")]
        status, _, _ = await ask("POST", "/predict", headers=headers, raw=stream(table), content_type=ARROW)
        assert status == 200
        status, _, _ = await ask("POST", "/predict", raw=stream(table), content_type=ARROW)  # as before: by the key
        assert status == 200

    within(scenario)
    journal = Journal(tmp_path / "journal.sqlite")
    found = journal.predictions("jobs", [f"s/{i}" for i in range(4)])
    assert [found[f"s/{i}"].subject for i in range(4)] == who
    mine = [i for i, name in enumerate(who) if name == who[0]]
    places = [place for place in of_subject(journal, who[0]) if place[1] == 1]
    assert [place[2] for place in places] == mine
    journal.forget_many(places, "live", who="officer", why="asked to")
    assert sorted(journal.predictions("jobs", [f"s/{i}" for i in range(4)])) == [
        f"s/{i}" for i in range(4) if i not in mine
    ]
    assert journal.verify() == []


def test_a_column_that_is_not_there_and_a_header_beside_json_are_refused(within, job_rows):
    table = pa.Table.from_pylist(job_rows[:2]).append_column("customer", pa.array(["ann", "bob"]))

    async def scenario(ask, desk):
        for name in (b"custmer", b"\xff\xfe", b""):
            headers = [(b"subject-column", name)]
            status, told, _ = await ask("POST", "/predict", headers=headers, raw=stream(table), content_type=ARROW)
            assert status == 422 and "not in the stream" in told["error"] and "customer" in told["expected"], told
            assert name != b"custmer" or "did you mean 'customer'" in told["do"]
        headers = [(b"subject-column", b"customer")]
        for route in ("/predict", "/explain"):
            status, told, _ = await ask("POST", route, {"row": job_rows[0]}, headers)
            assert status == 422 and '"subject"' in told["do"]
        status, _, _ = await ask("POST", "/predict", headers=headers * 2, raw=stream(table), content_type=ARROW)
        assert status == 400

    within(scenario)


def test_a_long_name_beside_many_long_columns_is_refused_in_few_words(within, job_rows):
    table = pa.Table.from_pylist(job_rows[:1])
    for i in range(300):
        table = table.append_column("ab" * 4000 + str(i), pa.array(["ann"]))

    async def scenario(ask, desk):
        for name in (b"ba" * 4000, b"custmer"):
            headers = [(b"subject-column", name)]
            status, told, _ = await ask("POST", "/predict", headers=headers, raw=stream(table), content_type=ARROW)
            assert status == 422 and len(told["expected"]) < 3000 and "more" in told["expected"], told

    within(scenario)
