"""A project on disk: the declaration, and one folder a run with one folder a step. The run folder is the source of truth."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from holdgood.core.declaration import FILE_NAME, Declaration, read
from holdgood.core.errors import DataError, DeclarationError, EnvironmentFault, did_you_mean
from holdgood.core.records.envelope import write_bytes
from holdgood.core.urls import mask

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "duckdb", "scikit-learn", "lightgbm", "pydantic", "narwhals")
_WHERE_INSTALLED = ("catboost", "xgboost-cpu", "xgboost", "statsforecast", "holidays", "jax")


def digest(*parts: Any) -> str:
    """SHA-256 over JSON-able parts, canonical."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_fingerprint(rooms: tuple[str, ...]) -> str:
    """SHA-256 over the source of some rooms (and of core and metrics, which all of them use), read once a process: whoever edits it starts anew."""
    total = hashlib.sha256()
    for room in sorted({*rooms, "core", "metrics"}):
        for file in sorted((_PACKAGE / room).rglob("*.py")):
            total.update(str(file.relative_to(_PACKAGE)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def versions() -> dict[str, str]:
    """Versions of holdgood, Python and the libraries that results depend on."""
    return dict(_versions())


@cache
def _versions() -> Mapping[str, str]:
    """Asked for at every step of every run, and each answer parses a package's metadata: once a process."""
    found = {"holdgood": metadata.version("holdgood"), "python": platform.python_version()}
    for library in _LIBRARIES:
        found[library] = metadata.version(library)
    for library in _WHERE_INSTALLED:
        with suppress(metadata.PackageNotFoundError):
            found[library] = metadata.version(library)
    return found


@dataclass(frozen=True)
class StepFolder:
    """One step of one run: ``record.json``, further files, and ``step.json`` (fingerprint, seconds) once it is done."""

    path: Path

    @property
    def record(self) -> Path:
        """Where the step's record lies."""
        return self.path / "record.json"

    def done(self) -> dict[str, Any] | None:
        """What was noted at the end of the step, or None."""
        try:
            noted = json.loads((self.path / "step.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return noted if isinstance(noted, dict) else None

    def empty(self) -> None:
        """Take out what an earlier attempt left, except finished trials (each whole, and keyed by what it depends on)."""
        for entry in self.path.iterdir():
            if entry.name == "trials":
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def close(self, fingerprint: str, seconds: float) -> None:
        """Note that the step is done."""
        noted = {"fingerprint": fingerprint, "seconds": round(seconds, 3)}
        write_bytes(self.path / "step.json", json.dumps(noted).encode())


@dataclass(frozen=True)
class RunFolder:
    """``runs/NNNN``: steps in order, the declaration as used, and ``run.json`` (status)."""

    path: Path

    @property
    def id(self) -> str:
        """The run's number as a text of four digits or more."""
        return self.path.name

    def step(self, number: int, name: str) -> StepFolder:
        """The folder of one step (made on demand)."""
        folder = self.path / f"{number:02d}-{name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write in {self.path}: {error.strerror}",
                "a folder that can be written",
                "check the permissions",
            ) from error
        return StepFolder(folder)

    def find(self, name: str) -> StepFolder | None:
        """A step by name, if it was begun."""
        found = sorted(self.path.glob(f"[0-9][0-9]-{name}"))
        return StepFolder(found[0]) if found else None

    def status(self) -> dict[str, Any]:
        """What ``run.json`` says; an empty mapping where there is none."""
        try:
            said = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def declaration(self) -> Declaration | None:
        """The declaration as this run used it; None where it cannot be read."""
        try:
            return Declaration.model_validate_json((self.path / "declaration.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the run for the life of this process; yields whether nobody else holds it."""
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    def note(self, **changes: Any) -> None:
        """Change what ``run.json`` says."""
        write_bytes(self.path / "run.json", json.dumps({**self.status(), **changes}, indent=1, default=str).encode())


@dataclass(frozen=True)
class Project:
    """A folder with a declaration and runs."""

    path: Path
    declaration: Declaration

    @classmethod
    def at(cls, path: Path | str) -> Project:
        """Open the project in a folder (or by its holdgood.toml).

        Runs that were made from Python leave no such file; the newest one's declaration then speaks for the folder.
        """
        folder = Path(path)
        folder = folder.parent if folder.name == FILE_NAME else folder
        if not folder.is_dir():
            near = sorted(p.name for p in folder.parent.iterdir() if p.is_dir()) if folder.parent.is_dir() else []
            raise DeclarationError(
                f"no folder {folder}",
                f"a folder with a {FILE_NAME}",
                did_you_mean(folder.name, near) or "holdgood init TABLE… --target COLUMN",
            )
        runs = cls(folder.resolve(), Declaration()).runs()
        if not (folder / FILE_NAME).exists() and runs and (used := runs[-1].declaration()) is not None:
            return cls(folder.resolve(), used)
        return cls(folder.resolve(), read(folder))

    @property
    def openings(self) -> Path:
        """Where openings of holdouts are counted."""
        return self.path / "runs" / "openings.jsonl"

    def runs(self) -> list[RunFolder]:
        """All runs, oldest first."""
        folder = self.path / "runs"
        found = [p for p in folder.glob("[0-9]*") if p.is_dir() and p.name.isdigit()] if folder.is_dir() else []
        return [RunFolder(p) for p in sorted(found, key=lambda p: int(p.name))]

    def run(self, run_id: str | None = None) -> RunFolder:
        """A run by number, or the newest finished one (the newest at all if none is finished)."""
        runs = self.runs()
        if not runs:
            raise DataError(f"no run in {self.path.name}", "at least one run", "holdgood run")
        if run_id is None:
            finished = [r for r in runs if r.status().get("status") == "done"]
            return (finished or runs)[-1]
        for candidate in runs:
            if candidate.id == run_id or int(candidate.id) == _number(run_id):
                return candidate
        raise DataError(f"no run {run_id!r}", "one of " + ", ".join(r.id for r in runs[-8:]), "holdgood runs")

    def next_run(self) -> RunFolder:
        """A fresh folder for the next run."""
        number = int(self.runs()[-1].id) + 1 if self.runs() else 1
        while (folder := self.path / "runs" / f"{number:04d}").exists():
            number += 1
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write in {self.path}: {error.strerror}",
                "a folder that can be written",
                "check the permissions",
            ) from error
        return RunFolder(folder)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def reuse(project: Project, into: StepFolder, name: str, fingerprint: str) -> bool:
    """Bring a finished step with the same fingerprint from an earlier run, by hard links. True where one was found.

    The links are made beside and moved in at once: a step is whole or not there. Whoever does a step again empties its
    folder first, so that no file of the earlier run is ever written through a link.
    """
    for run in reversed(project.runs()):
        found = run.find(name)
        if found is None or found.path == into.path:
            continue
        noted = found.done()
        if noted and noted.get("fingerprint") == fingerprint:
            beside = into.path.with_name(f".{into.path.name}.linked")
            shutil.rmtree(beside, ignore_errors=True)
            shutil.copytree(found.path, beside, copy_function=_link)
            shutil.rmtree(into.path, ignore_errors=True)
            beside.rename(into.path)
            return True
    return False


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def declared_part(declaration: Declaration, *sections: str) -> Mapping[str, Any]:
    """The sections (or ``section.field``) of a declaration that a step depends on, as plain values."""
    dumped = declaration.model_dump(mode="json")
    found: dict[str, Any] = {}
    for section in sections:
        value: Any = dumped
        for name in section.split("."):
            value = value[name]
        found[section] = value
    return found


def masked(declaration: Declaration) -> Declaration:
    """The same declaration with passwords in addresses hidden: what may be written down and passed on."""
    tables = {n: t.model_copy(update={"source": mask(t.source)}) for n, t in declaration.tables.items()}
    return declaration.model_copy(update={"tables": tables})
