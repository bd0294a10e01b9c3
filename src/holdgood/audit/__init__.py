"""Finds what is wrong, in two passes: tables (left of the wall), target and split (right of it, development rows only).

Comes in: an AuditContext.
Goes out: an AuditReport.
May touch: counts over tables; in the target pass the development rows.
Never: change a cell, learn left of the wall, look at a holdout outcome.
"""

from holdgood.audit.profile import profile
from holdgood.audit.run import audit, installed

__all__ = ["audit", "installed", "profile"]
