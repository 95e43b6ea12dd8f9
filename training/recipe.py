"""A recipe: everything about a training run but the data, frozen, one committed file a model.

The files are ``training/recipes/NAME.json``; what one leaves out has the defaults below. A run
keeps its recipe in ``config.json``, so that it can be resumed and told apart.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emotool.errors import TrainingError
from emotool.spectrogram import SpectrogramSpec
from training.strict import from_dict

__all__ = [
    "Augmentation",
    "Companion",
    "HeadFirst",
    "Kept",
    "Recipe",
    "Reconstruct",
    "Variants",
    "load_recipe",
    "recipe_names",
]

FOLDER = Path(__file__).parent / "recipes"


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
    """What happens to each window of each batch; see `training.augment`.

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
class Kept:
    """Feature maps of the layers that do not learn are made once; see `training.kept_maps`.

    Attributes
    ----------
    layer : str
        The last layer that does not learn.
    copies : int
        Altered copies of each clip whose maps are kept.
    """

    layer: str
    copies: int = 8


@dataclass(frozen=True, slots=True)
class HeadFirst:
    """A first stage in which nothing but the head learns.

    Fine-tuning from a random head would distort what is to be kept (Kumar et al. 2022,
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
        Altered copies of each clip whose maps at the head's input are kept.
    """

    layer: str
    epochs: int
    learning_rate: float = 1e-3
    copies: int = 8


@dataclass(frozen=True, slots=True)
class Reconstruct:
    """A first stage in which an encoder learns to give spectrograms back, without any label.

    Attributes
    ----------
    epochs : int
        How long; the weights with the least validation error are taken.
    learning_rate : float
        Highest rate.
    """

    epochs: int
    learning_rate: float = 2e-3


@dataclass(frozen=True, slots=True)
class Companion:
    """A second network, trained by itself on the same clips, whose logits are averaged in.

    What it has no setting for is as in the recipe; it has no stages and no layer that learns
    slower. See `training.network`.

    Attributes
    ----------
    architecture : str
        A module of `training.architectures`.
    model : dict
        The architecture's own settings.
    share : float
        Weight of its logits, 0 … 1; the main network's have the rest.
    epochs : int
        How long; its last weights are taken.
    epoch_clips : int or None
        Clips drawn in an epoch; None for as many as there are training clips.
    learning_rate, final_rate, warmup_epochs, average_decay : float
        As in `Recipe`.
    mixup_alpha : float
        As in `Augmentation`.
    voices : tuple of float
        Factors by which every frequency is divided: it hears each window in all of these voices,
        and its logits are averaged. Empty for the window as it is.
    """

    architecture: str
    model: dict[str, Any] = field(default_factory=dict)
    share: float = 0.5
    epochs: int = 40
    epoch_clips: int | None = None
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup_epochs: float = 2.0
    average_decay: float = 0.99
    mixup_alpha: float = 0.0
    voices: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of one model.

    Attributes
    ----------
    name : str
        The model's name: of the recipe's file, the runs' folder and the exported file.
    architecture : str
        A module of `training.architectures`.
    labels : tuple of str
        What is told apart.
    model : dict
        The architecture's own settings.
    spectrogram : SpectrogramSpec
        What the model is fed.
    epochs, patience : int
        Epochs at most, and epochs without a better validation score after which training stops.
    first_judged : int
        The first epoch, from 1, whose weights may be the best: what few steps give is luck.
    batch_size : int
        Windows in a batch.
    epoch_clips : int or None
        Clips drawn in an epoch; None for as many as there are training clips.
    corpus_balance : float
        How evenly clips are drawn from the corpora: 0 by their sizes, 1 evenly, in between by
        sizes to the power of 1 less this.
    label_balance : float
        The same for the labels within each corpus.
    learning_rate, final_rate : float
        Highest rate, and the rate at the end of the cosine as a share of it.
    warmup_epochs : float
        Epochs over which the rate rises from 0.
    layer_rates : dict of str to float
        Share of the learning rate for layers whose name begins so; the longest beginning
        counts. 0 keeps a layer still, its normalisation statistics included.
    frozen_epochs : dict of str to int
        Epochs for which the layers of an entry of ``layer_rates`` do not learn yet.
    weight_decay : float
        Of AdamW; biases and normalisation weights are spared.
    gradient_clip : float
        Largest global norm of the gradient; 0 for no limit.
    label_smoothing : float
        Share of each target spread evenly over all labels.
    average_decay : float
        Decay per step of the exponential average of weights that is validated and kept; 0 for
        the weights themselves.
    precision : str
        ``"float32"``, ``"bfloat16"`` (mixed), or ``"auto"``: bfloat16 on a GPU that has it.
    variants : Variants
    augmentation : Augmentation
    kept : Kept or None
        What is made once and kept; nothing if None.
    head_first : HeadFirst or None
        A stage for the head alone, before all learns.
    reconstruct : Reconstruct or None
        A stage before that, for architectures with a decoder.
    companion : Companion or None
        A second network beside this one.
    """

    name: str
    architecture: str
    labels: tuple[str, ...] = ("happy", "sad")
    model: dict[str, Any] = field(default_factory=dict)
    spectrogram: SpectrogramSpec = SpectrogramSpec()
    epochs: int = 40
    patience: int = 12
    first_judged: int = 1
    batch_size: int = 32
    epoch_clips: int | None = None
    corpus_balance: float = 0.5
    label_balance: float = 1.0
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup_epochs: float = 2.0
    layer_rates: dict[str, float] = field(default_factory=dict)
    frozen_epochs: dict[str, int] = field(default_factory=dict)
    weight_decay: float = 0.01
    gradient_clip: float = 5.0
    label_smoothing: float = 0.1
    average_decay: float = 0.99
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    variants: Variants = Variants()
    augmentation: Augmentation = Augmentation()
    kept: Kept | None = None
    head_first: HeadFirst | None = None
    reconstruct: Reconstruct | None = None
    companion: Companion | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold and `training.strict.from_dict` reads back.

        Stages that there are not are left out, and so is a companion: a recipe without any has
        the fingerprint it had before there could be any.
        """
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["spectrogram"] = self.spectrogram.to_dict()
        plain["variants"] = dataclasses.asdict(self.variants)
        plain["augmentation"] = dataclasses.asdict(self.augmentation)
        for name in ("kept", "head_first", "reconstruct", "companion"):
            part = getattr(self, name)
            if part is None:
                del plain[name]
            else:
                plain[name] = dataclasses.asdict(part)
        return plain


def recipe_names() -> tuple[str, ...]:
    """Name the recipes there are, sorted.

    Examples
    --------
    >>> "cnn" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load_recipe(name: str) -> Recipe:
    """Load a recipe.

    Parameters
    ----------
    name : str
        A name of `recipe_names`, or the path of a JSON file.

    Returns
    -------
    Recipe

    Raises
    ------
    TrainingError
        If there is none of that name, or what it holds is no recipe.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise TrainingError(
            f"there is no recipe for {name!r}", hint=f"recipes: {known}, or the path of a .json"
        ) from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read as a recipe: {error}") from error
    if not isinstance(values, dict):
        raise TrainingError(f"{path}: expected settings by name")
    return from_dict(Recipe, {"name": path.stem, **values}, f"recipe {path.name}")
