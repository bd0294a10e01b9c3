"""Tables that meet by time, hours apart: the shift at which they agree."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.shifted_key import shifted_key
from holdgood.core.table import Table

rng = np.random.default_rng(14)
HOURS = np.datetime64("2024-01-01", "us") + np.arange(1_000) * np.timedelta64(1, "h")
TEMP = np.cumsum(rng.normal(size=1_000)).round(2)
ON = (("at", "hour"),)


def _tables(shift, there):
    first = Table.of(pa.table({"at": HOURS, "temp": TEMP}), "first")
    return first, Table.of(pa.table({"hour": HOURS + np.timedelta64(shift, "h"), "measured": there}), "second")


@pytest.mark.parametrize("shift", [-11, -1, 0, 2, 14])
def test_the_shift_is_found(shift):
    assert shifted_key(*_tables(shift, TEMP), ON) == -shift


def test_no_common_content_no_shift():
    assert shifted_key(*_tables(3, rng.permutation(TEMP)), ON) == 0.0


def test_keys_without_a_moment_have_none():
    first, second = _tables(0, TEMP)
    assert shifted_key(first, second, (("temp", "measured"),)) == 0.0
