"""A model in use by its name: its task, read from the manifest alone, and the model itself where that is not enough."""

from __future__ import annotations

from pathlib import Path

from holdgood.bundle.verify import read_manifest
from holdgood.core.errors import HoldgoodError
from holdgood.core.task import Task
from holdgood.journal import Journal, standing_now
from holdgood.workflow.live.folder import Live
from holdgood.workflow.predict import Predictor


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


def model_in(live: Path | str, journal: Journal, model: str) -> Predictor | None:
    """What answers as ``model`` in a journal, loaded; None where its bundle is not at hand or is none that can be."""
    stood = next((s for s in standing_now(journal, model) if s.place == "champion"), None)
    if stood is None:
        return None
    try:
        return Predictor.load(Live.open(live).bundle(stood.bundle_digest))
    except HoldgoodError:
        return None
