"""Settings of a recipe beside one network's training: cached maps, stages, an ensemble member."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

__all__ = [
    "CachedFeatureMaps",
    "Count",
    "EnsembleMember",
    "FineTuning",
    "HeadStage",
    "LinearHead",
    "ReconstructionStage",
]


Count = Annotated[int, Field(ge=1)]
"""A number of which there must be one or more for anything to be learnt."""

Share = Annotated[float, Field(ge=0, le=1)]


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
class LinearHead:
    """A linear head that is fitted in one step, on the pooled frames of a network.

    Multinomial logistic regression on embeddings that are standardised within each corpus; see
    `emotool_training.loop.linear_head`.

    Attributes
    ----------
    penalty : float
        Of the squared weights, beside the mean cross-entropy; above 0.
    components : int
        Principal components of the standardised embeddings that the weights may use.
    own_statistics : float
        Share of a corpus's own mean and deviation in those it is standardised by, 0 … 1; the
        mean over the corpora has the rest.
    least_clips : int
        A corpus of fewer clips is standardised by the mean over the others.
    """

    penalty: Annotated[float, Field(gt=0)] = 0.3
    components: Count = 250
    own_statistics: Share = 0.0
    least_clips: Count = 32


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Fine-tuning of the layers between the cached feature maps and a linear head.

    They learn together with a linear head, for the recipe's epochs; then the head is fitted
    again. Weights between pretrained and fine-tuned ones keep more of the accuracy on recordings
    unlike those of training (Wortsman et al. 2022, arXiv:2109.01903).

    Attributes
    ----------
    share : float
        Share of the fine-tuned weights, 0 … 1; the pretrained ones have the rest.
    """

    share: Share = 1.0


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
        As in `emotool_training.augmentation.settings.Augmentation`.
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
