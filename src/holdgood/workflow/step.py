"""One step of a line: what does it, what restores it, what it depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from holdgood.core.records import Record
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.work import Work


@dataclass(frozen=True)
class Step:
    """A step: what does it, what restores it (None: always done), which rooms and declared sections it depends on."""

    name: str
    do: Callable[[Work, StepFolder], Record | None]
    load: Callable[[Work, StepFolder], None] | None
    after: tuple[str, ...]
    rooms: tuple[str, ...]
    sections: tuple[str, ...] = ()
