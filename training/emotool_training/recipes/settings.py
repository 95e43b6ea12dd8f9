"""Settings of a recipe beside one network's training: augmentation, stages, an ensemble member."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

__all__ = [
    "Augmentation",
    "CachedFeatureMaps",
    "EnsembleMember",
    "HeadStage",
    "ReconstructionStage",
    "Variants",
]


Count = Annotated[int, Field(ge=1)]
"""A number of which there must be one or more for anything to be learnt."""

Share = Annotated[float, Field(ge=0, le=1)]


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
    """What happens to each window of each batch; see `emotool_training.augmentation.window`.

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


@dataclass(frozen=True, slots=True)
class CachedFeatureMaps:
    """Cached feature maps of the layers that do not learn.

    Attributes
    ----------
    layer : str
        The last layer that does not learn.
    copies : int
        Altered copies of each clip whose maps are cached.
    """

    layer: str
    copies: Count = 8


@dataclass(frozen=True, slots=True)
class HeadStage:
    """A first stage that trains the head alone.

    Fine-tuning from a random head would distort the pretrained features (Kumar et al. 2022,
    arXiv:2202.10054).

    Attributes
    ----------
    layer : str
        The head's input.
    epochs : int
        How long; its last weights are taken.
    learning_rate : float
        Highest rate.
    copies : int
        Altered copies of each clip whose maps at the head's input are cached.
    """

    layer: str
    epochs: Count
    learning_rate: float = 1e-3
    copies: Count = 8


@dataclass(frozen=True, slots=True)
class ReconstructionStage:
    """A first stage that trains an encoder to reconstruct spectrograms, without labels.

    Attributes
    ----------
    epochs : int
        How long; the weights with the least validation error are taken.
    learning_rate : float
        Highest rate.
    """

    epochs: Count
    learning_rate: float = 2e-3


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """An ensemble member: a second network, trained by itself, whose logits are averaged in.

    What it has no setting for is as in the recipe; it has no stages and no layer that learns
    slower. See `emotool_training.network.network`.

    Attributes
    ----------
    architecture : str
        A module of `emotool_training.architectures`.
    model : dict
        The architecture's own settings.
    share : float
        Weight of its logits, 0 … 1; the main network's have the rest.
    epochs : int
        How long; its last weights are taken.
    epoch_clips : int or None
        Clips drawn in an epoch; None for as many as there are training clips.
    learning_rate, final_rate, warmup_epochs, average_decay : float
        As in `emotool_training.recipes.recipe.Recipe`.
    mixup_alpha : float
        As in `emotool_training.recipes.settings.Augmentation`.
    voices : tuple of float
        Pitch test-time augmentation: factors by which every frequency is divided; the logits for
        all of them are averaged. Empty for the window as it is.
    """

    architecture: str
    model: dict[str, Any] = field(default_factory=dict)
    share: Share = 0.5
    epochs: Count = 40
    epoch_clips: int | None = None
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup_epochs: float = 2.0
    average_decay: float = 0.99
    mixup_alpha: float = 0.0
    voices: tuple[Annotated[float, Field(gt=0)], ...] = ()
