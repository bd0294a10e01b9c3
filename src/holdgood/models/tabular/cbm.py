"""The check of a CatBoost model (cbm) before the library sees it.

A cbm file is ``CBM1``, a length, and a flatbuffer. CatBoost verifies that the flatbuffer's offsets stay inside it, but
trusts every number that it then uses as an index or a length: a wrong split makes it read outside its memory. So the
trees are read here first, without the library, and only what a tabular booster needs is allowed: symmetric trees on
numbers and on single categories, no tables of target statistics (whose bytes CatBoost does not verify at all), no text,
no embeddings, no metadata. Fields are numbered as in CatBoost's ``model.fbs`` and ``features.fbs``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import BundleError

MAX_BYTES = 512 * 1024 * 1024
_VERSION = b"FlabuffersModel_v1"
_A_BIN = 254  # values of one feature that CatBoost packs into one byte
_DEEPEST = 16
_CORE = {"version": 0, "trees": 1, "info": 2, "parts": 3}
_TREES = {"dimension": 0, "splits": 1, "sizes": 2, "starts": 3, "categories": 4, "numbers": 5, "one_hot": 6}
_TREES |= {"leaves": 8, "weights": 9, "scale": 14, "bias": 15, "biases": 16, "packed": 17}
_UNUSED = {
    "target statistics": 7,
    "other trees": 10,
    "leaf numbers": 11,
    "texts": 12,
    "estimates": 13,
    "embeddings": 18,
}
_PACKED = np.dtype([("feature", "<u2"), ("xor", "u1"), ("split", "u1")])


@dataclass(frozen=True)
class _Table:
    """One table of a flatbuffer: where it lies and where its fields do, counted from it (0: not there)."""

    data: bytes
    at: int
    fields: tuple[int, ...]

    @classmethod
    def lies_at(cls, data: bytes, at: int) -> _Table:
        back = _read(data, "<i", at)
        slots = at - back
        size = _read(data, "<H", slots)
        if size < 4 or size % 2:
            raise _bad("a table without fields")
        return cls(data, at, tuple(_read(data, "<H", slots + offset) for offset in range(4, size, 2)))

    def has(self, field: int) -> bool:
        return field < len(self.fields) and self.fields[field] > 0

    def number(self, field: int, form: str, default: float) -> float:
        return _read(self.data, form, self.at + self.fields[field]) if self.has(field) else default

    def _vector(self, field: int, bytes_each: int) -> tuple[int, int]:
        """Where a vector's values begin, and how many there are."""
        where = self.at + self.fields[field]
        start = where + _read(self.data, "<I", where)
        count = _read(self.data, "<I", start)
        if start + 4 + count * bytes_each > len(self.data):
            raise _bad(f"a list of {count:,} values that is longer than the file")
        return start + 4, count

    def array(self, field: int, kind: np.dtype | str) -> np.ndarray:
        dtype = np.dtype(kind)
        if not self.has(field):
            return np.empty(0, dtype)
        start, count = self._vector(field, dtype.itemsize)
        return np.frombuffer(self.data, dtype, count, start)

    def bytes_of(self, field: int) -> bytes:
        if not self.has(field):
            return b""
        start, count = self._vector(field, 1)
        return self.data[start : start + count]

    def table(self, field: int) -> _Table:
        where = self.at + self.fields[field]
        return _Table.lies_at(self.data, where + _read(self.data, "<I", where))

    def tables(self, field: int) -> list[_Table]:
        if not self.has(field):
            return []
        start, count = self._vector(field, 4)
        places = range(start, start + 4 * count, 4)
        return [_Table.lies_at(self.data, place + _read(self.data, "<I", place)) for place in places]


def check(raw: bytes, *, numbers: int, categories: int, outputs: int) -> int:
    """Look at a whole model; return its number of trees.

    ``numbers`` and ``categories``: feature columns of each kind, in this order; ``outputs``: raw values a row.
    Raises BundleError with the first thing that does not fit.
    """
    if len(raw) > MAX_BYTES:
        raise _bad(f"{len(raw):,} bytes")
    if raw[:4] != b"CBM1" or len(raw) < 12 or _read(raw, "<I", 4) != len(raw) - 8:
        raise _bad("another beginning or length")
    data = raw[8:]
    core = _Table.lies_at(data, _read(data, "<I", 0))
    if core.bytes_of(_CORE["version"]) != _VERSION or not core.has(_CORE["trees"]):
        raise _bad("another version, or no trees")
    if core.tables(_CORE["info"]) or core.array(_CORE["parts"], "<u4").size:
        raise _bad("metadata or further parts")
    trees = core.table(_CORE["trees"])
    for what, field in _UNUSED.items():
        if trees.has(field) and trees.array(field, "u1").size:
            raise _bad(what)
    _check_scaling(trees, outputs)
    columns = _bins(trees, numbers, categories)
    return _check_trees(trees, columns, outputs)


def _check_scaling(trees: _Table, outputs: int) -> None:
    biases = trees.array(_TREES["biases"], "<f8")
    bias = trees.number(_TREES["bias"], "<d", 0.0)
    said = np.r_[trees.number(_TREES["scale"], "<d", 1.0), bias, biases]
    dimension = trees.number(_TREES["dimension"], "<i", 0)
    if dimension != outputs or len(biases) not in (0, outputs) or not np.isfinite(said).all():
        raise _bad(f"{dimension} outputs, not {outputs}, or a scale that is no number")
    if outputs > 1 and not len(biases) and bias:
        raise _bad("one bias for several outputs")


def _bins(trees: _Table, numbers: int, categories: int) -> np.ndarray:
    """What each split number means to CatBoost's scorer: the byte it looks at, the mask, the value; in its order."""
    if len(trees.tables(_TREES["numbers"])) != numbers or len(trees.tables(_TREES["categories"])) != categories:
        raise _bad("another number of columns")
    for place, table in enumerate(trees.tables(_TREES["categories"])):
        if (table.number(0, "<i", -1), table.number(1, "<i", -1)) != (place, numbers + place):
            raise _bad("categories out of place")
    found: list[np.ndarray] = []
    byte = 0
    for place, table in enumerate(trees.tables(_TREES["numbers"])):
        if (table.number(1, "<i", -1), table.number(2, "<i", -1)) != (place, place):
            raise _bad("numbers out of place")
        if not 0 <= table.number(5, "<b", 0) <= 2:
            raise _bad("an unknown way with missing values")
        borders = table.array(3, "<f4")
        if np.isnan(borders).any() or (np.diff(borders) <= 0).any():
            raise _bad("borders that do not rise")
        found.append(_packed(len(borders), byte, one_hot=False))
        byte += -(-len(borders) // _A_BIN)
    last = -1
    for table in trees.tables(_TREES["one_hot"]):
        column, values = int(table.number(0, "<i", -1)), table.array(1, "<i4")
        if not last < column < categories or len(np.unique(values)) != len(values):
            raise _bad("single categories out of place")
        if not trees.tables(_TREES["categories"])[column].number(3, "<?", True):
            raise _bad("a split on a column that is not used")
        found.append(_packed(len(values), byte, one_hot=True))
        byte += -(-len(values) // _A_BIN)
        last = column
    if byte > 0xFFFF:
        raise _bad(f"{byte:,} bytes of bins")
    return np.concatenate(found) if found else np.empty(0, _PACKED)


def _packed(count: int, byte: int, *, one_hot: bool) -> np.ndarray:
    values = np.arange(count)
    made = np.zeros(count, _PACKED)
    made["feature"], made["split"] = byte + values // _A_BIN, values % _A_BIN + 1
    if one_hot:
        made["xor"], made["split"] = ~made["split"], 0xFF
    return made


def _check_trees(trees: _Table, bins: np.ndarray, outputs: int) -> int:
    sizes, starts = trees.array(_TREES["sizes"], "<i4"), trees.array(_TREES["starts"], "<i4")
    splits, packed = trees.array(_TREES["splits"], "<i4"), trees.array(_TREES["packed"], _PACKED)
    if len(sizes) and not 0 <= sizes.min() <= sizes.max() <= _DEEPEST:
        raise _bad(f"a tree of depth {sizes.max()}")
    ends = np.cumsum(sizes, dtype=np.int64)
    if not np.array_equal(starts, ends - sizes) or len(splits) != (ends[-1] if len(ends) else 0):
        raise _bad("trees that do not fit their splits")
    if len(splits) and not 0 <= splits.min() <= splits.max() < len(bins):
        raise _bad(f"a split beyond the {len(bins):,} that there are")
    if len(packed) and not np.array_equal(packed, bins[splits]):
        raise _bad("packed splits that are not those of the trees")
    leaves, weights = trees.array(_TREES["leaves"], "<f8"), trees.array(_TREES["weights"], "<f8")
    count = int((1 << sizes.astype(np.int64)).sum())
    if len(leaves) != count * outputs or len(weights) not in (0, count) or not np.isfinite(leaves).all():
        raise _bad(f"{len(leaves):,} leaf values, not {count * outputs:,} finite numbers")
    return len(sizes)


def _read(data: bytes, form: str, at: int) -> int:
    """One number; BundleError where it does not lie inside."""
    if not 0 <= at <= len(data) - struct.calcsize(form):
        raise _bad("an offset that leads outside")
    value: int = struct.unpack_from(form, data, at)[0]
    return value


def _bad(came: str) -> BundleError:
    return BundleError(
        f"a CatBoost model with {came}",
        "symmetric trees whose every index fits",
        "the bundle is damaged or was not written by holdgood",
    )
