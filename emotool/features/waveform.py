"""The windows of models that take waveforms: specification, scaling and padding."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.errors import SpecError
from emotool.features.spec import SpectrogramSpec

__all__ = ["InputSpec", "WaveformSpec", "padded_groups", "waveforms"]

Floats: TypeAlias = npt.NDArray[np.float32]

_BOUNDS: Final = {
    "sample_rate": (4_000, 192_000),
    "window_seconds": (0.1, 60.0),
    "least_seconds": (0.0, 60.0),
    "trim_db": (1.0, 200.0),
    "tail_seconds": (0.0, 60.0),
    "min_seconds": (0.0, 60.0),
}
_MAX_SAMPLES: Final = 4_000_000
"""Most samples of a window: 16 MB of float32, a bound on memory."""

_STEP_SECONDS: Final = 0.25
"""Windows for a model with a mask are padded to multiples of this, and so fit into one batch."""

_LONG_SECONDS: Final = 15.0
"""Windows above this keep all cores busy: several at once only take more memory."""

_EPSILON: Final = 1e-7
"""Added to the variance, as the feature extractors of transformers do."""


@dataclass(frozen=True, slots=True)
class WaveformSpec:
    """What is done to a clip before a model of waveforms receives it.

    Parameters
    ----------
    sample_rate : int
        Samples per second (Hz) to which every clip is resampled, mono.
    window_seconds : float
        Length of the pieces (windows) that a clip is cut into, and the most the model receives.
    least_seconds : float
        Shorter windows are padded with zeros to this. Equal to `window_seconds`, all windows
        have one length.
    normalisation : {"window", "none"}
        Whether each window, without its padding, is shifted and scaled to a mean of 0 and a
        variance of 1.
    attention_mask : bool
        Whether the graph has a second input that marks what is sound (1) and what is padding (0).
    trim_db, tail_seconds, min_seconds
        As in `emotool.features.spec.SpectrogramSpec`.

    Raises
    ------
    SpecError
        If a field is out of bounds.

    Examples
    --------
    >>> WaveformSpec(window_seconds=2.0).window_samples
    32000
    >>> WaveformSpec(least_seconds=11.0)
    Traceback (most recent call last):
    ...
    emotool.errors.SpecError: least_seconds must not exceed window_seconds (10), got 11
    """

    sample_rate: int = 16_000
    window_seconds: float = 10.0
    least_seconds: float = 0.1
    normalisation: Literal["window", "none"] = "window"
    attention_mask: bool = False
    trim_db: float | None = 40.0
    tail_seconds: float = 0.5
    min_seconds: float = 0.1

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not low <= value <= high:  # also catches NaN
                raise SpecError(f"{name} must lie between {low:g} and {high:g}, got {value!r:.80}")
            if isinstance(low, float):
                object.__setattr__(self, name, float(value))
        if self.least_seconds > self.window_seconds:
            raise SpecError(
                f"least_seconds must not exceed window_seconds ({self.window_seconds:g}), got "
                f"{self.least_seconds:g}"
            )
        if self.window_samples > _MAX_SAMPLES:
            raise SpecError(
                f"a window must not exceed {_MAX_SAMPLES} samples, got {self.window_samples}"
            )

    @property
    def window_samples(self) -> int:
        """Samples per window, at `sample_rate`."""
        return round(self.window_seconds * self.sample_rate)

    @property
    def fixed(self) -> bool:
        """Whether all windows have one length."""
        return self.least_seconds == self.window_seconds

    @property
    def one_at_a_time(self) -> bool:
        """Whether the model receives each window alone.

        Without a mask, a window's padding would change its answer, and so would the length of the
        others in its batch.
        """
        return not (self.fixed or self.attention_mask) or self.is_long

    @property
    def is_long(self) -> bool:
        """Whether one window keeps all cores busy."""
        return self.window_seconds > _LONG_SECONDS

    @property
    def hop_length(self) -> int:
        """Samples from one frame to the next where silence is cut off: 16 ms."""
        return self.sample_rate * 16 // 1_000

    @property
    def n_fft(self) -> int:
        """Samples of such a frame: 64 ms."""
        return 4 * self.hop_length

    @property
    def f_max(self) -> float:
        """The highest frequency (Hz) that the model receives."""
        return self.sample_rate / 2

    def padded(self, samples: int) -> int:
        """Return to how many samples a window of so many is padded.

        It depends on the window alone, so a window has the same answer in any batch.

        Examples
        --------
        >>> WaveformSpec().padded(1_000), WaveformSpec().padded(20_000)
        (1600, 20000)
        >>> WaveformSpec(attention_mask=True).padded(20_001)
        24000
        """
        least = max(samples, round(self.least_seconds * self.sample_rate))
        if not self.attention_mask:
            return least
        step = round(_STEP_SECONDS * self.sample_rate)
        return min(self.window_samples, -(-least // step) * step)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as values that JSON can hold, in the order of their definition."""
        return asdict(self)


InputSpec: TypeAlias = SpectrogramSpec | WaveformSpec
"""What a model receives."""


def waveforms(sounds: Sequence[Floats], spec: WaveformSpec) -> Floats:
    """Scale windows and pad them with zeros to the longest of them.

    Parameters
    ----------
    sounds : sequence of numpy.ndarray
        float32 ``[<= spec.window_samples]`` each, finite.
    spec : WaveformSpec
        What the model receives.

    Returns
    -------
    numpy.ndarray
        float32 ``[len(sounds), samples of the longest]``.

    Examples
    --------
    >>> waveforms([np.float32([1, 3]), np.float32([0])], WaveformSpec()).round(3).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    longest = max((sound.size for sound in sounds), default=0)
    windows = np.zeros((len(sounds), longest), np.float32)
    for window, sound in zip(windows, sounds, strict=True):
        window[: sound.size] = _scaled(sound) if spec.normalisation == "window" else sound
    return windows


def padded_groups(
    windows: Floats, lengths: Sequence[int], spec: InputSpec
) -> Iterator[tuple[int, Floats, Sequence[int]]]:
    """Split windows into neighbours that are padded to the same length.

    Parameters
    ----------
    windows : ndarray of float32
        As a worker has answered them.
    lengths : sequence of int
        Samples of each waveform without its padding.
    spec : SpectrogramSpec or WaveformSpec
        What the model takes.

    Yields
    ------
    int
        The padded length in samples; 0 for spectrograms, which all have one shape.
    ndarray of float32, shape (n, samples) or (n, n_mels, frames)
    sequence of int
        Their lengths.
    """
    if not isinstance(spec, WaveformSpec):
        yield 0, windows, ()
        return
    start = 0
    for padded, group in itertools.groupby(lengths, spec.padded):
        found = list(group)
        chosen = windows[start : start + len(found)]
        start += len(found)
        array = np.zeros((len(found), padded), np.float32)
        width = min(padded, chosen.shape[1])
        array[:, :width] = chosen[:, :width]
        yield padded, array, found


def _scaled(sound: Floats) -> Floats:
    """Shift and scale a window, float32 [n], to a mean of 0 and a variance of 1."""
    precise = sound.astype(np.float64)
    precise -= precise.mean()
    precise /= np.sqrt(np.square(precise).mean() + _EPSILON)
    return precise.astype(np.float32)
