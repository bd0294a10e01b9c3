"""A bundle's features and model as one ONNX graph, for programs that score without Python. See ``export.py``."""
