"""Splits keep speakers on one side, do not depend on the order of files, and know their hash."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import CorpusError
from emotool_training.corpora import EMOTIONS, Utterance, cremad
from emotool_training.splits import (
    NOT_COMPARABLE,
    Split,
    cremad_split,
    kfold_speakers,
    make_split,
    split_clips,
    split_speakers,
)
from emotool_training.splits.draw import deal_speakers, take_clips
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
        with pytest.raises(CorpusError, match="speakers cannot be dealt into 3 parts"):
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


def test_a_split_by_clips_may_test_on_none_too() -> None:
    """It is the only one for clips without speakers; a share that gives no clip is refused."""
    clips = [replace(clip, speaker="") for clip in made_up(CORPORA)]
    split = split_clips(clips, validation=0.1, test=0.0)
    assert (split.test, len(split.validation)) == ((), round(0.1 * len(clips)))
    assert "none to test" in split.description
    with pytest.raises(CorpusError, match="no clip is left for test"):
        split_clips(clips[:9], test=0.01)


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
        with pytest.raises(CorpusError, match="who speaks is unknown") as caught:
            draw(clips)
        assert "--split clips" in caught.value.hint


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


def test_make_split_refuses_what_it_must_not_promise() -> None:
    """A speaker or a clip on two sides, or an empty side, is an error."""
    one, two, three = (made_up({name: 1}, clips=1) for name in "abc")
    with pytest.raises(CorpusError, match="speaker a-00 is in train and in test"):
        make_split("speakers", (one[:3], two, one[3:]), "shared")
    with pytest.raises(CorpusError, match="is in train and in validation"):
        make_split("clips", (one, one, two), "twice", comparable=False)
    with pytest.raises(CorpusError, match="no clip is left for test"):
        make_split("speakers", (one, two, ()), "empty")
    assert make_split("speakers", (one, two, three), "fine").comparable


def test_digest_names_clips_and_sides_not_places() -> None:
    """The same clips on the same sides hash alike wherever they lie; a moved clip does not."""
    one, two, three = (made_up({name: 1}, clips=1) for name in "abc")
    split = make_split("speakers", (one, two, three), "here")
    moved = [replace(clip, path=Path("/elsewhere.flac")) for clip in reversed(one)]
    assert make_split("speakers", (moved, two, three), "there").digest == split.digest
    assert make_split("speakers", (two, one, three), "here").digest != split.digest
    assert make_split("speakers", (one[1:], two, three), "here").digest != split.digest


def test_digest_is_fixed() -> None:
    """Models carry it: the same split must have the same hash in every version."""
    one, two, three = (made_up({name: 1}, clips=1, emotions=["sad"]) for name in "abc")
    split = make_split("speakers", (one, two, three), "fixed")
    assert split.digest == "9d9c36efcdd99ca435d63dc957df7337061f676b81b748452f2585d94330f7f9"


def test_to_dict_holds_everything_but_paths() -> None:
    """What is kept with a run can be compared on another machine."""
    split = split_speakers(made_up({"a": 3}, clips=1, emotions=["sad"]))
    kept = split.to_dict()
    assert kept["digest"] == split.digest
    assert kept["comparable"] is True
    assert kept["clips"]["test"] == [clip.key for clip in split.test]
    assert kept["speakers"]["test"] == sorted(speakers(split.test))
    assert "/data" not in str(kept)


@pytest.mark.skipif(os.name == "nt", reason="needs names that are no Unicode")
def test_names_that_are_no_unicode_are_drawn_and_hashed() -> None:
    """An undecodable byte in a file's name must not end a split."""
    odd = os.fsdecode(b"a/caf\xe9-")
    clips = [replace(clip, key=f"{odd}{clip.key}") for clip in made_up({"a": 3}, clips=1)]
    assert len(split_clips(clips).digest) == 64
    assert len(split_speakers(clips).digest) == 64
