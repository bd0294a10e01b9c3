"""The screen for people beside the terminal. Filled by its own issue; the HTML report serves until then.

Comes in: records.
Goes out: pages.
May touch: the journal, run folders.
Never: do arithmetic.
"""
