"""Draw clips or whole speakers at random, stratified, independent of the order of files."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance

__all__ = ["deal_speakers", "take_clips"]

Table = NDArray[np.float64]

_DRAWS = 32  # random orders tried; the most even outcome is kept


def take_clips(
    utterances: Iterable[Utterance], fraction: float, seed: int
) -> tuple[list[Utterance], list[Utterance]]:
    """Take a share of the clips, alike from every emotion of every corpus.

    The clips are ordered by stratum and, within it, by a seeded hash of their keys; then they
    are counted off evenly. So every stratum gives its share to within one clip, the whole gives
    it to within one, and neither the files' order nor a clip elsewhere in the order matters.

    Parameters
    ----------
    utterances : iterable of Utterance
        What to take from.
    fraction : float
        Between 0 and 1.
    seed : int
        Another seed takes other clips.

    Returns
    -------
    taken, rest : list of Utterance
        ``round(fraction * n)`` clips, and the others.
    """

    def order(clip: Utterance) -> tuple[str, str, str]:
        drawn = f"{seed}\t{clip.key}".encode("utf-8", "surrogateescape")
        return (clip.corpus, clip.emotion, hashlib.sha256(drawn).hexdigest())

    taken: list[Utterance] = []
    rest: list[Utterance] = []
    due = 0.5  # so that the last, unfinished step is rounded
    for clip in sorted(utterances, key=order):
        due += fraction
        if due >= 1.0:
            due -= 1.0
            taken.append(clip)
        else:
            rest.append(clip)
    return taken, rest


def deal_speakers(
    utterances: Sequence[Utterance], shares: Sequence[float], seed: int
) -> list[list[Utterance]]:
    """Deal whole speakers into parts, so that each part has its share of every stratum.

    A stratum is an emotion, or a sex, within a corpus. Speakers are dealt in random order, each
    to the part where it brings the strata nearest to the shares; of several such deals the most
    even is kept. The greedy step is that of scikit-learn's ``StratifiedGroupKFold``.

    Parameters
    ----------
    utterances : sequence of Utterance
        Clips with known speakers.
    shares : sequence of float
        The parts' shares, summing to 1.
    seed : int
        Another seed gives another deal.

    Returns
    -------
    list of lists of Utterance
        One per share, none of them empty.

    Raises
    ------
    CorpusError
        If there are fewer speakers than parts.
    """
    clips: dict[str, list[Utterance]] = defaultdict(list)
    for clip in utterances:
        clips[clip.speaker].append(clip)
    names = sorted(clips)
    if len(names) < len(shares):
        raise CorpusError(
            f"{len(names)} speakers cannot be divided into {len(shares)} disjoint parts",
            hint="add speakers, or take --split clips, whose figures are not comparable",
        )
    weights = _weights({name: _strata(clips[name]) for name in names})  # [speakers, strata]
    rng = np.random.RandomState(seed)  # its legacy stream is frozen: the same in every version
    deals = [_deal(weights, np.asarray(shares), rng.permutation(len(names))) for _ in range(_DRAWS)]
    _, parts = min(deals, key=lambda deal: deal[0])
    return [
        [
            clip
            for name, part in zip(names, parts, strict=True)
            if part == index
            for clip in clips[name]
        ]
        for index in range(len(shares))
    ]


def _strata(clips: Iterable[Utterance]) -> Counter[Hashable]:
    """Count a speaker's clips by emotion and by sex within the corpus."""
    counts: Counter[Hashable] = Counter()
    for clip in clips:
        counts[clip.corpus, "emotion", clip.emotion] += 1
        counts[clip.corpus, "sex", clip.sex] += 1
    return counts


def _weights(counts: Mapping[str, Counter[Hashable]]) -> Table:
    """Give each speaker's share of each stratum, float64 [speakers, strata]; columns sum to 1."""
    strata = sorted({stratum for counter in counts.values() for stratum in counter}, key=repr)
    table = np.array([[counter[s] for s in strata] for counter in counts.values()], np.float64)
    shares: Table = table / table.sum(axis=0)
    return shares


def _deal(weights: Table, shares: Table, order: NDArray[np.integer]) -> tuple[float, list[int]]:
    """Deal speakers in one order; returns how uneven it came out, and each speaker's part."""
    dealt = np.zeros((len(shares), weights.shape[1]))  # [parts, strata]
    parts = np.full(len(weights), -1)
    empty = np.ones(len(shares), bool)
    for turn, speaker in enumerate(order):
        # Adding w to a part that holds d of its share s changes (d - s)^2 by w (w + 2 (d - s)).
        change = weights[speaker] * (weights[speaker] + 2 * (dealt - shares[:, None]))
        cost = change.sum(axis=1)  # [parts]
        if len(order) - turn == np.count_nonzero(empty):  # the last ones fill what is empty
            cost[~empty] = np.inf
        part = int(np.argmin(cost))
        dealt[part] += weights[speaker]
        parts[speaker] = part
        empty[part] = False
    return float(((dealt - shares[:, None]) ** 2).sum()), parts.tolist()
