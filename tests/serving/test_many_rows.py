"""Arrow streams through the door: more rows than the journal's queue, columns called as answers are, cells that cost a stranger nothing."""

import pyarrow as pa

from holdgood.journal import Journal
from holdgood.serving.exchange import ARROW


def stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def sent(ask, table):
    """Ask for the answers to a table: status, body."""
    return ask("POST", "/predict", raw=stream(table), content_type=ARROW)


def rows_of(job_rows, count):
    return pa.Table.from_pylist([job_rows[i % len(job_rows)] for i in range(count)])


def test_more_rows_than_may_wait_for_the_journal_are_taken_when_nothing_else_waits(within, job_rows, tmp_path):
    async def scenario(ask, desk):
        desk.recorder._writer._most = 30
        assert (await sent(ask, rows_of(job_rows, 40)))[0] == 200
        assert (await ask("POST", "/predict", {"rows": job_rows}))[0] == 200

    within(scenario)
    assert len(list(Journal(tmp_path / "journal.sqlite").entries("prediction"))) == 80


def test_columns_called_as_answers_are_leave_the_journal_whole(within, job_rows, tmp_path):
    table = rows_of(job_rows, 3)
    for name in ("probability", "answer", "verdict", "why", "row"):
        table = table.append_column(name, pa.array(["mine"] * 3))

    async def scenario(ask, desk):
        assert (await sent(ask, table))[0] == 200

    within(scenario)
    for entry in Journal(tmp_path / "journal.sqlite").entries("prediction"):
        said = entry.record["payload"]
        assert set(said["answer"]) == {"probability", "answer"} and said["answer"]["probability"] != "mine"
        assert said["verdict"] in ("ok", "warn")


def test_cells_that_take_no_bytes_are_counted(within, job_rows):
    empty = pa.table({f"c{i}": pa.nulls(50_000) for i in range(300)})

    async def scenario(ask, desk):
        body = stream(empty)
        assert len(body) < 100_000
        status, told, _ = await ask("POST", "/predict", raw=body, content_type=ARROW)
        assert status == 413 and "cells" in told["error"]

    within(scenario)
