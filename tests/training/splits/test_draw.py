"""Clips and speakers are drawn evenly."""

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool_training.corpora import Utterance
from emotool_training.splits.draw import deal_speakers, take_clips
from tests.corpus_tree import made_up


def speakers(clips: Iterable[Utterance]) -> set[str]:
    """Return who speaks in the clips."""
    return {clip.speaker for clip in clips}


@given(st.floats(0.01, 0.99), st.integers(0, 1000), st.data())
def test_clips_are_taken_alike_from_each_stratum(
    fraction: float, seed: int, data: st.DataObject
) -> None:
    """The whole and every stratum give their share, whatever the order of files."""
    clips = made_up({"a": 3, "b": 2}, clips=3)
    taken, rest = take_clips(clips, fraction, seed)
    assert sorted((*taken, *rest), key=lambda c: c.key) == sorted(clips, key=lambda c: c.key)
    assert len(taken) == pytest.approx(fraction * len(clips), abs=0.5001)
    had = Counter((clip.corpus, clip.emotion) for clip in clips)
    gave = Counter((clip.corpus, clip.emotion) for clip in taken)
    for stratum, count in had.items():
        assert gave[stratum] == pytest.approx(fraction * count, abs=1.0001)
    assert take_clips(data.draw(st.permutations(clips)), fraction, seed) == (taken, rest)


def test_dealing_leaves_no_part_empty() -> None:
    """However small its share, each part has a speaker when there are enough."""
    parts = deal_speakers(made_up({"a": 4}), (0.97, 0.01, 0.01, 0.01), seed=0)
    assert [len(speakers(part)) for part in parts] == [1, 1, 1, 1]
