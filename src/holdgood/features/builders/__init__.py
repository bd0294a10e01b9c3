"""Stateless builders: dates, missingness, joins as of the decision time, the experts' own expressions."""
