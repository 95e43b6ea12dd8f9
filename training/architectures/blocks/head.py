"""The head: pools features, tells labels apart, and says where the evidence lies.

Average pooling asks how much there is of a feature in the whole window, maximum pooling
whether there is any at all; together they beat either. Behind both the head is linear, and
then the logit of a label is a sum over the places of the feature map, exactly:

    logit_k = b_k + sum_hw  [ sum_c  W_avg[c, k] f[h, w, c] / (H W)
                            + sum_c  W_max[c, k] f[h, w, c] share[h, w, c] ]

where ``share`` is 1 at the place of feature c's maximum (split evenly among ties) and 0
elsewhere. What stands in the brackets is the place's evidence for label k. This is the class
activation map of Zhou et al. (2016), doi:10.1109/CVPR.2016.319, carried over to maximum
pooling. The map given out is that of the predicted label less the mean of the others', since
what speaks for all labels alike speaks for none.
"""

from typing import Any

import keras
from keras import ops

__all__ = ["EvidenceHead"]


class EvidenceHead(keras.layers.Layer):  # type: ignore[misc]
    """Pool a feature map by average and maximum, classify linearly, map the evidence.

    Parameters
    ----------
    n_labels : int
        How many labels, 2 or more.
    dropout : float
        Share of pooled features left out at random in training, in 0 … 1.

    Shape
    -----
    [batch, h, w, c] → a dict of f32: ``logits`` [batch, n_labels], ``embedding`` [batch, 2 c]
    (averages, then maxima), ``activation`` [batch, h, w].
    """

    def __init__(self, n_labels: int, dropout: float = 0.0, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.n_labels = n_labels
        self.dropout = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        self.classifier = keras.layers.Dense(n_labels, dtype="float32", name="classifier")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the linear classifier's weights, [2 c, n_labels] and [n_labels]."""
        channels = input_shape[-1]
        if channels is None:
            raise ValueError("the number of channels must be known")
        self.classifier.build((None, 2 * channels))

    def call(self, features: Any, training: bool | None = None) -> dict[str, Any]:
        """Map ``features`` [batch, h, w, c] to the head's outputs."""
        average = ops.mean(features, axis=(1, 2))  # [batch, c]
        maximum = ops.max(features, axis=(1, 2))  # [batch, c]
        embedding = ops.concatenate([average, maximum], axis=-1)  # [batch, 2 c]
        logits = self.classifier(self.dropout(embedding, training=training))  # [batch, labels]
        activation = self._evidence(features, maximum, logits)  # [batch, h, w]
        return {"logits": logits, "embedding": embedding, "activation": activation}

    def _evidence(self, features: Any, maximum: Any, logits: Any) -> Any:
        """Evidence for the predicted label, [batch, h, w]; its sum is the logits' margin.

        Cheap multiplications only, and nothing that ONNX lacks; where nobody asks for it,
        TensorFlow and ONNX Runtime leave it out.
        """
        _, height, width, channels = features.shape
        best = ops.max(logits, axis=-1, keepdims=True)  # [batch, 1]
        predicted = ops.cast(logits >= best, "float32")  # [batch, labels]
        predicted = predicted / ops.sum(predicted, axis=-1, keepdims=True)
        # Predicted label less the mean of the others: (p - (1 - p) / (n - 1)).
        signs = predicted - (1.0 - predicted) / (self.n_labels - 1)  # [batch, labels]
        kernel = ops.convert_to_tensor(self.classifier.kernel)  # [2 c, labels]
        weights = ops.matmul(signs, ops.transpose(kernel))  # [batch, 2 c]
        weights = ops.reshape(weights, (-1, 1, 1, 2 * channels))  # [batch, 1, 1, 2 c]
        at_maximum = ops.cast(features >= maximum[:, None, None, :], "float32")
        share = at_maximum / ops.sum(at_maximum, axis=(1, 2), keepdims=True)  # [batch, h, w, c]
        weight_map = weights[..., :channels] / (height * width) + weights[..., channels:] * share
        return ops.sum(features * weight_map, axis=-1)  # [batch, h, w]
