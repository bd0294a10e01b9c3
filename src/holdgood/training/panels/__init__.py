"""Forecasters tried on a panel: rolling origins, combinations, the ladder, paths from past errors. Development rows only."""
