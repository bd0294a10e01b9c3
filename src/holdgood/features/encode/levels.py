"""Levels of a category: codes 0, 1, 2 … by how often each was seen in training, ties by text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNSEEN = -1
MISSING = -2
# Below this many rows a dictionary is quicker than Arrow's set-up.
_FEW_ROWS = 256


class Levels:
    """A frozen vocabulary. Anything but text is taken as its text; None and NaN are missing."""

    def __init__(self, levels: Sequence[str]) -> None:
        self.levels = tuple(levels)
        self._codes = {level: code for code, level in enumerate(self.levels)}
        self._arrow = pa.array(self.levels, pa.string())

    def __len__(self) -> int:
        return len(self.levels)

    @classmethod
    def learn(cls, values: np.ndarray, most: int | None = None) -> tuple[Levels, np.ndarray, np.ndarray]:
        """From training values: the levels (at most ``most``), each row's code, and how many rows each level has."""
        array = _as_arrow(values)
        coded = array.dictionary_encode()
        names = coded.dictionary.to_pylist()
        indices = np.asarray(pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
        counts = np.bincount(indices[indices >= 0], minlength=len(names))
        order = sorted(range(len(names)), key=lambda i: (-int(counts[i]), names[i]))[:most]
        code_of = np.full(len(names) + 1, UNSEEN)
        code_of[order] = np.arange(len(order))
        code_of[-1] = MISSING
        return cls([names[i] for i in order]), code_of[indices], counts[order]

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Codes of other rows: int64, UNSEEN and MISSING where they have none."""
        if len(values) <= _FEW_ROWS:
            return np.array([self.code(v) for v in values.tolist()], np.int64)
        array = _as_arrow(values)
        found = pc.fill_null(pc.index_in(array, value_set=self._arrow), UNSEEN)
        codes = np.asarray(found.to_numpy(zero_copy_only=False), np.int64)
        if array.null_count:
            codes = np.where(np.asarray(array.is_null().to_numpy(zero_copy_only=False)), MISSING, codes)
        return codes

    def code(self, value: object) -> int:
        """The code of one value, UNSEEN or MISSING."""
        if value is None or value != value:
            return MISSING
        return self._codes.get(value if isinstance(value, str) else str(value), UNSEEN)


def count_levels(values: np.ndarray) -> int:
    """Distinct values that are not missing."""
    return int(pc.count_distinct(_as_arrow(values)).as_py())


def _as_arrow(values: np.ndarray) -> pa.Array:
    try:
        return pa.array(values, pa.string(), from_pandas=True)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([None if v is None or v != v else str(v) for v in values.tolist()], pa.string())
