"""Gates, verdict and model card, made from records.

Comes in: records of the rooms before.
Goes out: a Verdict, a ModelCard.
May touch: records.
Never: invent what nobody declared or measured.
"""

from holdgood.governance.card import card
from holdgood.governance.judge import judge

__all__ = ["card", "judge"]
