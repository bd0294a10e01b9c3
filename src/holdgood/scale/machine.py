"""What this machine can give: memory that is free, cores that may be used. Limits of a container count."""

from __future__ import annotations

from pathlib import Path

import psutil
from loky import cpu_count

_GROUP = Path("/sys/fs/cgroup")


def memory_available() -> int:
    """Bytes that can still be allocated: what the system says, or less where a container's limit is nearer."""
    free = int(psutil.virtual_memory().available)
    limits = (
        (_GROUP / "memory.max", _GROUP / "memory.current"),
        (_GROUP / "memory/memory.limit_in_bytes", _GROUP / "memory/memory.usage_in_bytes"),
    )
    for most, used in limits:
        limit, spent = _number(most), _number(used)
        if limit is not None and spent is not None:
            free = min(free, max(0, limit - spent))
    return free


def cores() -> int:
    """Cores that this process may use: affinity and container limits included."""
    return int(cpu_count())


def _number(file: Path) -> int | None:
    """The integer in a file of the kernel; None where it is absent or says 'max'."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
