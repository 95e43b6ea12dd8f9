"""The training loop: epochs, validation, checkpoints, early stopping.

Everything random in an epoch follows from (seed, epoch), and everything else an epoch depends on
is in the checkpoint of the one before. So a run that is interrupted and resumed ends with the
same bits as one that was not.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from emotool.errors import TrainingError
from emotool_training.loop.dataset import TrainingSet, generator
from emotool_training.loop.objective import Objective
from emotool_training.loop.optimiser import Optimiser, WeightAverage
from emotool_training.recipes.recipe import Recipe
from emotool_training.runs.stage import Stage

__all__ = ["Fit", "Progress", "Watcher"]

Row = dict[str, float]


class Watcher(Protocol):
    """Receives the progress of training."""

    def epoch_begins(self, epoch: int, steps: int) -> None:
        """Receive the start of epoch ``epoch`` (from 0) of ``steps`` batches."""

    def step_ends(self, loss: float) -> None:
        """Receive the mean loss of the epoch so far."""

    def epoch_ends(self, row: Row, best: int) -> None:
        """Receive an epoch's figures, and which epoch (from 0) is the best so far."""


@dataclass
class Progress:
    """The progress of a run.

    Attributes
    ----------
    history : list of dict
        Each finished epoch's figures.
    best : int
        Index of the best epoch; -1 before the first.
    score : tuple of float
        That epoch's rank.
    """

    history: list[Row] = field(default_factory=list)
    best: int = -1
    score: tuple[float, ...] = ()


class Fit:
    """Trains a model.

    Parameters
    ----------
    model : keras.Model
    objective : Objective
        Made for the same model.
    data : TrainingSet
    recipe : Recipe
    stage : Stage
        Where checkpoints, history and best weights are kept; one that has checkpoints already
        is resumed.
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Objective,
        data: TrainingSet,
        recipe: Recipe,
        stage: Stage,
    ) -> None:
        self._model, self._objective, self._data = model, objective, data
        self._recipe, self._stage = recipe, stage
        self._optimiser = Optimiser(model, recipe)
        self._average = WeightAverage(model, recipe.average_decay)
        self._seeds = [v for v in model.variables if v.path.endswith("seed_generator_state")]
        # Nothing here branches on tensors: autograph would only read the source, slowly.
        self._step = tf.function(self._take_step, autograph=False)
        # Compiled into one pass over the weights: a pass per operation takes twice as long.
        self._update = tf.function(self._descend, autograph=False, jit_compile=_compiled())
        self.progress = Progress()

    @property
    def _state(self) -> dict[str, list[Any]]:
        """Every variable that later epochs depend on."""
        return {
            "weights": list(self._model.weights),
            "optimiser": self._optimiser.state,
            "average": self._average.state,
        }

    def run(self, watcher: Watcher) -> Progress:
        """Train to the last epoch or to the end of patience, and leave the best weights in place.

        Returns
        -------
        Progress

        Raises
        ------
        TrainingError
            If the loss is no longer a number, or a checkpoint is of another run.
        OutputError
            If the run's folder cannot be written.
        """
        facts = self._stage.restore(self._state)
        if facts is not None:
            score = tuple(facts["score"])
            self.progress = Progress(facts["history"], facts["best"], score)
        while not self._finished():
            self._epoch(len(self.progress.history), watcher)
        self._stage.load_best(self._model)
        return self.progress

    def _finished(self) -> bool:
        done, best = len(self.progress.history), self.progress.best
        waited = done - 1 - best if best >= 0 else 0
        return done >= self._recipe.epochs or waited >= self._recipe.patience

    def _epoch(self, epoch: int, watcher: Watcher) -> None:
        """Train one epoch, validate it and write a checkpoint."""
        self._reseed(epoch)
        watcher.epoch_begins(epoch, self._data.steps)
        steps = self._data.steps
        total, rate = 0.0, 0.0
        for step, (windows, targets) in enumerate(self._data.epoch(epoch)):
            rate = self._optimiser.set_rate(epoch * steps + step, steps)
            loss = float(self._step(windows, targets))
            if not np.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} at step {step + 1} of epoch {epoch + 1}",
                    hint="a smaller learning_rate in the recipe may help",
                )
            total += loss
            watcher.step_ends(total / (step + 1))
        row = {"epoch": epoch + 1, "learning_rate": rate, "loss": total / steps}
        with self._average.in_place():
            row |= self._objective.validate()
            self._rank(row)
        self._keep()
        watcher.epoch_ends(row, self.progress.best)

    def _rank(self, row: Row) -> None:
        """Add an epoch to the history, and its weights to the disk if they are the best yet."""
        score = self._objective.score(row)
        if self._eligible() and (self.progress.best < 0 or score > self.progress.score):
            # Written before the checkpoint: were the process to die in between, the resumed run
            # would do this epoch again and write the same.
            self._stage.save_best(self._model)
            self.progress.best, self.progress.score = len(self.progress.history), score
        self.progress.history.append(row)

    def _eligible(self) -> bool:
        """Tell whether the weights of the epoch that ends may be the best."""
        epoch = len(self.progress.history) + 1
        return epoch >= min(self._recipe.first_judged, self._recipe.epochs)

    def _keep(self) -> None:
        """Write history and checkpoint."""
        progress = self.progress
        self._stage.write_history(progress.history)
        facts = {"history": progress.history, "best": progress.best, "score": progress.score}
        self._stage.keep(len(progress.history), self._state, facts)

    def _reseed(self, epoch: int) -> None:
        """Set the seeds of dropout for an epoch."""
        random = generator(self._data.seed, "dropout", epoch)
        for variable in self._seeds:
            variable.assign([int(random.integers(2**31)), 0])

    def _take_step(self, windows: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Descend the loss of one batch; f32 []."""
        with tf.GradientTape() as tape:
            loss = self._objective.loss(windows, targets)
        weights = [weight.value for weight in self._optimiser.weights]
        self._update(tape.gradient(loss, weights))
        return loss

    def _descend(self, gradients: Sequence[tf.Tensor]) -> None:
        """Change the weights, and their average."""
        self._optimiser.apply(gradients)
        self._average.update()


def _compiled() -> bool:
    """Whether TensorFlow's compiler XLA is there for sure.

    It is in the wheels for Linux; for a GPU it needs CUDA's own compiler, which may be missing.
    """
    return sys.platform == "linux" and not tf.config.list_physical_devices("GPU")
