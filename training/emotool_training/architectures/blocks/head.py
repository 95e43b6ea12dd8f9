"""The head: pools features, predicts labels, and maps the evidence."""

from typing import Any, NamedTuple

import keras
from keras import ops

from emotool_training.architectures.blocks.margin import margin_weights
from emotool_training.architectures.blocks.pooling import pooling_of
from emotool_training.architectures.blocks.spread import spread

__all__ = ["EvidenceHead", "Judged"]

Shape = tuple[int | None, ...]


class Judged(NamedTuple):
    """What a head has made of a window, and what it takes to say why."""

    seen: Any
    """The features as its pooling holds them."""
    activity: Any
    """[batch, w]"""
    embedding: Any
    """[batch, dim]"""
    logits: Any
    """[batch, n_labels]"""


class EvidenceHead(keras.layers.Layer):  # type: ignore[misc]
    """Pool a feature map, classify linearly, map the evidence.

    The map given out is that of the predicted label less the mean of the others', since what
    speaks for all labels alike speaks for none. It sums to the margin of the logits, biases
    apart (`emotool_training.architectures.blocks.pooling`).

    Parameters
    ----------
    n_labels : int
        How many labels, 2 or more.
    dropout : float
        Share of pooled features left out at random in training, in 0 … 1.
    pooling : str
        ``mean_max``, ``statistics``, ``row_means`` or ``row_statistics``.
    projection : int
        For all but ``mean_max``: length of the vector that a column over frequency
        is projected to; 0 takes the column's mean (``statistics`` only).

    Shape
    -----
    features [batch, h, w, c] and activity [batch, frames] in 0 … 1 → a dict of f32: ``logits``
    [batch, n_labels], ``embedding`` [batch, dim], ``activation`` [batch, h, w].
    """

    def __init__(
        self,
        n_labels: int,
        dropout: float = 0.0,
        pooling: str = "mean_max",
        projection: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(dtype="float32", **options)
        self.n_labels = n_labels
        self.pooling = pooling_of(pooling, projection)
        self.pooling_layers = self.pooling.layers  # kept here, where Keras finds their weights
        self.dropout = keras.layers.Dropout(dropout, dtype="float32", name="dropout")
        self.classifier = keras.layers.Dense(n_labels, dtype="float32", name="classifier")

    def build(self, features_shape: Shape, activity_shape: Shape) -> None:
        """Make the linear classifier's weights, [dim, n_labels] and [n_labels]."""
        if features_shape[2] is None or activity_shape[1] is None:
            raise ValueError("the size of the feature map must be known")
        self.classifier.build((None, self.pooling.build(features_shape)))

    def call(self, features: Any, activity: Any, training: bool | None = None) -> dict[str, Any]:
        """Map features and activity to the head's outputs."""
        judged = self.judge(features, activity, training)
        return {
            "logits": judged.logits,
            "embedding": judged.embedding,
            "activation": self.explain(judged, judged.logits),
        }

    def judge(self, features: Any, activity: Any, training: bool | None = None) -> Judged:
        """Pool and classify."""
        features = ops.cast(features, "float32")
        along = spread(activity.shape[1], features.shape[2])  # [frames, w]
        activity = ops.matmul(activity, along)  # [batch, w]
        held = self.pooling.collapse(features, training)
        embedding = self.pooling.embed(held, activity)  # [batch, dim]
        logits = self.classifier(self.dropout(embedding, training=training))  # [batch, labels]
        # Nobody looks at the map in training: without statistics to update, it is left out.
        seen = self.pooling.collapse(features, False) if training else held
        return Judged(seen, activity, embedding, logits)

    def explain(self, judged: Judged, logits: Any) -> Any:
        """Map what this head adds to the margin of the label that ``logits`` predict, [b, h, w]."""
        weights = margin_weights(self.classifier.kernel, logits)  # [batch, dim]
        return self.pooling.evidence(judged.seen, judged.activity, weights)
