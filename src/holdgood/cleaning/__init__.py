"""Declared repairs, in order; each says what it changed, why, how many cells.

Comes in: tables and the declared repairs.
Goes out: tables and a CleanLog.
May touch: cells of the declared columns.
Never: learn from data, look at the target.
"""

from holdgood.cleaning.apply import apply, clean, installed, propose
from holdgood.cleaning.preview import Change, preview

__all__ = ["Change", "apply", "clean", "installed", "preview", "propose"]
