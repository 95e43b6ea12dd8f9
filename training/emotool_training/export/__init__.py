"""From a training run to an ONNX file with its card."""
