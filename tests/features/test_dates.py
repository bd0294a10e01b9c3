import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.features.builders.dates import CALENDAR, calendar, days_since_2000, hours_between
from holdgood.features.builders.expressions import NEVER

EPOCH = dt.datetime(1970, 1, 1)


def micros(moment):
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.datetimes(), min_size=1, max_size=20))
def test_parts_against_the_standard_library(moments):
    parts = calendar(np.array([micros(m) for m in moments], np.int64))
    for at, m in enumerate(moments):
        expected = [
            m.hour,
            m.hour * 60 + m.minute,
            m.weekday(),
            m.day,
            m.month,
            m.timetuple().tm_yday,
            m.isocalendar().week,
            m.weekday() >= 5,
        ]
        assert [parts[name][at] for name in CALENDAR] == expected


def test_missing_stays_missing():
    gone = np.array([NEVER, 0], np.int64)
    for values in calendar(gone).values():
        assert np.isnan(values[0])
        assert not np.isnan(values[1])
    assert np.isnan(days_since_2000(gone))[0]
    assert np.isnan(hours_between(gone, np.array([0, NEVER]))).all()


def test_distances():
    a, b = micros(dt.datetime(2000, 1, 2, 12)), micros(dt.datetime(2000, 1, 1, 6))
    assert days_since_2000(np.array([a])).tolist() == [1.5]
    assert hours_between(np.array([a]), np.array([b])).tolist() == [-30.0]
    far = np.array([np.iinfo(np.int64).max]), np.array([np.iinfo(np.int64).min + 1])
    assert np.isfinite(hours_between(*far)).all()
