"""What a training run depends on, and a fingerprint of its clips."""

import hashlib
from dataclasses import dataclass

from emotool_training.features.cache import FeatureCache
from emotool_training.recipes.recipe import Recipe
from emotool_training.splits import Split

__all__ = ["Plan", "fingerprint"]


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run depends on.

    Parameters
    ----------
    recipe : Recipe
    split : Split
        Of clips whose emotions are the recipe's labels.
    seed : int
        Of weights, order, augmentation and dropout.
    cache : FeatureCache
    weights : str or None
        What the network starts from, if it can be pretrained
        (`emotool_training.network.pretrained`).
    """

    recipe: Recipe
    split: Split
    seed: int
    cache: FeatureCache
    weights: str | None = None


def fingerprint(cache: FeatureCache, split: Split) -> str:
    """Fingerprint the content of all clips of a split, in order.

    Returns
    -------
    str
        SHA-256 as 64 hexadecimal digits.
    """
    clips = [clip for subset in split.subsets().values() for clip in subset]
    return hashlib.sha256("".join(cache.digest(clip.path) for clip in clips).encode()).hexdigest()
