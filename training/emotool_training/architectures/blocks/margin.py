"""The weights under which an embedding speaks for the label that is predicted."""

from typing import Any

from keras import ops

__all__ = ["margin_weights"]


def margin_weights(kernel: Any, logits: Any) -> Any:
    """Return the embedding's weights in the predicted label's margin over the others' mean.

    Nothing that ONNX lacks, and cheap; where nobody asks for the map, TensorFlow and ONNX
    Runtime leave all of this out.

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
