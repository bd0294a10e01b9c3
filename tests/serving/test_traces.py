"""One span a request: model, version and outcome, part of the caller's trace, without a value of a row; nothing where nobody asks."""

import json
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from holdgood.core.errors import MissingExtra
from holdgood.serving import server
from holdgood.serving.traces import Traces, traces


@pytest.fixture
def spans(monkeypatch):
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(server, "traces", lambda: Traces(provider))
    return kept.get_finished_spans


def test_each_request_is_one_span(within, job_rows, spans):
    parent = [(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    odd = {**job_rows[0], "kind": "never heard of"}

    async def scenario(ask, desk):
        digest = desk.models.get("").champion.digest
        assert (await ask("POST", "/predict", {"row": job_rows[0]}, parent))[0] == 200
        await ask("POST", "/predict", {"rows": [job_rows[0], odd]})
        assert (await ask("POST", "/predict", {"row": 5}))[0] == 422
        assert (await ask("GET", "/nowhere"))[0] == 404
        one, many, wrong, nowhere = spans()
        assert one.name == "/predict" and one.kind.name == "SERVER"
        assert format(one.context.trace_id, "032x") == "0af7651916cd43dd8448eb211c80319c"
        assert format(one.parent.span_id, "016x") == "b7ad6b7169203331"
        assert 0 < one.end_time - one.start_time < 30e9
        told = dict(one.attributes)
        assert told.pop("holdgood.request_id")
        assert told == {
            "http.route": "/predict", "http.response.status_code": 200, "holdgood.model": "jobs", "holdgood.bundle": digest,
            "holdgood.outcome": "ok", "holdgood.rows": 1,
        }  # fmt: skip
        assert many.attributes["holdgood.outcome"] == "mixed" and many.attributes["holdgood.rows"] == 2
        assert wrong.attributes["holdgood.outcome"] == "error" and wrong.attributes["http.response.status_code"] == 422
        assert nowhere.name == "unknown" and "holdgood.model" not in nowhere.attributes
        assert "never heard of" not in json.dumps([json.loads(s.to_json()) for s in spans()])

    within(scenario)


def test_a_fault_is_marked_as_one(within, job_rows, spans, monkeypatch):
    async def scenario(ask, desk):
        scorer = desk.models.get("").champion.rows()
        monkeypatch.setattr(scorer, "_score", lambda cells: (_ for _ in ()).throw(RuntimeError("broken")))
        assert (await ask("POST", "/predict", {"row": job_rows[0]}))[0] == 500
        (span,) = spans()
        assert span.status.status_code.name == "ERROR"

    within(scenario)


def test_off_unless_the_variables_say_where(monkeypatch):
    assert traces({}) is None
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    assert traces({**where, "OTEL_SDK_DISABLED": "true"}) is None
    assert traces({**where, "OTEL_TRACES_EXPORTER": "none"}) is None
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(MissingExtra, match="pip install 'holdgood\\[otel\\]'"):
        traces(where)
