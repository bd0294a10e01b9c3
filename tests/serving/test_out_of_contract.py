"""A server whose settings refuse rows outside of the contract: no answer, and what came, what was expected and what to do."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from holdgood.cli.app import app
from holdgood.core.declared_live import LIVE_FILE
from holdgood.core.records import Prediction
from holdgood.journal import Journal

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture
def odd(job_rows):
    """A row that the inferred contract only warns of: a number far above all that were seen."""
    return {**job_rows[0], "parts": 4_000_000}


def test_by_default_a_row_outside_is_warned_of_and_the_schema_says_so(within, odd):
    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", {"row": odd})
        assert (status, told["verdict"]) == (200, "warn") and "probability" in told
        _, schema, _ = await ask("GET", "/schema")
        assert schema["out_of_contract"] == "warn" and "maximum" not in schema["row"]["properties"]["parts"]

    within(scenario)


def test_refuse_gives_no_answer_but_what_came_what_was_expected_and_what_to_do(within, odd, job_rows, tmp_path):
    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", {"row": odd, "id": "far-out"})
        assert (status, told["verdict"]) == (422, "refused") and "probability" not in told and "answer" not in told
        assert told["error"].startswith("outside of the contract: parts is above")
        assert told["expected"].startswith("parts: whole number") and "/models/jobs/schema" in told["do"]
        assert [(e["column"], e["came"], e["breach"]) for e in told["errors"]] == [("parts", "a number", "refuse")]
        status, again, _ = await ask("POST", "/predict", {"row": odd, "id": "far-out"})
        assert (
            (status, again["repeated"]) == (422, True) and again["error"] == told["error"] and again["do"] == told["do"]
        )
        status, ok, _ = await ask("POST", "/predict", {"row": job_rows[0]})
        assert (status, ok["verdict"]) == (200, "ok")
        _, many, _ = await ask("POST", "/predict", {"rows": [job_rows[0], odd]})
        assert [a["verdict"] for a in many["answers"]] == ["ok", "refused"]
        _, schema, _ = await ask("GET", "/schema")
        assert schema["out_of_contract"] == "refuse" and "maximum" in schema["row"]["properties"]["parts"]

    within(scenario, out_of_contract="refuse")
    kept = Journal(tmp_path / "journal.sqlite").prediction("jobs", "far-out")
    assert kept.verdict == "refused" and kept.answer == {} and kept.facts["parts"] == 4_000_000


def test_an_outcome_of_a_refused_row_is_kept_and_said_to_count_for_nothing(within, odd, job_rows, tmp_path):
    async def scenario(ask, desk):
        await ask("POST", "/predict", {"rows": [odd, job_rows[0]], "ids": ["no", "yes"]})
        labels = {"labels": [{"prediction": i, "value": True} for i in ("no", "yes")]}
        for _ in range(2):
            status, told, _ = await ask("POST", "/feedback", labels)
            assert (status, told["taken"]) == (200, 2)
            assert "refused, without an answer" in told["items"][0]["note"] and "note" not in told["items"][1]
        _, told, _ = await ask("POST", "/feedback", {"overrides": [{"prediction": "no", "after": True}]})
        assert told["taken"] == 1 and "note" not in told["items"][0], "what a person decided counts"

    within(scenario, out_of_contract="refuse")
    (tmp_path / "l.csv").write_text("id,value\nno,true\nyes,true\n")
    ask = [
        "journal",
        "label",
        str(tmp_path / "l.csv"),
        "--model",
        "jobs",
        "--journal",
        str(tmp_path / "journal.sqlite"),
    ]
    told = CliRunner().invoke(app, ask)
    assert told.exit_code == 0 and "1 label is about a row that was refused, without an answer" in told.output
    again = CliRunner().invoke(app, [*ask, "--json"])
    assert json.loads(again.output)["of_refused_rows"] == 1


def test_a_stream_is_held_as_single_rows_are(within, odd, job_rows):
    rows = pa.table({"size": [1.5, 1.5], "parts": [2, 4_000_000], "load": [0.1, 0.1], "kind": ["red"] * 2, "line": ["l01"] * 2,
                     "rush": [False] * 2, "asked": [job_rows[0]["asked"]] * 2, "due": [job_rows[0]["due"]] * 2,
                     "note": [job_rows[0]["note"]] * 2})  # fmt: skip
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)

    async def scenario(ask, desk):
        status, body, _ = await ask("POST", "/predict", raw=sink.getvalue(), content_type=ARROW)
        found = pa.ipc.open_stream(body).read_all()
        assert status == 200 and found.column("verdict").to_pylist() == ["ok", "refused"]
        assert found.column("probability").to_pylist()[1] is None

    within(scenario, out_of_contract="refuse")


def test_the_live_folder_says_it_for_server_and_batch_and_an_option_goes_before(live_of, within, odd, tmp_path):
    live = live_of(tmp_path / "live", {("champion", None): {}})
    (tmp_path / "live" / LIVE_FILE).write_text('[serve]\nout_of_contract = "refuse"\n')
    seen = []

    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/predict", {"row": odd})
        seen.append((status, told["verdict"]))

    within(scenario, what=(str(tmp_path / "live"),), journal="")
    within(scenario, what=(str(tmp_path / "live"),), journal="", out_of_contract="warn")
    assert seen == [(422, "refused"), (200, "warn")]
    assert [p.verdict for _, p in live.journal.read(Prediction)] == ["refused", "warn"]
    kept_bundle = str(live.bundle(live.at("jobs").bundle_digest))
    within(scenario, what=(kept_bundle,), journal=str(tmp_path / "alone.sqlite"))
    within(scenario, what=(f"jobs={kept_bundle}",), journal=str(tmp_path / "alone.sqlite"), out_of_contract="warn")
    assert seen[2:] == [(422, "refused"), (200, "warn")], "a bundle that lies in the live folder, served by its path"

    new = pa.Table.from_pylist([{**odd, "parts": p, "job": f"N{p}"} for p in (2, 4_000_000, 3)])
    pq.write_table(new, tmp_path / "new.parquet")
    bundle, listed = live.bundle(live.at("jobs").bundle_digest), tmp_path / "refused.csv"
    run = CliRunner().invoke(
        app,
        [
            "predict",
            str(bundle),
            str(tmp_path / "new.parquet"),
            "-o",
            str(tmp_path / "out.csv"),
            "--refused",
            str(listed),
        ],
    )
    assert run.exit_code == 0, run.output
    assert (
        "3 rows scored (1 refused)" in run.output
        and "1 refused row with the reason" in run.output
        and "live.toml" in run.output
    )
    (line,) = csv.DictReader(listed.open())
    assert (line["row_number"], line["job"]) == ("2", "N4000000") and line["why"].startswith("parts is above")
    whole = (tmp_path / "out.csv").read_text().splitlines()
    assert len(whole) == 4 and "refused" in whole[2]
    run = CliRunner().invoke(
        app, ["predict", str(bundle), str(tmp_path / "new.parquet"), "--out-of-contract", "warn", "--json"]
    )
    assert '"refused": 0' in run.output and '"warned": 1' in run.output
