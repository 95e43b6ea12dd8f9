"""Train a network of which nothing but a linear head is fitted, and predict with it."""

import numpy as np

from emotool.errors import TrainingError
from emotool_training.architectures.blocks import set_head
from emotool_training.corpora import Utterance
from emotool_training.evaluation import metrics
from emotool_training.evaluation.predictions import Predictions
from emotool_training.features.clips import EmbeddedClips
from emotool_training.features.loader import FeatureLoader
from emotool_training.jobs.predicted import predictions_of
from emotool_training.loop.embeddings import Embeddings
from emotool_training.loop.fit import Progress
from emotool_training.loop.linear_head import (
    Solved,
    halfway,
    probabilities,
    solve,
    statistics_of,
)
from emotool_training.network.network import Network
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import LinearHead
from emotool_training.runs.folder import Run
from emotool_training.splits import Split

__all__ = ["LinearTraining"]


class LinearTraining:
    """A training in one step.

    Parameters
    ----------
    network : Network
        With the weights that it keeps; its head is fitted.
    recipe : Recipe
        With a linear head.
    gather : FeatureLoader
        Finds the clips.
    """

    def __init__(self, network: Network, recipe: Recipe, gather: FeatureLoader) -> None:
        self._model, self._recipe, self._labels = network.main, recipe, len(recipe.labels)
        self._embeddings = Embeddings(network.main, gather)
        self._solved: Solved | None = None

    def fit(self, split: Split, run: Run, settings: LinearHead) -> Progress:
        """Fit the head to the training clips, and keep the weights in the run.

        Returns
        -------
        Progress
            Of one epoch, judged on the validation clips.
        """
        clips = self._embeddings.clips(split.train, "training embeddings")
        judged = self._embeddings.clips(split.validation, "validation embeddings")
        solved = solve(clips, self._recipe, settings)
        self._solved = solved
        statistics = solved.statistics
        values = {"mean": statistics.mean, "deviation": statistics.deviation}
        set_head(
            self._model.get_layer("head"),
            {**values, "kernel": solved.kernel, "bias": solved.bias},
        )
        row = {"epoch": 1, "learning_rate": 0.0, "loss": solved.loss, **self._judge(solved, judged)}
        stage = run.stage()
        stage.save_best(self._model)
        stage.write_history([row])
        return Progress([row], 0, (row["validation_uar"],))

    def _judge(self, solved: Solved, clips: EmbeddedClips) -> dict[str, float]:
        """Return the figures that `emotool_training.loop.objective.Classification` does."""
        shares = probabilities(solved, clips.windows)  # [clips, labels]
        of_truth = shares[np.arange(len(clips.targets)), clips.targets]  # [clips]
        guess = shares.argmax(axis=1)
        return {
            "validation_loss": float(-np.log(np.maximum(of_truth, 1e-12)).mean()),
            "validation_accuracy": metrics.accuracy(clips.targets, guess, self._labels),
            "validation_uar": metrics.mean_uar(clips.targets, guess, clips.corpora, self._labels),
        }

    def predict(self, split: Split, *, own_statistics: float = 0.0) -> Predictions:
        """Predict the validation and test clips.

        Parameters
        ----------
        split : Split
        own_statistics : float
            Share of each corpus's own statistics, of all its clips in a subset and without
            their labels, in those that its embeddings are standardised by.
        """
        if (solved := self._solved) is None:
            raise TrainingError("nothing is fitted yet")
        found: list[tuple[str, Utterance]] = []
        parts = []
        for subset in ("validation", "test"):
            members = split.subsets()[subset]
            for corpus in sorted({clip.corpus for clip in members}):
                clips = [clip for clip in members if clip.corpus == corpus]
                usable = list(self._embeddings.each(clips, f"{subset} embeddings"))
                windows = [vectors for _, vectors in usable]
                if not windows:
                    continue
                own = halfway(solved.statistics, statistics_of(windows), own_statistics)
                parts.append(probabilities(solved, windows, own))
                found += [(subset, clip) for clip, _ in usable]
        return predictions_of(self._recipe.labels, found, np.concatenate(parts))
