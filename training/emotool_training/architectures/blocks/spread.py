"""Average the frames of a spectrogram to the fewer places of a feature map."""

import numpy as np
import numpy.typing as npt

__all__ = ["spread"]


def spread(frames: int, width: int) -> npt.NDArray[np.float32]:
    """Matrix that averages ``frames`` places down to ``width``, f32 [frames, width].

    Examples
    --------
    >>> spread(4, 2).tolist()
    [[0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [0.0, 0.5]]
    """
    edges = np.arange(width + 1) * frames / width
    place = np.arange(frames)[:, None]  # [frames, 1]
    overlap = np.minimum(place + 1, edges[1:]) - np.maximum(place, edges[:-1])
    return np.asarray(np.maximum(overlap, 0) * width / frames, np.float32)
