"""A business of items run forward under a policy: what comes of it in units and money, beside another and beside perfect foresight."""

from holdgood.decisions.simulator.compare import saved
from holdgood.decisions.simulator.excess import sensible_stock
from holdgood.decisions.simulator.foresight import Foresight, foresight
from holdgood.decisions.simulator.incumbent import MinMax, Recovered, moving_average, recovered
from holdgood.decisions.simulator.outcome import Outcome, Units
from holdgood.decisions.simulator.simulate import RowByRow, simulate
from holdgood.decisions.simulator.tune import Tuned, tuned
from holdgood.decisions.simulator.world import Drawn, World

__all__ = [
    "Drawn",
    "Foresight",
    "MinMax",
    "Outcome",
    "Recovered",
    "RowByRow",
    "Tuned",
    "Units",
    "World",
    "foresight",
    "moving_average",
    "recovered",
    "saved",
    "sensible_stock",
    "simulate",
    "tuned",
]
