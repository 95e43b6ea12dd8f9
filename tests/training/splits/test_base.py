"""A split keeps its promises and knows its digest."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance
from emotool_training.splits import (
    make_split,
    split_clips,
    split_speakers,
)
from tests.corpus_tree import made_up


def speakers(clips: Iterable[Utterance]) -> set[str]:
    """Return who speaks in the clips."""
    return {clip.speaker for clip in clips}


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
