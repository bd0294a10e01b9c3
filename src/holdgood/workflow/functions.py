"""Functions that a project brings: named by import path and hash of their source, run only where a person trusts them.

``scoring:profit`` is the function ``profit`` in ``scoring.py`` in the project's folder. Its source is never part of a
bundle. The hash in the declaration says which text was meant; that somebody here trusts it is kept outside the project,
so that a project from elsewhere cannot trust itself.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError, EnvironmentFault, did_you_mean
from holdgood.core.records.envelope import write_bytes

_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Declared:
    """A function that a declaration names: its path, its file, the file's hash now and as declared (empty: nowhere)."""

    path: str
    file: Path
    found: str
    declared: str


def is_function(name: str | None) -> bool:
    """Whether a name is an import path and not a word of ours.

    >>> is_function("scoring:profit"), is_function("log_loss")
    (True, False)
    """
    return name is not None and ":" in name


def name_of(function: Callable[..., Any]) -> str:
    """A path for a function that is given in Python."""
    module = getattr(function, "__module__", None) or "given"
    return f"{module.rpartition('.')[2].strip('_') or 'given'}:{getattr(function, '__name__', type(function).__name__).strip('<>')}"


def hash_of(function: Callable[..., Any]) -> str:
    """SHA-256 of a given function's source, or of its compiled code where no source is at hand."""
    try:
        text = inspect.getsource(function).encode()
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = repr(function).encode() if code is None else code.co_code + repr(code.co_consts).encode()
    return "sha256:" + hashlib.sha256(text).hexdigest()


def declared_functions(declaration: Declaration, project: Path) -> list[Declared]:
    """What a declaration names and where it lies. DeclarationError where it is not there."""
    named = [declaration.task.metric, declaration.costs.function]
    return [_located(str(n), declaration, project) for n in dict.fromkeys(named) if is_function(n)]


def _located(path: str, declaration: Declaration, project: Path) -> Declared:
    if not _PATH.fullmatch(path):
        raise DeclarationError(
            f"{path!r} is no path of a function", "module:function, as in scoring:profit", "correct the declaration"
        )
    file = project / (path.partition(":")[0].replace(".", "/") + ".py")
    if not file.is_file():
        raise DeclarationError(
            f"the function {path} is not there: no file {file.name} in the project",
            f"a file {file.relative_to(project)} that defines it",
            "functions never travel in a bundle: bring the file, or change the declaration",
        )
    found = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    return Declared(path, file, found, declaration.code.get(path, ""))


def load_function(
    path: str, declaration: Declaration, project: Path, given: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """A function that was passed in Python, or one of the project's whose source is as declared and trusted."""
    if path in given:
        return given[path]
    one = _located(path, declaration, project)
    if one.found != one.declared:
        came = "has no hash in the declaration" if not one.declared else "has changed since its hash was declared"
        raise DeclarationError(
            f"the function {path} {came}",
            f'under [code]: "{path}" = "{one.found}"',
            f"read {one.file.name}; if it is what you mean, write that line",
        )
    if one.found not in trusted():
        raise DeclarationError(
            f"the function {path} would run code of this project, and nobody here has trusted it yet",
            f"a person who has read {one.file.name}",
            "holdgood trust",
        )
    found = getattr(_module(one, project), path.partition(":")[2], None)
    if not callable(found):
        names = [n for n, v in vars(_module(one, project)).items() if callable(v)]
        raise DeclarationError(
            f"{one.file.name} has no function {path.partition(':')[2]!r}",
            "a function of that name",
            did_you_mean(path.partition(":")[2], names) or "correct the path",
        )
    return found


def _module(one: Declared, project: Path) -> ModuleType:
    """The module, executed from the very bytes that were hashed."""
    content = one.file.read_bytes()
    if "sha256:" + hashlib.sha256(content).hexdigest() != one.found:
        raise DeclarationError(f"{one.file.name} changed while it was read", "a file at rest", "run again")
    spec = spec_from_file_location(f"holdgood_project_{one.path.partition(':')[0].replace('.', '_')}", one.file)
    assert spec is not None
    module = module_from_spec(spec)
    sys.path.insert(0, str(project))
    try:
        exec(compile(content, str(one.file), "exec"), module.__dict__)  # nosec B102 # noqa: S102 (read, hashed and trusted by a person)
    except Exception as error:
        raise DeclarationError(
            f"{one.file.name} cannot be imported: {type(error).__name__}: {error}", "a module", "repair it"
        ) from error
    finally:
        sys.path.remove(str(project))
    return module


def trust_file() -> Path:
    """Where this user's trust is kept, outside of any project."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "holdgood" / "trusted.json"


def trusted() -> set[str]:
    """Hashes of sources that this user trusts."""
    file = trust_file()
    try:
        return set(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else set()
    except (OSError, ValueError, TypeError) as error:
        raise EnvironmentFault(
            f"{file.name} cannot be read: {error}", "the list of what you trust", f"repair or remove {file}"
        ) from error


def trust(functions: list[Declared]) -> None:
    """Remember that this user trusts these sources as they are now."""
    kept = sorted(trusted() | {f.found for f in functions})
    trust_file().parent.mkdir(parents=True, exist_ok=True)
    write_bytes(trust_file(), json.dumps(kept, indent=1).encode())
