"""A plain outcome that the model's task cannot mean is refused, item by item; so is a moment that cannot be."""

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
