"""Two heads that judge together."""

from typing import Any

import keras
from keras import ops

from training.architectures.blocks.head import EvidenceHead
from training.architectures.blocks.spread import spread

__all__ = ["BlendedHead"]


class BlendedHead(keras.layers.Layer):  # type: ignore[misc]
    """Average the logits of two networks' heads, and their evidence for what these then predict.

    Networks that err on different clips do better together than either alone (Hansen and
    Salamon 1990, doi:10.1109/34.58871; Lakshminarayanan et al. 2017, arXiv:1612.01474).

    Parameters
    ----------
    first, second : EvidenceHead
        With their weights; for the same labels.
    share : float
        Weight of the second's logits, 0 … 1; the first's have the rest.

    Shape
    -----
    features and activity for the first, then for the second, as they take them → a dict of f32:
    ``logits`` [batch, n_labels], ``embedding`` [batch, both dims], ``activation`` of the first's
    size, [batch, h, w].
    """

    def __init__(
        self, first: EvidenceHead, second: EvidenceHead, share: float, **options: Any
    ) -> None:
        super().__init__(dtype="float32", **options)
        self.first, self.second, self.share = first, second, share

    def call(
        self, features: Any, activity: Any, other_features: Any, other_activity: Any
    ) -> dict[str, Any]:
        """Let both judge, and say why for the label they come to."""
        one = self.first.judge(features, activity)
        two = self.second.judge(other_features, other_activity)
        logits = (1 - self.share) * one.logits + self.share * two.logits  # [batch, n_labels]
        why = self.first.explain(one, logits)  # [batch, h, w]
        also = _resized(self.second.explain(two, logits), why.shape)  # [batch, h, w]
        return {
            "logits": logits,
            "embedding": ops.concatenate([one.embedding, two.embedding], axis=-1),
            "activation": (1 - self.share) * why + self.share * also,
        }


def _resized(activation: Any, shape: Any) -> Any:
    """Spread a map over the places of another size, [batch, h, w]; its sum stays."""
    _, height, width = shape
    rows = spread(height, activation.shape[1])  # [h, own h]
    columns = spread(width, activation.shape[2]).T  # [own w, w]
    return ops.matmul(ops.matmul(rows, activation), columns)
