"""Commitments: the same facts are the same however they were written, others are others, and nothing of them can be read."""

import hashlib
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdgood.core.errors import DataError
from holdgood.core.records import Commitment
from holdgood.core.records.commitment import canonical, committed

CELL = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
ROW = st.dictionaries(st.text(max_size=4), CELL | st.lists(CELL, max_size=3), max_size=5)


@given(ROW, ROW)
def test_it_holds_for_its_facts_and_for_no_others(row, other):
    kept = Commitment(**committed(row))
    assert kept.holds(row) and kept.holds(dict(reversed(row.items())))
    assert kept.holds(json.loads(json.dumps(row, indent=2))), "written otherwise, they are the same"
    assume(canonical(row) != canonical(other))
    assert not kept.holds(other)


def test_a_truth_is_no_number_and_a_whole_number_is_the_same_with_decimals():
    kept = Commitment(**committed({"a": 1, "b": True, "c": 2**64, "d": -0.0}))
    assert kept.holds({"a": 1.0, "b": True, "c": float(2**64), "d": 0})
    assert not kept.holds({"a": True, "b": True, "c": 2**64, "d": 0})
    assert not kept.holds({"a": 1, "b": True, "c": 2**64, "d": 0, "e": None})


def test_anybody_can_compute_it_and_each_has_a_salt_of_its_own():
    row = {"size": 3.2, "kind": "r\u00e9d", "parts": 4.0}
    one, two = committed(row), committed(row)
    assert (
        one["hash"] == hashlib.sha256((one["salt"] + ':{"kind":"r\u00e9d","parts":4,"size":3.2}').encode()).hexdigest()
    )
    assert one["salt"] != two["salt"] and one["hash"] != two["hash"] and len(one["salt"]) == 32


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), {1, 2}, b"x", 10**400])
def test_what_is_no_plain_json_is_told(cell):
    with pytest.raises(DataError, match="no plain JSON"):
        committed({"a": cell})
