"""Augmentation settings of a recipe: of waveforms, cached, and of windows, new each epoch."""

from dataclasses import dataclass

__all__ = ["Augmentation", "Variants"]


@dataclass(frozen=True, slots=True)
class Variants:
    """Altered copies of each training clip's waveform, computed once and cached.

    Each copy draws its own pitch, speed and room from the clip's content and the copy's number.

    Attributes
    ----------
    count : int
        Copies beside the clip itself; 0 for none.
    pitch_semitones : float
        Pitch is moved by up to this much, either way, at the same tempo.
    speed : float
        Tempo is changed by up to this share, either way, at the same pitch.
    reverb_probability : float
        Share of copies put into a room.
    reverb_seconds : tuple of float
        Range of the room's reverberation time (decay by 60 dB).
    clean_share : float
        Share of draws in training that take the clip itself rather than a copy.
    """

    count: int = 0
    pitch_semitones: float = 2.0
    speed: float = 0.1
    reverb_probability: float = 0.3
    reverb_seconds: tuple[float, float] = (0.15, 0.6)
    clean_share: float = 0.4


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Augmentation of each window of each batch; see `emotool_training.augmentation.window`.

    Amounts are drawn evenly between minus and plus the value, or within the range, unless said
    otherwise; 0 switches a thing off.

    Attributes
    ----------
    shift_seconds : float
        Silence at most before a clip that is shorter than the window. (Of a longer clip, the
        window is cut out anywhere.)
    pace : float
        Natural logarithm of the factor of tempo.
    warp : float
        Natural logarithm of the factor of all frequencies.
    tilt_db, response_db : float
        Rise of the spectrum from the lowest mel to the highest; standard deviation of a
        microphone's smooth response.
    gain_db : float
        Level.
    room_probability, room_seconds, room_level : float, tuple of float
        Share of windows put into a room, its reverberation time and the power of its
        reverberation relative to the sound.
    noise_probability, noise_below_peak_db, noise_tilt_db : float, tuple of float
        Share of windows that noise is added to, how far it is below the loudest point, and its
        rise from the lowest mel to the highest.
    mel_masks, time_masks : int
        How many bands of mels and stretches of time are masked.
    mel_mask_bands : int
        Widest band masked, in mel bands.
    time_mask_seconds : float
        Longest stretch masked.
    mixup_alpha : float
        Two windows and their labels are mixed with a share from Beta(alpha, alpha).
    mixup_probability : float
        Share of batches that are mixed.
    """

    shift_seconds: float = 3.0
    pace: float = 0.2
    warp: float = 0.12
    tilt_db: float = 6.0
    response_db: float = 4.0
    gain_db: float = 6.0
    room_probability: float = 0.3
    room_seconds: tuple[float, float] = (0.15, 0.7)
    room_level: tuple[float, float] = (0.05, 0.4)
    noise_probability: float = 0.5
    noise_below_peak_db: tuple[float, float] = (25.0, 60.0)
    noise_tilt_db: tuple[float, float] = (-20.0, 10.0)
    mel_masks: int = 2
    mel_mask_bands: int = 16
    time_masks: int = 2
    time_mask_seconds: float = 0.4
    mixup_alpha: float = 0.0
    mixup_probability: float = 1.0
