"""Numbers in the tables that people hand in: what may be read in two ways is unknown and told, never guessed."""

import numpy as np
import pandas as pd

from holdgood.connectors import read_table
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
