"""Run folders: where a training run keeps everything, and how it is found again.

    runs/NAME/20261123T190147Z/
        config.json             recipe, data, split, seed, versions
        split.json              which clips train, validate and test
        history.csv             each epoch's figures
        learning_curves.png
        checkpoints/            the last two epochs: weights, optimiser, average, history
        best.weights.h5         the weights of the best epoch
        predictions.csv         probabilities of each validation and test clip
        own_statistics.csv      the same, of a linear head, with each corpus's own statistics
                                half-way
        confusion_matrix.png
        STAGE_...               the same of an earlier stage or ensemble member: head_history.csv
        metrics.json            figures of validation and test; written last: the run is finished
        timing.json             what differs from run to run: dates and seconds

Every file is written in one step, and a folder without ``metrics.json`` can be resumed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emotool.errors import JournalError, OutputError, TrainingError
from emotool.files.atomic import atomic_write
from emotool.files.lock import OutputLock
from emotool_training.runs.stage import Stage

__all__ = [
    "OWN_STATISTICS",
    "Run",
    "create_run",
    "exclusively",
    "find_runs",
    "open_run",
    "write_json",
]


OWN_STATISTICS = "own_statistics.csv"
"""The file of predictions with each corpus's own statistics half-way."""


def write_json(path: Path, content: object) -> None:
    """Write readable JSON in one step; NaN, which JSON has not, is refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path, text=True) as handle:
        # A path's bytes that are no text become \udcNN, which JSON reads back as they were.
        handle.write(text.encode(errors="backslashreplace").decode() + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; `TrainingError` names a missing or damaged file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder with what it was started with.

    Parameters
    ----------
    folder : Path
    config : dict
        The content of ``config.json``.
    """

    folder: Path
    config: dict[str, Any]

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return (self.folder / "metrics.json").is_file()

    def stage(self, name: str = "") -> Stage:
        """Return one of the run's stages."""
        return Stage(self.folder, name)

    def epochs_kept(self) -> int:
        """Return how many epochs the newest checkpoints of all stages have behind them."""
        names = [path.stem for path in (self.folder / "checkpoints").glob("*-*.npz")]
        newest: dict[str, int] = {}
        for stage, _, epoch in (name.rpartition("-") for name in names):
            newest[stage] = max(newest.get(stage, 0), int(epoch))
        return sum(newest.values())

    def metrics(self) -> dict[str, Any]:
        """Read a finished run's figures; `TrainingError` if it is not finished."""
        if not self.finished:
            raise TrainingError(f"{self.folder} is not finished", hint=self.resume_hint())
        return dict(read_json(self.folder / "metrics.json"))

    def resume_hint(self) -> str:
        """Say how to go on with the run."""
        return f"resume with: emotool train {self.folder} --resume"


def create_run(root: Path, name: str, config: Mapping[str, Any]) -> Run:
    """Make the folder of a new run.

    Parameters
    ----------
    root : Path
        The folder of all runs, ``runs``.
    name : str
        The model's name.
    config : mapping
        What JSON can hold: everything the run depends on.

    Returns
    -------
    Run
        In a folder named by the time.

    Raises
    ------
    OutputError
        If that cannot be written.
    """
    parent = root / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        place = _new_folder(parent, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))
        (place / "checkpoints").mkdir()
    except OSError as error:
        raise OutputError(
            f"cannot make a run's folder in {parent}: {error.strerror}",
            hint="choose a folder that you may write to with --runs",
        ) from error
    write_json(place / "config.json", config)
    return open_run(place)


def _new_folder(parent: Path, stamp: str) -> Path:
    """Make a new folder, even where two runs start in one second."""
    for number in range(1, 1000):
        place = parent / (stamp if number == 1 else f"{stamp}-{number:03d}")
        try:
            place.mkdir()
        except FileExistsError:
            continue
        return place
    raise OutputError(f"cannot make a run's folder in {parent}: too many of this second")


def open_run(folder: Path) -> Run:
    """Open a run's folder.

    Raises
    ------
    TrainingError
        If it is none.
    """
    if not (folder / "config.json").is_file():
        raise TrainingError(f"{folder} is not a run's folder: it has no config.json")
    return Run(folder, dict(read_json(folder / "config.json")))


@contextmanager
def exclusively(run: Run) -> Iterator[None]:
    """Keep other processes from training the same run while the block runs.

    Raises
    ------
    TrainingError
        If one is at it already.
    """
    with ExitStack() as held:
        try:
            held.enter_context(OutputLock(run.folder / "checkpoints"))
        except JournalError as error:
            raise TrainingError(
                f"{run.folder} is being trained by another process",
                hint="wait for it to end, or start a run of its own without --resume",
            ) from error
        yield


def find_runs(root: Path, name: str, *, finished: bool) -> list[Run]:
    """Find a model's runs, newest first.

    Parameters
    ----------
    root : Path
        The folder of all runs, ``runs``.
    name : str
        The model's name.
    finished : bool
        Those that have come to their end, or those that can be resumed.
    """
    folders = [path.parent for path in (root / name).glob("*/config.json")]
    runs = [open_run(folder) for folder in sorted(folders, key=_age, reverse=True)]
    return [run for run in runs if run.finished == finished]


def _age(folder: Path) -> tuple[str, Path]:
    return folder.name, folder
