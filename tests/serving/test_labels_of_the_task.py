"""A plain outcome that the model's task cannot mean is refused, item by item; so is a moment that cannot be."""

from datetime import UTC, datetime, timedelta

import pytest


@pytest.mark.parametrize(
    ("kind", "good", "bad", "said"),
    [
        ("binary", [True, "true", False], ["maybe", 1, "Yes"], "none of the model's classes: false, true"),
        ("multiclass", ["late", "no"], ["Late", True, 1], "none of the model's classes: no, late, very late"),
        ("regression", [3, 2.5, "4.5"], ["soon", True, "nan"], "no finite number"),
    ],
)
def test_a_label_that_is_no_outcome_of_the_task_is_refused(within, bundles, job_rows, kind, good, bad, said):
    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        labels = [{"prediction": "a", "value": value} for value in (*good, *bad)]
        status, told, _ = await ask("POST", "/feedback", {"labels": labels})
        assert status == 207 and [i["taken"] for i in told["items"]] == [True] * len(good) + [False] * len(bad), told
        assert all(said in i["why"] for i in told["items"][len(good) :]), told
        status, _, _ = await ask("POST", "/feedback", {"labels": labels[len(good) :]})
        assert status == 422

    within(scenario, what=(str(bundles(kind=kind)),))


@pytest.mark.parametrize(
    ("kind", "value", "taken"), [("binary", True, False), ("multiclass", "late", False), ("regression", 2.5, True)]
)
def test_only_an_amount_has_a_lower_bound(within, bundles, job_rows, kind, value, taken):
    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        labels = [{"prediction": "a", "value": value, "censored": c} for c in (True, False)]
        status, told, _ = await ask("POST", "/feedback", {"labels": labels})
        assert (status, told["taken"]) == ((200, 2) if taken else (207, 1)), told
        bound, plain = told["items"]
        assert (bound["taken"], plain["taken"]) == (taken, True)
        status, told, _ = await ask("POST", "/feedback", {"labels": labels[:1]})
        assert status == (200 if taken else 422)
        assert taken or (
            "censored: true" in told["items"][0]["why"] and "a class, which has none" in told["items"][0]["why"]
        )

    within(scenario, what=(str(bundles(kind=kind)),))


def test_an_outcome_is_not_known_before_its_prediction_or_in_the_future(within, bundles, job_rows):
    now = datetime.now(UTC)
    when = [now + timedelta(days=1), datetime(2023, 12, 31, tzinfo=UTC), now + timedelta(minutes=1), now]
    labels = [{"prediction": "a", "value": True, "known_time": t.isoformat()} for t in when]
    day = [{"prediction": "b", "value": True, "known_time": t.isoformat()} for t in (now, now - timedelta(hours=1))]

    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": {**job_rows[0], "asked": "2024-01-05T10:00:00"}, "id": "a"})
        # about a later day: what is known of it before then is no fault
        before = (datetime.now(UTC) + timedelta(days=3)).replace(tzinfo=None).isoformat()
        await ask("POST", "/predict", {"row": {**job_rows[0], "asked": before}, "id": "b"})
        day[0]["known_time"] = datetime.now(UTC).isoformat()
        status, told, _ = await ask("POST", "/feedback", {"labels": labels + day})
        why = [i.get("why", "") for i in told["items"]]
        assert status == 207 and [not w for w in why] == [False, False, True, True, True, False], why
        assert "still to come (clocks may differ by 5 minutes)" in why[0] and "2024-01-05T10:00:00 UTC" in why[1], why

    within(scenario)


@pytest.mark.parametrize(
    ("body", "came"),
    [
        ({}, 'neither "labels" nor "overrides"'),
        ({"labels": []}, "labels: an empty list"),
        ({"labels": [], "overrides": []}, "labels: an empty list and overrides: an empty list"),
        ({"rows": []}, "'rows' is a name that means nothing here"),
        ([], "a JSON list"),
    ],
)
def test_feedback_that_says_nothing_is_told_what_to_send(within, body, came):
    async def scenario(ask, desk):
        status, told, _ = await ask("POST", "/feedback", body)
        assert (status, told["error"]) == (422, came), told
        assert 'send {"labels": [{"prediction": ID, "value": …}]}' in told["do"].replace("for example ", ""), told

    within(scenario)


def test_an_empty_list_is_nothing_beside_one_that_is_not_and_no_rows_are_no_request(within, job_rows):
    async def scenario(ask, desk):
        await ask("POST", "/predict", {"row": job_rows[0], "id": "a"})
        both = {"labels": [{"prediction": "a", "value": True}], "overrides": []}
        status, told, _ = await ask("POST", "/feedback", both)
        assert (status, told["taken"]) == (200, 1), told
        status, told, _ = await ask("POST", "/predict", {"rows": []})
        assert (status, told["error"], told["do"]) == (422, "rows: an empty list", "send at least one"), told

    within(scenario)
