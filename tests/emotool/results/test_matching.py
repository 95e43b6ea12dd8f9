"""Paths that two tables write differently are one clip, and no two clips are taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.results.matching import same_clips, same_names


@pytest.mark.parametrize(
    "other",
    [
        "a/x.flac", "./a/x.flac", "a//x.flac", "a/b/../x.flac", "a\\x.flac", ".\\a\\x.flac",
        "/data/study/a/x.flac", "C:\\study\\a\\x.flac", "../a/x.flac", " a/x.flac\r",
        '"a/x.flac"', "x.flac",
    ],
)  # fmt: skip
def test_one_clip_is_one_however_it_is_written(other: str) -> None:
    """Either table may have either form."""
    for mine, theirs in (("a/x.flac", other), (other, "a/x.flac")):
        assert same_clips([mine, "b/y.flac"], [theirs, "c/z.flac"]) == {mine: theirs}


def test_forms_of_letters_do_not_matter() -> None:
    """Composed in a list of people's, decomposed on a Mac's disk."""
    assert same_clips(["Zoe\u0308.wav"], ["Zo\u00eb.wav"]) == {"Zoe\u0308.wav": "Zo\u00eb.wav"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["anna/1.wav", "ben/1.wav"], ["1.wav"]),
        (["anna/1.wav", "ben/1.wav"], ["anna/1.wav", "1.wav"]),
        (["anna/1.wav"], ["ben/1.wav"]),
        (["/x/1.wav"], ["/data/x/1.wav"]),
        (["a/1.wav"], ["aa/1.wav"]),
        (["1.wav"], ["11.wav"]),
    ],
)
def test_what_is_not_certain_is_not_joined(first: list[str], second: list[str]) -> None:
    """Endings are whole names, and belong to one path of the table only."""
    same = same_clips(first, second)
    assert all(a == b for a, b in same.items())
    assert same == same_clips(second, first)


def test_names_in_other_folders_are_offered_where_they_are_unique() -> None:
    """In both tables, counting the paths that are matched already."""
    first = ["a/1.wav", "a/2.wav", "a/3.wav", "b/3.wav", "same/4.wav"]
    second = ["c/1.wav", "c/3.wav", "same/4.wav", "d/4.wav"]
    same = same_clips(first, second)
    assert same == {"same/4.wav": "same/4.wav"}
    assert same_names(same, first, second) == {"a/1.wav": "c/1.wav"}


some_paths = st.lists(st.text(st.sampled_from("ab/.\\' \"=")), unique=True, max_size=6)


@given(some_paths, some_paths)
def test_each_path_is_joined_at_most_once(first: list[str], second: list[str]) -> None:
    """Equal ones always, and the same ones whichever table comes first."""
    same = same_clips(first, second)
    assert set(same) <= set(first)
    assert set(same.values()) <= set(second)
    assert len(set(same.values())) == len(same)
    assert all(same[path] == path for path in first if path in second)
    assert {b: a for a, b in same.items()} == same_clips(second, first)
