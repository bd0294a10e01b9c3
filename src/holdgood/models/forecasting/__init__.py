"""Forecasting families, one a file, simplest first. They learn from a Panel and answer from later history without refitting."""
