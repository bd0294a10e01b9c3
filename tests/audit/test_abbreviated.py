import pyarrow as pa
import pytest

from holdgood.audit.abbreviated import abbreviated, rank
from holdgood.core.table import Table


def _of(**rows):
    return abbreviated(
        Table.of(pa.table({"x": [t.replace("_", " ") for t, n in rows.items() for _ in range(n)]}), "t"), "x"
    )


def test_both_ways():
    assert _of(Female=80, Male=90, F=3, M=4) == {"F": "Female", "M": "Male"}
    assert _of(eng=80, ger=40, spa=30, English=5, German=3) == {"English": "eng", "German": "ger"}
    assert _of(new_york=50, las_vegas=40, atlanta=30, ny=2, lv=3) == {"ny": "new york", "lv": "las vegas"}


@pytest.mark.parametrize(
    "rows",
    [
        {"Female": 80, "Male": 90, "F": 3},  # one pair proves nothing
        {"Small": 50, "Medium": 60, "S": 40, "M": 55},  # as frequent: two kinds of sizes
        {"Seattle": 40, "Sacramento": 30, "Boston": 50, "S": 2, "B": 3},  # S is one of two
        {"Denver": 40, "Boston": 50, "D": 3, "B": 3, "X": 3, "Q": 3, "Z": 2},  # letters of their own
        {"R": 50, "PG": 40, "G": 9, "PG-13": 8},
    ],
)
def test_quiet(rows):
    assert _of(**rows) == {}


def test_ranks_hold_no_digits_and_need_a_word():
    assert (rank("b1", "bus 1"), rank("no", "nor"), rank("", "word")) == (0, 0, 0)
