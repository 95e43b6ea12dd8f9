"""Embeddings of clips by a model file, made by the ordinary run and cached by content."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotool.inputs.clips import Clip
from emotool.inputs.identity import file_identity
from emotool.model.classifier import Classifier
from emotool.results.row import ClipResult
from emotool.run.options import Details
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions
from emotool_training.npz_store import NpzCache, cache_name

__all__ = ["Embedded", "EmbeddingCache"]

Floats = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

_CODE = ("emotool.audio", "emotool.features", "emotool.files.zip_members")
"""Packages whose code decides what the model is given."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """A clip's windows as a model sees them.

    Parameters
    ----------
    embeddings : ndarray of float32, shape (windows, size)
    probabilities : ndarray of float32, shape (windows, labels)
        Of the model's own labels.
    """

    embeddings: Floats
    probabilities: Floats


@dataclass
class EmbeddingCache:
    """Computes embeddings of clips, or finds them.

    Parameters
    ----------
    classifier : Classifier
        The model.
    folder : Path
        Of the cache.
    workers : int
        Processes that decode clips; 0 for one per core.
    rejected : dict of str to str
        Filled with each clip that has no embedding, and why.
    """

    classifier: Classifier
    folder: Path
    workers: int = 0
    rejected: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = cache_name("adapt", [self.classifier.sha256], *_CODE)
        self._cache = NpzCache(self.folder / name)

    def each(
        self, clips: Sequence[Clip], progress: Progress = lambda done, total: None
    ) -> Iterator[tuple[int, Embedded]]:
        """Give each usable clip's place in ``clips`` with its embeddings, in order.

        Raises
        ------
        EmotoolError
            If the model fails on everything, or the cache cannot be written.
        """
        digests = [self._digest(clip) for clip in clips]
        missing = [
            Clip(place, clip.shown, clip.path)
            for place, (clip, digest) in enumerate(zip(clips, digests, strict=True))
            if digest and not self._cache.entry(digest).exists()
        ]
        if missing:
            self._compute(missing, digests, progress)
        for place, (clip, digest) in enumerate(zip(clips, digests, strict=True)):
            if clip.shown in self.rejected or not digest:
                continue
            found = self._read(digest)
            if found is None:  # damaged
                self._compute([Clip(place, clip.shown, clip.path)], digests, progress)
                found = self._read(digest)
            if found is not None:
                yield place, found

    def _digest(self, clip: Clip) -> str:
        """Fingerprint a clip's content; "" where it cannot be read, which is noted."""
        try:
            if clip.problem is not None:
                raise OSError(clip.problem)
            return file_identity(clip.path, by_content=True)
        except OSError as error:
            self.rejected[clip.shown] = error.strerror or str(error)
            return ""

    def _compute(self, clips: Sequence[Clip], digests: Sequence[str], progress: Progress) -> None:
        """Embed clips and write what came of them."""
        details = Details(segments=True, embeddings=True)
        options = PoolOptions(workers=self.workers)
        results = classify_clips(clips, self.classifier, options, details=details)
        for done, result in enumerate(results, 1):
            progress(done, len(clips))
            if result.status == "ok":
                self._cache.write(digests[result.index], _arrays(result))
            else:
                self.rejected[result.shown] = result.error or result.status

    def _read(self, digest: str) -> Embedded | None:
        found = self._cache.read(digest)
        if found is None or not {"embeddings", "probabilities"} <= found.keys():
            return None
        return Embedded(found["embeddings"], found["probabilities"])


def _arrays(result: ClipResult) -> dict[str, Floats]:
    """Return a clip's arrays, a row for each window."""
    embeddings = [np.frombuffer(part.embedding, "<f4") for part in result.segments]
    probabilities = [part.probabilities for part in result.segments]
    return {
        "embeddings": np.stack(embeddings).astype(np.float32),
        "probabilities": np.array(probabilities, np.float32),
    }
