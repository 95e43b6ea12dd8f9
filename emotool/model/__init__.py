"""ONNX models: catalogue, metadata, scan, session, self-test, classifier."""
