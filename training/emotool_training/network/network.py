"""The network of a recipe: one alone, or two whose logits are averaged."""

import dataclasses
from dataclasses import dataclass

import keras

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.architectures.blocks import BlendedHead, Voices
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import Companion

__all__ = ["COMPANION", "Network", "build_network", "for_companion"]

COMPANION = "companion"
"""Name of the second network: of its layers within the whole, its stage and its files."""

_NOT_IN_RECIPES = ("share", "mixup_alpha", "voices")
"""Settings of a companion that are no settings of a recipe, or not at its top."""


@dataclass(frozen=True, eq=False)
class Network:
    """A recipe's network and its parts, which share their weights with it.

    Parameters
    ----------
    whole : keras.Model
        What predicts; see `emotool_training.architectures` for its inputs and outputs.
    main : keras.Model
        The recipe's own architecture; the whole, where that is all there is.
    companion : keras.Model or None
        The second network.
    """

    whole: keras.Model
    main: keras.Model
    companion: keras.Model | None = None

    @property
    def parts(self) -> tuple[keras.Model, ...]:
        """The networks that are trained, each by itself."""
        return (self.main,) if self.companion is None else (self.main, self.companion)


def build_network(recipe: Recipe) -> Network:
    """Build a recipe's network with fresh weights.

    Raises
    ------
    TrainingError
        If an architecture is not there or has no such setting, or the share is none.
    """
    main = _build(recipe)
    if recipe.companion is None:
        return Network(main, main)
    if not 0 <= recipe.companion.share <= 1:
        raise TrainingError(
            f"recipe {recipe.name}: its companion's share is {recipe.companion.share}",
            hint="expected a number between 0 and 1",
        )
    if any(voice <= 0 for voice in recipe.companion.voices):
        raise TrainingError(
            f"recipe {recipe.name}: its companion's voices are {recipe.companion.voices}",
            hint="expected factors of frequency, above 0",
        )
    companion = _build(for_companion(recipe, recipe.companion))
    return Network(_blend((main, companion), recipe.companion, recipe.spectrogram), main, companion)


def for_companion(recipe: Recipe, companion: Companion) -> Recipe:
    """Make the recipe that a companion is trained by: the main one's where it says nothing."""
    names = [field.name for field in dataclasses.fields(companion)]
    own = {name: getattr(companion, name) for name in names if name not in _NOT_IN_RECIPES}
    augmentation = dataclasses.replace(recipe.augmentation, mixup_alpha=companion.mixup_alpha)
    return dataclasses.replace(
        recipe,
        **own,
        patience=companion.epochs,
        first_judged=companion.epochs,
        layer_rates={},
        frozen_epochs={},
        augmentation=augmentation,
        kept=None,
        head_first=None,
        reconstruct=None,
        companion=None,
    )


def _build(recipe: Recipe) -> keras.Model:
    return architectures.build(recipe.architecture, recipe.labels, recipe.spectrogram, recipe.model)


def _blend(
    parts: tuple[keras.Model, keras.Model], settings: Companion, spec: SpectrogramSpec
) -> keras.Model:
    """Put two networks side by side, from one input to one head."""
    main, companion = parts
    first, second = (model.get_layer("head") for model in parts)
    # Nested, so that no layer's name is taken twice.
    body = keras.Model(companion.input, second.input, name=COMPANION)
    heard, voices = main.input, settings.voices  # [batch, n_mels, frames]
    if voices:
        heard = Voices(spec, voices, name="voices")(heard)  # [voices * batch, …]
    head = BlendedHead(first, second, settings.share, max(1, len(voices)), name="blended_head")
    outputs = head(*first.input, *body(heard))
    return keras.Model(main.input, outputs, name=f"{main.name}_and_{companion.name}")
