"""An ONNX file and all about it: catalogue, metadata, scan, session, self-test, classifier."""
