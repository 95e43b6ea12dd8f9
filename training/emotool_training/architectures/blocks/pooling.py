"""Pool a feature map to one vector, and map weights of that vector back to places.

Behind a linear classifier a logit is a weighted sum of what is pooled, and what is pooled is a sum
over places. So the logit is a sum over places too, and what a place adds is its evidence: the
class activation map of Zhou et al. (2016), doi:10.1109/CVPR.2016.319, carried over from average
pooling to maximum and deviation. ``evidence`` sums to ``weights · embed``, but for the little that
keeps a deviation's root finite.
"""

from typing import Any, NamedTuple, Protocol

from keras import ops

from emotool_training.architectures.blocks.projection import FrequencyProjection
from emotool_training.architectures.blocks.row_means import RowMeans

__all__ = ["MeanMax", "Pooling", "Statistics", "pooling_of"]

ALMOST_SILENT = 1e-3
"""Weight of a silent frame among sounding ones of weight 1: not 0, lest all weights be 0."""

DEVIATION_FLOOR = 1e-4
"""Added to a variance before the root, whose slope at 0 is infinite."""

NEARLY_MAXIMUM = 0.1
"""Values less than this share below the maximum take part in it."""

SMALL = 1e-12
"""Keeps 0 / 0 at 0."""


class Columns(NamedTuple):
    """A feature map without its frequency axis, and what each of its rows adds."""

    along: Any
    """[batch, w, c]"""
    rows: Any
    """[batch, h, w, c], summing over h to ``along``."""


class Pooling(Protocol):
    """A way of pooling. Shapes: features [batch, h, w, c], activity [batch, w] in 0 … 1."""

    layers: list[Any]
    """Layers with weights of their own, for the head to keep."""

    def build(self, features_shape: tuple[int | None, ...]) -> int:
        """Make the weights; return the length of the vector."""

    def collapse(self, features: Any, training: bool | None) -> Any:
        """Return what ``embed`` and ``evidence`` take for ``features``."""

    def embed(self, features: Any, activity: Any) -> Any:
        """Pool to [batch, size]."""

    def evidence(self, features: Any, activity: Any, weights: Any) -> Any:
        """Share a sum, weighted by [batch, size], among the places: [batch, h, w]."""


class MeanMax:
    """Mean and maximum over all places: how much there is of a feature, and whether any."""

    def __init__(self) -> None:
        self.layers: list[Any] = []

    def build(self, features_shape: tuple[int | None, ...]) -> int:
        """Means, then maxima."""
        return 2 * int(features_shape[-1] or 0)

    def collapse(self, features: Any, training: bool | None) -> Any:
        """Return the features unchanged."""
        return features

    def embed(self, features: Any, activity: Any) -> Any:
        """Pool to [batch, 2 c]."""
        parts = [ops.mean(features, axis=(1, 2)), ops.max(features, axis=(1, 2))]
        return ops.concatenate(parts, axis=-1)  # [batch, 2 c]

    def evidence(self, features: Any, activity: Any, weights: Any) -> Any:
        """Means are shared by all places; a maximum by those that come near it."""
        _, height, width, channels = features.shape
        weights = ops.reshape(weights, (-1, 1, 1, 2 * channels))  # [batch, 1, 1, 2 c]
        share = _share_of_maximum(features, axis=(1, 2))  # [batch, h, w, c]
        each = weights[..., :channels] / (height * width) + weights[..., channels:] * share
        return ops.sum(features * each, axis=-1)  # [batch, h, w]


class Statistics:
    """Mean, deviation and maximum over time, silent frames aside, of each frame's column.

    How a voice moves separates emotions at least as well as where it is on average: the
    pooling of speaker recognition (Snyder et al. 2018, doi:10.1109/ICASSP.2018.8461375).

    Parameters
    ----------
    projection : FrequencyProjection or None
        Makes one vector of a frame's column over frequency; None takes the column's mean.
    """

    def __init__(self, projection: FrequencyProjection | None = None) -> None:
        self.projection = projection
        self.layers: list[Any] = [] if projection is None else [projection]

    def build(self, features_shape: tuple[int | None, ...]) -> int:
        """Means, deviations, then maxima."""
        if self.projection is None:
            return 3 * int(features_shape[-1] or 0)
        self.projection.build(features_shape)
        return 3 * self.projection.size

    def collapse(self, features: Any, training: bool | None) -> Columns:
        """Remove the frequency axis."""
        if self.projection is None:
            return Columns(ops.mean(features, axis=1), features / features.shape[1])
        along, rows = self.projection(features, training=training)
        return Columns(ops.cast(along, "float32"), rows)

    def embed(self, features: Columns, activity: Any) -> Any:
        """Pool to [batch, 3 c]."""
        _, mean, deviation, gated = self._statistics(features.along, activity)
        parts = [mean, deviation, ops.max(gated, axis=1, keepdims=True)]
        return ops.concatenate(parts, axis=-1)[:, 0]  # [batch, 3 c]

    def evidence(self, features: Columns, activity: Any, weights: Any) -> Any:
        """Share each statistic among frames, then among the rows by what they add to it."""
        along, rows = features
        share, mean, deviation, gated = self._statistics(along, activity)
        of_mean, of_deviation, of_maximum = ops.split(weights[:, None], 3, axis=-1)  # [b, 1, c]
        gate = _gate(activity) * _share_of_maximum(gated, axis=1)  # [batch, w, c]
        level = share * of_mean + gate * of_maximum  # [batch, w, c]
        swing = share * of_deviation * (along - mean) / deviation  # [batch, w, c]
        row_means = ops.sum(rows * share[:, None], axis=2, keepdims=True)  # [batch, h, 1, c]
        added = rows * level[:, None] + (rows - row_means) * swing[:, None]  # [batch, h, w, c]
        return ops.sum(added, axis=-1)  # [batch, h, w]

    def _statistics(self, along: Any, activity: Any) -> tuple[Any, Any, Any, Any]:
        """Weights of frames [batch, w, 1], mean and deviation [batch, 1, c], gated [b, w, c]."""
        weights = activity[:, :, None] + ALMOST_SILENT  # [batch, w, 1]
        share = weights / ops.sum(weights, axis=1, keepdims=True)  # [batch, w, 1]
        mean = ops.sum(along * share, axis=1, keepdims=True)  # [batch, 1, c]
        variance = ops.sum(ops.square(along - mean) * share, axis=1, keepdims=True)
        deviation = ops.sqrt(variance + DEVIATION_FLOOR)  # [batch, 1, c]
        return share, mean, deviation, along * _gate(activity)


def pooling_of(name: str, projection: int = 0) -> Pooling:
    """Make a pooling by its name; those of rows need a projection, ``mean_max`` has none."""
    if name == "mean_max":
        return MeanMax()
    if name == "statistics":
        return Statistics(
            FrequencyProjection(projection, name="projection") if projection else None
        )
    if name in ("row_means", "row_statistics") and projection:
        # Few steps are trained: a quicker running mean than where a network is trained whole.
        columns = FrequencyProjection(projection, momentum=0.9, name="projection")
        return RowMeans(columns, deviations=name == "row_statistics")
    raise ValueError(f"unknown pooling {name!r}, or it needs a projection")


def _gate(activity: Any) -> Any:
    """Let frames that sound for half their time or more compete for the maximum, [b, w, 1]."""
    return ops.minimum(2.0 * activity + ALMOST_SILENT, 1.0)[:, :, None]


def _share_of_maximum(values: Any, axis: int | tuple[int, ...]) -> Any:
    """Weights under which values, 0 or more, sum to their maximum along ``axis``.

    Places nearly as high share it, the more the nearer they are: were it the highest place's
    alone, a difference in the last bit between two frames would throw the map over.
    """
    largest = ops.max(values, axis=axis, keepdims=True)
    near = ops.relu(values - (1.0 - NEARLY_MAXIMUM) * largest)
    summed = ops.sum(near * values, axis=axis, keepdims=True)
    return near * (largest / (summed + SMALL))
