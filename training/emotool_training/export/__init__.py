"""Export a training run to an ONNX file with its model card."""
