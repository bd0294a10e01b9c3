"""Numbers in the tables that people hand in: what may be read in two ways is unknown and told, never guessed."""

import numpy as np
import pandas as pd
import pytest

import holdgood as hg
from holdgood.connectors import read_table
from holdgood.workflow.doubtful import doubtful
from holdgood.workflow.ordering.cells import column_of


def column(values):
    notes = []
    table = read_table(pd.DataFrame({"on_hand": values}), name="state")
    return column_of(table, "on_hand", notes, needed=True).tolist(), [n.message for n in notes]


def test_a_point_before_three_digits_is_unknown_and_says_what_to_write():
    found, notes = column(["40.000", "7", "n/a"])
    assert np.isnan(found[0]) and found[1] == 7.0 and np.isnan(found[2])
    assert notes == [
        "on_hand: 1 cell that may be read in two ways, taken as unknown, for example '40.000': write 40 or 40000, without marks "
        "between thousands",
        "on_hand: 1 cell without a number, taken as unknown, for example 'n/a'",
    ]


def test_a_cell_that_only_a_decimal_point_explains_settles_the_column():
    assert column(["40.125", "2.5", "0.250"]) == ([40.125, 2.5, 0.25], [])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["40.000", "7", ""], ["on_hand: '40.000' is read as 40; if the point stands between thousands, write 40000"]),
        (["40.000", "1.250", "7"], ["on_hand: '40.000' is read as 40 (2 cells like it); if the point stands between thousands, write 40000"]),
        (["40.000", "0.500"], []),
        (["40.000", "1.25"], []),
        (["40", "1250"], []),
    ],
)  # fmt: skip
def test_a_point_in_a_text_file_is_told_where_nothing_shows_that_it_is_a_decimal_one(tmp_path, cells, said):
    file = tmp_path / "state.csv"
    file.write_text("article;on_hand\n" + "".join(f"A{i};{c}\n" for i, c in enumerate(cells)), encoding="utf-8")

    def again(types):
        return read_table(str(file), name="state", types=dict(types))

    assert [n.message for n in doubtful(again({}), ["on_hand", "on_hand", "pack"], again)] == said


def test_what_may_be_read_in_two_ways_is_told_with_the_plan(model, history, state, tmp_path):
    state = state.assign(on_hand=["5", "10", "80", "20", "0", "60", "30", "1.500"])
    state.to_csv(tmp_path / "state.csv", index=False)
    notes = [n.message for n in hg.plan_orders(model, history, str(tmp_path / "state.csv")).plan.notes]
    assert "on_hand: '1.500' is read as 1.5; if the point stands between thousands, write 1500" in notes
