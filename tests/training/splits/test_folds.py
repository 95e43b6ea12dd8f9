"""The folds of a CSV decide which clips are tested on."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import Utterance, load_corpora
from emotool_training.splits import NOT_COMPARABLE, fold_numbers, folds_from_csv
from tests.corpus_tree import made_up, need, odd, touch

CLIPS = made_up({"a": 6, "b": 3}, clips=4, emotions=("happy", "sad"))


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """Three folds by speaker and three by clip; speaker b-02 and one clip are in none."""
    path = tmp_path / "folds.csv"
    with path.open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["file", "speaker", "new_speakers_fold", "random_clips_fold"])
        for number, clip in enumerate(CLIPS[:-1]):
            always = clip.speaker == "b-02"
            by_speaker = "" if always else int(clip.speaker[-1]) % 3
            by_clip = "" if always else number % 3
            table.writerow([f"{clip.key}.flac", clip.speaker, by_speaker, by_clip])
    return path


@pytest.fixture
def validation(tmp_path: Path) -> Path:
    """For fold 0, speaker a-01 validates; for the others nobody is named."""
    path = tmp_path / "validation.csv"
    path.write_text("fold,speaker\n0,a-01\n")
    return path


def keys(clips: tuple[Utterance, ...]) -> set[str]:
    """Return the clips' keys."""
    return {clip.key for clip in clips}


def own_clips(folder: Path) -> tuple[Utterance, ...]:
    """Return a happy and a sad clip of each of six people, of one name but for the folder."""
    names = [f"{label}/p{n}_take.1.wav" for label in ("happy", "sad") for n in range(6)]
    mine = touch(folder / "mine", *names, content="no sound")
    return load_corpora([mine], speaker_pattern="/([^/_]+)_").utterances


@pytest.mark.parametrize("suffix", ["", ".wav"])
def test_clips_in_folders_of_ones_own_are_named_with_the_folder(
    tmp_path: Path, suffix: str
) -> None:
    """As their keys are, with a suffix or without: each clip is tested once."""
    clips = own_clips(tmp_path)
    path = tmp_path / "folds.csv"
    rows = [f"{clip.key}{suffix},{int(clip.speaker[-1]) % 3}\n" for clip in clips]
    path.write_text(f"file,new_speakers_fold\n{''.join(rows)}")
    assert "mine/happy/p0_take.1" in {clip.key for clip in clips}
    splits = [folds_from_csv(clips, path, fold=number) for number in range(3)]
    assert [len(split.test) for split in splits] == [4, 4, 4]
    assert set().union(*(keys(split.test) for split in splits)) == keys(clips)


def test_clips_and_folds_may_have_names_that_are_no_text(tmp_path: Path) -> None:
    """Rows are written as keys are; the description can be written, too."""
    names = [odd(tmp_path, b"caf\xe9.wav").name, r"caf\xe9.wav", "café.wav"]
    mine = touch(tmp_path / "mine", *(f"sad/{name}" for name in names), content="no sound")
    clips = (*load_corpora([mine]).utterances, *made_up({"a": 6}))
    path = odd(tmp_path, b"folds\xe9.csv")
    rows = [f"{clip.key}.wav,{number % 2}\n" for number, clip in enumerate(clips)]
    path.write_text(f"file,random_clips_fold\n{''.join(rows)}", encoding="utf-8")
    split = folds_from_csv(clips, path, fold=1, protocol="random_clips")
    assert keys(split.test) == {clip.key for clip in clips[1::2]}
    assert r"fold 1 of folds\xe9.csv" in split.description


def test_folds_that_name_none_of_ones_own_clips_are_refused(tmp_path: Path) -> None:
    """All would train, unnoticed beside a known corpus; the hint says how one is named."""
    clips = (*own_clips(tmp_path), *made_up({"ravdess": 6}))
    path = tmp_path / "folds.csv"
    rows = [
        f"{clip.corpus}/{Path(clip.key).name}.wav,{number % 3}\n"
        for number, clip in enumerate(clips)
    ]
    path.write_text(f"file,random_clips_fold\n{''.join(rows)}")
    with pytest.raises(CorpusError, match="none of its 6 clips of mine is here") as caught:
        folds_from_csv(clips, path, fold=0, protocol="random_clips")
    assert caught.value.hint == "one that is here is named mine/happy/p0_take.1"
    known = clips[12:]
    split = folds_from_csv(known, path, fold=0, protocol="random_clips")
    assert keys(split.test) == {clip.key for clip in known[::3]}


def test_new_speakers_fold_tests_its_speakers(folds: Path, validation: Path) -> None:
    """The fold's speakers are tested on, the named one validates, all others train."""
    split = folds_from_csv(CLIPS, folds, fold=0, validation_speakers=validation)
    assert {clip.speaker for clip in split.test} == {"a-00", "a-03", "b-00"}
    assert {clip.speaker for clip in split.validation} == {"a-01"}
    assert {clip.speaker for clip in split.train} == {"a-02", "a-04", "a-05", "b-01", "b-02"}
    assert len(split.train) + len(split.validation) + len(split.test) == len(CLIPS)
    assert (split.kind, split.comparable) == ("folds", True)
    assert NOT_COMPARABLE not in split.description


def test_another_corpus_is_left_out_whole(folds: Path, validation: Path) -> None:
    """All clips of one corpus are tested, listed or not; the first fold's speakers validate."""
    assert fold_numbers(folds, "another_corpus") == (0, 1)
    protocol = "another_corpus"
    first = folds_from_csv(CLIPS, folds, fold=1, protocol=protocol, validation_speakers=validation)
    second = folds_from_csv(CLIPS, folds, fold=0, protocol=protocol)
    assert keys(first.test) == {clip.key for clip in CLIPS if clip.corpus == "b"}
    assert {clip.speaker for clip in first.validation} == {"a-01"}
    assert {clip.corpus for clip in second.test} == {"a"}
    assert {clip.corpus for clip in (*second.train, *second.validation)} == {"b"}
    assert first.comparable


def test_each_clip_is_tested_once(folds: Path) -> None:
    """Over the folds of a protocol, no clip is tested twice, and those without a fold never."""
    assert fold_numbers(folds) == (0, 1, 2)
    for protocol in ("new_speakers", "random_clips"):
        splits = [folds_from_csv(CLIPS, folds, fold=n, protocol=protocol) for n in range(3)]
        tested = Counter(clip.key for split in splits for clip in split.test)
        assert set(tested.values()) == {1}
        assert set(tested) == {clip.key for clip in CLIPS if clip.speaker != "b-02"}


def test_clip_without_a_fold_always_trains(folds: Path) -> None:
    """Neither tested nor validated on: rows with an empty fold, and clips that have no row."""
    always = {clip.key for clip in CLIPS if clip.speaker == "b-02"}
    assert CLIPS[-1].key in always
    for number in range(3):
        split = folds_from_csv(CLIPS, folds, fold=number, protocol="random_clips")
        assert always <= keys(split.train)


def test_random_clips_give_an_eighth_to_validation(folds: Path) -> None:
    """Stratified and seeded, whatever the order of files; and it says what it is not."""
    split = folds_from_csv(CLIPS, folds, fold=1, protocol="random_clips", seed=5)
    eligible = sum(clip.speaker != "b-02" for clip in CLIPS) - len(split.test)
    assert len(split.validation) == round(eligible / 8)
    assert {clip.corpus for clip in split.validation} == {"a", "b"}
    assert {clip.emotion for clip in split.validation} == {"happy", "sad"}
    again = folds_from_csv(CLIPS[::-1], folds, fold=1, protocol="random_clips", seed=5)
    assert again == split
    other = folds_from_csv(CLIPS, folds, fold=1, protocol="random_clips", seed=6)
    assert keys(other.test) == keys(split.test)
    assert keys(other.validation) != keys(split.validation)
    assert not split.comparable
    assert split.description.endswith(NOT_COMPARABLE)


def test_speakers_are_drawn_where_nobody_says_who_validates(folds: Path) -> None:
    """An eighth or so of the training clips, whole speakers."""
    split = folds_from_csv(CLIPS, folds, fold=2)
    sides = [{clip.speaker for clip in side} for side in split.subsets().values()]
    assert all(sides)
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def test_fold_that_shares_a_speaker_is_refused(folds: Path) -> None:
    """A CSV whose folds cut through a speaker cannot promise new speakers."""
    text = folds.read_text().splitlines()
    row = next(n for n, line in enumerate(text) if ",a-00,0," in line)
    text[row] = text[row].replace(",a-00,0,", ",a-00,1,")
    folds.write_text("\n".join(text))
    with pytest.raises(CorpusError, match="speaker a-00 is in"):
        folds_from_csv(CLIPS, folds, fold=0)


def test_unknown_fold_protocol_and_speaker_are_refused(folds: Path, validation: Path) -> None:
    """Each with what there is instead."""
    with pytest.raises(CorpusError, match="no new_speakers fold 7; there is 0, 1, 2"):
        folds_from_csv(CLIPS, folds, fold=7)
    with pytest.raises(
        CorpusError, match="there is new_speakers and random_clips and another_corpus"
    ):
        folds_from_csv(CLIPS, folds, fold=0, protocol="clips")
    with pytest.raises(CorpusError, match="no validation speaker for fold 1"):
        folds_from_csv(CLIPS, folds, fold=1, validation_speakers=validation)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file\na/x.wav\n", "lacks the column new_speakers_fold"),
        ("file,new_speakers_fold\nx.wav,0\n", "line 2: expected corpus/name and a fold's number"),
        ("file,new_speakers_fold\na/x.wav,one\n", "line 2: expected"),
        ("", "lacks the column file and new_speakers_fold"),
    ],
)
def test_damaged_csv_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and what is wrong in it."""
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(CorpusError, match=message):
        folds_from_csv(CLIPS, path, fold=0)
    with pytest.raises(CorpusError, match=r"gone\.csv: cannot be read"):
        folds_from_csv(CLIPS, tmp_path / "gone.csv", fold=0)


@pytest.mark.parametrize("protocol", ["new_speakers", "random_clips"])
def test_published_folds_test_each_real_clip_once(
    corpus: Path, shared: Path, protocol: str
) -> None:
    """All clips but CREMA-D's six are tested once; CREMA-D always trains."""
    need(corpus / "clips.csv")
    clips = load_corpora([corpus]).with_labels(["happy", "sad"]).utterances
    tested: Counter[str] = Counter()
    for fold in fold_numbers(shared / "folds.csv", protocol):
        split = folds_from_csv(
            clips,
            shared / "folds.csv",
            fold=fold,
            protocol=protocol,
            validation_speakers=shared / "validation_speakers.csv",
        )
        assert {c.corpus for c in split.test} == {"ravdess", "tess", "emodb", "nemo"} or fold != 4
        assert sum(clip.corpus == "cremad" for clip in split.train) == 2
        tested.update(clip.key for clip in split.test)
    assert len(tested) == 1405
    assert set(tested.values()) == {1}
