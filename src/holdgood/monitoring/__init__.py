"""Watches rows in use against the development rows, with a stated false-alarm rate.

Comes in: a reference Frame and a current Frame.
Goes out: Alarms.
May touch: features and predictions in use.
Never: cry wolf more often than stated.
"""

from holdgood.monitoring.mon001_feature_drift import FeatureDrift

__all__ = ["FeatureDrift"]
