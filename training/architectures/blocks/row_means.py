"""Pooling for maps of a network that was trained on photographs: time first, then frequency."""

from typing import Any, NamedTuple

from keras import layers, ops

from training.architectures.blocks.projection import FrequencyProjection
from training.architectures.blocks.spread import spread

__all__ = ["RowMeans", "TimeMean"]

ALMOST_SILENT = 1e-3
"""Weight of a silent frame among sounding ones of weight 1: not 0, lest all weights be 0."""

MOMENTUM = 0.95
"""Of the running mean and deviation that each row's means are brought to 0 and 1 by."""

LEFT_OUT = 0.5
"""Share of the means left out at random in training: there are thousands for a few clips."""

EVEN_SHARE = 1e-6
"""Of each frame beside its contribution, so that the shares are defined where there is none."""


class _Held(NamedTuple):
    features: Any
    training: bool | None


class RowMeans:
    """Mean over time, silent frames aside, of each row of the map; then a projection of these.

    Where `Statistics` looks at what each frame's column is, this looks at what rows are on
    average: far fewer numbers to learn from, which is what few speakers allow.

    Parameters
    ----------
    projection : FrequencyProjection
        Makes one vector of the rows' means.
    """

    def __init__(self, projection: FrequencyProjection) -> None:
        self.projection = projection
        self.dropout = layers.Dropout(LEFT_OUT, dtype="float32", name="row_dropout")
        # No gain and no offset: what follows has its own.
        self.normalise = layers.BatchNormalization(
            momentum=MOMENTUM, center=False, scale=False, dtype="float32", name="row_normalise"
        )
        self.layers: list[Any] = [projection, self.dropout, self.normalise]

    def build(self, features_shape: tuple[int | None, ...]) -> int:
        """Make the projection's weights."""
        _, height, _, channels = features_shape
        if height is None or channels is None:
            raise ValueError("the height and channels of the feature map must be known")
        self.shape = (height, 1, channels)
        self.projection.build((None, *self.shape))
        self.normalise.build((None, height * channels))
        return self.projection.size

    def collapse(self, features: Any, training: bool | None) -> _Held:
        """Keep the map as it is."""
        return _Held(features, training)

    def embed(self, features: _Held, activity: Any) -> Any:
        """Pool to [batch, size]."""
        return self._projected(features, activity)[:, 0]  # [batch, size]

    def evidence(self, features: _Held, activity: Any, weights: Any) -> Any:
        """Share each number among the places that speak for it, as the projection does."""
        along = self._projected(features, activity)  # [batch, 1, size]
        norm = self.normalise
        scale = ops.reshape(ops.rsqrt(norm.moving_variance + norm.epsilon), self.shape)
        shared = features.features * _share(activity) * scale  # [batch, h, w, c]
        for_it = ops.relu(ops.matmul(shared, self.projection.scaled_kernel())) + EVEN_SHARE
        share = for_it / ops.sum(for_it, axis=(1, 2), keepdims=True)  # [batch, h, w, size]
        return ops.sum(share * (along * weights[:, None])[:, None], axis=-1)  # [batch, h, w]

    def _projected(self, features: _Held, activity: Any) -> Any:
        """Project the means to [batch, 1, size]."""
        shared = features.features * _share(activity)  # [batch, h, w, c]
        means = ops.sum(shared, axis=2, keepdims=True)  # [batch, h, 1, c]
        flat = ops.reshape(means, (-1, self.shape[0] * self.shape[2]))  # [batch, h c]
        flat = self.normalise(flat, training=features.training)
        means = self.dropout(ops.reshape(flat, (-1, *self.shape)), training=features.training)
        along, _ = self.projection(means, training=features.training)
        return ops.cast(along, "float32")  # [batch, 1, size]


class TimeMean(layers.Layer):  # type: ignore[misc]
    """Mean over time, silent frames aside: all that `RowMeans` takes from a map to its logits.

    Shape
    -----
    features [batch, h, w, c] and activity [batch, frames] → f32 [batch, h, 1, c].
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(dtype="float32", **options)

    def call(self, features: Any, activity: Any) -> Any:
        """Average over the width."""
        along = ops.matmul(activity, spread(activity.shape[1], features.shape[2]))  # [batch, w]
        shared = ops.cast(features, "float32") * _share(along)  # [batch, h, w, c]
        return ops.sum(shared, axis=2, keepdims=True)  # [batch, h, 1, c]


def _share(activity: Any) -> Any:
    """Turn [batch, w] into each frame's share of a mean, [batch, 1, w, 1]."""
    weights = activity + ALMOST_SILENT  # [batch, w]
    return (weights / ops.sum(weights, axis=1, keepdims=True))[:, None, :, None]
