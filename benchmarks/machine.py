"""What figures depend on: processor, cores, memory."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import psutil


@lru_cache
def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), "unknown processor")
    return f"{model}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
