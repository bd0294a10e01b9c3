"""Tabular families, one a file, simplest first."""
