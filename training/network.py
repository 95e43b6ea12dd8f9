"""The network of a recipe: one alone, or two whose logits are averaged."""

import dataclasses
from dataclasses import dataclass

import keras

from training import architectures
from training.architectures.blocks import BlendedHead
from training.recipe import Companion, Recipe

__all__ = ["COMPANION", "Network", "build_network", "for_companion"]

COMPANION = "companion"
"""Name of the second network: of its layers within the whole, its stage and its files."""


@dataclass(frozen=True, eq=False)
class Network:
    """A recipe's network and its parts, which share their weights with it.

    Parameters
    ----------
    whole : keras.Model
        What predicts; see `training.architectures` for its inputs and outputs.
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
        If an architecture is not there or has no such setting.
    """
    main = _build(recipe)
    if recipe.companion is None:
        return Network(main, main)
    companion = _build(for_companion(recipe, recipe.companion))
    return Network(_blend(main, companion, recipe.companion.share), main, companion)


def for_companion(recipe: Recipe, companion: Companion) -> Recipe:
    """Make the recipe that a companion is trained by: the main one's where it says nothing."""
    own = {f.name: getattr(companion, f.name) for f in dataclasses.fields(companion)}
    share, alpha = own.pop("share"), own.pop("mixup_alpha")
    del share  # of what is predicted: nothing is trained with it
    return dataclasses.replace(
        recipe,
        **own,
        patience=companion.epochs,
        first_judged=companion.epochs,
        layer_rates={},
        frozen_epochs={},
        augmentation=dataclasses.replace(recipe.augmentation, mixup_alpha=alpha),
        kept=None,
        head_first=None,
        reconstruct=None,
        companion=None,
    )


def _build(recipe: Recipe) -> keras.Model:
    return architectures.build(recipe.architecture, recipe.labels, recipe.spectrogram, recipe.model)


def _blend(main: keras.Model, companion: keras.Model, share: float) -> keras.Model:
    """Put two networks side by side, from one input to one head."""
    heads = [model.get_layer("head") for model in (main, companion)]
    # Nested, so that no layer's name is taken twice.
    body = keras.Model(companion.input, heads[1].input, name=COMPANION)
    head = BlendedHead(heads[0], heads[1], share, name="blended_head")
    outputs = head(*heads[0].input, *body(main.input))
    return keras.Model(main.input, outputs, name=f"{main.name}_and_{companion.name}")
