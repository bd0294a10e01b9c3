"""Threads are limited inside a block, given back after it, and libraries that come later are found, too."""

import json
import os
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info

from holdgood.core.threads import thread_limit


def of(api):
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == api]


def test_inside_one_and_afterwards_as_before_also_where_it_fails():
    before = of("blas")
    if max(before) == 1:
        pytest.skip("BLAS has one thread here: there is nothing to limit")
    with thread_limit(1, "blas"):
        assert set(of("blas")) == {1}
        with thread_limit(1):
            pass
        assert set(of("blas")) == {1}
    assert of("blas") == before
    try:
        with thread_limit(1, "blas"):
            raise ValueError
    except ValueError:
        assert of("blas") == before


LATER = """
import json, numpy, os
from threadpoolctl import threadpool_info
from holdgood.core.threads import thread_limit
with thread_limit(1):
    few = len(threadpool_info())
import sklearn.ensemble, lightgbm
assert any(l["num_threads"] > 1 for l in threadpool_info() if l["user_api"] == "openmp")
with thread_limit(1):
    print(json.dumps([few, [l["num_threads"] for l in threadpool_info()]]))
"""


def test_a_library_that_is_loaded_after_the_first_limit_is_limited():
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    )  # fmt: skip
    few, threads = json.loads(done.stdout)
    assert len(threads) > few
    assert set(threads) == {1}
