"""Facts and labels of the journal as columns, whatever callers have sent."""

import pytest

from holdgood.workflow.live.in_use import column_of


@pytest.mark.parametrize(
    ("values", "as_read"),
    [([1, None], [1, None]), ([1, "a"], ["1", "a"]), ([2**63, 1, None], ["9223372036854775808", "1", None])],
)
def test_values_of_rows_are_a_column_whatever_their_kind_or_size(values, as_read):
    """One integer beyond 64 bits in one row must not end every look at all rows."""
    assert column_of(values).to_pylist() == as_read
