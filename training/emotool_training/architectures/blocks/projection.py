"""Project each frame's column of a feature map, with weights for each frequency."""

from typing import Any

import keras
from keras import layers, ops

__all__ = ["FrequencyProjection"]

EVEN_SHARE = 1e-3
"""Of each row beside its contribution, so that the shares are defined where there is none."""

Shape = tuple[int | None, ...]


class FrequencyProjection(keras.layers.Layer):  # type: ignore[misc]
    """Turn each frame's column of features over frequency into one vector of learnt weights.

    A convolution does not know at which frequency it finds what it looks for, and an average
    over frequency never tells. Where a voice has its energy is much of how it sounds, so here
    each row has weights of its own: a convolution as high as the map, batch normalisation
    (Ioffe and Szegedy 2015, arXiv:1502.03167) and rectification.

    Parameters
    ----------
    size : int
        Length of the vector.
    momentum : float
        Of the running means of the normalisation.

    Shape
    -----
    [batch, h, w, c] → ``along`` [batch, w, size], at least 0, and ``rows`` [batch, h, w, size]:
    what each row adds to it, summing to ``along``: shared by positive contributions, as the z+
    rule does (Montavon et al. 2017, doi:10.1016/j.patcog.2016.11.008).
    """

    def __init__(self, size: int, momentum: float = 0.99, **options: Any) -> None:
        # float32 like the head it belongs to, whatever the mixed precision policy.
        super().__init__(dtype="float32", **options)
        self.size = size
        self.normalise = layers.BatchNormalization(
            momentum=momentum, dtype="float32", name="normalise"
        )

    def build(self, features_shape: Shape) -> None:
        """Make a matrix [c, size] for each row."""
        height, channels = features_shape[1], features_shape[3]
        if height is None or channels is None:
            raise ValueError("the height and channels of the feature map must be known")
        self.convolve = layers.Conv2D(
            self.size,
            (height, 1),
            use_bias=False,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name="convolve",
        )
        self.convolve.build(features_shape)
        self.normalise.build((None, 1, features_shape[2], self.size))

    def call(self, features: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Project ``features`` [batch, h, w, c]."""
        one = training and features.shape[2] == 1
        projected = self._multiply(features) if one else self.convolve(features)  # [b, 1, w, size]
        projected = self.normalise(projected, training=training)
        along = ops.relu(projected)  # [batch, 1, w, size]
        return along[:, 0], self._rows(features, ops.cast(along, "float32"))

    def _multiply(self, features: Any) -> Any:
        """Convolve a map of width 1, [batch, h, 1, c] → [batch, 1, 1, size].

        As a product of matrices, which takes less than half of the time (TensorFlow 2.21, CPU).
        """
        kernel = ops.convert_to_tensor(self.convolve.kernel)  # [h, 1, c, size]
        flat = ops.reshape(
            ops.cast(features, kernel.dtype), (-1, kernel.shape[0] * kernel.shape[2])
        )
        product = ops.matmul(flat, ops.reshape(kernel, (-1, self.size)))  # [batch, size]
        return product[:, None, None]

    def _rows(self, features: Any, along: Any) -> Any:
        """Share the projection among rows; left out of the graph where it is not requested.

        By what speaks for it in each row, not by what speaks against it as well: so no row adds
        more than the whole, and where the whole fades to nothing all rows do.
        """
        kernel = self.scaled_kernel()  # [h, c, size]
        for_it = ops.relu(ops.matmul(ops.cast(features, "float32"), kernel)) + EVEN_SHARE
        return along * for_it / ops.sum(for_it, axis=1, keepdims=True)  # [batch, h, w, size]

    def scaled_kernel(self) -> Any:
        """Weights of features in the projection, the normalisation's scale included.

        Returns
        -------
        tensor of float32, shape (h, c, size)
        """
        norm = self.normalise
        scale = norm.gamma * ops.rsqrt(norm.moving_variance + norm.epsilon)  # [size]
        return ops.convert_to_tensor(self.convolve.kernel)[:, 0] * scale  # [h, c, size]
