"""Predictions into decisions with their money: thresholds, capacity; later orders and work orders.

Comes in: predictions, costs, capacity.
Goes out: answers and plans.
May touch: declared costs.
Never: see outcomes of the rows it decides on.
"""

from holdgood.decisions.threshold import ThresholdPolicy

__all__ = ["ThresholdPolicy"]
