"""Clips of one's own in folders named by emotion."""

from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import load_corpora
from tests.corpus_tree import touch


def test_folder_names_are_labels(tmp_path: Path) -> None:
    """The nearest folder named by an emotion labels a clip; speakers are unknown."""
    mine = touch(tmp_path / "mine", "Happy/a.wav", "sad/2024/b.flac", "calm/c.wav", "d.wav")
    index = load_corpora([mine])
    assert [(u.key, u.emotion, u.speaker) for u in index.utterances] == [
        ("mine/Happy/a", "happy", ""),
        ("mine/calm/c", "calm", ""),
        ("mine/sad/2024/b", "sad", ""),
    ]
    assert [p.path.name for p in index.problems] == ["d.wav"]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["Shouting/a.wav", "whispering/deep/b.wav"], ["shouting", "whispering"]),
        (["anna/happy/a.wav", "anna/shouting/b.wav"], ["happy", "shouting"]),
        (["happy/anna/a.wav", "shouting/anna/b.wav"], ["happy", "shouting"]),
    ],
)
def test_any_folder_is_a_label(tmp_path: Path, names: list[str], labels: list[str]) -> None:
    """It is at the depth of those that are named by emotions, or else in the folder named."""
    index = load_corpora([touch(tmp_path / "mine", *names)])
    assert [clip.emotion for clip in index.utterances] == labels


def test_folder_of_a_speaker_is_no_label(tmp_path: Path) -> None:
    """The pattern says which folder the speaker is."""
    mine = touch(tmp_path / "mine", "anna/shouting/a.wav")
    (clip,) = load_corpora([mine], speaker_pattern="^([^/]+)/").utterances
    assert (clip.emotion, clip.speaker) == ("shouting", "mine-anna")


def test_folder_with_clips_of_a_corpus_is_no_label(tmp_path: Path) -> None:
    """A file with another name in RAVDESS's folder is reported, not labelled ravdess."""
    data = touch(tmp_path, "ravdess/03-01-03-01-01-01-07.wav", "ravdess/noise.wav")
    index = load_corpora([data])
    assert [clip.emotion for clip in index.utterances] == ["happy"]
    assert [problem.path.name for problem in index.problems] == ["noise.wav"]


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
    touch(tmp_path / "mine", "happy/y_1.wav")
    found, _ = load_corpora([mine], speaker_pattern=r"/([^/_]+)_").utterances
    assert found.speaker == ""


@pytest.mark.parametrize("name", ["happy/x.wav", "happy/03a01Fa.wav"])
def test_a_pattern_that_matches_nothing_is_refused_with_a_path(tmp_path: Path, name: str) -> None:
    """Also where file names of a known corpus say who speaks, and nobody would look for it."""
    mine = touch(tmp_path / "mine", name)
    with pytest.raises(CorpusError) as caught:
        load_corpora([mine], speaker_pattern=r"/(anna|bo)_")
    assert "--speaker-pattern '/(anna|bo)_' matches no path" in caught.value.message
    assert caught.value.message.endswith(f"such as {name}")
    assert "anna in happy/anna_01.wav" in caught.value.hint


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
