"""95 % intervals by resampling speakers within their corpora.

Clips of one speaker resemble each other, so the unit of resampling is the speaker: an
interval over clips would be far too narrow. Speakers are drawn with replacement within their
corpus, which keeps each corpus's number of speakers, and the corpora themselves are held
fixed: the interval speaks of other people in these corpora, not of other corpora.

A corpus with a single speaker (TESS has one of its two here) draws that speaker every time.
It adds no width: its own interval is unknown (None), and the interval of a mean over corpora
that includes it does not cover what another speaker of it would change. That makes the
interval too narrow rather than too wide, and reports say so.

A draw is a vector of counts, how often each speaker was taken, so its confusion matrix is
the counts times the speakers' matrices: all draws are one matrix product.

Davison & Hinkley (1997), "Bootstrap Methods and their Application", §3.8,
doi:10.1017/CBO9780511802843; the percentile interval is the plainest of theirs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["DRAWS", "draw_speakers", "percentile_interval", "speaker_confusions"]

DRAWS = 2000

Floats = NDArray[np.float64]


def draw_speakers(
    corpora: Sequence[str], *, draws: int = DRAWS, seed: int = 0, speakers: int | None = None
) -> Floats:
    """Draw speakers with replacement within their corpora.

    Parameters
    ----------
    corpora : sequence of str, length speakers
        The corpus of each speaker.
    draws : int
        How many samples.
    seed : int
        The same seed gives the same draws.
    speakers : int, optional
        How many to draw, about; each corpus has its share of them, and at least one.
        Otherwise as many as there are.

    Returns
    -------
    ndarray of float64, shape (draws, speakers)
        How often each speaker was taken; each corpus's counts sum to its speakers.

    Examples
    --------
    >>> counts = draw_speakers(["nemo", "nemo", "tess"], draws=100)
    >>> counts[:, :2].sum(axis=1).tolist() == [2.0] * 100
    True
    >>> counts[:, 2].tolist() == [1.0] * 100
    True
    """
    names = np.asarray(corpora, dtype=str)
    share = 1.0 if speakers is None else speakers / len(names)
    generator = np.random.default_rng(seed)
    counts = np.zeros((draws, len(names)))
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        even = np.full(len(members), 1 / len(members))
        drawn = max(1, round(share * len(members)))
        counts[:, members] = generator.multinomial(drawn, even, size=draws)
    return counts


def speaker_confusions(
    truth: ArrayLike, predicted: ArrayLike, speaker: ArrayLike, sizes: tuple[int, int]
) -> Floats:
    """Confusion matrix of each speaker.

    Parameters
    ----------
    truth, predicted, speaker : array_like of int, shape (clips,)
        Label and speaker indices.
    sizes : tuple of int
        How many speakers and how many labels there are.

    Returns
    -------
    ndarray of float64, shape (speakers, labels, labels)
        Rows are true labels.
    """
    speakers, labels = sizes
    cell = (np.asarray(speaker) * labels + np.asarray(truth)) * labels + np.asarray(predicted)
    counts = np.bincount(cell.astype(np.int64), minlength=speakers * labels * labels)
    return counts.reshape(speakers, labels, labels).astype(np.float64)


def percentile_interval(values: ArrayLike) -> tuple[float, float]:
    """Take the 2.5th and 97.5th percentile of what the draws scored; NaN are left out.

    Examples
    --------
    >>> percentile_interval(np.linspace(0, 1, 1001))
    (0.025, 0.975)
    """
    low, high = np.nanpercentile(np.asarray(values, dtype=np.float64), [2.5, 97.5])
    return float(low), float(high)
