"""Words for emotions, and names that are no text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
