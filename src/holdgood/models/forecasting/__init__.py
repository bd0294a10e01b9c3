"""Forecasting families. Filled by the forecasting issue."""
