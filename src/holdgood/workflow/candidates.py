"""Candidates for training: families found by entry point, each with the encoder it needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec

from holdgood.core import plugins
from holdgood.core.errors import DeclarationError, MissingExtra, did_you_mean
from holdgood.core.protocols import Candidate, ModelFamily
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for

_GROUP = "holdgood.models"


def candidates(task: Task, rows: int, columns: int, families: Sequence[str] = ()) -> list[Candidate]:
    """All configurations of the wanted families (default: all whose libraries are there), simplest family first; the
    prior is always in.

    Raises DeclarationError for a family that is not known, MissingExtra for one that is asked for and whose library is
    not installed.
    """
    known = plugins.names(_GROUP)
    for name in families:
        if name not in known:
            raise DeclarationError(
                f"no model family named {name!r}",
                "one of: " + ", ".join(known),
                did_you_mean(name, known) or "run: holdgood doctor",
            )
        missing = _missing(name)
        if missing is not None:
            raise missing
    installed = {n: f for n, f in plugins.load_all(_GROUP).items() if _missing(n) is None}
    wanted = {n: f for n, f in installed.items() if not families or n in families or f.rung == 0}
    ordered = sorted(wanted.items(), key=lambda item: (item[1].rung, item[0]))
    found = []
    for name, family in ordered:
        if task.kind not in family.kinds:
            continue
        for label, parameters in family.configurations(task, rows, columns):
            found.append(
                Candidate(
                    name=label if label.startswith(name) else f"{name}-{label}",
                    family=name,
                    rung=family.rung,
                    needs=family.needs,
                    make_encoder=partial(encoder_for, family.needs),
                    make_model=partial(family.make, dict(parameters)),
                    parameters=dict(parameters),
                )
            )
    return found


def left_out(families: Sequence[str] = ()) -> tuple[str, ...]:
    """A note for each registered family that was not asked for by name and whose library is not installed."""
    missing = {} if families else {name: _missing(name) for name in plugins.names(_GROUP)}
    return tuple(f"{name} was left out: {error.do}" for name, error in missing.items() if error is not None)


def _missing(name: str) -> MissingExtra | None:
    """What to say where a family's library is not there: it tells which one it is, or it cannot be loaded at all."""
    try:
        family: ModelFamily = plugins.load(_GROUP, name)
    except MissingExtra as error:
        return error
    library, extra = getattr(family, "library", ""), getattr(family, "extra", "")
    if library and find_spec(library) is None:
        return MissingExtra.named(extra, library, f"the model family {name!r}")
    return None
