import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.cleaning.shift_time import REPAIR
from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.testing.repair import check_repair

HOUR = 3600 * 10**6


def _table(moments, hours):
    when = pa.array([None if m is None else m * HOUR for m in moments], pa.timestamp("us"))
    return Table.of(pa.table({"seen at": when, "hour": pa.array(hours, pa.int64())}), "t")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 10**6)), st.booleans()), min_size=1, max_size=40))
def test_rows_that_disagree_are_set_right_and_only_those(rows):
    table = _table([m for m, _ in rows], [0 if m is None else (m - 5 * off) % 24 for m, off in rows])
    parameters = {"hours": -5, "where": '(hour("seen at") - hour + 24) % 24 = 5'}
    out, entry = REPAIR.apply(table, ["seen at"], parameters)
    expected = [None if m is None else (m - 5 * off) * HOUR for m, off in rows]
    assert out.data.column("seen at").cast(pa.int64()).to_pylist() == expected
    assert entry.cells_changed == sum(off and m is not None for m, off in rows)
    if entry.cells_changed:
        check_repair(REPAIR, table, ["seen at"], parameters)


def test_without_a_condition_every_moment_moves():
    out, entry = REPAIR.apply(_table([1, None, 3], [0, 0, 0]), ["seen at"], {"hours": 0.5})
    assert out.data.column("seen at").cast(pa.int64()).to_pylist() == [3 * HOUR // 2, None, 7 * HOUR // 2]
    assert entry.cells_changed == 2


@pytest.mark.parametrize(
    ("columns", "parameters", "said"),
    [
        ([], {"hours": 1}, "without columns"),
        (["seen at"], {}, "hours = None"),
        (["seen at"], {"hours": True}, "hours = True"),
        (["seen at"], {"hours": 0}, "hours = 0"),
        (["seen at"], {"hours": 48}, "hours = 48"),
        (["seen at"], {"hours": float("nan")}, "hours = nan"),
        (["seen at"], {"hour": 1}, "did you mean 'hours'"),
        (["seen at"], {"hours": 1, "where": 5}, "where = 5"),
        (["seen at"], {"hours": 1, "where": "hour + 1"}, "gives int64"),
        (["seen at"], {"hours": 1, "where": "nothing > 1"}, "cannot be evaluated"),
        (["hour"], {"hours": 1}, "holds int64"),
    ],
)
def test_refusals_have_three_lines(columns, parameters, said):
    with pytest.raises(DeclarationError) as caught:
        REPAIR.apply(_table([1, 2], [1, 2]), columns, parameters)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 3
