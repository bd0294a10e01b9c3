"""How many threads BLAS and OpenMP take, for as long as a block runs.

threadpoolctl looks for the libraries each time that it is asked, which means reading all of ``/proc/self/maps``: milliseconds that a loop
over small problems pays thousands of times. Libraries come with imports, so they are looked for again only after one.
"""

import os
import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _libraries(process: int, modules: int) -> ThreadpoolController:
    """What is loaded; ``process`` and ``modules`` (how many are imported) say when to look again."""
    return ThreadpoolController()


def thread_limit(threads: int, api: str | None = None) -> AbstractContextManager[Any]:
    """Inside the block libraries of ``api`` ("blas", "openmp"; None: both) take at most ``threads`` threads; after it what they took before.

    >>> with thread_limit(1, "blas"):
    ...     pass
    """
    return _libraries(os.getpid(), len(sys.modules)).limit(limits=threads, user_api=api)
