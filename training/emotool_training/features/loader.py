"""Load the features of a split's clips from the cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from emotool.errors import TrainingError
from emotool_training.corpora import Utterance
from emotool_training.features.cache import FeatureCache, Wanted
from emotool_training.features.clips import TrainingClips, ValidationClips
from emotool_training.progress import Display
from emotool_training.recipes.recipe import Recipe

__all__ = ["FeatureLoader"]

Clips = Sequence[Utterance]
Array = npt.NDArray[Any]
Found = tuple[Utterance, Array]


@dataclass
class FeatureLoader:
    """Load features of clips, and record which cannot be used.

    Attributes
    ----------
    recipe : Recipe
        Which features, of which labels.
    cache : FeatureCache
    display : Display
        Shows bars while features are computed.
    rejected : dict of str to str
        Filled with the key of each clip that cannot be used, and why.
    """

    recipe: Recipe
    cache: FeatureCache
    display: Display
    rejected: dict[str, str] = field(default_factory=dict)
    _reported: int = field(default=0, init=False)

    def targets(self, clips: Clips) -> npt.NDArray[np.int64]:
        """Return the clips' label indices, int64 [clips]."""
        return np.array([self.recipe.labels.index(clip.emotion) for clip in clips], np.int64)

    def training(self, clips: Clips) -> TrainingClips:
        """Load images of clips and of their augmented copies."""
        spec, variants = self.recipe.spectrogram, self.recipe.variants
        images: dict[str, list[Array]] = {}
        for copy in range(variants.count + 1):
            wanted = Wanted("image", spec, copy, variants)
            shown = f"augmented copies {copy}/{variants.count}" if copy else "training spectrograms"
            for clip, image in self._arrays(clips, wanted, shown):
                images.setdefault(clip.key, []).append(image)
        # A copy may fail where the clip does not (a faster one can be too short).
        usable = [clip for clip in clips if clip.key in images and clip.key not in self.rejected]
        self._require(usable, clips, "train on")
        found = [images[clip.key] for clip in usable]
        corpora = [clip.corpus for clip in usable]
        names = [self.cache.digest(clip.path) for clip in usable]
        return TrainingClips(found, self.targets(usable), corpora, names)

    def validation(self, clips: Clips) -> ValidationClips:
        """Load the windows of clips to stop training by."""
        found = list(self.windows(clips, "validation spectrograms"))
        usable = [clip for clip, _ in found]
        self._require(usable, clips, "validate on")
        windows = [array for _, array in found]
        return ValidationClips(windows, self.targets(usable), [clip.corpus for clip in usable])

    def windows(self, clips: Clips, shown: str) -> Iterator[Found]:
        """Give each usable clip with its windows, f32 [windows, n_mels, frames], in turn."""
        return self._arrays(clips, Wanted("windows", self.recipe.spectrogram), shown)

    def report_rejected(self) -> None:
        """Print the clips rejected since the last report."""
        for key, reason in list(self.rejected.items())[self._reported :]:
            self.display.say(f"skipped: {key}: {reason}")
        self._reported = len(self.rejected)

    def _arrays(self, clips: Clips, wanted: Wanted, shown: str) -> Iterator[Found]:
        with self.display.bar(shown) as update:
            outcomes = self.cache.load([clip.path for clip in clips], wanted, update)
            for clip, outcome in zip(clips, outcomes, strict=True):
                if outcome.status == "ok":
                    yield clip, outcome.array
                else:
                    self.rejected[clip.key] = outcome.reason or outcome.status.replace("_", " ")

    def _require(self, usable: Clips, clips: Clips, purpose: str) -> None:
        if not usable:
            reason = next(iter(self.rejected.values()), "there are none")
            raise TrainingError(f"no usable clip to {purpose}, of {len(clips)} ({reason})")
