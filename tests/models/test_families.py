"""Every family that we bring holds the contract of its suite."""

import pytest

from holdgood.core import plugins
from holdgood.testing.model import check_model_family

OURS = ("additive", "catboost", "forest", "lightgbm", "linear", "mlp", "prior", "tree", "xgboost")
LIGHTER = {
    "forest": {"trees": 24},
    "lightgbm": {"learning_rate": 0.15},
    "catboost": {"depth": 4, "learning_rate": 0.2, "border_count": 32},
    "xgboost": {"max_depth": 4, "eta": 0.2},
    "mlp": {"members": 4, "width": 32, "epochs": 30, "pieces": 4, "learning_rate": 0.005},
}


@pytest.mark.parametrize("name", OURS)
def test_family_holds_the_contract(name):
    check_model_family(plugins.load("holdgood.models", name), LIGHTER.get(name))


def test_rungs_go_up_from_simplest():
    names = ("prior", "linear", "tree", "forest", "lightgbm", "xgboost", "catboost")
    families = [plugins.load("holdgood.models", n) for n in names]
    assert [f.rung for f in families] == [0, 1, 2, 4, 5, 5, 6]
    assert tuple(f.name for f in families) == names
