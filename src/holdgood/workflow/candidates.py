"""Candidates for training: families found by entry point, each with the encoder it needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from holdgood.core import plugins
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.protocols import Candidate
from holdgood.core.task import Task
from holdgood.features.encode.for_needs import encoder_for


def candidates(task: Task, rows: int, columns: int, families: Sequence[str] = ()) -> list[Candidate]:
    """All configurations of the wanted families (default: all installed), simplest family first; the prior is always in."""
    installed = plugins.load_all("holdgood.models")
    for name in families:
        if name not in installed:
            raise DeclarationError(
                f"no model family named {name!r}",
                "one of: " + ", ".join(sorted(installed)),
                did_you_mean(name, installed) or "run: holdgood doctor",
            )
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
