"""When to retrain and why; champion against challenger on the same rows.

Comes in: Alarms, losses with their moments, paired losses.
Goes out: a RetrainDecision, a Challenge.
May touch: records.
Never: promote by itself.
"""

from holdgood.retraining.boundary import nominal_levels, power_of
from holdgood.retraining.challenge import Challenge, ChallengePlan, challenge
from holdgood.retraining.decide import Evidence, decide, has_fallen
from holdgood.retraining.excess import unexpected
from holdgood.retraining.fall import Losses, of_season, performance
from holdgood.retraining.probation import probation
from holdgood.retraining.worth import Worth, worth

__all__ = [
    "Challenge",
    "ChallengePlan",
    "Evidence",
    "Losses",
    "Worth",
    "challenge",
    "decide",
    "has_fallen",
    "nominal_levels",
    "of_season",
    "performance",
    "power_of",
    "probation",
    "unexpected",
    "worth",
]
