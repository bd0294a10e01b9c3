"""Answers over HTTP. Filled by its own issue; `holdgood predict` serves until then.

Comes in: requests.
Goes out: answers that were journalled first.
May touch: a verified bundle.
Never: load training.
"""
