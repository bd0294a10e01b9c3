"""The pool that the portfolio is chosen from: each family's own configurations, and seeded draws from its space.

A configuration is {"family", "name"} (the family's own of that name, whatever its parameters are for a task and size) or
{"family", "name", "parameters"}. A family tells its space by a static method `space(task, rows, columns)`: names of parameters ->
("float" | "int", low, high, log) or a list of choices; draws are made for a binary task of 20,000 rows and 30 columns and used for all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from holdgood.core import plugins
from holdgood.core.task import Task

ROWS, COLUMNS = 20_000, 30
TYPICAL = Task(kind="binary", classes=(0, 1))
DRAWS = {"lightgbm": 12, "catboost": 6, "xgboost": 5, "forest": 0, "linear": 3, "additive": 2}
"""Draws a family; families that are not named get two."""
Configuration = dict[str, Any]


def pool(families: list[str] | None = None, seed: int = 0) -> list[Configuration]:
    """All configurations, by family; the same for the same seed and spaces."""
    found: list[Configuration] = []
    for name, family in sorted(plugins.load_all("holdgood.models").items(), key=lambda item: (item[1].rung, item[0])):
        if families and name not in families:
            continue
        own = dict(family.configurations(TYPICAL, ROWS, COLUMNS))
        found += [{"family": name, "name": label} for label in own]
        space = family.space(TYPICAL, ROWS, COLUMNS) if hasattr(family, "space") else {}
        base = dict(next(iter(own.values())))
        rng = np.random.default_rng([seed, *name.encode()])
        for i in range(DRAWS.get(name, 2) if space else 0):
            drawn = {key: draw(dimension, rng) for key, dimension in space.items()}
            found.append({"family": name, "name": f"{name}-p{i:02d}", "parameters": base | drawn})
    return found


def draw(dimension: Any, rng: np.random.Generator) -> Any:
    """A value of one dimension of a space, rounded to what matters.

    >>> draw(["a"], np.random.default_rng(0)), draw(("int", 3, 3, False), np.random.default_rng(0))
    ('a', 3)
    """
    if isinstance(dimension, tuple) and dimension and dimension[0] in ("float", "int"):
        kind, low, high, log = dimension
        value = math.exp(rng.uniform(math.log(low), math.log(high))) if log else rng.uniform(low, high)
        return min(high, max(low, round(value))) if kind == "int" else float(f"{value:.3g}")
    return dimension[int(rng.integers(len(dimension)))]


def parameters_of(configuration: Configuration, task: Task, rows: int, columns: int) -> Mapping[str, Any] | None:
    """Parameters for a task and size; None where the family has no such configuration there, or not for this task."""
    family = plugins.load_all("holdgood.models")[configuration["family"]]
    if task.kind not in family.kinds:
        return None
    if "parameters" in configuration:
        return configuration["parameters"]
    for label, parameters in family.configurations(task, rows, columns):
        if configuration["name"] == label:
            return parameters
    return None
