"""The weights of an embedding in the margin of the label that is predicted."""

from typing import Any

from keras import ops

__all__ = ["margin_weights"]


def margin_weights(kernel: Any, logits: Any) -> Any:
    """Return the embedding's weights in the predicted label's margin over the others' mean.

    Uses operators of the ONNX standard only; TensorFlow and ONNX Runtime skip them where the map
    is not an output.

    Parameters
    ----------
    kernel : variable or tensor
        Of the linear classifier, f32 [dim, labels].
    logits : tensor
        f32 [batch, labels].

    Returns
    -------
    tensor
        f32 [batch, dim].
    """
    labels = logits.shape[-1]
    best = ops.max(logits, axis=-1, keepdims=True)  # [batch, 1]
    predicted = ops.cast(logits >= best, "float32")  # [batch, labels]
    predicted = predicted / ops.sum(predicted, axis=-1, keepdims=True)
    signs = predicted - (1.0 - predicted) / (labels - 1)  # [batch, labels]
    return ops.matmul(signs, ops.transpose(ops.convert_to_tensor(kernel)))  # [batch, dim]
