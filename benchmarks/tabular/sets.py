"""The sets, their splits and their scores: fixed by the data's manifest, further splits seeded."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HOLDGOOD_DATA", ROOT.parent / "shared" / "data")) / "tabular"
METRIC = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}


@dataclass(frozen=True)
class Set:
    """One set with one split: rows that are learned from, rows that are only scored."""

    name: str
    task: str
    train: pd.DataFrame
    test: pd.DataFrame
    y_train: np.ndarray
    y_test: np.ndarray
    classes: list[str]
    positive: str | None

    @property
    def metric(self) -> str:
        return METRIC[self.task]


def entries() -> list[dict[str, Any]]:
    """What the manifest says of each set that is here, in its order."""
    listed = json.loads((DATA.parent / "manifest.json").read_text(encoding="utf-8"))["tabular"]["datasets"]
    return [e for e in listed if (DATA / f"{e['name']}.parquet").exists()]


def eight() -> list[str]:
    """Sets for long budgets, by a rule that looks at no result: of each task those spread evenly over the number of rows."""
    chosen = []
    for task, count in (("binary", 3), ("multiclass", 2), ("regression", 3)):
        by_size = sorted((e for e in entries() if e["task"] == task), key=lambda e: e["rows"])
        chosen += [by_size[int((i + 0.5) * len(by_size) / count)]["name"] for i in range(count)]
    return chosen


def load(entry: dict[str, Any], split: int) -> Set:
    """Split 0: the manifest's test rows. Others: drawn from all rows by the manifest's protocol with the split as seed."""
    name, task = entry["name"], entry["task"]
    frame = pd.read_parquet(DATA / f"{name}.parquet")
    outcome = frame[entry["target"]]
    y = outcome.to_numpy(np.float64) if task == "regression" else outcome.astype(str).to_numpy(dtype=str)
    if split == 0:
        rows = np.load(DATA / "splits" / f"{name}.npy")
    else:
        stratify = None if task == "regression" else y
        rows = train_test_split(np.arange(len(frame)), test_size=0.25, random_state=split, stratify=stratify)[1]
    test = np.zeros(len(frame), dtype=bool)
    test[rows] = True
    X = frame.drop(columns=[entry["target"]])
    classes = [] if task == "regression" else sorted(set(y.tolist()))
    positive = None
    if task == "binary":
        positive = str(entry["positive"]) if str(entry["positive"]) in classes else classes[-1]
    parts = (X[~test].reset_index(drop=True), X[test].reset_index(drop=True))
    return Set(name, task, *parts, y[~test], y[test], classes, positive)


def score(one: Set, prediction: np.ndarray) -> float:
    """The manifest's metric on the test rows; ValueError where predictions are no numbers."""
    if not np.isfinite(prediction).all():
        raise ValueError("predictions that are no numbers")
    if one.task == "binary":
        return float(roc_auc_score(one.y_test == one.positive, prediction))
    if one.task == "multiclass":
        return float(log_loss(one.y_test, prediction / prediction.sum(axis=1, keepdims=True), labels=one.classes))
    return float(root_mean_squared_error(one.y_test, prediction))
