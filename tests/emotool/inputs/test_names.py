"""Files are found by what their names mean, or the names close to them are given."""

import os
import unicodedata
from pathlib import Path

import pytest

from emotool.errors import InputError
from emotool.inputs.clips import find_clips
from emotool.inputs.names import Names

posix = pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    """Make files, with the folders that they are in."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"sound")


@posix
@pytest.mark.parametrize("listed", ["~/a.wav", "$HOME/a.wav", "'${HOME}/a.wav'", '"~/a.wav" '])
def test_the_home_folder_can_be_written_as_in_a_shell(
    folder: Path, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    """A list is read by no shell, which would have replaced it."""
    monkeypatch.setenv("HOME", str(folder / "home"))
    make("home/a.wav")
    assert [clip.path for clip in find_clips([], [listed]).clips] == [str(folder / "home/a.wav")]
    make("~/a.wav", "$HOME/a.wav")
    assert find_clips([], ["$HOME/a.wav"]).clips[0].path == "$HOME/a.wav"


@posix
@pytest.mark.parametrize("disk", ["NFC", "NFD"])
@pytest.mark.parametrize("listed", ["NFC", "NFD"])
@pytest.mark.parametrize("mixed", [True, False])
def test_forms_of_letters_do_not_matter(disk: str, listed: str, mixed: bool) -> None:
    """Composed or decomposed, in folders and files, also where a path mixes both."""
    name = "M\u00fcller/Zo\u00eb \u1e69.wav"
    place = unicodedata.normalize(disk, name)
    if mixed:
        other = {"NFC": "NFD", "NFD": "NFC"}[disk]
        place = unicodedata.normalize(other, "M\u00fcller") + place[place.index("/") :]
    make(place)
    assert [clip.path for clip in find_clips([], [unicodedata.normalize(listed, name)]).clips] == [
        place
    ]


@posix
@pytest.mark.parametrize(
    "listed",
    [
        '"talks/a b.wav"', "'talks/a b.wav'", "\u201ctalks/a b.wav\u201d", "talks/a b.wav  ",
        "talks/a b.wav\t", "talks/a b.wav\r", '  "talks/a b.wav" \r', "talks\\a b.wav",
        '"talks\\a b.wav"', ".\\talks\\a b.wav", '"talks/a b.wav', 'talks/a b.wav"',
    ],
)  # fmt: skip
def test_quotes_blanks_and_backslashes_do_not_matter(listed: str) -> None:
    """As "Copy as path" and other systems write paths."""
    make("talks/a b.wav", "talks/c.wav")
    clips = find_clips([], [listed]).clips
    assert [(os.path.normpath(clip.path), clip.problem) for clip in clips] == [
        ("talks/a b.wav", None)
    ]


@posix
def test_what_a_path_says_comes_before_what_it_can_mean() -> None:
    """Odd names are names too."""
    odd = ["a.wav ", '"a.wav"', "t\\a.wav", "Zoe\u0308.wav", "Zo\u00eb.wav"]
    make("a.wav", "t/a.wav", *odd)
    assert [clip.path for clip in find_clips([], odd).clips] == sorted(odd)


@posix
def test_one_file_by_two_names_is_one_clip() -> None:
    """As it is with links."""
    make("a.wav")
    assert len(find_clips([], ["a.wav", '"a.wav"', "a.wav "]).clips) == 1


@posix
def test_a_name_with_two_files_is_not_guessed() -> None:
    """Neither of two forms is taken for a third."""
    make("\u1e69.wav", "s\u0323\u0307.wav", "b.wav")
    clips = find_clips([], ["s\u0307\u0323.wav", "b.wav"]).clips
    assert [clip.problem is None for clip in clips] == [True, False]


@pytest.mark.parametrize(
    ("listed", "there"),
    [
        ("talks/anna_1.flac", "'anna_1.wav'"),
        ("talks/Anna_1.WAV", "'anna_1.wav'"),
        ("talks/anna_l.wav", "'anna_1.wav'"),
        ("talk/anna_1.wav", "'talks'"),
    ],
)
def test_an_error_shows_the_closest_names(listed: str, there: str) -> None:
    """Of the first folder or file on the way that is not there."""
    make("talks/anna_1.wav")
    if os.path.exists(listed):  # noqa: PTH110 - text
        pytest.skip("the file system does not distinguish case")
    with pytest.raises(InputError, match=f"there is .*{there}"):
        find_clips([], [listed])


def test_nothing_is_offered_where_nothing_is_close() -> None:
    """The reason stays as the system gives it."""
    make("talks/anna_1.wav")
    with pytest.raises(InputError, match=r"gone\.wav: no such file or directory$"):
        find_clips([], ["talks/gone.wav"])


def test_a_long_list_of_lost_files_takes_no_long_time() -> None:
    """Close names are looked for a limited number of times."""
    make("a.wav")
    names = Names()
    found = [names.near(f"aa{number}.flac") for number in range(1_000)]
    assert found[-1] == ""
