"""Pooling for maps of a network pretrained on photographs: over time first, then frequency."""

from typing import Any, NamedTuple

from keras import layers, ops

from emotool_training.architectures.blocks.projection import FrequencyProjection
from emotool_training.architectures.blocks.spread import spread

__all__ = ["RowMeans", "TimeStatistics"]

ALMOST_SILENT = 1e-3
"""Weight of a silent frame among sounding ones of weight 1: not 0, lest all weights be 0."""

MOMENTUM = 0.95
"""Of the running mean and deviation that each row's means are brought to 0 and 1 by."""

LEFT_OUT = 0.5
"""Share of the means left out at random in training: there are thousands for a few clips."""

VARIANCE_FLOOR = 1e-4
"""Added to a variance before the root, whose slope at 0 is infinite."""

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
    deviations : bool
        Take each row's deviation over time beside its mean: how a voice moves depends less on
        whose it is.
    """

    def __init__(self, projection: FrequencyProjection, *, deviations: bool = False) -> None:
        self.projection = projection
        self.deviations = deviations
        self.dropout = layers.Dropout(LEFT_OUT, dtype="float32", name="row_dropout")
        # No gain and no offset: what follows has its own.
        self.normalise = layers.BatchNormalization(
            momentum=MOMENTUM, center=False, scale=False, dtype="float32", name="row_normalise"
        )
        self.layers: list[Any] = [projection, self.dropout, self.normalise]

    def build(self, features_shape: tuple[int | None, ...]) -> int:
        """Make the projection's weights."""
        _, height, width, channels = features_shape
        if height is None or width is None or channels is None:
            raise ValueError("the size of the feature map must be known")
        kinds = 2 if self.deviations and width > 1 else 1
        self.shape = (height, 1, kinds * channels)
        self.projection.build((None, *self.shape))
        self.normalise.build((None, height * kinds * channels))
        return self.projection.size

    def collapse(self, features: Any, training: bool | None) -> _Held:
        """Return the map unchanged."""
        return _Held(features, training)

    def embed(self, features: _Held, activity: Any) -> Any:
        """Pool to [batch, size]."""
        parts = _parts(features.features, activity, self.deviations)  # [batch, h, w, k c]
        return self._projected(parts, features.training)[:, 0]  # [batch, size]

    def evidence(self, features: _Held, activity: Any, weights: Any) -> Any:
        """Distribute each number over the places that contribute to it, as the projection does."""
        parts = _parts(features.features, activity, self.deviations)  # [batch, h, w, k c]
        along = self._projected(parts, features.training)  # [batch, 1, size]
        norm = self.normalise
        scale = ops.reshape(ops.rsqrt(norm.moving_variance + norm.epsilon), self.shape)
        for_it = ops.relu(ops.matmul(parts * scale, self.projection.scaled_kernel())) + EVEN_SHARE
        share = for_it / ops.sum(for_it, axis=(1, 2), keepdims=True)  # [batch, h, w, size]
        return ops.sum(share * (along * weights[:, None])[:, None], axis=-1)  # [batch, h, w]

    def _projected(self, parts: Any, training: bool | None) -> Any:
        """Project the statistics to [batch, 1, size]."""
        pooled = ops.sum(parts, axis=2, keepdims=True)  # [batch, h, 1, k c]
        flat = ops.reshape(pooled, (-1, self.shape[0] * self.shape[2]))  # [batch, h k c]
        flat = self.normalise(flat, training=training)
        pooled = self.dropout(ops.reshape(flat, (-1, *self.shape)), training=training)
        along, _ = self.projection(pooled, training=training)
        return ops.cast(along, "float32")  # [batch, 1, size]


class TimeStatistics(layers.Layer):  # type: ignore[misc]
    """Statistics over time: all that `RowMeans` takes from a map to its logits.

    Given them in place of the map, as one of width 1, it takes them as they are.

    Parameters
    ----------
    deviations : bool
        Deviations as well as means.

    Shape
    -----
    features [batch, h, w, c] and activity [batch, frames] → f32 [batch, h, 1, c or 2 c].
    """

    def __init__(self, *, deviations: bool, **options: Any) -> None:
        super().__init__(dtype="float32", **options)
        self.deviations = deviations

    def call(self, features: Any, activity: Any) -> Any:
        """Sum over the width what its places add."""
        along = ops.matmul(activity, spread(activity.shape[1], features.shape[2]))  # [batch, w]
        parts = _parts(ops.cast(features, "float32"), along, self.deviations)
        return ops.sum(parts, axis=2, keepdims=True)  # [batch, h, 1, k c]

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made with."""
        return {**super().get_config(), "deviations": self.deviations}


def _parts(features: Any, activity: Any, deviations: bool) -> Any:
    """Give what each place adds to its row's statistics, [batch, h, w, c] or [.., 2 c]."""
    if features.shape[2] == 1:
        return features  # statistics already
    share = _share(activity)  # [batch, 1, w, 1]
    of_mean = features * share  # [batch, h, w, c]
    if not deviations:
        return of_mean
    mean = ops.sum(of_mean, axis=2, keepdims=True)  # [batch, h, 1, c]
    squares = ops.square(features - mean) * share  # [batch, h, w, c]
    variance = ops.sum(squares, axis=2, keepdims=True) + VARIANCE_FLOOR
    # A deviation is its variance divided by itself, and a variance is a sum over places.
    return ops.concatenate([of_mean, squares * ops.rsqrt(variance)], axis=-1)


def _share(activity: Any) -> Any:
    """Turn [batch, w] into each frame's share of a mean, [batch, 1, w, 1]."""
    weights = activity + ALMOST_SILENT  # [batch, w]
    return (weights / ops.sum(weights, axis=1, keepdims=True))[:, None, :, None]
