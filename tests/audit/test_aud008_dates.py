import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.aud008_dates import CHECK

rng = np.random.default_rng(4)
DAY = 86400 * 10**6


def _days(first, n):
    return np.datetime64(first, "us") + (rng.integers(0, 700, n) * DAY).astype("timedelta64[us]")


@pytest.mark.parametrize(
    ("odd", "side"), [("1803-05-01", "early"), ("2199-01-01", "late"), ("9999-12-31", "late"), ("1900-01-01", "early")]
)
def test_dates_far_away_are_counted(tables_of, odd, side):
    when = _days("2021-01-01", 500)
    when[:7] = np.datetime64(odd, "us")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when)}}))
    assert (finding.rows, finding.evidence[side]) == (7, 7)
    assert finding.proposal.repair == "out-of-range-to-missing"


def test_a_pile_on_the_zero_day_is_found_and_an_honest_1970_is_not(tables_of):
    when = _days("1985-01-01", 500)
    when[:9] = np.datetime64("1970-01-01", "us")
    (finding,) = CHECK.run(tables_of({"t": {"when": pa.array(when)}}))
    assert finding.rows == 9
    assert CHECK.run(tables_of({"t": {"when": pa.array(_days("1969-06-01", 500))}})) == []


def test_history_is_not_an_error(tables_of):
    assert CHECK.run(tables_of({"t": {"when": pa.array(_days("1850-01-01", 500))}})) == []


def test_not_applicable_without_dates(tables_of, refuses):
    assert refuses(CHECK, tables_of({"t": {"a": [1]}})) == "no column of dates"
