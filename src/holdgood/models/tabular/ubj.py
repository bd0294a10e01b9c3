"""An XGBoost model (ubj) read and checked without the library.

XGBoost trusts its own file: a wrong child makes it walk outside its memory or in a circle. So the file is read here:
binary JSON of the kinds that XGBoost writes, then trees whose every index is looked at. Nothing of it ever reaches
XGBoost again (see ``ubj_booster``).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdgood.core.errors import BundleError

MAX_BYTES = 512 * 1024 * 1024
_DEEPEST = 16
_WHOLE = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}
_TYPED = _WHOLE | {b"d": ">f4", b"D": ">f8"}
_CATEGORICAL = 1
_MOST_CODE = 1 << 24


@dataclass(frozen=True)
class UbjTree:
    """One tree. Arrays have one value a node, the root first, a child after its parent; ``left`` is -1 at leaves.

    ``value``: where a split on a number parts (below it goes left), or the answer of a leaf, in float32. ``sets``: by
    node, the categories that go right. ``missing_left``: where a missing value goes.
    """

    left: np.ndarray
    right: np.ndarray
    column: np.ndarray
    value: np.ndarray
    missing_left: np.ndarray
    sets: dict[int, np.ndarray]


def trees_of(raw: bytes, *, columns: int, categorical: frozenset[int], objective: str, groups: int) -> list[UbjTree]:
    """All trees, ``groups`` of them a round, each class in turn.

    ``categorical``: the columns on whose categories trees may split. Raises BundleError with the first thing that does
    not fit.
    """
    if len(raw) > MAX_BYTES:
        raise _bad(f"{len(raw):,} bytes")
    try:
        learner = _Reader(raw).whole()["learner"]
        sizes, booster = learner["learner_model_param"], learner["gradient_booster"]
        model = booster["model"]
        trees, info = model["trees"], np.asarray(model["tree_info"], np.int64)
        said = (booster["name"], learner["objective"]["name"], sizes["num_feature"], sizes["num_class"])
        asked = ("gbtree", objective, str(columns), str(groups if groups > 1 else 0))
        if said != asked or sizes["num_target"] != "1":
            raise _bad("another kind of booster, outcome or size")
        if not trees or len(trees) % groups or not np.array_equal(info, np.arange(len(trees)) % groups):
            raise _bad(f"{len(trees)} trees of {groups} classes out of turn")
        return [_tree(fields, columns, categorical) for fields in trees]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, struct.error) as error:
        raise _bad(f"fields that are not there or of another kind ({type(error).__name__})") from error


def _tree(fields: dict[str, Any], columns: int, categorical: frozenset[int]) -> UbjTree:
    left, right, column = (_integers(fields[key]) for key in ("left_children", "right_children", "split_indices"))
    value = np.asarray(fields["split_conditions"], np.float32)
    missing, kind = _integers(fields["default_left"]), _integers(fields["split_type"])
    n = len(left)
    param = fields["tree_param"]
    counted = (param["num_nodes"], param["num_deleted"], param["size_leaf_vector"]) in (
        (str(n), "0", "0"),
        (str(n), "0", "1"),
    )
    if n < 1 or not counted or any(a.shape != (n,) for a in (right, column, value, missing, kind)):
        raise _bad("a tree whose lists differ in length")
    inner = left >= 0
    children = np.concatenate([left[inner], right[inner]])
    parents = np.tile(np.flatnonzero(inner), 2)
    each_once = np.array_equal(np.sort(children), np.arange(1, n))
    if not each_once or (children <= parents).any() or (left[~inner] != -1).any() or (right[~inner] != -1).any():
        raise _bad("a tree whose nodes do not hang together")
    used, sorts = column[inner], kind[inner]
    if len(used) and not 0 <= used.min() <= used.max() < columns:
        raise _bad("a split on a column that is not there")
    if not np.isin(sorts, (0, _CATEGORICAL)).all() or not np.isin(missing, (0, 1)).all():
        raise _bad("a tree with an unknown kind of split")
    by_category = np.flatnonzero(inner & (kind == _CATEGORICAL))
    if not np.isfinite(value[~inner | (kind != _CATEGORICAL)]).all() or not categorical.issuperset(column[by_category]):
        raise _bad("a tree with a value that is no number, or categories of a column of numbers")
    return UbjTree(left, right, column, value, missing.astype(bool), _sets(fields, by_category))


def _sets(fields: dict[str, Any], nodes: np.ndarray) -> dict[int, np.ndarray]:
    said, start, size = (_integers(fields[f"categories_{key}"]) for key in ("nodes", "segments", "sizes"))
    codes = _integers(fields["categories"])
    whole = np.array_equal(said, nodes) and start.shape == size.shape == nodes.shape and (size >= 1).all()
    if not whole or not np.array_equal(start, np.cumsum(size) - size) or size.sum() != len(codes):
        raise _bad("a tree whose categories do not fit its nodes")
    if len(codes) and not 0 <= codes.min() <= codes.max() < _MOST_CODE:
        raise _bad("a tree with a category that cannot be")
    return {int(node): codes[a : a + b] for node, a, b in zip(nodes, start, size, strict=True)}


def _integers(values: Any) -> np.ndarray:
    found = np.asarray(values)
    if found.size == 0:
        return np.empty(0, np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise _bad("a list that is not of whole numbers")
    return found.astype(np.int64)


class _Reader:
    """Universal binary JSON (ubjson.org, draft 12), as far as XGBoost writes it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def whole(self) -> Any:
        """The one value of the file."""
        value = self._value(0)
        if self.at != len(self.data):
            raise _bad("bytes after its end")
        return value

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.data) - self.at:
            raise _bad(f"{count:,} bytes that are not there")
        self.at += count
        return self.data[self.at - count : self.at]

    def _whole_number(self, kind: bytes) -> int:
        form = _WHOLE.get(kind)
        if form is None:
            raise _bad("a length that is no whole number")
        return int(np.frombuffer(self._take(int(form[2])), form)[0])

    def _text(self) -> str:
        return self._take(self._whole_number(self._take(1))).decode()

    def _value(self, deep: int) -> Any:
        if deep > _DEEPEST:
            raise _bad("values within values without end")
        kind = self._take(1)
        if kind == b"{":
            return self._object(deep)
        if kind == b"[":
            return self._array(deep)
        if kind == b"S":
            return self._text()
        if kind in _TYPED:
            return np.frombuffer(self._take(int(_TYPED[kind][2])), _TYPED[kind])[0].item()
        if kind in b"ZTF" and kind:
            return {b"Z": None, b"T": True, b"F": False}[kind]
        raise _bad(f"a value of an unknown kind {kind!r}")

    def _object(self, deep: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            key = self._text()
            if key in found:
                raise _bad(f"{key[:40]!r} twice")
            found[key] = self._value(deep + 1)
        self.at += 1
        return found

    def _array(self, deep: int) -> Any:
        """Numbers of one kind as an array, anything else as a list."""
        mark, kind = self._take(1), b""
        if mark == b"$":
            kind, mark = self._take(1), self._take(1)
        if mark != b"#" or (kind and kind not in _TYPED):
            raise _bad("a list without its length")
        count = self._whole_number(self._take(1))
        if kind:
            form = _TYPED[kind]
            return np.frombuffer(self._take(count * int(form[2])), form)
        if not 0 <= count <= len(self.data) - self.at:
            raise _bad(f"a list of {count:,} values that are not there")
        return [self._value(deep + 1) for _ in range(count)]


def _bad(came: str) -> BundleError:
    return BundleError(
        f"an XGBoost model with {came}",
        "trees whose every index fits",
        "the bundle is damaged or was not written by holdgood",
    )
