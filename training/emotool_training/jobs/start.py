"""Begin a run, or find the one to go on with."""

import dataclasses
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import emotool
from emotool.errors import InputError, TrainingError
from emotool.files.atomic import sha256_file
from emotool_training.architectures import PRETRAINED
from emotool_training.checkout import git_commit
from emotool_training.features.cache import FeatureCache, Wanted, image_folders
from emotool_training.jobs.choices import WORDS, Choices
from emotool_training.jobs.plan import Plan, fingerprint
from emotool_training.jobs.splitting import refuse_unused, split_by
from emotool_training.jobs.trained import recipe_of
from emotool_training.network.pretrained import default_weights, read_npz
from emotool_training.recipes.recipe import Recipe, model_name
from emotool_training.runs.folder import Run, create_run, find_runs, open_run
from emotool_training.splits import Split

__all__ = ["Places", "begin", "resume"]

PACKAGES = ("tensorflow", "keras", "numpy", "librosa", "soundfile", "soxr")


@dataclass(frozen=True)
class Places:
    """Where things are kept.

    Parameters
    ----------
    runs : Path
        The folder of all runs.
    cache : FeatureCache
    """

    runs: Path
    cache: FeatureCache


def begin(name: str, choices: Choices, places: Places) -> tuple[Run, Plan]:
    """Make a new run.

    Parameters
    ----------
    name : str
        Of a recipe.
    choices : Choices
    places : Places

    Returns
    -------
    tuple of Run and Plan
        Ready for `emotool_training.jobs.train.train`.

    Raises
    ------
    TrainingError, CorpusError
        If there is no such recipe or no data for it, or something was chosen that would have no
        effect.
    """
    recipe = choices.recipe(name)
    refuse_unused(choices)
    choices = choices.settled()
    _check_weights(recipe, choices)
    _check_epochs(recipe, choices)
    split = split_by(choices, recipe.labels)
    config = {
        "name": recipe.name,
        "weights_digest": _weights_digest(recipe, choices),
        "recipe": recipe.to_dict(),
        "choices": asdict(choices),
        "split_digest": split.digest,
        "data_digest": fingerprint(places.cache, split),
        "features": _features(recipe),
        "corpora": sorted({clip.corpus for clip in split.train}),
        "versions": _versions(),
        "git_commit": git_commit(),
    }
    run = create_run(places.runs, recipe.name, config)
    return run, Plan(recipe, split, choices.seed or 0, places.cache, choices.weights)


def resume(name: str, choices: Choices, places: Places) -> tuple[Run, Plan]:
    """Find an unfinished run and what it was doing.

    Parameters
    ----------
    name : str
        A run's folder; or a model's name, or its recipe's file: then the model's newest
        unfinished run that agrees with the choices, and with the recipe as the file has it
        now.
    choices : Choices
        New choices: where things are now; anything else must agree with the run.
    places : Places

    Returns
    -------
    tuple of Run and Plan

    Raises
    ------
    TrainingError
        If there is no such run, it is finished, or its clips or their features are not what
        they were.
    """
    run, merged = _find(name, choices, places.runs)
    recipe = recipe_of(run)
    split = split_by(merged, recipe.labels)
    _check_same_data(run, split, places.cache)
    weights = _weights_digest(recipe, merged)
    if run.config.get("weights_digest", weights) != weights:
        raise TrainingError(
            f"--weights names others than those that {run.folder} started from",
            hint="name the file of weights it started from, or start a new run",
        )
    if run.config.get("features") != _features(recipe):
        raise TrainingError(
            f"emotool's feature code has changed since {run.folder} was started",
            hint="use the version it was started with, or start a new run",
        )
    return run, Plan(recipe, split, merged.seed or 0, places.cache, merged.weights)


def _check_weights(recipe: Recipe, choices: Choices) -> None:
    """Refuse weights that nothing would be done with, before anything is computed."""
    if choices.weights is None:
        return
    if recipe.architecture not in PRETRAINED:
        raise TrainingError(
            f"{recipe.name} is trained from scratch: --weights is for networks that start from "
            "others' weights"
        )
    if choices.weights in WORDS:
        return
    path = Path(choices.weights)
    if not path.is_file():
        raise TrainingError(f"{choices.weights}: there is no such file of weights")
    if path.name.endswith(".npz"):
        read_npz(path)


def _check_epochs(recipe: Recipe, choices: Choices) -> None:
    """Refuse a number of epochs where there are none."""
    if choices.epochs is not None and recipe.linear_head and not recipe.fine_tuning:
        raise TrainingError(
            f"{recipe.name} is trained in one step, by a linear head: --epochs has no effect"
        )


def _weights_digest(recipe: Recipe, choices: Choices) -> str | None:
    """Fingerprint what a run starts from: a file by its content; None without weights."""
    if recipe.architecture not in PRETRAINED:
        return None
    if choices.weights is None or choices.weights in WORDS:
        return choices.weights or default_weights(recipe.architecture)
    try:
        return sha256_file(Path(choices.weights))
    except InputError as error:
        raise TrainingError(
            error.message, hint="give the file's present path with --weights"
        ) from error


def _find(name: str, choices: Choices, root: Path) -> tuple[Run, Choices]:
    """Find the run to resume, with its choices."""
    folder = Path(name)
    if (folder / "config.json").is_file():
        run = open_run(folder)
        if run.finished:
            raise TrainingError(f"{folder} is finished: there is nothing to resume")
        merged = _in_effect(run).merged(choices)
        if merged is None:
            raise TrainingError(
                f"{folder} was started with other options", hint="resume it without options"
            )
        return run, merged
    model = choices.name or model_name(name)
    runs = find_runs(root, model, finished=False)
    for run in runs:
        merged = _in_effect(run).merged(choices)
        if merged is not None and (model == name or _is_by(name, run)):
            return run, merged
    if runs:
        options = "other options" if model == name else "other options or another recipe"
        raise TrainingError(
            f"the unfinished runs of {model!r} were started with {options}",
            hint=runs[0].resume_hint(),
        )
    raise TrainingError(
        f"there is no unfinished run of {model!r} in {root}", hint="start one without --resume"
    )


def _choices_of(run: Run) -> Choices:
    return Choices.from_dict(run.config.get("choices"))


def _in_effect(run: Run) -> Choices:
    """Read a run's choices, with what it has from its recipe: to name that is no other choice."""
    recipe = recipe_of(run)
    return dataclasses.replace(_choices_of(run), labels=recipe.labels, epochs=recipe.epochs)


def _is_by(file: str, run: Run) -> bool:
    """Tell whether a run learns by a recipe's file as it is now: it may have been changed."""
    return _choices_of(run).recipe(file) == recipe_of(run)


def _check_same_data(run: Run, split: Split, cache: FeatureCache) -> None:
    """Refuse to go on with other clips: the result would be neither run's."""
    same = split.digest == run.config.get("split_digest")
    if not same or fingerprint(cache, split) != run.config.get("data_digest"):
        raise TrainingError(
            f"the clips are no longer those that {run.folder} was started with",
            hint="name the folders they are in now with --data, or start a new run",
        )


def _features(recipe: Recipe) -> list[str]:
    """Name what the features depend on beside the clips: settings and the code's content."""
    spec = recipe.spectrogram
    return [Wanted("windows", spec).folder(), *image_folders(spec, recipe.variants)]


def _versions() -> dict[str, str]:
    """Name what the numbers may depend on beside the data and the recipe."""
    found = {"emotool": emotool.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
