"""Names that two tables write differently."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.names_between import written_otherwise
from holdgood.core.table import Table

rng = np.random.default_rng(17)
NAMES = [f"ab{i:03d}" for i in range(60)]
PICKED = rng.integers(0, 60, 500)


def _written(here, there):
    child = Table.of(pa.table({"x": rng.normal(size=len(here)), "k": here}), "child")
    return written_otherwise(child, Table.of(pa.table({"key": there}), "parent"))


@pytest.mark.parametrize(
    ("write", "how"),
    [
        (str.upper, "upper and lower case"),
        (lambda v: f" {v}", "spaces and signs"),
        (lambda v: f"{v[:2]}-{v[2:]}", "spaces and signs"),
        (lambda v: f" {v.upper()}", "case, padding zeros, spaces and signs"),
    ],
)
def test_another_way_of_writing_is_found_and_mapped(write, how):
    (found,) = _written([write(NAMES[i]) for i in PICKED], NAMES)
    assert (found.here, found.there, found.how, len(found.rows)) == ("k", "key", how, 500)
    assert dict(found.mapping) == {write(NAMES[i]): NAMES[i] for i in set(PICKED.tolist())}


def test_padding_zeros_and_numbers_kept_as_text():
    plain = [str(i + 100) for i in range(60)]
    (found,) = _written([plain[i].zfill(6) for i in PICKED], plain)
    assert found.how == "padding zeros"
    (found,) = _written([int(plain[i]) for i in PICKED], [p.zfill(6) for p in plain])
    assert found.how == "one is kept as text, the other as a number"
    assert found.mapping == ()


def test_only_the_rows_written_otherwise_are_named():
    here = [NAMES[i].upper() if row < 30 else NAMES[i] for row, i in enumerate(PICKED)]
    (found,) = _written(here, NAMES)
    assert found.rows == tuple(range(30))
    assert found.exact == 470


def test_silence_where_all_is_well_or_case_tells_names_apart():
    assert _written([NAMES[i] for i in PICKED], NAMES) == ()
    both = [*NAMES[:30], *(n.upper() for n in NAMES[:30])]
    assert _written([both[i] for i in PICKED], both) == ()
    assert _written(rng.choice(["yes", "no"], 500), NAMES) == ()
