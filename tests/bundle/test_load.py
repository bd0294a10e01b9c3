"""Loading: the same bits, here and in a fresh process; nothing is unpickled, nothing is imported by path."""

import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdgood.bundle import load, save
from holdgood.bundle.load import read_npy
from holdgood.bundle.save import _npy
from holdgood.core.chain import nest, unnest
from holdgood.core.errors import BundleError
from holdgood.core.protocols import Parts
from holdgood.core.records import Leaderboard
from holdgood.core.records.envelope import unwrap


def test_round_trip(saved, parts, matrix, task):
    loaded = load(saved)
    assert loaded.task == task
    assert loaded.extra == {"threshold": 0.25}
    assert list(loaded.parts) == list(parts)
    for name, part in parts.items():
        assert np.array_equal(loaded.parts[name].predict(matrix), part.predict(matrix))
    assert unwrap(loaded.records["leaderboard"], Leaderboard).chosen == "tree"


def test_saved_again_has_the_same_digest(saved, tmp_path, records, task):
    loaded = load(saved)
    again = save(tmp_path / "again", name="x", parts=loaded.parts, records=records, task=task, extra_json=loaded.extra)
    assert again.digest == loaded.manifest.digest


FRESH = """
import sys, hashlib, numpy as np
from pathlib import Path
from holdgood.bundle import load
from holdgood.core.frame import Matrix
assert not {"sklearn", "lightgbm", "pandas", "scipy"} & set(sys.modules), "importing the bundle room loads heavy libraries"
rows = Matrix(np.load(sys.argv[2], allow_pickle=False), ("a", "b", "c"))
parts = load(Path(sys.argv[1])).parts
for name in parts:
    whole = parts[name].predict(rows)
    alone = np.concatenate([parts[name].predict(rows.take(np.array([i]))) for i in range(len(rows))])
    assert np.array_equal(whole, alone)
    print(name, hashlib.sha256(whole.tobytes()).hexdigest())
"""


def test_a_fresh_process_gives_the_same_bits(saved, parts, matrix, tmp_path):
    import hashlib

    np.save(tmp_path / "rows.npy", matrix.values)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(saved), str(tmp_path / "rows.npy")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    wanted = [f"{n} {hashlib.sha256(p.predict(matrix).tobytes()).hexdigest()}" for n, p in parts.items()]
    assert done.stdout.split("\n")[:-1] == wanted


def test_without_verifying_first(saved, parts, matrix):
    loaded = load(saved, verify_first=False)
    assert np.array_equal(loaded.parts["tree"].predict(matrix), parts["tree"].predict(matrix))


def test_nested_arrays_lie_in_folders(tmp_path, parts, matrix, task):
    class Pair:
        part = "chain"

        def to_parts(self):
            return nest({"encoder": parts["linear"], "model": parts["tree"]})

    bundle = save(tmp_path / "b", name="x", parts={"pair": Pair()}, records={}, task=task)
    assert "parts/pair/arrays/model/leaf_shares.npy" in [e.path for e in bundle.files]
    pieces = json.loads((tmp_path / "b/parts/pair/part.json").read_text())
    inner = unnest(
        Parts(
            pieces["json"], nest({"encoder": parts["linear"], "model": parts["tree"]}).arrays, Pair().to_parts().files
        )
    )
    assert np.array_equal(inner["model"].predict(matrix), parts["tree"].predict(matrix))
    assert np.array_equal(load(tmp_path / "b").parts["pair"].model.predict(matrix), parts["tree"].predict(matrix))


class Written:
    """A part with a given name and content."""

    def __init__(self, part, parts):
        self.part, self.parts = part, parts

    def to_parts(self):
        return self.parts


@pytest.mark.parametrize(
    ("part", "pieces"),
    [
        ("os:system", Parts({"x": 1})),
        ("not-registered", Parts()),
        ("prior", Parts()),
        ("prior", Parts({"kind": "binary"}, {"answer": np.array(["a"])})),
        ("linear", Parts({"kind": "binary"})),
        ("booster", Parts({"kind": "binary"}, {}, {"model.txt": b"tree\n"})),
        ("chain", Parts({"encoder": {"part": "os:system", "json": {}}, "model": {"part": "prior", "json": {}}})),
        ("chain", Parts({"encoder": 3})),
    ],
)
def test_parts_that_cannot_be_rebuilt(tmp_path, task, part, pieces):
    save(tmp_path / "b", name="x", parts={"odd": Written(part, pieces)}, records={}, task=task)
    with pytest.raises(BundleError):
        load(tmp_path / "b")


@settings(max_examples=50, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from(["<f8", "<f4", "<i8", "<i2", "<u4", "?", "<U3", "S5", ">f8", "<c16"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_arrays_keep_shape_type_and_bits(array):
    if array.dtype.kind == "c":
        with pytest.raises(BundleError):
            _npy(array, "x")
        return
    back = read_npy(_npy(array, "x"), "x")
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    assert _npy(np.array(array, order="F"), "x") == _npy(array, "x")


class Bomb:
    """Unpickling it would be seen."""

    def __reduce__(self):
        return (print, ("UNPICKLED",))


def test_pickles_in_npy_are_refused(capsys):
    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(BundleError, match="objects can run code"):
        read_npy(file.getvalue(), "x")
    with pytest.raises(BundleError):
        read_npy(pickle.dumps(Bomb()), "x")
    assert "UNPICKLED" not in capsys.readouterr().out


def _header(text):
    body = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00" + b"\0" * 50,
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }") + b"\0" * 8,
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }") + b"\0" * 8,
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") + b"\0" * 9,
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }") + b"\0" * 8,
        _header("{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }") + b"\0" * 8,
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': 'x', }") + b"\0" * 8,
        _header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }") + b"\0" * 8,
        _header("{'descr': '|V8', 'fortran_order': False, 'shape': (1,), }") + b"\0" * 8,
        _header("{'descr': '<U0', 'fortran_order': False, 'shape': (900000000000000,), }"),
        _header("{'descr': '|S0', 'fortran_order': False, 'shape': (0,), }"),
        _header("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 900000000000000, 900000000000000), }"),
        _header("__import__('os').system('true')"),
        _header("(" * 100),
    ],
)
def test_headers_that_lie(content):
    with pytest.raises(BundleError):
        read_npy(content, "x")
