"""Settings from a file, checked against a model: every fault is told in one error, with suggestions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from holdgood.core.errors import DeclarationError, did_you_mean

S = TypeVar("S", bound=BaseModel)


def checked(model: type[S], data: Mapping[str, Any], *, where: str, expected: str, do: str) -> S:
    """A mapping as the model; DeclarationError with all faults otherwise. ``expected`` and ``do`` are the error's other lines."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        lines = [_explain(e, model) for e in error.errors()]
        raise DeclarationError(f"{where}: " + "; ".join(lines), expected, do) from None


def toml_of(file: Path) -> dict[str, Any]:
    """What a TOML file says; DeclarationError where it is none."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        twice = "twice" in str(error)
        raise DeclarationError(
            f"{file.name} is not valid TOML: {error}",
            "each [part] once" if twice else "a TOML file in UTF-8",
            "write the line into the part that stands there already" if twice else "look at the line named above",
        ) from None


def _explain(error: Any, model: type[BaseModel]) -> str:
    path = ".".join(str(p) for p in error["loc"])
    if error["type"] == "extra_forbidden":
        known = _names_at(error["loc"][:-1], model)
        return f"{path}: unknown name, {did_you_mean(str(error['loc'][-1]), known) or 'one of ' + ', '.join(known)}"
    came = error.get("input")
    said = error["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(came, (dict, list)) or came is None else f" (got {came!r})"
    return f"{path}: {said}{shown}" if path else said


def _names_at(path: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Field names of the section that a path leads to."""
    here: Any = model
    for step in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(str(step))
            here = None if field is None else field.annotation
        else:
            # inside dict[str, X] or list[X] the step is a key or a position: go on with X
            here = get_args(here)[-1] if get_args(here) else None
        members = [a for a in get_args(here) if a is not type(None)] if get_origin(here) in (Union, UnionType) else []
        here = members[0] if members else here
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []
