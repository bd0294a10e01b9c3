"""Spaces of the search: what a family tries first can be said in its space, so that a search begins with what it showed."""

import math

import numpy as np
import pytest

from holdgood.core import plugins
from holdgood.core.frame import Matrix
from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular.catboost import CatboostFamily, SymmetricBoosting
from holdgood.training.search import Search, is_range, within
from holdgood.workflow.candidates import portfolio

TASKS = [
    Task(kind="binary", classes=(0, 1)),
    Task(kind="multiclass", classes=(0, 1, 2)),
    Task(kind="regression", metric="rmse"),
]
SEARCHED = ("additive", "catboost", "forest", "lightgbm", "xgboost")
ROWS = (300, 8_000, 200_000)
BY_KIND = pytest.mark.parametrize("task", TASKS, ids=lambda t: t.kind)


@BY_KIND
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", SEARCHED)
def test_each_entry_of_the_portfolio_can_be_said_in_the_space(name, rows, task):
    made = portfolio(task, rows, 20, [name])
    (space,) = made.spaces
    assert set(space.dimensions) <= set(space.base)
    entries = [c for c in made.candidates if c.family == name and "crosses" not in c.parameters]
    for c in entries:
        given = {**space.base, **c.parameters}
        assert set(given) == set(space.base), f"{c.name} says more than its family's default"
        for key, dimension in space.dimensions.items():
            said = within(dimension, given[key])
            assert said is not None, f"{c.name}: {key} = {given[key]!r} is none of {dimension}"
        fixed = set(space.base) - set(space.dimensions)
        assert all(given[k] == space.base[k] for k in fixed), c.name


@BY_KIND
@pytest.mark.parametrize("name", ["catboost", "xgboost"])
def test_nothing_but_next_to_nothing_is_moved_into_the_space(name, task):
    for rows in ROWS:
        made = portfolio(task, rows, 20, [name])
        for c in (c for c in made.candidates if c.family == name):
            for key, dimension in made.spaces[-1].dimensions.items():
                value = {**made.spaces[-1].base, **c.parameters}[key]
                moved = within(dimension, value)
                assert moved == value or (value < 0.001 and moved == dimension[1] <= 0.001), (c.name, key)


@BY_KIND
def test_a_search_of_boosters_begins_with_what_the_portfolio_showed(task, trial):
    made = portfolio(task, 5_000, 20, ["catboost"])
    (space,) = made.spaces
    entries = [c for c in made.candidates if c.family == "catboost"]
    trials = [trial(i, family="catboost", parameters=c.parameters) for i, c in enumerate(entries)]
    search = Search(made.spaces, seed=0)
    proposals = search.ask(trials, trials[0], 2, room=math.inf)
    assert len(proposals) == 2
    assert len(search._study("catboost").get_trials(deepcopy=False)) == len(entries) + 2
    for c in proposals:
        for key, dimension in space.dimensions.items():
            assert within(dimension, c.parameters[key]) == c.parameters[key]
            assert is_range(dimension) or c.parameters[key] in dimension


@BY_KIND
@pytest.mark.parametrize("name", ["additive", "catboost", "xgboost"])
def test_any_proposal_makes_a_model(name, task):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(150, 3))
    y = {"binary": x[:, 0] > 0, "multiclass": np.digitize(x[:, 0], [-0.5, 0.5]), "regression": x[:, 0]}[task.kind]
    matrix = Matrix(x, ("a", "b", "c"))
    family = plugins.load("holdgood.models", name)
    base = dict(family.configurations(task, 150, 3)[0][1])
    for _ in range(6):
        drawn = {k: _drawn(d, rng) for k, d in family.space(task, 150, 3).items()}
        model = family.make(base | drawn).fit(matrix, y.astype(float), None, FitContext(task, rounds=4))
        assert np.isfinite(model.predict(matrix)).all()


@BY_KIND
def test_catboosts_named_defaults_are_its_own(task):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 3))
    y = {"binary": x[:, 0] > 0, "multiclass": np.digitize(x[:, 0], [-0.5, 0.5]), "regression": x[:, 0]}[task.kind]
    matrix, context = Matrix(x, ("a", "b", "c")), FitContext(task, rounds=20)
    named = dict(CatboostFamily.configurations(task, 400, 3)[0][1])
    few = {k: named[k] for k in ("learning_rate", "depth", "l2_leaf_reg", "border_count") if k in named}
    one, two = (SymmetricBoosting(p).fit(matrix, y.astype(float), None, context).predict(matrix) for p in (named, few))
    assert one.tobytes() == two.tobytes()


def _drawn(dimension, rng):
    if not is_range(dimension):
        return dimension[int(rng.integers(len(dimension)))]
    kind, low, high, _ = dimension
    return int(rng.integers(low, high + 1)) if kind == "int" else float(rng.uniform(low, high))
