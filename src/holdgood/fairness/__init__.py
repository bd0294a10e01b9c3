"""What each group gets, with intervals; thin groups are 'cannot tell'.

Comes in: predictions, decisions, outcomes, group labels.
Goes out: a FairnessReport.
May touch: holdout rows.
Never: call silence fair.
"""

from holdgood.fairness.by_group import by_group

__all__ = ["by_group"]
