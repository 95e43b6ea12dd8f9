"""What a model of waveforms receives, and the two kinds of input there are.

It needs no numpy: a model's metadata are read without it.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from emotool.errors import SpecError
from emotool.features.spec import SpectrogramSpec

__all__ = ["InputSpec", "WaveformSpec"]

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
