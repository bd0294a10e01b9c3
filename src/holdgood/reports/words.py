"""The field's short names in plain words, for a reader who has not met them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A label, what it means, and which way is better (empty where neither is)."""

    label: str
    meaning: str = ""
    better: str = ""


_LOW, _HIGH = "lower is better", "higher is better"

_METRICS: dict[str, Word] = {
    "log_loss": Word("log loss", "how surprised the model was by what happened, on average", _LOW),
    "brier": Word("Brier score", "mean squared distance between the stated chance and what happened", _LOW),
    "roc_auc": Word("ROC AUC", "how often a real case is ranked above one that is not; 0.5 is a coin", _HIGH),
    "average_precision": Word("average precision", "precision averaged over all shares of cases caught", _HIGH),
    "accuracy": Word("accuracy", "share of right answers", _HIGH),
    "balanced_accuracy": Word("balanced accuracy", "share of right answers, each class counting the same", _HIGH),
    "precision": Word("precision", "share of the warnings that were right", _HIGH),
    "recall": Word("recall", "share of the real cases that were caught", _HIGH),
    "f1": Word("F1", "precision and recall in one number", _HIGH),
    "rmse": Word("RMSE", "typical error in the target's unit; large errors weigh more", _LOW),
    "mae": Word("mean absolute error", "average error in the target's unit", _LOW),
    "median_absolute_error": Word("median absolute error", "half of the errors are smaller than this", _LOW),
    "r2": Word("R²", "share of the target's variation that is explained", _HIGH),
    "selection_rate": Word("selection rate", "share of the group's rows that are acted on"),
    "true_positive_rate": Word("true positive rate", "share of the group's real cases that are caught", _HIGH),
    "false_positive_rate": Word(
        "false positive rate", "share of the group's other rows that are acted on for nothing", _LOW
    ),
    "base_rate": Word("base rate", "share of the group's rows that are real cases"),
    "mean_prediction": Word("mean prediction", "what the model states for the group, on average"),
    "mean_error": Word("mean error", "whether the model is too high or too low for the group"),
    "error": Word("error", "average error of the group"),
    "mase": Word(
        "MASE", "average error over that of repeating the last season within the history; 1 is as good as that", _LOW
    ),
    "smape": Word("sMAPE", "average error as a percentage of the mean of forecast and outcome", _LOW),
    "absolute_error": Word("absolute error", "average size of the error, whichever way", _LOW),
}

_FAMILIES: dict[str, Word] = {
    "prior": Word("Always the average", "the same answer for everybody, from how often it happened so far"),
    "linear": Word("Weighted sum", "each fact gets a weight, and the weights are added up"),
    "additive": Word("Sum of curves", "one curve for each fact, added up; each can be looked at"),
    "tree": Word("One decision tree", "a short list of questions, each answered by yes or no"),
    "forest": Word("Forest", "the mean of hundreds of trees, each grown on other rows"),
    "lightgbm": Word("Boosted trees, LightGBM", "hundreds of small trees, each mending the errors of those before"),
    "xgboost": Word("Boosted trees, XGBoost", "hundreds of small trees, each mending the errors of those before"),
    "catboost": Word("Boosted trees, CatBoost", "hundreds of small trees, each mending the errors of those before"),
    "mlp": Word("Neural network", "layers of weighted sums; finds its own combinations of facts"),
    "naive": Word("Naive", "the last value, or the one a season ago, again"),
    "window-average": Word("Average of the last steps", "the mean of a window of recent values"),
    "ets": Word("ETS", "exponential smoothing of level, trend and season"),
    "theta": Word("Theta", "a smoothed level with half of the trend"),
    "ces": Word("CES", "complex exponential smoothing"),
    "arima": Word("ARIMA", "each value from the ones before it and their surprises"),
    "mstl": Word("MSTL", "several seasons taken apart, each continued"),
    "croston": Word("Croston", "how much, and how often, for slow movers"),
    "tsb": Word("TSB", "chance and size of a demand, for slow movers that may end"),
    "adida": Word("ADIDA", "slow movers added up over longer steps"),
    "imapa": Word("IMAPA", "slow movers added up over several longer steps"),
    "lightgbm-lags": Word(
        "Boosted trees on past values", "trees over lags, calendar and attributes, learned on all series together"
    ),
    "lstm": Word("LSTM", "a neural network with a memory, learned on all series together"),
    "median": Word("Median of families", "the middle of what the methods for single series say; nothing is learned"),
    "combination": Word("Several forecasts together", "the median or weighted mean of what they say"),
    "ensemble": Word("Several models together", "the weighted mean of what they say"),
}

SHARES = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "base_rate",
    }
)
"""Measures that are shares of rows and read best as per cent."""


def metric(name: str) -> Word:
    """A metric in words; an unknown name keeps its own, without underscores.

    >>> metric("log_loss").label, metric("my_own_score").label
    ('log loss', 'my own score')
    """
    return _METRICS.get(name, Word(name.replace("_", " ")))


def family(name: str) -> Word:
    """A kind of model in words; a guest's keeps its own name.

    >>> family("tree").label, family("my_own").label
    ('One decision tree', 'My own')
    """
    said = name.replace("_", " ")
    return _FAMILIES.get(name, Word(said[:1].upper() + said[1:]))


_STEPS = {
    "M": "month",
    "Q": "quarter",
    "Y": "year",
    "W": "week",
    "D": "day",
    "B": "working day",
    "h": "hour",
    "min": "minute",
}


def step_word(frequency: str) -> str:
    """What one step of a pandas frequency is called.

    >>> step_word("MS"), step_word("W-MON"), step_word("15min")
    ('month', 'week', 'step of 15min')
    """
    name = frequency.partition("-")[0]
    return _STEPS.get(name) or _STEPS.get(name.removesuffix("S").removesuffix("E")) or f"step of {frequency}"


def is_share(name: str) -> bool:
    """Whether a measure is a share of rows.

    >>> is_share("accuracy"), is_share("log_loss")
    (True, False)
    """
    return name in SHARES
