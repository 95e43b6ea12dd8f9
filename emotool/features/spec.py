"""The specification of a spectrogram: everything between an audio file and a model's input.

A model is trained with one specification, carries it inside its file and is fed by it again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from emotool.errors import SpecError
from emotool.files.validation import validate

__all__ = ["SpectrogramSpec"]

_BOUNDS: Final = {
    "sample_rate": (4_000, 192_000),
    "n_fft": (64, 16_384),
    "hop_length": (16, 16_384),
    "n_mels": (1, 512),
    "window_seconds": (0.1, 60.0),
    "f_min": (0.0, 96_000.0),
    "f_max": (1.0, 96_000.0),
    "top_db": (1.0, 200.0),
    "trim_db": (1.0, 200.0),
    "tail_seconds": (0.0, 60.0),
    "min_seconds": (0.0, 60.0),
}
_MAX_VALUES: Final = 4_000_000
"""Largest ``n_mels * frames`` of one window: 16 MB of float32, a bound on memory."""


@dataclass(frozen=True, slots=True)
class SpectrogramSpec:
    """What is done to a clip before a model sees it.

    Parameters
    ----------
    sample_rate : int
        Samples per second (Hz) to which every clip is resampled.
    window_seconds : float
        Length of the pieces (windows) a clip is cut into; the last is padded with zeros.
    n_fft : int
        Samples per analysis frame; even.
    hop_length : int
        Samples from one frame to the next, at most ``n_fft``.
    n_mels : int
        Number of mel bands.
    f_min, f_max : float
        Lower edge of the first and upper edge of the last band, in Hz.
    top_db : float
        Values further than this below a window's loudest are raised to that floor, in dB.
    trim_db : float or None
        Frames quieter than this below the loudest frame are cut from both ends of a clip
        (see `emotool.features.windowing.trim`); None cuts nothing.
    tail_seconds : float
        A last window holding less than this of sound is dropped, unless it is the only one.
    min_seconds : float
        Clips shorter than this are not labelled (``too_short``).
    normalisation : {"window", "constants"}
        How the graph of the model normalises its input: by each window's own mean and
        deviation, or by constants of the training set.

    Raises
    ------
    SpecError
        If a field is out of bounds. `from_dict` also checks types.

    Examples
    --------
    >>> spec = SpectrogramSpec()
    >>> spec.window_samples, spec.frames
    (48000, 188)
    >>> SpectrogramSpec.from_dict(spec.to_dict()) == spec
    True
    >>> SpectrogramSpec(n_mels=0)
    Traceback (most recent call last):
    ...
    emotool.errors.SpecError: n_mels must lie between 1 and 512, got 0
    """

    sample_rate: int = 16_000
    window_seconds: float = 3.0
    n_fft: int = 1_024
    hop_length: int = 256
    n_mels: int = 128
    f_min: float = 0.0
    f_max: float = 8_000.0
    top_db: float = 80.0
    trim_db: float | None = 40.0
    tail_seconds: float = 0.5
    min_seconds: float = 0.1
    normalisation: Literal["window", "constants"] = "window"

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not low <= value <= high:  # also catches NaN
                raise SpecError(f"{name} must lie between {low:g} and {high:g}, got {value!r:.80}")
            if isinstance(low, float):
                # Whole numbers become floats, so that equal specifications have equal digests.
                object.__setattr__(self, name, float(value))
        self._check_together()

    def _check_together(self) -> None:
        """Check the fields that bound each other."""
        if self.n_fft % 2:
            raise SpecError(f"n_fft must be even, got {self.n_fft}")
        if self.hop_length > self.n_fft:
            raise SpecError(
                f"hop_length ({self.hop_length}) must not exceed n_fft ({self.n_fft}): "
                "samples between frames would be lost"
            )
        if not self.f_min < self.f_max <= self.sample_rate / 2:
            raise SpecError(
                f"f_min < f_max <= sample_rate / 2 must hold, got f_min {self.f_min:g}, "
                f"f_max {self.f_max:g}, sample_rate {self.sample_rate}"
            )
        if self.n_mels * self.frames > _MAX_VALUES:
            raise SpecError(
                f"n_mels * frames must not exceed {_MAX_VALUES}, got {self.n_mels} * {self.frames}"
            )

    @property
    def window_samples(self) -> int:
        """Samples per window, at `sample_rate`."""
        return round(self.window_seconds * self.sample_rate)

    @property
    def frames(self) -> int:
        """Frames of one window's spectrogram: frames are centred, so both ends have one."""
        return 1 + self.window_samples // self.hop_length

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as values that JSON can hold, in the order of their definition."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SpectrogramSpec":
        """Build a specification from untrusted values, of which there must be one per field.

        Raises
        ------
        SpecError
            If a field is missing, unknown, ill-typed or out of bounds.
        """
        return validate(cls, values, "spectrogram", SpecError, complete=True)

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
