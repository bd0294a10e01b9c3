"""A cell of the adjustments that cannot be taken is named with what was expected; a scenario that changes nothing says why."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import holdgood
from holdgood.connectors import read_table
from holdgood.core.errors import DataError
from holdgood.workflow.forecasting.adjustments import adjusted
from holdgood.workflow.forecasting.scenario import Scenario, under


@pytest.fixture(scope="module")
def made(history, ahead):
    some, future = (t[t.article.isin(["A01", "A02"])] for t in (history, ahead))
    return holdgood.forecast(
        some, 6, target="pieces", id="article", time="week", future=future, known="promo", models=["naive"], budget="trials=1"
    )  # fmt: skip


def changes(**cells):
    frame = pd.DataFrame(
        {"article": ["A01", "A02"], "week": "2024-04-22", "factor": ["1.5", "2"], "who": "Ada", "why": "fair"}
    )
    for column, value in cells.items():
        frame[column] = [frame[column][0], value]
    return frame


@pytest.mark.parametrize(
    ("cells", "said", "expected", "do"),
    [
        ({"factor": "ten per cent"}, "column factor: 'ten per cent' is no number", "such as 1.2", "correct the cell"),
        ({"factor": ""}, "column factor: nothing stands there", "multiplied", "take its row out"),
        ({"factor": "1,2"}, "column factor: '1,2' is written with marks", "such as 1.2", "write 1.2"),
        ({"factor": "1,200"}, "column factor: '1,200' may be read in two ways", "such as 1.2", "write 1.2 or 1200"),
        ({"week": "next monday"}, "column week: 'next monday' is no date", "such as 2024-04-22", "correct the cell"),
        ({"week": "2025-04-23"}, "column week: '2025-04-23' is none of the steps ahead of 'A02'", "to 2024-05-27", ""),
        (
            {"article": "A2"},
            "column article: no series of the forecast is 'A2'",
            "one of 2 series",
            "did you mean 'A02'?",
        ),
        ({"who": " "}, "column who: nothing stands there", "the name of the person", ""),
        ({"why": None}, "column why: nothing stands there", "the reason in a few words", ""),
    ],
)
def test_a_cell_that_cannot_be_taken_is_named(made, tmp_path, cells, said, expected, do):
    changes(**cells).to_csv(tmp_path / "adjust.csv", index=False)
    with pytest.raises(DataError) as caught:
        adjusted(made.answers.steps, read_table(str(tmp_path / "adjust.csv"), name="x"), made.read, "adjust.csv")
    assert caught.value.came == f"adjust.csv, row 2, {said}"
    assert expected in caught.value.expected and do in caught.value.do


def test_text_that_is_a_number_is_taken_and_decimals_of_others_settle_a_point(made):
    frame = changes(factor="1.250").assign(factor=lambda f: f.factor.astype(str))
    out = adjusted(made.answers.steps, read_table(frame, name="x"), made.read).to_pandas().set_index("article")
    one = out[out.adjusted_by.notna()]
    assert np.allclose(one.adjusted, one.forecast * [1.5, 1.25])


class Reads:
    """A model that forecasts 2 where the promotion is above a limit, 1 elsewhere."""

    def __init__(self, limit):
        self.limit = limit

    def paths(self, read, samples, seed):
        return SimpleNamespace(point=1.0 + (read.future.known["promo"] > self.limit))


@pytest.mark.parametrize(
    ("model", "value", "said"),
    [
        (None, "true", "the model does not read promo (holdgood show ladder says why)"),
        (None, "promo", "promo is so already in every step"),
        (Reads(1.5), "not promo", "the model reads promo, but forecasts the same at these values"),
        (Reads(0.5), "not promo", None),
    ],
)
def test_a_scenario_that_changes_nothing_says_why(made, model, value, said):
    found = under(replace(made, model=model or made.model), Scenario("try", "to see", {"promo": value}))
    notes = [n.message for n in found.panel.notes if n.code == "without-effect"]
    assert notes == ([] if said is None else [f"scenario 'try' changes nothing by promo: {said}"])
