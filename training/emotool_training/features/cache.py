"""Features of clips, computed once by parallel processes and cached on disk.

An entry is found by what it depends on: the spectrogram's settings, the form (see
`emotool_training.features.clip_arrays`), the code that computes it, and the content of the audio
file. A changed file, setting or program has new entries, and a moved folder keeps its own.
Damaged entries are computed again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.atomic import sha256_file
from emotool_training.augmentation.settings import Variants
from emotool_training.features.clip_arrays import Form, Outcome, compute
from emotool_training.npz_store import NpzCache, cache_name
from emotool_training.processes import in_processes

__all__ = ["FeatureCache", "Wanted", "image_folders"]

CHUNK = 8
"""Clips in a worker's task: enough to make the passing of tasks cheap, few enough for a bar."""

_FEATURE_CODE = (
    "emotool.audio",
    "emotool.features",
    "emotool.files.zip_members",
    "emotool_training.features.clip_arrays",
)
"""Packages and modules whose code decides the features."""

_VARIANTS_CODE = "emotool_training.augmentation.waveform"
"""The module whose code decides altered copies of clips."""

INLINE = 4
"""As many missing entries or fewer are computed here: starting processes would take longer."""

Progress = Callable[[int, int], None]

Clip = tuple[Path, str]
"""A clip's file and the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A form of clips that is wanted.

    Attributes
    ----------
    form : str
        ``windows`` or ``image``.
    spec : SpectrogramSpec
    copy : int
        Number of the altered copy; 0 for the clip itself.
    variants : Variants
        How copies are altered.
    """

    form: Form
    spec: SpectrogramSpec
    copy: int = 0
    variants: Variants = field(default_factory=Variants)

    def folder(self) -> str:
        """Name the entries' folder after everything they depend on but the clip."""
        altered = asdict(self.variants) if self.copy else {}
        for irrelevant in ("count", "clean_share"):  # they choose copies, they do not make them
            altered.pop(irrelevant, None)
        facts = [self.form, self.spec.digest(), self.copy, altered]
        code = (*_FEATURE_CODE, _VARIANTS_CODE) if self.copy else _FEATURE_CODE
        return cache_name(f"{self.form}-{self.copy}", facts, *code)


def image_folders(spec: SpectrogramSpec, variants: Variants) -> list[str]:
    """Name the folders of clips' images and of their altered copies, as `Wanted.folder` does."""
    copies = range(variants.count + 1)
    return [Wanted("image", spec, copy, variants).folder() for copy in copies]


class FeatureCache:
    """Features on disk.

    Parameters
    ----------
    folder : Path
        Where; made where it is not there.
    workers : int or None
        Processes that compute; None for one per core.
    """

    def __init__(self, folder: Path, workers: int | None = None) -> None:
        self.folder = folder
        self.workers = workers or os.cpu_count() or 1
        self._digests: dict[Path, str] = {}

    def load(
        self, paths: Sequence[Path], wanted: Wanted, progress: Progress | None = None
    ) -> Iterator[Outcome]:
        """Give each clip's features in turn, computing first what is not there.

        Parameters
        ----------
        paths : sequence of Path
            Audio files.
        wanted : Wanted
            Which form.
        progress : callable, optional
            Called with how many of how many missing entries are computed.

        Yields
        ------
        Outcome
            One per path, in order.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        TrainingError
            If a worker dies.
        """
        store = NpzCache(self.folder / wanted.folder())
        digests = {path: self.digest(path) for path in paths}
        missing = [clip for clip in digests.items() if not store.entry(clip[1]).exists()]
        failures = self._compute(missing, store, wanted, progress or _no_progress)
        for path in paths:
            clip = path, digests[path]
            outcome = failures.get(path) or _read(store, digests[path])
            if outcome is None:  # damaged
                outcome = _work([clip], store, wanted).get(path) or _read(store, digests[path])
            if outcome is None:
                raise TrainingError(f"{store.entry(digests[path])}: cannot be read back")
            yield outcome

    def digest(self, path: Path) -> str:
        """Fingerprint a clip's content (SHA-256), read once per process."""
        if path not in self._digests:
            self._digests[path] = sha256_file(path)
        return self._digests[path]

    def _compute(
        self, missing: Sequence[Clip], store: NpzCache, wanted: Wanted, progress: Progress
    ) -> dict[Path, Outcome]:
        """Compute missing entries; return the clips that could not be (they are not cached)."""
        tasks = [(missing[i : i + CHUNK], store, wanted) for i in range(0, len(missing), CHUNK)]
        inline = len(missing) <= INLINE or self.workers == 1
        answers = (
            ((task, _work(*task)) for task in tasks)
            if inline
            else in_processes(_work, tasks, self.workers)
        )
        failures: dict[Path, Outcome] = {}
        done = 0
        for task, answer in answers:
            failures.update(answer)
            done += len(task[0])
            progress(done, len(missing))
        return failures


def _work(clips: Sequence[Clip], store: NpzCache, wanted: Wanted) -> dict[Path, Outcome]:
    """Compute and cache entries; runs in a worker. Return the clips that failed."""
    failures = {}
    for path, digest in clips:
        outcome = compute(path, wanted.form, wanted.spec, (wanted.copy, wanted.variants))
        if outcome.status == "failed":
            failures[path] = outcome  # not cached: the cause may be removed
        else:
            store.write(digest, {"status": np.array(outcome.status), "array": outcome.array})
    return failures


def _read(store: NpzCache, digest: str) -> Outcome | None:
    """Read an entry; None where there is none, or it is damaged."""
    stored = store.read(digest)
    if stored is None or not {"status", "array"} <= stored.keys():
        return None
    return Outcome(str(stored["status"]), "", stored["array"])


def _no_progress(done: int, total: int) -> None:
    """Report nothing."""
