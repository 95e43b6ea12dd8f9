"""The inputs of a graph: their names, and the arrays for a batch of windows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from emotool.features.waveform_spec import InputSpec, WaveformSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LOG_MEL", "MASK", "WAVEFORM", "feed"]

LOG_MEL: Final = "log_mel"
WAVEFORM: Final = "waveform"
MASK: Final = "attention_mask"


def feed(
    windows: "NDArray[np.float32]", lengths: Sequence[int], spec: InputSpec
) -> "dict[str, NDArray[Any]]":
    """Return the inputs of a graph for a batch of windows.

    Parameters
    ----------
    windows : ndarray of float32, shape (batch, n_mels, frames) or (batch, samples)
        Spectrograms or waveforms, padded as ``spec`` says.
    lengths : sequence of int
        Samples of each waveform without its padding; all of them if empty.
    spec : SpectrogramSpec or WaveformSpec
        What the graph takes.

    Raises
    ------
    ValueError
        If the shape is not what it takes.

    Examples
    --------
    >>> import numpy as np
    >>> spec = WaveformSpec(least_seconds=0.25, attention_mask=True)
    >>> feed(np.zeros((1, 4_000), np.float32), [3_000], spec)["attention_mask"].sum()
    np.int64(3000)
    """
    import numpy as np

    batch = np.ascontiguousarray(windows, dtype=np.float32)
    if not isinstance(spec, WaveformSpec):
        if windows.ndim != 3 or windows.shape[1:] != (spec.n_mels, spec.frames):
            raise ValueError(f"expected [batch, {spec.n_mels}, {spec.frames}], got {windows.shape}")
        return {LOG_MEL: batch}
    if windows.ndim != 2 or not 0 < windows.shape[1] == spec.padded(windows.shape[1]):
        raise ValueError(f"expected [batch, samples] as padded by {spec}, got {windows.shape}")
    if not spec.attention_mask:
        return {WAVEFORM: batch}
    samples = batch.shape[1]
    sizes = np.asarray(lengths or [samples] * len(batch), np.int64)  # [batch]
    mask = np.arange(samples)[None] < sizes[:, None]  # [batch, samples]
    return {WAVEFORM: batch, MASK: mask.astype(np.int64)}
