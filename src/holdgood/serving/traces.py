"""Traces for OpenTelemetry, where its usual variables ask for them: one span a request, of our own names and counts, never of a row's values.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) says where they go; nothing is imported and nothing is spent until then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from holdgood.core.errors import HoldgoodError, MissingExtra
from holdgood.serving.desk import Desk
from holdgood.serving.exchange import JSON, Call, Reply

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_MOST_READ = 65_536
"""Bytes of an answer in which verdicts are looked for; longer ones are told by the champion's name alone."""


class Traces:
    """Tells each request once it is answered. A caller's ``traceparent`` makes the span part of its trace."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode  # an optional library
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = provider.get_tracer("holdgood")
        self._kind, self._fault = SpanKind.SERVER, Status(StatusCode.ERROR)
        self._extract = TraceContextTextMapPropagator().extract

    def __call__(self, route: str, desk: Desk, call: Call, reply: Reply, seconds: float) -> None:
        """One span: ``route``, status, model, bundle, outcome (a verdict, ``mixed``, or ``error``), rows and the request's id."""
        ends = time.time_ns()
        parent = {k: call.headers[k.encode()].decode("latin-1") for k in _PARENT if k.encode() in call.headers}
        span = self._tracer.start_span(
            route, self._extract(parent), self._kind, start_time=ends - round(seconds * 1e9),
            attributes={
                "http.route": route, "http.response.status_code": reply.status, "holdgood.request_id": call.request_id,
                **_told(desk, call, reply),
            },
        )  # fmt: skip
        if reply.status >= 500:
            span.set_status(self._fault)
        span.end(ends)


_PARENT = ("traceparent", "tracestate")


def traces(environment: Mapping[str, str] = os.environ) -> Traces | None:
    """As the variables of OpenTelemetry say; None where they say nothing. MissingExtra where they do and the libraries are not there."""
    off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    if off or not any(environment.get(name) for name in _WHERE):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # an optional library
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise MissingExtra.named("otel", "opentelemetry", f"{' or '.join(_WHERE)}, sending traces,") from None
    named = {} if environment.get("OTEL_SERVICE_NAME") else {"service.name": "holdgood"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traces(provider)


def _told(desk: Desk, call: Call, reply: Reply) -> dict[str, str | int]:
    model = call.told.get("model", call.model)
    said: dict[str, str | int] = {"holdgood.outcome": "error" if reply.status >= 400 else "ok"}
    if "rows" in call.told:
        said["holdgood.rows"] = int(call.told["rows"])
    if not model:
        return said
    said["holdgood.model"] = str(model)
    answers = _answers(reply)
    bundles = sorted({str(a["bundle"]) for a in answers if a.get("bundle")})
    verdicts = sorted({str(a["verdict"]) for a in answers if a.get("verdict")})
    if verdicts:
        said["holdgood.outcome"] = verdicts[0] if len(verdicts) == 1 else "mixed"
    try:
        said["holdgood.bundle"] = ",".join(bundles) or desk.models.get(str(model)).champion.digest
    except HoldgoodError:
        pass  # a model that nobody knows, or that has just gone
    except Exception as error:  # tracing must not take a server down
        desk.log.fault("trace", error)
    return said


def _answers(reply: Reply) -> list[dict[str, Any]]:
    if reply.content_type != JSON or len(reply.body) > _MOST_READ:
        return []
    body = orjson.loads(reply.body)
    if not isinstance(body, dict):
        return []
    many = body.get("answers")
    return [a for a in many if isinstance(a, dict)] if isinstance(many, list) else [body]
