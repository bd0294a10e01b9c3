"""Shared small data: labels with ties in the scores, several classes, and a binomial acceptance test."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.task import Task

BINARY = Task(kind="binary", classes=(False, True))
THREE = Task(kind="multiclass", classes=("a", "b", "c"))
NUMBER = Task(kind="regression", metric="rmse")


@pytest.fixture
def binary() -> Task:
    return BINARY


@pytest.fixture
def three() -> Task:
    return THREE


@pytest.fixture
def number() -> Task:
    return NUMBER


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    """400 rows, chances rounded so that many tie."""
    rng = np.random.default_rng(3)
    p = rng.random(400).round(2)
    return (rng.random(400) < 0.2 + 0.5 * p).astype(float), p


@pytest.fixture
def three_scored() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    p = rng.dirichlet([1.0, 2.0, 0.5], 300)
    return np.array([rng.choice(3, p=row) for row in p], float), p


@pytest.fixture
def acceptable() -> Callable[[int, int, float], bool]:
    """Whether so many failures in so many tries are believable at the stated rate or below (binomial, 0.1%)."""
    return lambda failures, tries, rate: bool(failures <= binom.ppf(0.999, tries, rate))
