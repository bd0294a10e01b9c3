"""The list of rows that the contract refuses."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from holdgood.core.table import Table
from holdgood.workflow.batch.refused import refused_rows


def test_keys_that_are_called_as_the_place_and_the_reason_are_keep_their_values():
    rows = Table.of(pa.table({"row_number": [10, 20, 30], "why": ["a", "b", "c"]}), name="rows")
    said = SimpleNamespace(refused=np.array([False, True, True]), reasons=lambda: np.array(["", "late", "odd"], object))
    spec = SimpleNamespace(key=("row_number", "why"), ids=())
    model = SimpleNamespace(declaration=SimpleNamespace(main="rows", tables={"rows": spec}), judge=lambda piece: said)
    assert refused_rows(model, rows, 100).to_pydict() == {
        "row_number_": [2, 3], "row_number": [20, 30], "why": ["b", "c"], "why_": ["late", "odd"],
    }  # fmt: skip
