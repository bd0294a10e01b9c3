"""Rows without end: scored a piece at a time, kept as they are done, delivered once. See ``score.py`` for the order."""
