"""Answers over HTTP: the journal first, then the caller.

Comes in: requests, each with a token.
Goes out: answers that were journalled first.
May touch: verified bundles, reference tables, the journal, the tokens file.
Never: load training; log a value of a row; grow without bound.
"""
