import subprocess
import sys

import holdgood.metrics as room


def test_the_table_of_contents_is_sorted_and_true():
    assert list(room.__all__) == sorted(room.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert all(hasattr(room, name) for name in room.__all__)


def test_importing_metrics_is_light():
    heavy = ("scipy", "pandas", "sklearn", "lightgbm")
    code = f"import holdgood.metrics, sys; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
