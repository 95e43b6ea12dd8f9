"""Folders become an index in which every audio file is in exactly one place."""

import csv
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import key_of, load_corpora
from tests.corpus_tree import need, touch

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:c6f94b2592487c7556bd86df7df6e8f4420d1b9c11414aeec9d8e5e640b51495\nsize 72862\n"
)


def test_corpora_are_found_at_any_depth_side_by_side(tmp_path: Path) -> None:
    """Five corpora in one tree, in folders that say nothing, are told apart."""
    touch(
        tmp_path,
        "1001_DFA_ANG_XX.wav",
        "a/b/c/03-01-05-01-01-01-01.flac",
        "TESS (2)/OAF_bar_sad.WAV",
        "x/03a01Fa.mp3",
        "x/EB0_fear_3.ogg",
        "x/EB0_surprised_3.ogg",
        "x/readme.txt",
    )
    index = load_corpora([tmp_path])
    assert [clip.key for clip in index.utterances] == [
        "cremad/1001_DFA_ANG_XX",
        "emodb/03a01Fa",
        "nemo/EB0_fear_3",
        "ravdess/03-01-05-01-01-01-01",
        "tess/OAF_bar_sad",
    ]
    assert [(clip.key, clip.reason) for clip in index.excluded] == [
        ("nemo/EB0_surprised_3", "surprise")
    ]
    assert not index.problems


def test_file_of_no_corpus_is_told(tmp_path: Path) -> None:
    """An audio file that nothing claims is a problem; other files and hidden ones are not."""
    touch(tmp_path, "03a01Fa.wav", "song.mp3", "notes.txt", "._03a01Fa.wav", ".git/x.wav")
    index = load_corpora([tmp_path])
    assert [(p.kind, p.path.name) for p in index.problems] == [("unrecognised", "song.mp3")]


def test_a_root_without_a_table_of_corrections_is_refused(tmp_path: Path) -> None:
    """Paths of a manifest are relative to its folder: a root would change nothing."""
    touch(tmp_path, "a.wav")
    table = tmp_path / "clips.csv"
    table.write_text("path,label\na.wav,happy\n", "utf-8")
    assert len(load_corpora([table]).utterances) == 1
    with pytest.raises(CorpusError, match=r"clips\.csv is no table of corrections"):
        load_corpora([table], clips=str(tmp_path))


def test_labels_choose_among_the_six(tmp_path: Path) -> None:
    """``with_labels`` keeps clips of those emotions and all that was counted."""
    touch(tmp_path, "03a01Fa.wav", "03a01Ta.wav", "03a01Wa.wav", "03a01La.wav")
    index = load_corpora([tmp_path]).with_labels(["happy", "sad"])
    assert [clip.emotion for clip in index.utterances] == ["happy", "sad"]
    assert len(index.excluded) == 1


def test_a_models_other_word_for_an_emotion_keeps_its_clips(tmp_path: Path) -> None:
    """A published model's ``angry`` is judged on clips of anger, by the model's word."""
    touch(tmp_path, "03a01Fa.wav", "03a01Ta.wav", "03a01Wa.wav", "03a01La.wav")
    index = load_corpora([tmp_path]).among(["angry", "happy"])
    assert [clip.emotion for clip in index.utterances] == ["happy", "angry"]
    both = load_corpora([tmp_path]).among(["anger", "angry"])
    assert [clip.emotion for clip in both.utterances] == ["anger"]


def test_labels_outside_the_six_are_there_when_asked_for(tmp_path: Path) -> None:
    """A known corpus's calm or boredom is left out, unless it is one of the labels."""
    touch(tmp_path, "03a01Fa.wav", "03a01La.wav", "03-01-02-01-01-01-07.wav")
    index = load_corpora([tmp_path])
    assert [clip.emotion for clip in index.utterances] == ["happy"]
    chosen = index.with_labels(["calm", "boredom"])
    assert [(clip.emotion, clip.speaker) for clip in chosen.utterances] == [
        ("boredom", "emodb-03"),
        ("calm", "ravdess-07"),
    ]
    assert not chosen.excluded


def test_label_that_no_clip_has_is_an_error(tmp_path: Path) -> None:
    """The message says which labels there are, and the hint which there could be."""
    touch(tmp_path, "03a01Fa.wav", "03a01Ta.wav")
    with pytest.raises(CorpusError, match="no clip is labelled calm; there is happy, sad"):
        load_corpora([tmp_path]).with_labels(["happy", "calm"])


def test_link_to_nothing_is_told(tmp_path: Path) -> None:
    """Clips that git-annex or a moved disk leaves as dead links are not silently missing."""
    touch(tmp_path, "03a01Fa.wav")
    (tmp_path / "03a02Fa.wav").symlink_to(tmp_path / "gone.wav")
    (problem,) = load_corpora([tmp_path]).problems
    assert (problem.kind, problem.path.name) == ("missing", "03a02Fa.wav")


def test_lossless_copy_is_kept_and_the_other_counted(tmp_path: Path) -> None:
    """CREMA-D comes as AudioMP3 and AudioWAV: each clip is used once, from the WAV."""
    touch(tmp_path, "AudioMP3/1001_DFA_ANG_XX.mp3", "AudioWAV/1001_DFA_ANG_XX.wav")
    index = load_corpora([tmp_path])
    assert [clip.path.suffix for clip in index.utterances] == [".wav"]
    assert [(d.path.suffix, d.kept.suffix) for d in index.duplicates] == [(".mp3", ".wav")]
    assert not index.problems


def test_pointer_beside_a_real_copy_is_no_loss(tmp_path: Path) -> None:
    """Where only the MP3 was fetched, the MP3 is the clip, and nothing is wrong."""
    touch(tmp_path, "AudioWAV/1001_DFA_ANG_XX.wav", content=POINTER)
    touch(tmp_path, "AudioMP3/1001_DFA_ANG_XX.mp3")
    index = load_corpora([tmp_path])
    assert [clip.path.suffix for clip in index.utterances] == [".mp3"]
    assert not index.problems


def test_pointer_is_named_as_such_with_the_cure(tmp_path: Path) -> None:
    """A clip that is only a Git-LFS pointer is no clip, and the message says what to run."""
    touch(tmp_path, "1001_DFA_ANG_XX.wav", content=POINTER)
    touch(tmp_path, "1001_DFA_HAP_XX.wav")
    index = load_corpora([tmp_path])
    assert [clip.emotion for clip in index.utterances] == ["happy"]
    (problem,) = index.problems
    assert problem.kind == "git-lfs pointer"
    assert "git lfs pull" in problem.message


def test_nothing_but_pointers_is_an_error_with_the_cure(tmp_path: Path) -> None:
    """A clone without Git LFS says so once, not 7,442 times."""
    touch(tmp_path, "1001_DFA_ANG_XX.wav", "1001_DFA_HAP_XX.wav", content=POINTER)
    with pytest.raises(CorpusError, match="all 2 clips are Git-LFS pointers") as caught:
        load_corpora([tmp_path])
    assert "git lfs pull" in caught.value.hint


def test_folder_named_twice_counts_once(tmp_path: Path) -> None:
    """Overlapping folders, and links between them, neither double clips nor loop."""
    touch(tmp_path, "a/03a01Fa.wav", "a/happy/mine.wav")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path / "a", target_is_directory=True)
    index = load_corpora([tmp_path / "a", tmp_path / "b", tmp_path / "a"])
    assert len(index.utterances) == 2
    assert not index.duplicates
    assert not index.problems


def test_order_of_folders_does_not_matter(tmp_path: Path) -> None:
    """The index is sorted by key, so the same data gives the same index."""
    touch(tmp_path / "a", "03a01Fa.wav", "EB0_fear_3.wav")
    touch(tmp_path / "b", "1001_DFA_ANG_XX.wav", "03a01Fa.flac")
    forth = load_corpora([tmp_path / "a", tmp_path / "b"])
    assert forth == load_corpora([tmp_path / "b", tmp_path / "a"])


def test_same_file_described_twice_is_told(tmp_path: Path) -> None:
    """A file with two speakers would be on two sides of a split: the first description holds."""
    touch(tmp_path, "03a01Fa.wav")
    manifest = tmp_path / "mine.csv"
    manifest.write_text("path,emotion,speaker\n03a01Fa.wav,sad,anna\n")
    index = load_corpora([tmp_path, manifest])
    assert [(clip.key, clip.emotion) for clip in index.utterances] == [("emodb/03a01Fa", "happy")]
    (problem,) = index.problems
    assert problem.kind == "described twice"
    assert "speaker emodb-03, emotion happy, not speaker" in problem.message
    assert "anna, emotion sad" in problem.message


def test_clips_of_one_name_in_two_manifests_are_told(tmp_path: Path) -> None:
    """Both lists call their corpus study and a clip 01: one is taken, the other is no copy."""
    for folder, emotion in (("a", "happy"), ("b", "sad")):
        touch(tmp_path / folder, "01.wav", "01.flac")
        rows = f"01.wav,{emotion},study\n01.flac,{emotion},study\n"
        (tmp_path / folder / "list.csv").write_text(f"path,emotion,corpus\n{rows}")
    index = load_corpora([tmp_path / "a" / "list.csv", tmp_path / "b" / "list.csv"])
    assert [clip.key for clip in index.utterances] == ["study/01"]
    assert [one.path.relative_to(tmp_path).as_posix() for one in index.duplicates] == ["a/01.flac"]
    assert [problem.kind for problem in index.problems] == ["same name"] * 2
    assert "is named study/01 too" in index.problems[0].message


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """By kind, with the first of them and where to see all; nothing where nothing is wrong."""
    touch(tmp_path, "one.wav", "two.wav")
    manifest = tmp_path / "mine.csv"
    manifest.write_text("path,emotion\none.wav,sad\ngone.wav,sad\n,sad\n")
    told = load_corpora([manifest]).skipped
    assert told.startswith("not used: 1 bad row, 1 missing; first: ")
    assert "`emotool data check` lists all" in told
    manifest.write_text("path,emotion\none.wav,sad\n")
    assert load_corpora([manifest]).skipped == ""


@pytest.mark.parametrize(
    ("emotion", "difference"),
    [
        ("happy", "taken as emotion sad, not emotion happy"),
        ("calm", "emotion sad, not emotion calm"),
    ],
)
def test_two_rows_for_one_file_say_what_they_disagree_in(
    tmp_path: Path, emotion: str, difference: str
) -> None:
    """In one manifest both have the same name, so the name alone would say nothing."""
    touch(tmp_path, "one.wav")
    manifest = tmp_path / "mine.csv"
    manifest.write_text(f"path,emotion\none.wav,sad\none.wav,{emotion}\n")
    (problem,) = load_corpora([manifest]).problems
    assert difference in problem.message


def test_environment_names_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``EMOTOOL_CORPUS`` holds folders, as PATH does; naming folders overrides it."""
    touch(tmp_path / "a", "03a01Fa.wav")
    touch(tmp_path / "b", "03a02Fa.wav")
    touch(tmp_path / "c", "03a04Fa.wav")
    both = os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")])
    monkeypatch.setenv("EMOTOOL_CORPUS", both)
    assert len(load_corpora().utterances) == 2
    assert [clip.key for clip in load_corpora([tmp_path / "c"]).utterances] == ["emodb/03a04Fa"]


def test_without_data_the_error_says_where_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names CREMA-D's two sources."""
    monkeypatch.delenv("EMOTOOL_CORPUS", raising=False)
    with pytest.raises(CorpusError, match="no folder of labelled clips") as caught:
        load_corpora()
    assert "git lfs clone https://github.com/CheyneyComputerScience/CREMA-D" in caught.value.hint
    assert "Kaggle" in caught.value.hint


def test_emotions_that_a_known_corpus_leaves_out_are_named(tmp_path: Path) -> None:
    """The error for a folder of nothing but boredom says so."""
    with pytest.raises(CorpusError, match="left out for boredom"):
        load_corpora([touch(tmp_path, "03a01La.wav")])


@pytest.mark.parametrize("name", ["nowhere", "nowhere.csv"])
def test_missing_path_is_an_error(tmp_path: Path, name: str) -> None:
    """What was named and is not there is said, not passed over."""
    with pytest.raises(CorpusError, match=f"{name}: no such file or folder"):
        load_corpora([tmp_path, tmp_path / name])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no audio there"),
        (["readme.txt"], "no audio there"),
        (["song.mp3"], "none of 1 files is a clip"),
        (["03a01La.wav"], "none of 1 files is a clip"),
    ],
)
def test_folder_without_a_usable_clip_is_an_error(
    tmp_path: Path, names: list[str], message: str
) -> None:
    """An empty index would be a riddle later; here it is a sentence."""
    touch(tmp_path, *names)
    with pytest.raises(CorpusError, match=message):
        load_corpora([tmp_path])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_fifo_is_never_opened(tmp_path: Path) -> None:
    """Opening a FIFO would wait for ever."""
    touch(tmp_path, "03a01Fa.wav")
    os.mkfifo(tmp_path / "03a02Fa.wav")
    assert len(load_corpora([tmp_path]).utterances) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs folders closed to us")
def test_unreadable_folder_is_told(tmp_path: Path) -> None:
    """Clips that cannot be seen are not silently missing."""
    touch(tmp_path, "03a01Fa.wav", "closed/03a02Fa.wav")
    (tmp_path / "closed").chmod(0)
    try:
        index = load_corpora([tmp_path])
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert [problem.kind for problem in index.problems] == ["unreadable"]


def test_real_corpora_parse_as_their_table_says(corpus: Path) -> None:
    """Speaker, sex, emotion, intensity, sentence and language of every clip equal the table's."""
    need(corpus / "clips.csv")
    index = load_corpora([corpus])
    found = {clip.key: clip for clip in index.utterances}
    left_out = {clip.key: clip.reason for clip in index.excluded}
    with (corpus / "clips.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(found) + len(left_out) == len(rows)
    for row in rows:
        key = key_of(row["corpus"], row["file"])
        if key in left_out:
            assert left_out[key] == row["emotion"]
            continue
        clip = found[key]
        assert (clip.corpus, clip.language) == (row["corpus"], row["language"])
        assert (clip.speaker, clip.sex) == (row["speaker"], row["sex"])
        assert (clip.emotion, clip.intensity) == (row["emotion"], row["intensity"])
        assert clip.sentence == row["text"]
    assert Counter(left_out.values()) == {"calm": 160}
    assert not index.problems and not index.duplicates


def test_real_corpus_is_the_same_from_its_own_folder(corpus: Path, tmp_path: Path) -> None:
    """Keys do not depend on which folder was named."""
    need(corpus / "emodb")
    inside = {clip.key for clip in load_corpora([corpus / "emodb"]).utterances}
    shutil.copytree(corpus / "emodb", tmp_path / "elsewhere" / "deep")
    assert inside == {clip.key for clip in load_corpora([tmp_path]).utterances}
