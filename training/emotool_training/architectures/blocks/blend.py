"""The head of an ensemble of two networks."""

from typing import Any

import keras
from keras import ops

from emotool_training.architectures.blocks.head import EvidenceHead
from emotool_training.architectures.blocks.spread import spread

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
    copies : int, default 1
        Copies of each window that the second receives
        (`emotool_training.architectures.blocks.pitch_tta`); its outputs for them are averaged.

    Shape
    -----
    features and activity for the first, [batch, …], then for the second, [copies * batch, …], as
    they take them → a dict of f32: ``logits`` [batch, n_labels], ``embedding`` [batch, both dims],
    ``activation`` of the first's size, [batch, h, w].
    """

    def __init__(
        self,
        first: EvidenceHead,
        second: EvidenceHead,
        share: float,
        copies: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(dtype="float32", **options)
        self.first, self.second, self.share, self.copies = first, second, share, copies

    def call(
        self, features: Any, activity: Any, other_features: Any, other_activity: Any
    ) -> dict[str, Any]:
        """Classify with both heads and map the evidence for the label they predict together."""
        one = self.first.judge(features, activity)
        two = self.second.judge(other_features, other_activity)
        averaged = self._mean(two.logits)  # [batch, n_labels]
        logits = (1 - self.share) * one.logits + self.share * averaged  # [batch, n_labels]
        why = self.first.explain(one, logits)  # [batch, h, w]
        of_each = ops.concatenate([logits] * self.copies)  # [copies * batch, n_labels]
        also = self._mean(self.second.explain(two, of_each))  # [batch, own h, own w]
        return {
            "logits": logits,
            "embedding": ops.concatenate([one.embedding, self._mean(two.embedding)], axis=-1),
            "activation": (1 - self.share) * why + self.share * _resized(also, why.shape),
        }

    def _mean(self, of_each: Any) -> Any:
        """Average over copies, [copies * batch, …] to [batch, …]."""
        if self.copies == 1:
            return of_each
        apart = ops.reshape(of_each, (self.copies, -1, *of_each.shape[1:]))  # [copies, batch, …]
        return ops.mean(apart, axis=0)


def _resized(activation: Any, shape: Any) -> Any:
    """Spread a map over the places of another size, [batch, h, w]; its sum stays."""
    _, height, width = shape
    rows = spread(height, activation.shape[1])  # [h, own h]
    columns = spread(width, activation.shape[2]).T  # [own w, w]
    return ops.matmul(ops.matmul(rows, activation), columns)
