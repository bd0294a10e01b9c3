"""Learned encoders, refitted inside each fold: codes for trees, dense for linear models."""
