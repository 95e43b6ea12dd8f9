"""A linear head, solved for on embeddings that are standardised within each corpus.

What all recordings of a corpus have in common (its rooms, microphones, language, the way its
actors were asked to speak) shifts its embeddings as a whole. Standardised within its corpus, an
embedding is how a recording differs from the others made like it; the same can be done to the
embeddings of a corpus without labels. Multinomial logistic regression finds the weights, corpora
and labels weighted by the recipe's balance. The result is the same to the bit each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from emotool_training.features.clips import EmbeddedClips
from emotool_training.loop.dataset import balanced_weights
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import LinearHead

__all__ = ["Solved", "Statistics", "halfway", "probabilities", "solve", "statistics_of"]

Floats = npt.NDArray[np.float32]

VARIANCE_FLOOR = 1e-6
"""Added to a variance before the root, lest a feature that never changes be divided by 0."""

_STEPS = 300
"""Steps of the solver at most; it has converged after about a hundred."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and standard deviation of embeddings, f32 [size] each."""

    mean: Floats
    deviation: Floats

    def apply(self, embeddings: Floats) -> Floats:
        """Standardise embeddings, f32 [n, size]."""
        return np.asarray((embeddings - self.mean) / self.deviation, np.float32)


@dataclass(frozen=True, eq=False)
class Solved:
    """A head: its statistics, its weights f32 [size, labels] and bias f32 [labels].

    ``loss`` is the weighted mean cross-entropy of the clips it was fitted to.
    """

    statistics: Statistics
    kernel: Floats
    bias: Floats
    loss: float


def statistics_of(windows: Sequence[Floats]) -> Statistics:
    """Return mean and deviation over clips, each weighing the same however long it is.

    Parameters
    ----------
    windows : sequence of ndarray of float32, shape (windows, size)
        Each clip's embeddings.
    """
    stacked = np.concatenate(windows)  # [all windows, size]
    weights = np.concatenate([np.full(len(w), 1.0 / len(w), np.float32) for w in windows])
    return _weighted(stacked, weights)


def _weighted(embeddings: Floats, weights: Floats) -> Statistics:
    share = (weights / weights.sum()).astype(np.float32)  # [n]
    mean = share @ embeddings  # [size]
    variance = share @ np.square(embeddings - mean)
    return Statistics(mean, np.sqrt(variance + np.float32(VARIANCE_FLOOR)))


def halfway(one: Statistics, other: Statistics, share: float = 0.5) -> Statistics:
    """Blend two statistics: ``share`` of the second, the rest of the first."""
    first, second = np.float32(1 - share), np.float32(share)
    return Statistics(
        first * one.mean + second * other.mean, first * one.deviation + second * other.deviation
    )


def solve(clips: EmbeddedClips, recipe: Recipe, settings: LinearHead) -> Solved:
    """Fit a head to clips.

    Parameters
    ----------
    clips : EmbeddedClips
        Of all corpora to train on.
    recipe : Recipe
        Its labels, and the balance of corpora and labels.
    settings : LinearHead
        Penalty, components, statistics.

    Returns
    -------
    Solved
        With the mean over the corpora's statistics, used for an unknown corpus.
    """
    own = _corpus_statistics(clips, settings.least_clips)
    parts = list(own.values())
    centre = Statistics(
        np.mean([part.mean for part in parts], 0, dtype=np.float32),
        np.mean([part.deviation for part in parts], 0, dtype=np.float32),
    )
    blended = {c: halfway(centre, part, settings.own_statistics) for c, part in own.items()}
    counts = np.array([len(windows) for windows in clips.windows])
    standardised = np.concatenate(
        [
            blended.get(corpus, centre).apply(windows)
            for corpus, windows in zip(clips.corpora, clips.windows, strict=True)
        ]
    )  # [all windows, size]
    balance = balanced_weights(
        clips.corpora, clips.targets.tolist(), recipe.corpus_balance, recipe.label_balance
    )
    weights = np.repeat(balance / counts, counts).astype(np.float32)  # [all windows], sum 1
    targets = np.eye(len(recipe.labels), dtype=np.float32)[np.repeat(clips.targets, counts)]
    centred, basis = _components(standardised, weights, settings.components)
    kernel, bias, loss = _regress(centred @ basis, targets, weights, settings.penalty)
    whole = basis @ kernel  # [size, labels]
    shift = weights @ standardised  # [size]
    return Solved(centre, whole, (bias - shift @ whole).astype(np.float32), loss)


def _corpus_statistics(clips: EmbeddedClips, least: int) -> dict[str, Statistics]:
    """Return the statistics of each corpus that is large enough; of all clips if none is."""
    found = {}
    for corpus in sorted(set(clips.corpora)):
        members = [w for w, c in zip(clips.windows, clips.corpora, strict=True) if c == corpus]
        if len(members) >= least:
            found[corpus] = statistics_of(members)
    return found or {"": statistics_of(clips.windows)}


def _components(embeddings: Floats, weights: Floats, count: int) -> tuple[Floats, Floats]:
    """Centre embeddings, and find their main directions: f32 [n, size] and [size, count].

    By two rounds of subspace iteration from seeded directions (Halko et al. 2011,
    doi:10.1137/090771806): a whole decomposition takes twenty times as long.
    """
    centred = (embeddings - weights @ embeddings).astype(np.float32)
    scaled = centred * np.sqrt(weights)[:, None]  # [n, size]
    size = min(count, *scaled.shape)
    seeds = np.random.default_rng(0).standard_normal(
        (scaled.shape[1], min(size + 30, *scaled.shape))
    )
    basis = seeds.astype(np.float32)
    for _ in range(2):
        basis, _triangle = np.linalg.qr(scaled.T @ (scaled @ basis))
    inner = scaled @ basis  # [n, size + 30]
    _, turned = np.linalg.eigh(inner.T @ inner)
    return centred, np.asarray(basis @ turned[:, ::-1][:, :size], np.float32)


def _regress(
    inputs: Floats, targets: Floats, weights: Floats, penalty: float
) -> tuple[Floats, Floats, float]:
    """Fit multinomial logistic regression; f32 [components, labels], [labels] and the loss."""
    components, labels = inputs.shape[1], targets.shape[1]
    cut = components * labels

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        kernel = flat[:cut].reshape(components, labels).astype(np.float32)
        shares, loss = _softmax_loss(
            inputs @ kernel + flat[cut:].astype(np.float32), targets, weights
        )
        slopes = (shares - targets) * weights[:, None]  # [n, labels]
        gradient = inputs.T @ slopes + penalty * kernel
        both = np.concatenate([gradient.ravel(), slopes.sum(0)]).astype(np.float64)
        return loss + 0.5 * penalty * float(np.square(kernel).sum()), both

    options = {"maxiter": _STEPS, "ftol": 1e-8, "gtol": 1e-5}
    start = np.zeros(cut + labels)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
    kernel = found[:cut].reshape(components, labels).astype(np.float32)
    bias = found[cut:].astype(np.float32)
    return kernel, bias, _softmax_loss(inputs @ kernel + bias, targets, weights)[1]


def _softmax_loss(logits: Floats, targets: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return softmax, f32 [n, labels], and the weighted mean cross-entropy."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    sums = powers.sum(axis=1, keepdims=True)
    losses = np.log(sums[:, 0]) - (shifted * targets).sum(axis=1)  # [n]
    return powers / sums, float(weights @ losses)


def probabilities(
    solved: Solved, windows: Sequence[Floats], statistics: Statistics | None = None
) -> npt.NDArray[np.float64]:
    """Predict clips as the network with this head does: mean softmax over a clip's windows.

    Parameters
    ----------
    solved : Solved
    windows : sequence of ndarray of float32, shape (windows, size)
        Each clip's embeddings.
    statistics : Statistics, optional
        To standardise by, instead of the head's own.

    Returns
    -------
    ndarray of float64, shape (clips, labels)
    """
    used = statistics or solved.statistics
    stacked = used.apply(np.concatenate(windows))  # [all windows, size]
    logits = (stacked @ solved.kernel + solved.bias).astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)  # [all windows, labels]
    ends = np.cumsum([len(one) for one in windows])[:-1]
    return np.stack([part.mean(axis=0) for part in np.split(shares, ends)])
