"""The life of a model as one HTML page: every step in order of time, and what stands at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from holdgood.core.records import Standing
from holdgood.reports.page import render_page

_CONTENTS = (("steps", "What happened"), ("standing", "What stands at the end"))


def render_life(
    model: str, steps: Sequence[Mapping[str, str]], standing: Sequence[Standing], faults: Sequence[str]
) -> str:
    """``steps``: ``when`` (a day), ``what`` and ``sentence``, in order. One HTML text; nothing is loaded."""
    return render_page(
        "life.html", charts=False, title=f"The life of {model}", contents=_CONTENTS, steps=steps, standing=standing, faults=faults
    )  # fmt: skip
