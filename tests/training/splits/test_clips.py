"""A split by clips says that it is not comparable."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance
from emotool_training.splits import (
    NOT_COMPARABLE,
    kfold_speakers,
    split_clips,
    split_speakers,
)
from tests.corpus_tree import made_up

CORPORA = {"a": 20, "b": 7, "c": 1}


def speakers(clips: Iterable[Utterance]) -> set[str]:
    """Return who speaks in the clips."""
    return {clip.speaker for clip in clips}


def test_a_split_by_clips_may_test_on_none_too() -> None:
    """It is the only one for clips without speakers; a share that gives no clip is refused."""
    clips = [replace(clip, speaker="") for clip in made_up(CORPORA)]
    split = split_clips(clips, validation=0.1, test=0.0)
    assert (split.test, len(split.validation)) == ((), round(0.1 * len(clips)))
    assert "none to test" in split.description
    with pytest.raises(CorpusError, match="no clip is left for test"):
        split_clips(clips[:9], test=0.01)


def test_split_by_clips_says_that_it_is_not_comparable() -> None:
    """Speakers are shared, and the split says so wherever its description is shown."""
    split = split_clips(made_up(CORPORA), seed=1)
    assert not split.comparable
    assert split.description.endswith(NOT_COMPARABLE)
    assert NOT_COMPARABLE == "not comparable: speakers are shared between training and test"
    assert not speakers(split.train).isdisjoint(speakers(split.test))


def test_split_by_clips_takes_speakers_nobody_knows() -> None:
    """It is what is left for clips without speakers; splits by speaker refuse them."""
    clips = [replace(clip, speaker="") for clip in made_up(CORPORA)]
    assert split_clips(clips).test
    for draw in (split_speakers, kfold_speakers):
        with pytest.raises(CorpusError, match="have no speaker") as caught:
            draw(clips)
        assert "--split clips" in caught.value.hint
