"""holdgood export onnx as a command: what it says and what it refuses."""

import sys

import pytest


def test_a_bundle_becomes_a_file_and_the_difference_is_told(cli, finished, tmp_path):
    target = tmp_path / "m.onnx"
    said = cli("export", "onnx", "runs/0001/bundle", target, at=finished)
    assert said.code == 0, said.all
    assert "largest difference from the bundle" in said.out
    assert target.stat().st_size > 100
    told = cli("export", "onnx", "runs/0001", target, "--rows", "t.csv", "--json", at=finished).json
    assert told["path"] == str(target)
    assert set(told["inputs"]) == {"x", "kind"}
    assert told["output"] == "probability"
    assert told["rows"] > 400
    assert told["worst"] <= told["allowed"]


def test_what_cannot_be_exported_is_refused(refuses, finished, tmp_path, monkeypatch):
    refuses("export", "onnx", "runs/0001", tmp_path / "m.onnx", "--table", "a=b", at=finished, code=2, says="--rows")
    refuses("export", "onnx", "runs/0007", tmp_path / "m.onnx", at=finished, code=4, says="0007")
    refuses("export", "onnx", "runs/0001", tmp_path, at=finished, code=6, says="cannot write")
    wrong = "holdgood.workflow.onnx.export.answers"
    monkeypatch.setattr(wrong, lambda *_: 0.5)
    refuses("export", "onnx", "runs/0001", tmp_path / "m.onnx", at=finished, code=1, says="answers otherwise")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_without_its_libraries_the_extra_is_named(refuses, finished, tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    refuses("export", "onnx", "runs/0001", tmp_path / "m.onnx", at=finished, code=5, says="holdgood[onnx]")
