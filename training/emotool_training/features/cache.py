"""Features of clips, computed once by parallel processes and kept on disk.

An entry is found by what it depends on: the spectrogram's settings, the form (see
`emotool_training.features.clip_arrays`), the code that computes it, and the content of the audio
file. So a
changed file, setting or program has new entries and a moved folder keeps its own. Entries are
written in one step; one that cannot be read (zip files carry checksums) is computed anew.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from emotool.errors import OutputError, TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.atomic import sha256_file
from emotool_training.code_fingerprint import code_fingerprint
from emotool_training.features.clip_arrays import Form, Outcome, compute
from emotool_training.npz_store import load_arrays, save_arrays
from emotool_training.processes import in_processes
from emotool_training.recipes.settings import Variants

__all__ = ["FeatureCache", "Wanted", "default_folder", "image_folders"]

CHUNK = 8
"""Clips in a worker's task: enough to make the passing of tasks cheap, few enough for a bar."""

_FEATURE_CODE = (
    "emotool.audio.reader",
    "emotool.audio.formats",
    "emotool.audio.stream",
    "emotool.audio.channels",
    "emotool.audio.full_scale",
    "emotool.audio.ffmpeg",
    "emotool.audio.ffmpeg",
    "emotool.files.zip_members",
    "emotool.features.extraction",
    "emotool.features.windowing",
    "emotool.features.spec",
    "emotool.features.mel",
    "emotool.features.windowing",
    "emotool_training.features.clip_arrays",
)
"""Modules whose code decides the features."""

_VARIANTS_CODE = "emotool_training.augmentation.waveform"
"""The module whose code decides altered copies of clips."""

INLINE = 4
"""As many missing entries or fewer are computed here: starting processes would take longer."""

Progress = Callable[[int, int], None]


def default_folder() -> Path:
    """Return where features are kept unless one says otherwise.

    ``$EMOTOOL_CACHE``, else the platform's place for what can be made again: it outlives a run
    and serves every checkout.
    """
    named = os.environ.get("EMOTOOL_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "emotool" / "features"


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
        facts = [self.form, self.spec.digest(), self.copy, altered, _code(bool(self.copy))]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return f"{self.form}-{self.copy}-{digest[:16]}"


def image_folders(spec: SpectrogramSpec, variants: Variants) -> list[str]:
    """Name the folders of clips' images and of their altered copies, as `Wanted.folder` does."""
    copies = range(variants.count + 1)
    return [Wanted("image", spec, copy, variants).folder() for copy in copies]


def _code(altered: bool) -> str:
    """Fingerprint the code that makes features: other code, other entries."""
    return code_fingerprint(*_FEATURE_CODE, *([_VARIANTS_CODE] if altered else []))


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
            Told how many of how many missing entries are computed.

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
        entries = {path: self._entry(path, wanted) for path in paths}
        missing = [path for path, entry in entries.items() if not entry.exists()]
        failures = self._compute(missing, entries, wanted, progress or _no_progress)
        for path in paths:
            outcome = failures.get(path) or _read(entries[path])
            if outcome is None:  # damaged
                again = _work([(path, entries[path])], wanted)
                outcome = again.get(path) or _read(entries[path])
            if outcome is None:
                raise TrainingError(f"{entries[path]}: this cached entry cannot be kept")
            yield outcome

    def digest(self, path: Path) -> str:
        """Fingerprint a clip's content (SHA-256), read once per process."""
        if path not in self._digests:
            self._digests[path] = sha256_file(path)
        return self._digests[path]

    def _entry(self, path: Path, wanted: Wanted) -> Path:
        digest = self.digest(path)
        return self.folder / wanted.folder() / digest[:2] / f"{digest}.npz"

    def _compute(
        self,
        missing: Sequence[Path],
        entries: dict[Path, Path],
        wanted: Wanted,
        progress: Progress,
    ) -> dict[Path, Outcome]:
        """Compute missing entries; return the clips that could not be (they are not cached)."""
        chunks = [missing[i : i + CHUNK] for i in range(0, len(missing), CHUNK)]
        tasks = [([(path, entries[path]) for path in chunk], wanted) for chunk in chunks]
        for folder in {entries[path].parent for path in missing}:
            _make_folder(folder)
        failures: dict[Path, Outcome] = {}
        done = 0
        for answer, count in self._run(tasks, inline=len(missing) <= INLINE):
            failures.update(answer)
            done += count
            progress(done, len(missing))
        return failures

    def _run(
        self, tasks: Sequence[tuple[list[tuple[Path, Path]], Wanted]], inline: bool
    ) -> Iterator[tuple[dict[Path, Outcome], int]]:
        """Run tasks here or in processes, giving answers and their sizes as they come."""
        if inline or self.workers == 1:
            yield from ((_work(*task), len(task[0])) for task in tasks)
        else:
            for task, answer in in_processes(_work, tasks, self.workers):
                yield answer, len(task[0])


def _work(clips: Sequence[tuple[Path, Path]], wanted: Wanted) -> dict[Path, Outcome]:
    """Compute and keep entries; runs in a worker. Return the clips that failed."""
    failures = {}
    for path, entry in clips:
        outcome = compute(path, wanted.form, wanted.spec, (wanted.copy, wanted.variants))
        if outcome.status == "failed":
            failures[path] = outcome  # not kept: the cause may be mended
        else:
            save_arrays(entry, {"status": np.array(outcome.status), "array": outcome.array})
    return failures


def _read(entry: Path) -> Outcome | None:
    """Read an entry; None where there is none, or it is damaged."""
    try:
        stored = load_arrays(entry)
        return Outcome(str(stored["status"]), "", stored["array"])
    except (ValueError, KeyError):
        return None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the cache folder {folder}: {error.strerror}",
            hint="name another with --cache",
        ) from error


def _no_progress(done: int, total: int) -> None:
    """Tell nobody."""
