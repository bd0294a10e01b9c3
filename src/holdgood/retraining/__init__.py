"""When to retrain and why; champion against challenger on the same rows.

Comes in: Alarms, paired losses.
Goes out: a RetrainDecision.
May touch: records.
Never: promote by itself.
"""

from holdgood.retraining.decide import Challenge, RetrainPolicy, challenge, decide

__all__ = ["Challenge", "RetrainPolicy", "challenge", "decide"]
