"""Multinomial regression whose penalty is the distance from a head that there is already.

What is fitted is the difference: logits are those of the base's head plus a product of their own.
With a strong penalty the product is 0 and the result is the base; the weaker it is, the more the
clips decide. The penalty of n clips is ``strength / n``, as of a prior that does not depend on how
many clips there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

__all__ = ["BLOCK", "Clips", "Floats", "fit", "logits"]

Floats = npt.NDArray[np.float32]

BLOCK = 1024
"""Rows that are multiplied at once: they stay in the processor's cache for the gradient."""

_STEPS = 200
_NEVER = -1e4  # a logit whose probability is 0


@dataclass(frozen=True, eq=False)
class Clips:
    """Windows of labelled clips.

    Parameters
    ----------
    inputs : sequence of ndarray of float32, shape (rows, size)
        Standardised embeddings, in blocks.
    offsets : ndarray of float32, shape (windows, labels)
        Logits of the base's head.
    owner : ndarray of int64, shape (windows,)
        Each window's clip.
    targets : ndarray of int64, shape (clips,)
        Label indices.
    cautious : bool, default False
        Whether the speakers are too few to show what carries over to others. A label without clips
        is then a candidate only where the base gives it: that there are no clips of it is no reason
        to give it less often.
    """

    inputs: Sequence[Floats]
    offsets: Floats
    owner: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    cautious: bool = False

    @property
    def weights(self) -> Floats:
        """Share of each window, f32 [windows]: labels weigh the same, and clips of a label."""
        windows = np.bincount(self.owner, minlength=len(self.targets))  # [clips]
        counts = np.bincount(self.targets)[self.targets]  # [clips]
        share = 1.0 / (counts * np.maximum(windows, 1))  # [clips]
        return np.asarray(share[self.owner] / share[self.owner].sum(), np.float32)

    @property
    def effective(self) -> float:
        """Number of clips with equal weights that are as much evidence as these.

        Labels weigh the same, so that a label with one clip rests on that clip: it is the number of
        labels times the harmonic mean of their clips.
        """
        counts = np.bincount(self.targets)
        counts = counts[counts > 0]
        return float(len(counts) ** 2 / (1.0 / counts).sum())

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Clips":
        """Keep the clips where ``chosen`` [clips] is true, copied."""
        rows = chosen[self.owner]  # [windows]
        ends = np.cumsum([len(block) for block in self.inputs])[:-1]
        parts = [b[r] for b, r in zip(self.inputs, np.split(rows, ends), strict=True)]
        renumbered = np.cumsum(chosen) - 1
        return Clips(
            parts,
            self.offsets[rows],
            renumbered[self.owner[rows]],
            self.targets[chosen],
            self.cautious,
        )

    def reduced(self) -> "tuple[Clips, Floats | None]":
        """Give the inputs' coordinates in directions that hold all of them, if they are few.

        A fit in these loses nothing: the penalty leaves the weights within the inputs' span.

        Returns
        -------
        tuple of Clips and ndarray of float32, shape (size, windows)
            None instead of directions where there are as many inputs as numbers in each.
        """
        if len(self.owner) >= self.inputs[0].shape[1]:
            return self, None
        basis = np.asarray(np.linalg.qr(np.concatenate(self.inputs).T)[0], np.float32)
        return replace(self, inputs=[block @ basis for block in self.inputs]), basis


def fit(clips: Clips, strength: float, start: Floats | None = None) -> Floats:
    """Fit what is added to the base's logits.

    Parameters
    ----------
    clips : Clips
    strength : float
        Of the penalty, above 0.
    start : ndarray of float32, shape (size + 1, labels), optional
        Where to begin; the base if not given.

    Returns
    -------
    ndarray of float32, shape (size + 1, labels)
        Weights of the inputs, and of a constant 1.
    """
    shape = (clips.inputs[0].shape[1] + 1, clips.offsets.shape[1])
    penalty = np.float32(strength / len(clips.targets))
    weights = clips.weights[:, None]
    truth = np.eye(shape[1], dtype=np.float32)[clips.targets]  # [clips, labels]
    offsets = _of_candidates(clips) if clips.cautious else clips.offsets

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        added = flat.reshape(shape).astype(np.float32)
        gradient = penalty * added
        loss = 0.5 * float(penalty) * float(np.square(added).sum())
        first = 0
        for block in clips.inputs:
            rows = slice(first, first + len(block))
            first += len(block)
            wanted = truth[clips.owner[rows]]  # [rows, labels]
            raw = offsets[rows] + block @ added[:-1] + added[-1]
            raw -= raw.max(axis=1, keepdims=True)
            powers = np.exp(raw)
            sums = powers.sum(axis=1, keepdims=True)
            losses = np.log(sums) - (raw * wanted).sum(axis=1, keepdims=True)  # [rows, 1]
            loss += float((losses * weights[rows]).sum())
            slopes = (powers / sums - wanted) * weights[rows]
            gradient[:-1] += block.T @ slopes
            gradient[-1] += slopes.sum(axis=0)
        return loss, gradient.ravel().astype(np.float64)

    begin = np.zeros(shape) if start is None else start.astype(np.float64)
    options = {"maxiter": _STEPS, "ftol": 1e-6, "gtol": 1e-5}
    found = minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x.reshape(shape), np.float32)


def _of_candidates(clips: Clips) -> Floats:
    """Return the base's logits, very low for labels without clips unless they are the highest."""
    labels = clips.offsets.shape[1]
    absent = np.bincount(clips.targets, minlength=labels) == 0  # [labels]
    given = clips.offsets.argmax(axis=1)[:, None] == np.arange(labels)  # [windows, labels]
    return np.where(absent & ~given, np.float32(_NEVER), clips.offsets)


def logits(clips: Clips, added: Floats) -> Floats:
    """Compute logits of windows, f32 [windows, labels]."""
    parts = [block @ added[:-1] for block in clips.inputs]
    return np.asarray(clips.offsets + np.concatenate(parts) + added[-1], np.float32)
