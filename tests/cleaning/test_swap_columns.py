import pyarrow as pa

from holdgood.cleaning.swap_columns import REPAIR
from holdgood.core.table import Table


def _table(**columns):
    return Table.of(pa.table(columns), "t")


def test_rows_are_swapped_where_the_condition_holds_and_missing_cells_move_too():
    table = _table(low=pa.array([1.0, 9.0, 5.0]), high=pa.array([2.0, 3.0, None]))
    out, entry = REPAIR.apply(table, ["low", "high"], {"where": "low > coalesce(high, 0)"})
    assert out.data.column("low").to_pylist() == [1.0, 3.0, None]
    assert out.data.column("high").to_pylist() == [2.0, 9.0, 5.0]
    assert entry.cells_changed == 4


def test_whole_numbers_and_decimals_change_places_where_they_fit():
    table = _table(a=pa.array([1, 2], pa.int64()), b=pa.array([7.0, 8.5]))
    out, _ = REPAIR.apply(table, ["a", "b"], {"where": "a = 1"})
    assert (out.data.column("a").to_pylist(), out.data.column("b").to_pylist()) == ([7, 2], [1.0, 8.5])


def test_words_are_swapped_by_a_list_of_levels():
    table = _table(make=pa.array(["Ford", "red", "BMW"]), colour=pa.array(["blue", "Fiat", "red"]))
    out, entry = REPAIR.apply(table, ["make", "colour"], {"where": "make IN ('red', 'blue') AND colour IN ('Fiat')"})
    assert out.data.column("make").to_pylist() == ["Ford", "Fiat", "BMW"]
    assert entry.cells_changed == 2
