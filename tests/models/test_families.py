"""Every family that we bring holds the contract of its suite."""

import pytest

from holdgood.core import plugins
from holdgood.testing.model import check_model_family

OURS = ("forest", "lightgbm", "linear", "prior", "tree")
LIGHTER = {"forest": {"trees": 24}}


@pytest.mark.parametrize("name", OURS)
def test_family_holds_the_contract(name):
    check_model_family(plugins.load("holdgood.models", name), LIGHTER.get(name))


def test_rungs_go_up_from_simplest():
    families = [plugins.load("holdgood.models", n) for n in ("prior", "linear", "tree", "forest", "lightgbm")]
    assert [f.rung for f in families] == [0, 1, 2, 3, 4]
    assert [f.name for f in families] == ["prior", "linear", "tree", "forest", "lightgbm"]
