"""How much memory a table may take: as the user says, else a share of what is free."""

from __future__ import annotations

import os
import re

from holdgood.core.errors import DeclarationError
from holdgood.scale.machine import memory_available

VARIABLE = "HOLDGOOD_MEMORY"
"""Environment variable: how much memory the tables of one source may take, for example ``2 GB``; beyond it a file is used."""

_SHARE = 0.35
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def memory_allowed() -> int:
    """Bytes that a table may take in memory: as ``HOLDGOOD_MEMORY`` says, else about a third of what is free."""
    asked = os.environ.get(VARIABLE, "").strip()
    return bytes_of(asked) if asked else int(_SHARE * memory_available())


def bytes_of(text: str) -> int:
    """Read an amount of memory.

    >>> bytes_of("2 GB"), bytes_of("512MiB"), bytes_of("1000000")
    (2000000000, 536870912, 1000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", text)
    if found is None or found.group(2).lower() not in _UNITS:
        raise DeclarationError(
            f"{VARIABLE} is {text!r}", "an amount of memory", 'write for example "2 GB", or take the variable out'
        )
    return int(float(found.group(1)) * _UNITS[found.group(2).lower()])
