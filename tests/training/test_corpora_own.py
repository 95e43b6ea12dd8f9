"""Clips of one's own: folders named by emotion, and CSV manifests."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import CorpusError
from emotool_training.corpora import load_corpora, normalise_emotion
from emotool_training.corpora.names import name_text
from tests.corpus_tree import odd, touch


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("ANGRY", "anger"),
        ("Fearful ", "fear"),
        ("joy", "happy"),
        ("sadness", "sad"),
        ("calm", "calm"),
        ("surprise", "surprise"),
        ("excited", "excited"),
        ("bored", "bored"),
    ],
)
def test_words_for_the_six_are_understood_and_others_never_merged(word: str, emotion: str) -> None:
    """Joy is happiness; calm is not neutral, and excitement is not joy."""
    assert normalise_emotion(word) == emotion


def test_folder_names_are_labels(tmp_path: Path) -> None:
    """The nearest folder named by an emotion labels a clip; speakers are unknown."""
    mine = touch(tmp_path / "mine", "Happy/a.wav", "sad/2024/b.flac", "calm/c.wav", "misc/d.wav")
    index = load_corpora([mine])
    assert [(u.key, u.emotion, u.speaker) for u in index.utterances] == [
        ("mine/Happy/a", "happy", ""),
        ("mine/sad/2024/b", "sad", ""),
    ]
    assert [(e.key, e.reason) for e in index.excluded] == [("mine/calm/c", "calm")]
    assert [p.path.name for p in index.problems] == ["d.wav"]


def test_label_folders_named_one_by_one_are_one_corpus(tmp_path: Path) -> None:
    """``mine/happy mine/sad`` gives the clips that ``mine`` gives."""
    mine = touch(tmp_path / "mine", "happy/a.wav", "sad/b.wav")
    assert (
        load_corpora([mine / "happy", mine / "sad"]).utterances == load_corpora([mine]).utterances
    )


def test_current_folder_may_be_named_by_an_emotion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``.`` has the name that the folder has."""
    touch(tmp_path / "mine", "happy/a.wav")
    monkeypatch.chdir(tmp_path / "mine" / "happy")
    assert [clip.key for clip in load_corpora([Path()]).utterances] == ["mine/happy/a"]


def test_corpus_name_in_a_label_folder_wins(tmp_path: Path) -> None:
    """RAVDESS sorted into folders is RAVDESS, with its speakers."""
    mine = touch(tmp_path, "happy/03-01-03-01-01-01-07.wav")
    (clip,) = load_corpora([mine]).utterances
    assert (clip.corpus, clip.speaker) == ("ravdess", "ravdess-07")


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"^([^/]+)/", "anna/happy/01.wav"),
        (r"^[^/]+/([^/]+)/", "happy/anna/01.wav"),
        (r"/([^/_]+)_", "happy/anna_01.wav"),
        (r"take(\d+)-(?P<speaker>\w+)", "happy/take3-anna.wav"),
    ],
)
def test_pattern_finds_the_speaker(tmp_path: Path, pattern: str, name: str) -> None:
    """The layouts in the documentation, and a named group."""
    mine = touch(tmp_path / "mine", name)
    (clip,) = load_corpora([mine], speaker_pattern=pattern).utterances
    assert (clip.corpus, clip.speaker, clip.emotion) == ("mine", "mine-anna", "happy")


def test_pattern_that_is_not_there_leaves_the_speaker_unknown(tmp_path: Path) -> None:
    """A split by speaker will then refuse the clip; it is not given to a neighbour."""
    mine = touch(tmp_path / "mine", "happy/x.wav")
    (clip,) = load_corpora([mine], speaker_pattern=r"/([^/_]+)_").utterances
    assert clip.speaker == ""


def test_names_that_are_no_text_have_keys_that_are(tmp_path: Path) -> None:
    """Of clips, speakers and corpora; and no two files have one key, whatever they are named."""
    mine = odd(tmp_path, b"m\xe9").name
    names = [odd(tmp_path, b"caf\xe9").name, r"caf\xe9", "café", r"caf\x", r"a\b"]
    root = touch(tmp_path / mine, *(f"sad/{name}_01.wav" for name in names), content="no sound")
    index = load_corpora([root], speaker_pattern="/([^/_]+)_")
    assert not (index.duplicates or index.problems)
    shown = [r"caf\xe9", r"caf\\xe9", "café", r"caf\x", r"a\b"]
    found = {clip.path.stem: clip for clip in index.utterances}
    for name, text in zip(names, shown, strict=True):
        clip = found[f"{name}_01"]
        assert (clip.key, clip.speaker) == (rf"m\xe9/sad/{text}_01", rf"m\xe9-{text}")


@given(st.lists(st.text(st.sampled_from("\\xe9\udce9"), max_size=8), unique=True))
def test_no_two_names_become_one_text(names: list[str]) -> None:
    """And UTF-8 can hold each."""
    texts = {name_text(name) for name in names}
    assert len(texts) == len(names)
    assert all(text.isascii() for text in texts)


@pytest.mark.parametrize("pattern", ["(", "anna"])
def test_bad_pattern_is_an_error_with_an_example(tmp_path: Path, pattern: str) -> None:
    """No regular expression, or one without a group."""
    with pytest.raises(CorpusError, match="speaker pattern") as caught:
        load_corpora([touch(tmp_path, "happy/x.wav")], speaker_pattern=pattern)
    assert "([^/_]+)" in caught.value.hint


def test_folders_of_one_name_are_two_corpora(tmp_path: Path) -> None:
    """``a/mine/happy/1.wav`` and ``b/mine/happy/1.wav`` are not one clip."""
    roots = [touch(tmp_path / home / "mine", "happy/1.wav") for home in ("a", "b")]
    index = load_corpora(roots)
    assert [clip.key for clip in index.utterances] == ["mine-2/happy/1", "mine/happy/1"]
    assert not index.duplicates


def write(path: Path, text: str) -> Path:
    """Write a manifest."""
    path.write_text(text, encoding="utf-8")
    return path


def test_manifest_gives_all_columns(tmp_path: Path) -> None:
    """Optional columns are taken where they are, in any order, extra ones passed over."""
    touch(tmp_path, "clips/a.wav", "clips/b.wav", "clips/c.wav")
    text = (
        "\ufeffspeaker,path,emotion,corpus,sex,intensity,sentence,language,colour\n"
        "anna,clips/a.wav,Joy,own,F,strong,s1,de,red\n"
        "own-ben,clips/b.wav,sad,own,male,,,,\n"
        ",clips/c.wav,calm,own,,,,,\n"
    )
    index = load_corpora([write(tmp_path / "list.csv", text)])
    a, b = index.utterances
    assert (a.key, a.speaker, a.emotion, a.sex) == ("own/clips/a", "own-anna", "happy", "female")
    assert (a.intensity, a.sentence, a.language) == ("strong", "s1", "de")
    assert (b.speaker, b.sex, b.language) == ("own-ben", "male", "")
    assert [clip.reason for clip in index.excluded] == ["calm"]
    assert not index.problems


def test_manifest_with_two_columns_is_enough(tmp_path: Path) -> None:
    """The corpus is then named after the file, and the speaker unknown."""
    touch(tmp_path, "a.wav")
    (clip,) = load_corpora([write(tmp_path / "list.csv", "path,emotion\na.wav,fear\n")]).utterances
    assert (clip.corpus, clip.key, clip.speaker) == ("list", "list/a", "")


def test_bad_rows_are_told_by_line(tmp_path: Path) -> None:
    """A missing file and an empty cell are problems; the other rows are used."""
    touch(tmp_path, "a.wav", "b.wav")
    text = "path,emotion\na.wav,fear\ngone.wav,sad\nb.wav,\n,sad\n"
    index = load_corpora([write(tmp_path / "list.csv", text)])
    assert len(index.utterances) == 1
    assert [(p.kind, p.message) for p in index.problems] == [
        ("bad row", "line 4 has no emotion"),
        ("bad row", "line 5 has no path"),
        ("missing", "named in list.csv, line 3, and not there"),
    ]


def test_manifest_without_its_columns_is_an_error(tmp_path: Path) -> None:
    """The error says what is lacking and what is there."""
    with pytest.raises(CorpusError, match="lacks the column path; it has file, emotion"):
        load_corpora([write(tmp_path / "list.csv", "file,emotion\na.wav,sad\n")])


@pytest.mark.parametrize("name", ["a.wav", "notes.txt"])
def test_file_that_is_no_manifest_is_an_error(tmp_path: Path, name: str) -> None:
    """Training data is a folder or a CSV."""
    touch(tmp_path, name)
    with pytest.raises(CorpusError, match="a folder or a CSV manifest"):
        load_corpora([tmp_path / name])


def test_binary_manifest_is_an_error(tmp_path: Path) -> None:
    """A spreadsheet renamed to .csv is said to be none."""
    (tmp_path / "list.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(CorpusError, match="cannot be read as a CSV"):
        load_corpora([tmp_path / "list.csv"])


def test_csv_lying_among_clips_is_no_manifest(tmp_path: Path) -> None:
    """Only a manifest that is named is read."""
    touch(tmp_path, "03a01Fa.wav", "x.wav")
    write(tmp_path / "list.csv", "path,emotion\nx.wav,sad\n")
    index = load_corpora([tmp_path])
    assert [clip.key for clip in index.utterances] == ["emodb/03a01Fa"]
    assert [problem.path.name for problem in index.problems] == ["x.wav"]


def test_manifest_of_a_known_corpus_has_its_keys(tmp_path: Path) -> None:
    """So that folds and splits match, wherever the clips lie."""
    touch(tmp_path, "deep/03a01Fa.wav")
    text = "path,emotion,corpus,speaker\ndeep/03a01Fa.wav,happy,emodb,emodb-03\n"
    (clip,) = load_corpora([write(tmp_path / "list.csv", text)]).utterances
    assert (clip.key, clip.speaker) == ("emodb/03a01Fa", "emodb-03")
