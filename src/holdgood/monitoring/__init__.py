"""Watches a model in use: rows against the development rows, answers and outcomes against what was promised.

Comes in: a reference Frame and a current Frame, or a Look at Traffic.
Goes out: Alarms, a Comparison of performance, a Benefit.
May touch: features, predictions, outcomes, overrides of a model in use.
Never: cry wolf more often than stated.
"""

from holdgood.monitoring.mon001_feature_drift import FeatureDrift
from holdgood.monitoring.mon002_joint_drift import JointDrift
from holdgood.monitoring.mon003_prediction_drift import PredictionDrift

__all__ = ["FeatureDrift", "JointDrift", "PredictionDrift"]
