"""Pooled vectors of clips' windows, from a network that does not learn, kept on disk.

They depend on the clip and the network alone, so they serve every fold, seed and head.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from emotool.errors import TrainingError
from emotool_training.corpora import Utterance
from emotool_training.features.cache import Wanted
from emotool_training.features.clips import EmbeddedClips
from emotool_training.features.loader import FeatureLoader
from emotool_training.loop.feature_maps import fingerprint
from emotool_training.npz_store import NpzCache, cache_name

__all__ = ["POOLING", "Embeddings"]

POOLING = "pooling"
"""Name of the layer whose output is taken."""

_CODE = ("emotool_training.architectures.blocks", "emotool_training.architectures.whisper")
"""Modules whose code decides the vectors, beside the spectrograms and the network's layers."""

Floats = npt.NDArray[np.float32]


class Embeddings:
    """Makes the vectors of clips, or finds them.

    Parameters
    ----------
    model : keras.Model
        With a layer `POOLING`, [batch, size].
    loader : FeatureLoader
        Finds the clips' windows, and the folder of the cache.

    Raises
    ------
    TrainingError
        If the model has no such layer.
    """

    def __init__(self, model: keras.Model, loader: FeatureLoader) -> None:
        if POOLING not in [layer.name for layer in model.layers]:
            raise TrainingError(f"{model.name} pools no frames, so it has no linear head to solve")
        self._body = keras.Model(model.input, model.get_layer(POOLING).output)
        self._loader = loader
        self._cache = NpzCache(loader.cache.folder / self._name())

    def clips(self, utterances: Sequence[Utterance], shown: str) -> EmbeddedClips:
        """Return the vectors of the clips that can be used; ``shown`` names the bar.

        Raises
        ------
        TrainingError
            If none can be used.
        """
        found = list(self.each(utterances, shown))
        if not found:
            raise TrainingError(f"no usable clip for the {shown}, of {len(utterances)}")
        usable = [clip for clip, _ in found]
        targets = self._loader.targets(usable)
        return EmbeddedClips([v for _, v in found], targets, [clip.corpus for clip in usable])

    def each(
        self, utterances: Sequence[Utterance], shown: str
    ) -> Iterator[tuple[Utterance, Floats]]:
        """Give each usable clip with its vectors, f32 [windows, size], in turn."""
        kept = {clip.key: self._read(clip) for clip in utterances}
        missing = [clip for clip in utterances if kept[clip.key] is None]
        if missing:
            function = self._function()
            for clip, windows in self._loader.windows(missing, shown):
                vectors = function(tf.constant(windows)).numpy()  # [windows, size]
                kept[clip.key] = vectors
                self._cache.write(self._loader.cache.digest(clip.path), {"vectors": vectors})
        for clip in utterances:
            found = kept[clip.key]
            if found is not None:
                yield clip, found

    def _function(self) -> Any:
        signature = [tf.TensorSpec((None, *self._body.inputs[0].shape[1:]), tf.float32)]

        @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
        def pool(log_mel: Any) -> Any:
            return self._body(log_mel, training=False)

        return pool

    def _name(self) -> str:
        """Name the cache after everything the vectors depend on but the clip."""
        windows = Wanted("windows", self._loader.recipe.spectrogram).folder()
        return cache_name("embeddings", [windows, fingerprint(self._body)], *_CODE)

    def _read(self, clip: Utterance) -> Floats | None:
        """Read a clip's vectors; None where there are none, or they are damaged."""
        found = self._cache.read(self._loader.cache.digest(clip.path))
        return None if found is None else found.get("vectors")
