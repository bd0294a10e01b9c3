"""Alone: predictions for a frame of one row, on the road of single rows where that gives what the road of tables gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from holdgood.core.one_row import Moment, Unplain, one_row, plain
from holdgood.core.protocols import Scorer
from holdgood.features.builders.plan import FeaturePlan
from holdgood.workflow.single.cells import LOST, Unusual, quick_reader
from holdgood.workflow.single.compiled import compile_scorer
from holdgood.workflow.single.facts import compile_facts

_Reader: TypeAlias = tuple[int, str, Callable[[Any], Any]]
"""The place of a cell, the name of its column, and how it is read."""


class Alone:
    """Compiled when the first row comes. ``types``: the frozen type of each column that a frame has to have.

    Where a row has another form than is known here, or its plan or its scorer cannot be compiled, it is left to the road of tables,
    which also says what is wrong with it.
    """

    def __init__(self, plan: FeaturePlan, scorer: Scorer, types: Mapping[str, str]) -> None:
        self.plan, self.scorer, self.types = plan, scorer, dict(types)
        self._road: Callable[[Mapping[str, Any]], np.ndarray] | None = None
        self._closed = False
        self._known: tuple[list[Any], list[_Reader]] = ([], [])

    def __getstate__(self) -> dict[str, Any]:
        """Travels as what it is compiled from."""
        return self.__dict__ | {"_road": None, "_closed": False, "_known": ([], [])}

    def predict(self, given: Any) -> np.ndarray | None:
        """The prediction for a frame of one row, in the shapes of Task; None: take the road of tables."""
        row = None if self._closed else one_row(given)
        if row is None:
            return None
        road = self._road or self._compiled()
        labels, readers = self._known
        if road is None or (labels != row[0] and not (readers := self._read_from(list(row[0])))):
            return None
        cells = row[1]
        try:
            return road({name: read(cells[at]) for at, name, read in readers})
        except (Unplain, Unusual):
            return None

    def _compiled(self) -> Callable[[Mapping[str, Any]], np.ndarray] | None:
        facts = compile_facts(self.plan, self.types)
        score = None if facts is None else compile_scorer(self.scorer, [f.name for f in self.plan.features])
        if facts is None or score is None or any(quick_reader(c.type) is None for c in self.plan.inputs):
            self._closed = True
            return None
        self._road = lambda cells: score(facts(cells))
        return self._road

    def _read_from(self, labels: list[Any]) -> list[_Reader]:
        """How the plan's columns are read from cells under these labels; none where they are not the names of fit, in any order."""
        if not all(type(name) is str for name in labels) or sorted(labels) != sorted(self.types):
            return []
        place = {name: at for at, name in enumerate(labels)}
        readers: list[_Reader] = []
        for column in self.plan.inputs:
            quick = quick_reader(column.type)
            if quick is not None:
                read = _moment if column.type == "datetime" else partial(_other, quick)
                readers.append((place[column.name], column.name, read))
        self._known = labels, readers
        return readers


def _moment(cell: Any) -> Any:
    value = plain(cell)
    if value is None or type(value) is Moment:
        return value
    raise Unusual


def _other(quick: Callable[[Any], Any], cell: Any) -> Any:
    value = plain(cell)
    if value is None:
        return None
    if type(value) is Moment:
        raise Unusual
    known = quick(value)
    return None if known is LOST else known
