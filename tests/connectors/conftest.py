"""Small helpers to write files."""

import pytest


@pytest.fixture
def put(tmp_path):
    """Write bytes or text to a file in the test's folder and return its path as text."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return str(path)

    return write


@pytest.fixture
def codes():
    """The codes of a table's notes, in order."""
    return lambda table: [n.code for n in table.notes]


@pytest.fixture
def plain():
    """A table's values as a dictionary of lists."""
    return lambda table: table.data.to_pydict()
