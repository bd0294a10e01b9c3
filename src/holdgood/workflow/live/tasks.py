"""The task of a model in use, read from its manifest alone: what its outcomes can be."""

from __future__ import annotations

from pathlib import Path

from holdgood.bundle.verify import read_manifest
from holdgood.core.errors import HoldgoodError
from holdgood.core.task import Task
from holdgood.journal import Journal, standing_now
from holdgood.workflow.live.folder import Live


def task_in(live: Path | str, journal: Journal, model: str) -> Task | None:
    """The task of what answers as ``model`` in a journal; None where its bundle is not at hand (a journal without its live folder)."""
    stood = next((s for s in standing_now(journal, model) if s.place == "champion"), None)
    if stood is None:
        return None
    try:
        told = read_manifest(Live.open(live).bundle(stood.bundle_digest)).task
    except HoldgoodError:
        return None
    return Task.model_validate(told) if told else None
