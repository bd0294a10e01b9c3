"""With keep.facts = false nothing of a row's facts is in the journal, whichever way the row came; a shadow is asked the same all the same."""

import io

import pandas as pd
import pyarrow as pa
import pytest

from holdgood.core.plain_columns import plain
from holdgood.core.records import Prediction
from holdgood.journal import Journal
from holdgood.workflow.predict import Predictor

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture
def kept_nothing(live_of, tmp_path):
    live = live_of(tmp_path / "live", {("champion", None): {}, ("shadow", None): {"seed": 1}})
    (live.path / "live.toml").write_text("[keep]\nfacts = false\n")
    return live


def stream(frame):
    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_no_fact_is_written_and_the_shadow_is_asked_the_same(kept_nothing, within, job_rows, capfd):
    live = kept_nothing
    rows = [
        {**r, "note": f"told in confidence {i}", "size": 7.0625 + i, "line": "l01"} for i, r in enumerate(job_rows[:6])
    ]
    broken = {**rows[4], "parts": "unspeakable words", "asked": "not a day either"}
    frame = pd.DataFrame(rows[4:])
    for column in ("asked", "due"):
        frame[column] = pd.to_datetime(frame[column])

    async def scenario(ask, desk):
        assert (await ask("POST", "/predict", {"row": rows[0], "id": "one"}))[0] == 200
        assert (await ask("POST", "/predict", {"rows": rows[1:4], "ids": ["a", "b", "c"]}))[0] == 200
        status, told, _ = await ask("POST", "/predict", {"row": broken, "id": "no"})
        assert status == 200 and told["verdict"] == "warn"
        key = ((b"idempotency-key", b"s"),)
        assert (await ask("POST", "/predict", headers=key, raw=stream(frame), content_type=ARROW))[0] == 200

    within(scenario, what=(str(live.path),), journal="", log_requests=True)
    journal = Journal(live.path / "journal.sqlite")
    assert journal.verify() == []
    whole = b"".join(p.read_bytes() for p in live.path.glob("journal.sqlite*"))
    for fact in (b"told in confidence", b"unspeakable", b"not a day", b"7.0625", b"8.0625"):
        assert fact not in whole
    log = capfd.readouterr().err
    assert '"event":"ended"' in log and "/predict" in log and "told in confidence" not in log
    shadow = next(s for s in live.standing("jobs") if s.place == "shadow")
    model = Predictor.load(live.bundle(shadow.bundle_digest))
    said = {p.id: p for _, p in journal.read(Prediction, model="jobs") if p.place == "shadow"}
    expected = model.predict(model.table_of(pa.Table.from_pylist(rows)))
    for id_, row in (("one", 0), ("a", 1), ("b", 2), ("c", 3), ("s/0", 4), ("s/1", 5)):
        assert said[id_].facts is None
        assert said[id_].answer["probability"] == pytest.approx(expected[row], abs=1e-9), id_
    for id_, row in (("one", rows[0]), ("a", rows[1]), ("b", rows[2]), ("c", rows[3]), ("no", broken)):
        assert journal.proves("jobs", id_, row) and not journal.proves("jobs", id_, {**row, "parts": 77})
        assert said[id_].commitment.holds(row), "the shadow's too"
    for i, row in enumerate(plain(pa.Table.from_pandas(frame, preserve_index=False)).to_pylist()):
        assert journal.proves("jobs", f"s/{i}", row) and not journal.proves("jobs", f"s/{i}", {**row, "parts": 77})
        assert said[f"s/{i}"].commitment.holds(row)


def test_a_caller_who_kept_the_row_proves_it_and_the_same_id_with_other_facts_is_refused(
    kept_nothing, within, job_rows
):
    live, row = kept_nothing, job_rows[0]

    async def scenario(ask, desk):
        first = (await ask("POST", "/predict", {"row": row, "id": "one"}))[1]
        again = await ask("POST", "/predict", {"row": dict(reversed(row.items())), "id": "one"})
        assert (again[0], again[1]["repeated"], again[1]["probability"]) == (200, True, first["probability"])
        status, told, _ = await ask("POST", "/predict", {"row": {**row, "parts": 77}, "id": "one"})
        assert status == 409 and "other facts" in told["error"]
        many = {"rows": job_rows[:30], "ids": [f"r{i}" for i in range(30)]}
        assert (await ask("POST", "/predict", many))[0] == 200  # in a worker
        many["rows"] = [{**r, "parts": 77} if i == 7 else r for i, r in enumerate(job_rows[:30])]
        status, told, _ = await ask("POST", "/predict", many)
        assert (status, told["at"]) == (409, 7)

    within(scenario, what=(str(live.path),), journal="")
    assert all(live.journal.proves("jobs", f"r{i}", job_rows[i]) for i in range(30))


def test_who_wants_not_even_a_commitment_has_none(kept_nothing, within, job_rows):
    live = kept_nothing
    (live.path / "live.toml").write_text("[keep]\nfacts = false\ncommitments = false\n")

    async def scenario(ask, desk):
        for body in ({"row": job_rows[0], "id": "one"}, {"rows": job_rows[1:3], "ids": ["a", "b"]}):
            assert (await ask("POST", "/predict", body))[0] == 200
        again = await ask("POST", "/predict", {"row": {**job_rows[0], "parts": 77}, "id": "one"})
        assert (again[0], again[1]["repeated"]) == (200, True)  # nothing tells them apart
        frame = pd.DataFrame(job_rows[3:5])
        assert (await ask("POST", "/predict", raw=stream(frame), content_type=ARROW))[0] == 200

    within(scenario, what=(str(live.path),), journal="")
    assert b'commitment":' not in (live.path / "journal.sqlite").read_bytes()
    assert [p.commitment for _, p in live.journal.read(Prediction)] == [None] * 10


def test_where_facts_are_kept_a_record_has_no_commitment(live_of, within, tmp_path, job_rows):
    live = live_of(tmp_path / "kept", {("champion", None): {}})

    async def scenario(ask, desk):
        assert (await ask("POST", "/predict", {"row": job_rows[0], "id": "one"}))[0] == 200

    within(scenario, what=(str(live.path),), journal="")
    assert "commitment" not in live.journal.entries("prediction")[0].record["payload"]
    assert live.journal.proves("jobs", "one", job_rows[0])


def test_a_folder_that_keeps_facts_no_more_is_obeyed_while_the_server_runs(live_of, within, tmp_path, job_rows, capfd):
    live = live_of(tmp_path / "live", {("champion", None): {}})

    async def scenario(ask, desk):
        changes = {
            "kept": None, "not": "facts = false", "odd": "facts = perhaps", "bare": "facts = false\ncommitments = false", "again": "facts = true"
        }  # fmt: skip
        for id_, said in changes.items():
            if said:
                (live.path / "live.toml").write_text(f"[keep]\n{said}\n")
                assert (await ask("POST", "/admin/reload"))[0] == 200
            assert (await ask("POST", "/predict", {"row": job_rows[0], "id": id_}))[0] == 200

    within(scenario, what=(str(live.path),), journal="")
    said = {p.id: (p.facts is not None, p.commitment is not None) for _, p in live.journal.read(Prediction)}
    assert said == {
        "kept": (True, False), "not": (False, True), "odd": (False, True), "bare": (False, False), "again": (True, False)
    }  # fmt: skip
    log = capfd.readouterr().err
    assert log.count("what is kept has changed") == 3 and "what is kept stays as it was" in log


def test_a_row_of_a_stream_asked_again_as_json_is_the_same_row(live_of, within, tmp_path, job_rows):
    live = live_of(tmp_path / "live", {("champion", None): {}})
    frame = pd.DataFrame(job_rows[:2])
    for column in ("asked", "due"):
        frame[column] = pd.to_datetime(frame[column])

    async def scenario(ask, desk):
        key = ((b"idempotency-key", b"s"),)
        assert (await ask("POST", "/predict", headers=key, raw=stream(frame), content_type=ARROW))[0] == 200
        status, told, _ = await ask("POST", "/predict", {"row": job_rows[1], "id": "s/1"})
        assert (status, told["repeated"]) == (200, True)
        assert (await ask("POST", "/predict", {"row": job_rows[0], "id": "s/1"}))[0] == 409

    within(scenario, what=(str(live.path),), journal="")
