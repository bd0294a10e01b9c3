"""holdgood export mlflow as a command: what it refuses. The export itself is tested against a server in tests/workflow."""

import sys


def test_what_cannot_be_exported_is_refused(refuses, finished, monkeypatch, make_project, make_orders):
    refuses("export", "mlflow", at=finished, code=2, says="--to")
    refuses("export", "mlflow", "--to", "mlruns", at=finished, code=2, says="no address of a server")
    refuses("export", "mlflow", "7", "--to", "http://127.0.0.1:9", at=finished, code=3, says="no run '7'")
    refuses("export", "mlflow", "--to", "http://127.0.0.1:9", at=make_project(make_orders()), code=3, says="no run")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    refuses("export", "mlflow", "--to", "http://127.0.0.1:9", at=finished, code=5, says="holdgood[mlflow]")


def test_a_server_that_does_not_answer_is_told(refuses, finished):
    refuses("export", "mlflow", "--to", "http://127.0.0.1:9", at=finished, code=6, says="did not take run 0001")
