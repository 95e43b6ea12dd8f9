"""Splits keep speakers on one side and do not depend on the order of files."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import CorpusError
from emotool_training.corpora import EMOTIONS, Utterance, cremad
from emotool_training.splits import (
    Split,
    cremad_split,
    kfold_speakers,
    split_clips,
    split_speakers,
)
from tests.corpus_tree import made_up

CORPORA = {"a": 20, "b": 7, "c": 1}


def speakers(clips: Iterable[Utterance]) -> set[str]:
    """Return who speaks in the clips."""
    return {clip.speaker for clip in clips}


def everything(split: Split) -> list[Utterance]:
    """Return all clips of a split, sorted by key."""
    clips = (*split.train, *split.validation, *split.test)
    return sorted(clips, key=lambda clip: clip.key)


@given(
    counts=st.dictionaries(st.sampled_from("abc"), st.integers(1, 9), min_size=1),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_speakers_are_on_one_side_in_any_order(
    counts: dict[str, int], seed: int, data: st.DataObject
) -> None:
    """Every clip is on one side, every speaker too; shuffling the files changes nothing."""
    clips = made_up(counts, clips=1, emotions=("happy", "sad"))
    if len(speakers(clips)) < 3:
        with pytest.raises(CorpusError, match="speakers cannot be divided into 3 disjoint parts"):
            split_speakers(clips, seed=seed)
        return
    split = split_speakers(clips, seed=seed)
    sides = [speakers(side) for side in split.subsets().values()]
    assert all(sides)
    assert sum(map(len, sides)) == len(speakers(clips))
    assert everything(split) == sorted(clips, key=lambda clip: clip.key)
    assert split_speakers(data.draw(st.permutations(clips)), seed=seed) == split


def test_shares_are_met_within_each_corpus() -> None:
    """Each corpus of many speakers gives about the share asked for, of every emotion and sex."""
    split = split_speakers(made_up({"a": 24, "b": 40}), validation=0.25, test=0.25)
    for side, share in (("train", 0.5), ("validation", 0.25), ("test", 0.25)):
        for corpus, total in (("a", 24), ("b", 40)):
            clips = [clip for clip in split.subsets()[side] if clip.corpus == corpus]
            assert len(speakers(clips)) == pytest.approx(share * total, abs=1)
            sexes = Counter({clip.speaker: clip.sex for clip in clips}.values())
            assert sexes["male"] == pytest.approx(sexes["female"], abs=2)
            assert set(Counter(clip.emotion for clip in clips)) == set(EMOTIONS)


def test_seed_decides_who_is_where() -> None:
    """One seed gives one split, another gives another."""
    clips = made_up(CORPORA)
    splits = [split_speakers(clips, seed=seed) for seed in range(8)]
    assert split_speakers(clips, seed=3) == splits[3]
    assert len({split.digest for split in splits}) == 8


def test_split_for_a_model_to_give_away_tests_on_none() -> None:
    """With no test share, all speakers but those who validate are trained on."""
    clips = made_up(CORPORA)
    split = split_speakers(clips, validation=0.1, test=0.0)
    assert split.test == ()
    assert speakers(split.train).isdisjoint(speakers(split.validation))
    assert len(split.train) + len(split.validation) == len(clips)
    assert 0.05 < len(split.validation) / len(clips) < 0.15


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (0.0, 0.2), (0.2, -0.1), (1.2, 0.0)])
def test_shares_that_leave_nothing_are_refused(validation: float, test: float) -> None:
    """Every side that trains or stops training needs clips."""
    for draw in (split_speakers, split_clips):
        with pytest.raises(CorpusError, match="leave no training"):
            draw(made_up(CORPORA), validation=validation, test=test)


def test_each_speaker_is_tested_on_in_one_fold() -> None:
    """The folds' test speakers are all speakers, none twice; no fold shares speakers."""
    clips = made_up(CORPORA)
    folds = kfold_speakers(clips, folds=4, seed=1)
    tested = [speaker for fold in folds for speaker in speakers(fold.test)]
    assert sorted(tested) == sorted(speakers(clips))
    for fold in folds:
        assert everything(fold) == sorted(clips, key=lambda clip: clip.key)
        assert fold.comparable
    assert folds == kfold_speakers(list(reversed(clips)), folds=4, seed=1)
    with pytest.raises(CorpusError, match="2 or more"):
        kfold_speakers(clips, folds=1)


def test_published_split_of_cremad() -> None:
    """CREMA-D's actors go where the published lists put them; other corpora are left out."""
    clips = [
        cremad.parse(Path(f"{number}_DFA_{emotion}_XX.wav"))
        for number in cremad.actors()
        for emotion in ("HAP", "SAD")
    ]
    own = [clip for clip in clips if clip is not None]
    split = cremad_split([*own, *made_up({"a": 3}, clips=1)])
    assert [len(speakers(side)) for side in split.subsets().values()] == [56, 18, 17]
    assert everything(split) == sorted(own, key=lambda clip: clip.key)
    assert (split.kind, split.comparable) == ("cremad", True)
    assert "clips of other corpora left out" in split.description
    with pytest.raises(CorpusError, match="none of its clips are here"):
        cremad_split(made_up({"a": 3}))
    with pytest.raises(CorpusError, match="no clip is left for validation"):
        cremad_split([clip for clip in own if clip.speaker == "cremad-1001"])
