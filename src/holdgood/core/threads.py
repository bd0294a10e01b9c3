"""How many threads BLAS and OpenMP take, for as long as a block runs.

``threadpool_limits`` looks for the libraries each time that it is asked, which means reading all of ``/proc/self/maps``: milliseconds that a loop
over small problems pays thousands of times. The controller that is kept looks again after imports only, as libraries nearly always come
with one.
"""

from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import get_cached_controller


def thread_limit(threads: int, api: str | None = None) -> AbstractContextManager[Any]:
    """Inside the block libraries of ``api`` ("blas", "openmp"; None: both) take at most ``threads`` threads; after it what they took before.

    >>> with thread_limit(1, "blas"):
    ...     pass
    """
    limit: AbstractContextManager[Any] = get_cached_controller().limit(limits=threads, user_api=api)
    return limit
