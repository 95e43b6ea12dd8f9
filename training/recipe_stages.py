"""What a recipe may have beside the training of one network: kept maps, stages, a companion."""

from dataclasses import dataclass, field
from typing import Any

from training.strict import one_or_more

__all__ = ["Companion", "HeadFirst", "Kept", "Reconstruct"]


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

    def __post_init__(self) -> None:
        one_or_more(self, "copies")


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

    def __post_init__(self) -> None:
        one_or_more(self, "epochs", "copies")


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

    def __post_init__(self) -> None:
        one_or_more(self, "epochs")


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
        As in `training.recipe.Recipe`.
    mixup_alpha : float
        As in `training.recipe_alterations.Augmentation`.
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

    def __post_init__(self) -> None:
        one_or_more(self, "epochs")
