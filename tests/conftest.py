"""For all tests: what a test file defines travels to workers by value.

By name it would be looked up as ``tests.…`` there, and some libraries install a package of that name.
"""

import cloudpickle
import pytest


@pytest.fixture(autouse=True, scope="module")
def _by_value(request):
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)
