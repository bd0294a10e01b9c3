"""Outcomes told as the columns that a computed target needs: made whole from the row, tried by the target's own expression."""

import pytest

from holdgood.core.records import Label
from holdgood.journal import Journal
from holdgood.workflow.live.labels import take_labels
from holdgood.workflow.predict import Predictor


@pytest.fixture
def computed(bundles):
    """A bundle whose target is computed from a moment that is known afterwards and one that the row says."""
    return bundles(target="left_at > due + 1 hour", outcome=(("left_at", "datetime"), ("due", "datetime")))


def test_columns_of_the_target_are_an_outcome_and_each_that_cannot_be_has_its_reason(
    within, computed, job_rows, tmp_path
):
    row = {**job_rows[0], "due": "2024-05-01T10:00:00"}
    labels = [
        {"prediction": "a", "value": {"left_at": "2024-05-01T12:00:00"}, "known_time": "2024-08-02T00:00:00Z"},
        {"prediction": "b", "value": {"left_at": "2024-05-01 10:30"}},
        {"prediction": "c", "value": {"left_at": "2024-05-01T12:00:00"}},
        {"prediction": "c", "value": {"left_at": "2024-05-01T12:00:00", "due": "2024-05-01T12:00:00"}},
        {"prediction": "a", "value": {"left_att": "2024-05-01T12:00:00"}},
        {"prediction": "a", "value": {"left_at": "soon"}},
        {"prediction": "a", "value": {"left_at": None}},
        {"prediction": "a", "value": {"left_at": ["2024"]}},
        {"prediction": "a", "value": {}},
        {"prediction": "a", "value": True},
    ]  # fmt: skip

    async def scenario(ask, desk):
        rows = [row, row, {k: v for k, v in row.items() if k != "due"} | {"due": None}]
        status, _, _ = await ask("POST", "/predict", {"rows": rows, "ids": ["a", "b", "c"]})
        assert status == 200
        status, told, _ = await ask("POST", "/feedback", {"labels": labels})
        assert status == 207 and told["taken"] == 4, told
        why = [item.get("why", "") for item in told["items"]]
        assert [not w for w in why] == [True, True, False, True, False, False, False, False, False, True], why
        assert "gives no outcome" in why[2] and "did you mean 'left_at'" in why[4]
        assert "gives no outcome" in why[5] and "gives no outcome" in why[6]
        assert "no plain value" in why[7] and "0 columns" in why[8]

    within(scenario, what=(str(computed),))
    said = [label.value for _, label in Journal(tmp_path / "journal.sqlite").read(Label)]
    assert said[0] == {"left_at": "2024-05-01T12:00:00", "due": "2024-05-01T10:00:00"} and said[3] is True
    assert Predictor.load(computed).outcome == {"left_at": "datetime", "due": "datetime"}


def test_a_missing_column_is_refused_whole(within, bundles, job_rows):
    """Nothing of a request could be taken: 422, with the column that is missing."""
    bundle = bundles(target="minutes + waited > 30", outcome=(("minutes", "number"), ("waited", "number")))

    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        status, told, _ = await ask("POST", "/feedback", {"labels": [{"prediction": "a", "value": {"minutes": 50}}]})
        assert status == 422 and "computed from 2 columns, and waited is not there" in told["items"][0]["why"]
        full = {"prediction": "a", "value": {"minutes": 50, "waited": 1}}
        status, told, _ = await ask("POST", "/feedback", {"labels": [full]})
        assert status == 200 and told["taken"] == 1
        # beyond 64 bits: no other label of the request is lost for it
        endless = {"prediction": "a", "value": {"minutes": 2**63, "waited": 1}}
        status, told, _ = await ask("POST", "/feedback", {"labels": [endless, full]})
        assert status == 200 and told["taken"] == 2, told

    within(scenario, what=(str(bundle),))


def test_a_file_of_columns_is_tried_and_made_whole_as_feedback_does(within, computed, job_rows, tmp_path):
    """A text where a moment belongs was written down, and so was a column that the target does not know."""
    row = {**job_rows[0], "due": "2024-05-01T10:00:00"}

    async def scenario(ask, desk):
        status, _, _ = await ask("POST", "/predict", {"rows": [row] * 4, "ids": ["a", "b", "c", "d"]})
        assert status == 200

    within(scenario, what=(str(computed),))
    journal, model = Journal(tmp_path / "journal.sqlite"), Predictor.load(computed)
    file = tmp_path / "outcomes.csv"
    file.write_text("id,left_at,late\na,2024-05-01T12:00:00,1\nb,soon,0\nnobody,2024-05-01T12:00:00,1\nc,,1\n")
    taken = take_labels(journal, file, "jobs", columns=("left_at",), model_of=lambda _: model)
    assert taken.written == 1
    assert [(f.row, f.line, f.id) for f in taken.faults] == [(2, 3, "b"), (3, 4, "nobody"), (4, 5, "c")]
    assert "gives no outcome of these columns" in taken.faults[0].said
    (label,) = [label for _, label in journal.read(Label)]
    assert label.value == {"left_at": "2024-05-01T12:00:00", "due": "2024-05-01T10:00:00"}
    assert take_labels(journal, file, "jobs", columns=("left_at",), model_of=lambda _: model).there == 1
    none = take_labels(journal, file, "jobs", columns=("late",), model_of=lambda _: model)
    assert none.written == 0 and "'late' is no column of the target" in none.faults[0].said
