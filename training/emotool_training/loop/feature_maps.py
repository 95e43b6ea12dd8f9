"""Cached feature maps of a frozen backbone, for a few augmented copies of each clip.

Training then costs what the trainable layers cost. Copies depend on the clip and its number
alone, so they serve every fold and seed; they are kept on disk beside the features.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from emotool.errors import TrainingError
from emotool_training.augmentation import window as augment
from emotool_training.features.cache import image_folders
from emotool_training.features.clips import TrainingClips, ValidationClips
from emotool_training.loop.dataset import TrainingSet, generator
from emotool_training.network.split import BackboneSplit
from emotool_training.npz_store import NpzCache, cache_name
from emotool_training.progress import Display
from emotool_training.recipes.recipe import Recipe

__all__ = ["FeatureMapSet", "FeatureMaps", "fingerprint"]

BATCH = 8
"""Windows given to the backbone at once, at most: fewer if a clip has fewer copies."""

_CODE = (
    "emotool_training.augmentation.window",
    "emotool_training.augmentation.spectrogram",
    "emotool_training.loop.feature_maps",
    "emotool_training.network.split",
    "emotool_training.architectures.blocks",
)
"""Modules whose code decides the maps, beside the spectrograms, the recipe and the backbone's
layers."""

Half = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]


class FeatureMapSet(TrainingSet):
    """Batches of cached feature maps, mixed but not augmented again."""

    def _window(self, index: int, random: np.random.Generator) -> Half:
        """Take one of a clip's copies, f16 [size]."""
        copies = self.clips.images[index]
        return copies[int(random.integers(len(copies)))]

    def _shape(self) -> tuple[int, ...]:
        return self.clips.images[0][0].shape


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Compute the feature maps of clips, or read them from the cache.

    Parameters
    ----------
    split : BackboneSplit
        Whose backbone makes them.
    recipe : Recipe
        Says how copies are altered, and how many there are.
    folder : Path
        Where they are kept.
    """

    split: BackboneSplit
    recipe: Recipe
    folder: Path

    def training(self, clips: TrainingClips, display: Display) -> TrainingClips:
        """Replace each clip's images by the maps of its augmented copies, f16 [size] each."""
        cache = NpzCache(self._folder())
        found: list[Sequence[Half]] = []
        function = self._function()
        with display.bar("maps of augmented copies") as update:
            for number, (images, name) in enumerate(zip(clips.images, clips.names, strict=True), 1):
                maps = (cache.read(name) or {}).get("maps")
                if maps is None:
                    maps = self._maps(function, self._windows(images, name))  # [copies, size]
                    cache.write(name, {"maps": maps})
                    update(number, len(clips))
                found.append(list(maps))
        return replace(clips, images=found)

    def validation(self, clips: ValidationClips) -> ValidationClips:
        """Replace each clip's windows by their maps, f32 [windows, size]."""
        # All in one go: most clips have a window or two, and a batch is filled up.
        made = self._maps(self._function(), np.concatenate(clips.windows)).astype(np.float32)
        ends = np.cumsum([len(windows) for windows in clips.windows])
        return replace(clips, windows=np.split(made, ends[:-1]))

    def _windows(self, images: Sequence[Half], name: str) -> Floats:
        """Alter the copies of one clip, f32 [copies, n_mels, frames] dB."""
        recipe, wanted = self.recipe, self.recipe.kept
        if wanted is None:
            raise TrainingError(f"{recipe.name} caches no feature maps")
        place = int(name[:8], 16)
        copies = []
        for number in range(wanted.copies):
            random = generator(0, "kept", place, number)
            image = images[int(random.integers(len(images)))]
            copies.append(augment.window_of(image, recipe.augmentation, recipe.spectrogram, random))
        return np.stack(copies)

    def _maps(self, function: Any, windows: Floats) -> Half:
        """Run the backbone on windows, f32 [n, n_mels, frames] to f16 [n, size]."""
        # Always the same size of batch: another may round otherwise.
        size = min(BATCH, self.recipe.kept.copies) if self.recipe.kept else BATCH
        rest = np.zeros((-len(windows) % size, *windows.shape[1:]), np.float32)
        padded = np.concatenate([windows, rest])  # [whole batches, n_mels, frames]
        starts = range(0, len(padded), size)
        parts = [function(tf.constant(padded[start : start + size])).numpy() for start in starts]
        return np.asarray(np.concatenate(parts)[: len(windows)], np.float16)

    def _function(self) -> Any:
        backbone = self.split.backbone
        signature = [tf.TensorSpec((None, *backbone.inputs[0].shape[1:]), tf.float32)]

        @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
        def pack(log_mel: Any) -> Any:
            maps, activity = backbone(log_mel, training=False)
            size = int(np.prod(maps.shape[1:]))
            flat = tf.reshape(tf.cast(maps, tf.float32), (-1, size))  # [batch, h w c]
            return tf.concat([flat, activity], axis=1)  # [batch, size]

        return pack

    def _folder(self) -> Path:
        """Name the folder of the entries."""
        recipe = self.recipe
        altered = asdict(recipe.augmentation)
        for later in ("mixup_alpha", "mixup_probability"):  # mixed when drawn
            del altered[later]
        facts: list[Any] = [altered, recipe.kept and asdict(recipe.kept)]
        facts += [image_folders(recipe.spectrogram, recipe.variants)]
        facts += [fingerprint(self.split.backbone)]
        return self.folder / cache_name("maps", facts, *_CODE)


def fingerprint(backbone: keras.Model) -> str:
    """Fingerprint a backbone: its layers, how they compute, their weights."""
    digest = hashlib.sha256()
    for layer in backbone.layers:
        digest.update(f"{layer.name} {layer.compute_dtype} {layer.get_config()}".encode())
    for weight in backbone.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return digest.hexdigest()
