"""The description that the server gives of itself: schemathesis asks everything in it, and gets nothing that it does not say."""

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

CHECKS = [not_a_server_error, content_type_conformance, status_code_conformance]


def test_everything_that_is_described_is_answered_or_refused(server):
    head = {"Authorization": f"Bearer {server.token}"}
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json", headers=head)
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        strategies = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

        @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=strategies[0] | strategies[1])
        def ask(case):
            case.call_and_validate(headers=head, checks=CHECKS)

        ask()
        asked.append(operation.label)
    assert len(asked) >= 12 and "POST /models/jobs/predict" in asked
    assert '"event":"fault"' not in server.log.read_text()
