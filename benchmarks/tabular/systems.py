"""The systems that are compared, each as it comes, told the metric, the budget and two threads. Runs in each system's own environment.

A system is a function (data, job) -> Fitted. Libraries are imported inside: only one of them is installed where this runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

THREADS = 2


@dataclass(frozen=True)
class Data:
    """Training rows and labels; class labels are texts, ``classes`` sorted. ``positive``: of a binary task, else None."""

    X: pd.DataFrame
    y: pd.Series
    kind: str
    classes: list[str]
    positive: str | None


@dataclass
class Fitted:
    """``predict``: a frame -> probabilities of the positive class (n,), of all classes (n, k), or values (n,).

    ``bytes``: size of what has to be kept in order to predict. ``model``: a closure that scores one prepared row, for
    systems that have a door without a data frame. ``said``: what the system tells of itself.
    """

    predict: Callable[[pd.DataFrame], np.ndarray]
    bytes: Callable[[], int]
    model: Callable[[pd.DataFrame], Callable[[], Any]] | None = None
    said: dict[str, Any] = field(default_factory=dict)


Fit = Callable[[Data, Mapping[str, Any]], Fitted]


def folder_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def columns_of(proba: Any, labels: list[Any], data: Data) -> np.ndarray:
    """Probabilities with labels as a system calls them, in our order; of a binary task the positive class alone."""
    place = {str(label): i for i, label in enumerate(labels)}
    values = np.asarray(proba, np.float64)
    if data.positive is not None:
        return values[:, place[data.positive]]
    return values[:, [place[c] for c in data.classes]]


def holdgood(prefer: str) -> Fit:
    def fit(data: Data, job: Mapping[str, Any]) -> Fitted:
        import holdgood as hg

        portfolio = without_this_set(job["portfolio"], data.kind)
        model = hg.fit(
            data.X, data.y, budget=f"{job['budget']}s", task=data.kind, metric=job["metric"], prefer=prefer,
            workers=THREADS, seed=job["seed"],
        )  # fmt: skip

        def predict(X: pd.DataFrame) -> np.ndarray:
            if data.kind == "regression":
                return model.predict(X)
            return columns_of(model.predict_proba(X), list(model.classes_), data)

        def size() -> int:
            from holdgood.bundle.save import save

            folder = Path(job["folder"]) / "bundle"
            parts = {"plan": model.plan_, "chain": model.chain_}
            save(folder, name="benchmark", parts=parts, records={}, task=model.task_)
            return folder_bytes(folder)

        def one(row: pd.DataFrame) -> Callable[[], Any]:
            frame = model._frame(row)
            return lambda: model.chain_.predict(frame)

        board = model.leaderboard_
        said = {
            "chosen": board.chosen,
            "members": dict(board.members),
            "trials": len(board.trials),
            "portfolio": portfolio,
        }
        return Fitted(predict, size, one, said)

    return fit


def without_this_set(entries: list[dict[str, Any]] | None, kind: str) -> str:
    """Put the list that was chosen without the set in the place of the shipped one; says which one is used."""
    from holdgood.workflow import candidates

    if entries is None or not hasattr(candidates, "_listed"):
        return "as shipped"
    lists = {kind: dict.fromkeys(("small", "medium", "large"), entries)}
    candidates._listed = lambda: lists
    return "without this set"


def autogluon(preset: str) -> Fit:
    def fit(data: Data, job: Mapping[str, Any]) -> Fitted:
        from autogluon.tabular import TabularPredictor

        metric = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}[job["metric"]]
        folder = Path(job["folder"]) / "autogluon"
        label = "the outcome"
        positive = {"positive_class": data.positive} if data.positive is not None else {}
        predictor = TabularPredictor(label, data.kind, metric, path=str(folder), verbosity=0, **positive)
        predictor.fit(
            data.X.assign(**{label: data.y}), presets=preset, time_limit=job["budget"], num_cpus=THREADS, num_gpus=0
        )

        def predict(X: pd.DataFrame) -> np.ndarray:
            if data.kind == "regression":
                return predictor.predict(X).to_numpy()
            proba = predictor.predict_proba(X)
            return columns_of(proba, list(proba.columns), data)

        def size() -> int:
            """What the best model needs, without the others that were tried."""
            alone = Path(job["folder"]) / "alone"
            predictor.clone_for_deployment(str(alone))
            return folder_bytes(alone)

        predictor.persist()  # else every call would read the models from disk again
        return Fitted(predict, size, said={"best": predictor.model_best, "folder_bytes": folder_bytes(folder)})

    return fit


def flaml(data: Data, job: Mapping[str, Any]) -> Fitted:
    from flaml import AutoML

    automl = AutoML()
    automl.fit(
        data.X, data.y, task="regression" if data.kind == "regression" else "classification", metric=job["metric"],
        time_budget=job["budget"], n_jobs=THREADS, seed=job["seed"], verbose=0, log_file_name="",
    )  # fmt: skip

    def predict(X: pd.DataFrame) -> np.ndarray:
        if data.kind == "regression":
            return np.asarray(automl.predict(X))
        return columns_of(automl.predict_proba(X), list(automl.classes_), data)

    return Fitted(predict, lambda: len(pickle.dumps(automl.model)), said={"best": automl.best_estimator})


def mljar(data: Data, job: Mapping[str, Any]) -> Fitted:
    from supervised.automl import AutoML

    metric = {"roc_auc": "auc", "log_loss": "logloss", "rmse": "rmse"}[job["metric"]]
    kind = {"binary": "binary_classification", "multiclass": "multiclass_classification"}.get(data.kind, "regression")
    folder = Path(job["folder"]) / "mljar"
    automl = AutoML(
        results_path=str(folder), total_time_limit=job["budget"], mode="Compete", ml_task=kind, eval_metric=metric,
        explain_level=0, n_jobs=THREADS, random_state=job["seed"], verbose=0,
    )  # fmt: skip
    automl.fit(data.X, data.y)

    def predict(X: pd.DataFrame) -> np.ndarray:
        if data.kind == "regression":
            return np.asarray(automl.predict(X))
        told = automl.predict_all(X)
        labels = [c.removeprefix("prediction_") for c in told.columns if c.startswith("prediction_")]
        return columns_of(told[[f"prediction_{c}" for c in labels]], labels, data)

    return Fitted(predict, lambda: folder_bytes(folder), said={"best": automl._best_model.get_name()})


def lightgbm(data: Data, job: Mapping[str, Any]) -> Fitted:
    """As it comes: texts as pandas categories, moments as numbers, nothing tuned, no budget."""
    import lightgbm as lgb

    known = {
        name: column.astype("string").astype("category").cat.categories
        for name, column in data.X.items()
        if not (
            pd.api.types.is_numeric_dtype(column)
            or pd.api.types.is_bool_dtype(column)
            or pd.api.types.is_datetime64_any_dtype(column)
        )
    }

    def prepared(X: pd.DataFrame) -> pd.DataFrame:
        out = {}
        for i, (name, column) in enumerate(X.items()):
            if name in known:
                out[f"f{i}"] = pd.Categorical(column.astype("string"), categories=known[name])
            elif pd.api.types.is_datetime64_any_dtype(column):
                out[f"f{i}"] = column.astype("int64").to_numpy() / 1e9
            else:
                out[f"f{i}"] = column.to_numpy()
        return pd.DataFrame(out)

    of_kind = lgb.LGBMRegressor if data.kind == "regression" else lgb.LGBMClassifier
    model = of_kind(n_jobs=THREADS, random_state=job["seed"], verbosity=-1).fit(prepared(data.X), data.y)

    def predict(X: pd.DataFrame) -> np.ndarray:
        if data.kind == "regression":
            return model.predict(prepared(X))
        return columns_of(model.predict_proba(prepared(X)), list(model.classes_), data)

    return Fitted(predict, lambda: len(model.booster_.model_to_string()))


def catboost(data: Data, job: Mapping[str, Any]) -> Fitted:
    """As it comes: texts as categories (long and mostly distinct ones as texts), moments as numbers, no budget."""
    import catboost as cb

    words = [
        n for n, c in data.X.items()
        if not (pd.api.types.is_numeric_dtype(c) or pd.api.types.is_datetime64_any_dtype(c)) or pd.api.types.is_bool_dtype(c)
    ]  # fmt: skip
    texts = [
        n for n in words
        if data.X[n].nunique() > len(data.X) / 2 and data.X[n].astype("string").str.len().mean() > 30
    ]  # fmt: skip

    def prepared(X: pd.DataFrame) -> pd.DataFrame:
        out = {}
        for name, column in X.items():
            if name in words:
                out[name] = column.astype("string").fillna("missing").astype(object)
            elif pd.api.types.is_datetime64_any_dtype(column):
                out[name] = column.astype("int64") / 1e9
            else:
                out[name] = column
        return pd.DataFrame(out, index=X.index)

    of_kind = cb.CatBoostRegressor if data.kind == "regression" else cb.CatBoostClassifier
    model = of_kind(
        thread_count=THREADS, random_seed=job["seed"], verbose=0, allow_writing_files=False,
        cat_features=[n for n in words if n not in texts], text_features=texts or None,
    )  # fmt: skip
    model.fit(prepared(data.X), data.y)

    def predict(X: pd.DataFrame) -> np.ndarray:
        if data.kind == "regression":
            return model.predict(prepared(X))
        return columns_of(model.predict_proba(prepared(X)), list(model.classes_), data)

    def size() -> int:
        path = Path(job["folder"]) / "model.cbm"
        model.save_model(str(path))
        return path.stat().st_size

    return Fitted(predict, size)


SYSTEMS: dict[str, tuple[str, Fit]] = {
    "holdgood": ("", holdgood("best")),
    "holdgood balanced": ("", holdgood("balanced")),
    "AutoGluon best": ("autogluon", autogluon("best_quality")),
    "AutoGluon medium": ("autogluon", autogluon("medium_quality")),
    "FLAML": ("flaml", flaml),
    "MLJAR": ("mljar", mljar),
    "CatBoost default": ("boosters", catboost),
    "LightGBM default": ("boosters", lightgbm),
}
"""Name -> (environment in venvs.PINS, "" for ours; the fit)."""
WITHOUT_BUDGET = ("CatBoost default", "LightGBM default")
