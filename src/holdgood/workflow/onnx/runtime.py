"""What ONNX Runtime answers. The only file that knows the library onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdgood.core.errors import HoldgoodError, MissingExtra


def answers(model: bytes, inputs: Mapping[str, np.ndarray], output: str, rows: int) -> np.ndarray:
    """The output for these rows, (rows, columns), on one thread; HoldgoodError where the runtime refuses the model."""
    try:
        import onnxruntime  # here and not at the top: an optional library, wanted for this export only
    except ModuleNotFoundError:
        raise MissingExtra.named("onnx", "onnxruntime", "holding an ONNX model against its bundle") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        found = session.run([output], dict(inputs))[0]
    except Exception as error:  # the library raises classes of its own that it does not name
        raise HoldgoodError(
            f"ONNX Runtime refuses the model: {str(error).splitlines()[0][:200]}",
            "a model that it can run",
            "report this with your versions: holdgood doctor",
        ) from None
    return np.asarray(found, np.float64).reshape(rows, -1)
