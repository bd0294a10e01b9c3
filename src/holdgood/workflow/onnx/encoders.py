"""What the encoders do to features, as ONNX: numbers as they are or scaled, levels looked up in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Feature
from holdgood.core.protocols import Parts, Persistable
from holdgood.features.encode.category import OneHot
from holdgood.features.encode.text import TextTopics
from holdgood.workflow.onnx.graph import NAN, Graph

MISSING = ""
"""What stands for a missing text: ONNX has no null texts. Where a level is empty itself, ``MISSING_BESIDE_EMPTY``."""
MISSING_BESIDE_EMPTY = "\x00missing"
_WORDS = TextTopics.kind


class Features:
    """The inputs of the graph, one a feature that is asked for, made at first use."""

    def __init__(self, graph: Graph, features: Sequence[Feature], missing: str) -> None:
        self.graph, self.missing = graph, missing
        self._known = {f.name: f for f in features}
        self._made: dict[str, str] = {}
        self._codes: dict[tuple[str, tuple[str, ...]], str] = {}

    @property
    def used(self) -> list[Feature]:
        """The features that have become inputs."""
        return [self._known[name] for name in self._made]

    def value(self, name: str) -> str:
        """The input: (rows, 1). Infinite numbers are missing, as everywhere."""
        if name not in self._made:
            is_text = self._known[name].type != "number"
            made = self.graph.input(name, text=is_text)
            if not is_text:
                gone = self.graph.node("IsInf", made)
                made = self.graph.where(gone, self.graph.constant(np.array(NAN)), made)
            self._made[name] = made
        return self._made[name]

    def codes(self, name: str, levels: tuple[str, ...]) -> str:
        """The code of each level, (rows,); the number of levels where missing, one more where unseen: rows of a table."""
        if (name, levels) not in self._codes:
            found = self.graph.node(
                "LabelEncoder", self.value(name), ml=True, keys_strings=[*levels, self.missing],
                values_int64s=list(range(len(levels) + 1)), default_int64=len(levels) + 1,
            )  # fmt: skip
            self._codes[name, levels] = self.graph.flat(found)
        return self._codes[name, levels]


def blocks_of(encoder: Persistable) -> list[tuple[str, str, Mapping[str, Any] | None, dict[str, np.ndarray]]]:
    """Feature, kind of its block (none: it says nothing), and the block's JSON and arrays."""
    parts = encoder.to_parts()
    found = []
    for at, entry in enumerate(parts.json["features"]):
        arrays = {k.partition(".")[2]: v for k, v in parts.arrays.items() if k.partition(".")[0] == str(at)}
        found.append((entry["feature"], str(entry["kind"] or ""), entry.get("json"), arrays))
    return found


def levels_of(encoder: Persistable) -> set[str]:
    """Every level that a block of the encoder knows."""
    found: set[str] = set()
    for _, _, json, _ in blocks_of(encoder):
        said = (json or {}).get("json", json) or {}
        found |= set(said.get("levels", []))
    return found


def refused(encoder: Persistable) -> list[str]:
    """Features that cannot be written as ONNX, by name."""
    return [name for name, kind, json, _ in blocks_of(encoder) if _WORDS in (kind, (json or {}).get("inner"))]


def matrix(features: Features, encoder: Persistable) -> str:
    """The encoder's matrix, (rows, columns)."""
    graph, columns = features.graph, []
    first = ""
    for name, kind, json, arrays in blocks_of(encoder):
        first = first or name
        if kind == "plain":
            columns.append(features.value(name))
        elif kind == "scaled":
            columns += _scaled(graph, features.value(name), json or {})
        elif kind:
            table, levels = _table(kind, json or {}, arrays)
            if table.shape[1]:
                columns.append(graph.node("Gather", graph.constant(table), features.codes(name, levels), axis=0))
    if not columns:
        return graph.rows_of(features.value(first), np.zeros(1))
    return columns[0] if len(columns) == 1 else graph.node("Concat", *columns, axis=1)


def _scaled(graph: Graph, value: str, p: Mapping[str, Any]) -> list[str]:
    gone = graph.node("IsNaN", value)
    columns = []
    if "" in p["names"]:
        shaped = graph.where(gone, graph.zero(), value)
        if p["log"]:
            size = graph.node("Div", graph.node("Abs", shaped), graph.constant(np.array(p["log"])))
            grown = graph.node("Log", graph.node("Add", size, graph.constant(np.array(1.0))))
            shaped = graph.node("Mul", graph.node("Sign", shaped), grown)
        shaped = graph.node("Clip", shaped, graph.constant(np.array(p["low"])), graph.constant(np.array(p["high"])))
        shaped = graph.where(gone, graph.constant(np.array(p["median"])), shaped)
        centred = graph.node("Sub", shaped, graph.constant(np.array(p["mean"])))
        columns.append(graph.node("Div", centred, graph.constant(np.array(p["sd"]))))
    if " (missing)" in p["names"]:
        columns.append(graph.number(gone, float))
    return columns


def _table(kind: str, json: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    """What each level becomes, (levels + 2, columns): the last two rows are for missing and unseen."""
    if kind == "standardised":
        inner, levels = _table(str(json["inner"]), json["json"], arrays)
        mean, sd = arrays["mean"], arrays["sd"]
        scaled = (inner - mean) / np.where(sd > 0, sd, 1.0)
        return np.where(np.isnan(inner) | (sd == 0), 0.0, scaled), levels
    levels = tuple(json["levels"])
    if kind == "target-means":
        return np.asarray(arrays["table"], np.float64), levels
    if kind == "level-codes":
        return np.append(np.arange(len(levels), dtype=np.float64), [NAN, NAN])[:, None], levels
    if kind == "one-hot":
        block = OneHot.from_parts(Parts(dict(json)))
        table = np.zeros((len(levels) + 2, len(block.names)))
        unseen = "\x00" + "".join(levels)
        values = np.array([*levels, None, unseen], dtype=object)
        block.write(values, table)
        return table, levels
    raise DataError(f"an encoding of kind {kind!r}", "one that ONNX can express", "leave its feature out")
