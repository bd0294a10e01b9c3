"""A real server: what it answers, what it remembers, and that what came never stands in a refusal or in the log."""

import io
import json
import socket
import urllib.request

import pyarrow as pa
import pytest

from holdgood.core.records import AnswerOverride, Label, Prediction
from holdgood.workflow.predict import Predictor
from holdgood.workflow.single.scorer import RowScorer

ARROW = "application/vnd.apache.arrow.stream"


def stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def scorer_of(server, digest):
    return RowScorer(Predictor.load(server.live.bundle(digest)))


def test_one_row_is_answered_as_its_bundle_answers_and_is_in_the_journal(server, job_rows):
    status, told = server.json("POST", "/models/jobs/predict", {"row": job_rows[0], "id": "one"})
    assert status == 200
    expected = scorer_of(server, told["bundle"]).row(job_rows[0])
    assert {k: told[k] for k in expected.answer} == expected.answer
    kept = server.live.journal.prediction("jobs", "one")
    assert kept.facts == job_rows[0] and kept.answer == expected.answer and kept.bundle_digest == told["bundle"]
    assert kept.subject == job_rows[0]["job"] and kept.event_time.startswith(job_rows[0]["asked"][:19])


def test_many_rows_by_the_only_model_of_a_name(server, job_rows):
    status, told = server.json("POST", "/models/amounts/predict", {"rows": job_rows})
    assert status == 200 and len(told["answers"]) == len(job_rows)
    expected = scorer_of(server, told["answers"][0]["bundle"]).rows(job_rows)
    assert [{k: a[k] for k in e.answer} for a, e in zip(told["answers"], expected, strict=True)] == [
        e.answer for e in expected
    ]


def test_an_arrow_stream_is_answered_as_rows_are(server, job_rows):
    table = pa.Table.from_pylist(job_rows)
    reply = server.ask(
        "POST",
        "/models/amounts/predict",
        raw=stream(table),
        headers={"Content-Type": ARROW, "Idempotency-Key": "batch-1"},
    )
    assert reply.status == 200, reply.text
    found = pa.ipc.open_stream(reply.text).read_all()
    _, rows = server.json("POST", "/models/amounts/predict", {"rows": job_rows})
    assert found.column("prediction").to_pylist() == [a["prediction"] for a in rows["answers"]]
    assert found.column("prediction_id").to_pylist()[3] == "batch-1/3"
    kept = server.live.journal.prediction("amounts", "batch-1/3")
    assert kept.facts == job_rows[3] and kept.answer["prediction"] == rows["answers"][3]["prediction"]
    again = server.ask(
        "POST",
        "/models/amounts/predict",
        raw=stream(table),
        headers={"Content-Type": ARROW, "Idempotency-Key": "batch-1"},
    )
    assert again.status == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"no arrow", 400), (b"\xff\xff\xff\xff" + b"\x00" * 4, 400), (b"\xff\xff\xff\xff\xff\xff\xff\x7f", 400),
        (stream(pa.table({"size": [1.0] * 100}), compression="lz4"), 415), (stream(pa.table({"size": [[1.0]]})), 415),
        (stream(pa.table({"size": pa.nulls(30_000)})), 413), (stream(pa.table({"size": [1.0]}))[:-60], 400),
        (stream(pa.table({"kind": pa.array(["x" * 9_000]).dictionary_encode().take([0] * 5_000)})), 413),
    ],
)  # fmt: skip
def test_arrow_from_a_stranger(server, body, status):
    reply = server.ask("POST", "/models/amounts/predict", raw=body, headers={"Content-Type": ARROW})
    assert reply.status == status, reply.text


def test_the_same_id_is_answered_once_and_with_other_facts_refused(server, job_rows):
    first = server.json("POST", "/models/jobs/predict", {"row": job_rows[1], "id": "twice"})
    status, again = server.json(
        "POST", "/models/jobs/predict", {"row": job_rows[1]}, headers={"Idempotency-Key": "twice"}
    )
    assert status == 200 and again.pop("repeated") is True and again == first[1]
    status, told = server.json("POST", "/models/jobs/predict", {"row": job_rows[2], "id": "twice"})
    assert status == 409 and "other facts" in told["error"]
    some = {"rows": job_rows[1:4], "ids": ["twice", "new-1", "new-2"]}
    status, told = server.json("POST", "/models/jobs/predict", some)
    assert [a.get("repeated", False) for a in told["answers"]] == [True, False, False]
    entries = [
        p for _, p in server.live.journal.read(Prediction, model="jobs") if p.id == "twice" and p.place != "shadow"
    ]
    assert len(entries) == 1


def test_the_contract_is_told_for_each_row_without_its_values(server, job_rows):
    bad = {**job_rows[0], "parts": "geheim", "job": "subject-77"}
    bad.pop("size")
    status, told = server.json("POST", "/models/jobs/predict", {"row": bad, "id": "refused-1"})
    assert status == 422 and told["verdict"] == "refused" and "probability" not in told
    assert {(e["column"], e["came"]) for e in told["errors"]} == {("size", "no such column"), ("parts", "a text")}
    assert "geheim" not in json.dumps(told)
    kept = server.live.journal.prediction("jobs", "refused-1")
    assert kept.verdict == "refused" and kept.answer == {}
    status, told = server.json("POST", "/models/jobs/predict", {"rows": [job_rows[0], bad]})
    assert (
        status == 200
        and [a["verdict"] for a in told["answers"]][1] == "refused"
        and "probability" in told["answers"][0]
    )
    log = server.log.read_text()
    assert "geheim" not in log and "subject-77" not in log


def test_explanations(server, job_rows):
    status, told = server.json("POST", "/models/jobs/explain", {"row": job_rows[0], "top": 3})
    assert status == 200 and len(told["facts"]) == 3 and told["facts"][0]["fact"].startswith("jobs.")


def test_feedback_late_and_in_part_with_a_word_for_each_item(server, job_rows):
    server.json("POST", "/models/jobs/predict", {"rows": job_rows[:2], "ids": ["fb-1", "fb-2"]})
    labels = [
        {"prediction": "fb-1", "value": True, "known_time": "2024-08-01T00:00:00Z", "final": False},
        {"prediction": "nobody", "value": True}, {"prediction": "fb-2"}, {"prediction": "fb-2", "value": {"a": 1}},
        {"prediction": "fb-2", "value": 1, "known_time": "soon"}, {"prediction": 5, "value": 1}, {"prediction": "fb-2", "value": 1, "x": 1},
    ]  # fmt: skip
    overrides = [{"prediction": "fb-2", "after": False, "reason": "known better"}]
    status, told = server.json(
        "POST", "/models/jobs/feedback", {"labels": labels, "overrides": overrides}, token=server.secret["feedback"]
    )
    assert status == 207 and told["taken"] == 2
    assert [i["taken"] for i in told["items"]] == [True, False, False, False, False, False, False, True]
    assert told["items"][6]["why"].startswith("'x' is a name that means nothing here; known are prediction, value")
    kept = [x for _, x in server.live.journal.read(Label, model="jobs") if x.prediction == "fb-1"]
    assert kept[0].value is True and not kept[0].final and kept[0].by == "feedback"
    over = [x for _, x in server.live.journal.read(AnswerOverride, model="jobs") if x.prediction == "fb-2"]
    assert over[0].after is False and over[0].before is not None and over[0].who == "feedback"


def test_schema_and_its_example_can_be_asked(server):
    status, told = server.json("GET", "/models/jobs/schema")
    assert status == 200 and told["row"]["properties"]["parts"]["type"] == ["number", "null"]
    assert told["id"].startswith(
        "'job' in a row says whose row it is, and does not name the answer: send its value as \"id\""
    )
    status, answered = server.json("POST", "/models/jobs/predict", told["request"])
    assert status == 200 and answered["verdict"] == "ok"


def test_models_metrics_health(server, job_rows):
    server.json("POST", "/models/jobs/predict", {"row": job_rows[0]})
    status, told = server.json("GET", "/models")
    assert status == 200 and [m["name"] for m in told["models"]] == ["amounts", "jobs"]
    assert [p["place"] for p in told["models"][1]["places"]] == ["champion", "canary", "shadow"]
    text = server.ask("GET", "/metrics", token=server.secret["metrics"]).text.decode()
    assert "holdgood_journal_up 1.0" in text and 'holdgood_requests_total{route="/predict",status="200"}' in text
    assert 'place="canary"' in text and "holdgood_request_seconds_bucket" in text
    assert server.ask("GET", "/healthz", token=None).status == 200
    assert server.json("GET", "/readyz", token=None) == (200, {"ready": True, "why": []})


def test_several_models_ask_for_a_name(server, job_rows):
    status, told = server.json("POST", "/predict", {"row": job_rows[0]})
    assert status == 400 and told["expected"] == "one of: amounts, jobs"
    for name in ("nobody", "..%2f..%2fetc", "jobs%00", "%2e%2e", "jobs%0d%0aX", "job", "A" * 5000):
        assert server.ask("POST", f"/models/{name}/predict", {"row": {}}).status in (400, 404)
    assert server.json("POST", "/models/amounts/forecast", {"history": [{"a": 1}]})[0] == 409


def test_a_canary_is_met_by_the_same_subjects_and_by_about_its_share(server, job_rows):
    rows = [{**job_rows[i % 40], "job": f"S{i}"} for i in range(300)]
    _, first = server.json("POST", "/models/jobs/predict", {"rows": rows})
    _, second = server.json("POST", "/models/jobs/predict", {"rows": rows})
    champion, canary = (server.live.at("jobs", p).bundle_digest for p in ("champion", "canary"))
    met = [a["bundle"] for a in first["answers"]]
    assert met == [a["bundle"] for a in second["answers"]] and set(met) == {champion, canary}
    assert 50 <= met.count(canary) <= 130  # 90 expected; six standard deviations are 48
    alone = server.json("POST", "/models/jobs/predict", {"row": rows[7]})[1]["bundle"]
    assert alone == met[7]


def test_a_shadow_answers_afterwards_under_the_same_id(server, job_rows):
    server.json("POST", "/models/jobs/predict", {"row": job_rows[5], "id": "shadowed"})
    shadow = server.live.at("jobs", "shadow").bundle_digest
    expected = scorer_of(server, shadow).row(job_rows[5]).answer
    for _ in range(600):
        found = [
            p
            for _, p in server.live.journal.read(Prediction, model="jobs")
            if p.id == "shadowed" and p.place == "shadow"
        ]
        if found:
            break
    assert found[0].answer == expected and found[0].bundle_digest == shadow


def test_the_page_of_docs_and_what_it_may_load(server):
    reply = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/docs")
    page = reply.read().decode()
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "http://" not in page and "https://" not in page and "//" not in page.replace("<!doctype", "")


def test_a_log_line_a_request_and_none_forged(server, job_rows):
    server.ask(
        "GET", "/models%0A%7B%22event%22%3A%22forged%22%7D", headers={"X-Request-ID": 'a"b{', "User-Agent": "x\\n{}"}
    )
    server.ask("GET", "/healthz", headers={"X-Request-ID": "mine-1"})
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(b"no http\r\n\r\n")
        assert b" 400 " in raw.recv(1000)
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all("event" in line and line["event"] != "forged" for line in lines)
    assert any(line["event"] == "uvicorn" and "Invalid HTTP" in line["said"] for line in lines)
    assert any(line.get("request_id") == "mine-1" for line in lines)
    assert not any("forged" in json.dumps(line) for line in lines)


def test_what_is_wrong_with_a_request_is_told_with_what_to_send(server, job_rows):
    status, told = server.json("POST", "/models/jobs/explain", {"row": job_rows[0], "id": "a"})
    assert status == 422 and told["do"].startswith("leave it out: /explain takes no id and keeps nothing")
    late = {"prediction": "x", "value": True, "known_time": "gestern"}
    told = server.json("POST", "/models/jobs/feedback", {"labels": [late]}, token=server.secret["feedback"])[1]
    assert "known_time: 'gestern' is no time in ISO format, such as 2026-03-01T12:00:00Z" in str(told)
    told = server.json("POST", "/models/jobs/feedback", {"labels": {}}, token=server.secret["feedback"])[1]
    assert told["error"] == "labels: an object"
