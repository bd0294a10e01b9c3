from datetime import UTC, datetime

import pytest

from holdgood.core.errors import DeclarationError
from holdgood.core.moments import asked_moment, moment_in


@pytest.mark.parametrize(
    "text", ["2026-03-01", "20260301", " 2026-03-01T00:00Z ", "2026-03-01T05:00+05:00", "2026-02-28 19:00:00-05:00"]
)
def test_one_moment_in_all_the_ways_to_write_it(text):
    assert moment_in(text) == asked_moment(text) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "1.3.2026", "0001-01-01T00:00+05:00", "99", "20260301.0"])
def test_what_is_no_moment_is_a_fault_of_usage_that_names_where_it_was_given(text):
    assert moment_in(text) is None
    with pytest.raises(DeclarationError, match=r"--at .* is no day or time") as told:
        asked_moment(text, "--at")
    assert told.value.exit_code == 2
