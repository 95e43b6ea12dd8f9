"""Published ONNX classifiers of speech, made into models that `emotool classify` runs."""
