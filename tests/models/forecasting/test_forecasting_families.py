"""Every forecasting family that we bring holds the contract of its suite."""

import pytest

from holdgood.core import plugins
from holdgood.testing.forecaster import check_forecaster_family, made_up, made_up_demand

SMOOTH = ("arima", "ces", "ets", "mstl", "naive", "theta", "window-average")
ELSEWHERE = ("lightgbm-lags", "lstm")  # global families hold it in files of their own
INTERMITTENT = ("adida", "croston", "imapa", "tsb")


@pytest.mark.parametrize("name", SMOOTH)
def test_family_holds_the_contract(name):
    check_forecaster_family(plugins.load("holdgood.forecasters", name))


@pytest.mark.parametrize("name", [*INTERMITTENT, "window-average"])
def test_family_holds_the_contract_on_intermittent_demand(name):
    check_forecaster_family(plugins.load("holdgood.forecasters", name), intermittent=True)


@pytest.mark.parametrize("name", INTERMITTENT)
def test_intermittent_families_have_nothing_for_smooth_series(name):
    family = plugins.load("holdgood.forecasters", name)
    assert family.configurations(made_up(), 4) == []
    assert family.configurations(made_up_demand(), 4)


def test_no_family_goes_without_the_contract():
    assert set(plugins.names("holdgood.forecasters")) == {*SMOOTH, *INTERMITTENT, *ELSEWHERE}


def test_every_registered_family_is_under_its_own_name():
    for name, family in plugins.load_all("holdgood.forecasters").items():
        assert family.name == name
        assert plugins.load("holdgood.parts", family.make(dict(_any(family))).part)


def _any(family):
    return (family.configurations(made_up(), 4) or family.configurations(made_up_demand(), 4))[0][1]
