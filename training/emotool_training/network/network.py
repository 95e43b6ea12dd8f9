"""The network of a recipe: one alone, or two whose logits are averaged."""

import dataclasses
from dataclasses import dataclass

import keras

from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.architectures.blocks import BlendedHead, PitchAugmentation
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import EnsembleMember

__all__ = ["MEMBER", "Network", "build_network", "member_recipe"]

MEMBER = "companion"
"""Name of the second network: of its layers within the whole, its stage and its files."""

_NOT_IN_RECIPES = ("share", "mixup_alpha", "voices")
"""Settings of an ensemble member that are no settings of a recipe, or not at its top."""


@dataclass(frozen=True, eq=False)
class Network:
    """A recipe's network and its parts, which share their weights with it.

    Parameters
    ----------
    whole : keras.Model
        What predicts; see `emotool_training.architectures` for its inputs and outputs.
    main : keras.Model
        The recipe's own architecture; the whole, where that is all there is.
    member : keras.Model or None
        The second network.
    """

    whole: keras.Model
    main: keras.Model
    member: keras.Model | None = None

    @property
    def parts(self) -> tuple[keras.Model, ...]:
        """The networks that are trained, each by itself."""
        return (self.main,) if self.member is None else (self.main, self.member)


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
    member = _build(member_recipe(recipe, recipe.companion))
    return Network(_blend((main, member), recipe.companion, recipe.spectrogram), main, member)


def member_recipe(recipe: Recipe, member: EnsembleMember) -> Recipe:
    """Make the recipe of an ensemble member: the main one's where it has no setting."""
    names = [field.name for field in dataclasses.fields(member)]
    own = {name: getattr(member, name) for name in names if name not in _NOT_IN_RECIPES}
    augmentation = dataclasses.replace(recipe.augmentation, mixup_alpha=member.mixup_alpha)
    return dataclasses.replace(
        recipe,
        **own,
        patience=member.epochs,
        first_judged=member.epochs,
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
    parts: tuple[keras.Model, keras.Model], settings: EnsembleMember, spec: SpectrogramSpec
) -> keras.Model:
    """Put two networks side by side, from one input to one head."""
    main, member = parts
    first, second = (model.get_layer("head") for model in parts)
    # Nested, so that no layer's name is taken twice.
    body = keras.Model(member.input, second.input, name=MEMBER)
    log_mel, factors = main.input, settings.voices  # [batch, n_mels, frames]
    if factors:
        log_mel = PitchAugmentation(spec, factors, name="voices")(log_mel)  # [factors * batch, …]
    head = BlendedHead(first, second, settings.share, max(1, len(factors)), name="blended_head")
    outputs = head(*first.input, *body(log_mel))
    return keras.Model(main.input, outputs, name=f"{main.name}_and_{member.name}")
