"""A training run as the command line starts it: reported, interrupted, resumed."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from emotool.errors import EmotoolError, TrainingError
from emotool_training.evaluation.headline import headline
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.plan import Plan
from emotool_training.jobs.start import Places, begin, resume
from emotool_training.progress import Display
from emotool_training.runs.folder import Run, exclusively
from emotool_training.tf_setup import device_name, load_tensorflow

__all__ = ["Places", "run_training"]


def run_training(
    name: str,
    choices: Choices,
    places: Places,
    *,
    again: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """Begin a run, or go on with one, and see it through.

    Parameters
    ----------
    name : str
        Of a recipe; to go on, also a run's folder.
    choices : Choices
    places : Places
    again : bool
        Go on with an unfinished run.
    check : callable
        Called after each epoch; what it raises ends training as Ctrl-C does.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    EmotoolError
        Whatever keeps the run from its end.
    """
    run, plan = (resume if again else begin)(name, choices, places)
    display = Display(plan.recipe.epochs, check=check)
    display.say(f"{'resuming' if again else 'run'}: {run.folder}")
    display.say(f"split: {plan.split.description}")
    if plan.split.skipped:
        display.say(plan.split.skipped)
    try:
        _train(run, plan, display)
    except (KeyboardInterrupt, SystemExit):
        done = run.epochs_kept()
        kept = "1 epoch" if done == 1 else f"{done} epochs"
        display.say(f"interrupted: {kept} saved; {run.resume_hint()}")
        raise
    except EmotoolError:
        if not again:
            _remove_unstarted(run)
        raise
    return run.folder


def _remove_unstarted(run: Run) -> None:
    """Remove a run with nothing to resume, unless another process trains it or has finished it."""
    with suppress(TrainingError), exclusively(run):
        if not run.epochs_kept() and not run.finished:
            shutil.rmtree(run.folder, ignore_errors=True)


def _train(run: Run, plan: Plan, display: Display) -> None:
    """Load TensorFlow, which takes seconds and which mistakes need not wait for, and train."""
    load_tensorflow("emotool train")
    from emotool_training.jobs.train import train

    display.say(f"device: {device_name()}")
    metrics = train(run, plan, display)
    for subset in ("validation", "test"):
        if subset in metrics:
            display.say(f"{subset}: {headline(metrics[subset])}")
