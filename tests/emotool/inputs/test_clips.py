"""Every clip that arguments name is found, once, in the same order, and nothing is opened."""

import os
import socket
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.inputs.clips import Clip, Found, find_clips

pytestmark = pytest.mark.usefixtures("inside")

_LINKS = pytest.mark.skipif(os.name == "nt", reason="needs links, which Windows may forbid")


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, so that arguments can be short."""
    monkeypatch.chdir(tmp_path)


def _touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _shown(found: Found) -> list[str]:
    return [clip.shown for clip in found.clips]


def _problems(found: Found) -> dict[str, str]:
    return {clip.shown: clip.problem for clip in found.clips if clip.problem is not None}


def test_folders_are_searched_at_any_depth() -> None:
    """Audio by its name is found, foreign formats included; the rest is counted."""
    _touch("in/b.WAV", "in/a.flac", "in/x/y/z/c.mp3", "in/d.m4a", "in/notes.txt", "in/x/cover.jpg")
    _touch("in/.hidden.wav", "in/.git/a.wav", "in/.DS_Store", "in/wav")
    found = find_clips(["in"])
    assert _shown(found) == ["in/a.flac", "in/b.WAV", "in/d.m4a", "in/x/y/z/c.mp3"]
    assert found.clips[0] == Clip(0, "in/a.flac", str(Path("in/a.flac")), None)
    assert [clip.index for clip in found.clips] == [0, 1, 2, 3]
    assert (found.skipped, found.hidden) == (3, 3)


def test_a_folder_that_adds_nothing_is_told() -> None:
    """Among others it would not be missed; one that is named twice has added its clips."""
    _touch("in/a.wav", "none/notes.txt")
    found = find_clips(["in", "none", "in/", "none/"])
    assert _shown(found) == ["in/a.wav"]
    assert found.empty == ("none",)


@pytest.mark.parametrize(
    ("argument", "shown"),
    [("in", "in/a.wav"), ("in/", "in/a.wav"), ("./in", "./in/a.wav"), (".", "./in/a.wav")],
)
def test_clips_are_shown_as_the_argument_was_typed(argument: str, shown: str) -> None:
    """The argument, a slash, and the path below it; nothing is made absolute or tidied."""
    _touch("in/a.wav")
    assert _shown(find_clips([argument])) == [shown]


def test_a_file_named_is_always_an_input() -> None:
    """Whatever it is called, hidden or not: who names it means it."""
    _touch("notes.txt", ".hidden", "noending", "a.wav")
    found = find_clips(["notes.txt", "a.wav", ".hidden", "./noending"])
    assert _shown(found) == ["./noending", ".hidden", "a.wav", "notes.txt"]
    assert not _problems(found)


def test_patterns_are_expanded_where_the_shell_did_not() -> None:
    """Stars, question marks and sets work, recursively too; matched folders are searched."""
    _touch("a1.wav", "a2.wav", "b1.wav", "in/c.wav", "in/deep/d.wav", "in/e.txt")
    assert _shown(find_clips(["a?.wav"])) == ["a1.wav", "a2.wav"]
    assert _shown(find_clips(["[ab]1.wav"])) == ["a1.wav", "b1.wav"]
    assert _shown(find_clips(["in/**/*.wav"])) == ["in/c.wav", "in/deep/d.wav"]
    assert _shown(find_clips(["i*"])) == ["in/c.wav", "in/deep/d.wav"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file() -> None:
    """What exists is taken as it is named."""
    _touch("a[1].wav", "a1.wav")
    assert _shown(find_clips(["a[1].wav"])) == ["a[1].wav"]


def test_a_missing_path_among_good_ones_is_a_row() -> None:
    """It keeps its place in the order and says why."""
    _touch("b.wav")
    found = find_clips(["c.wav", "b.wav", "a*.wav", "", "b.wav/x"])
    assert _problems(found) == {
        "": "no such file or directory",
        "a*.wav": "nothing matches this pattern",
        "b.wav/x": "not a directory",
        "c.wav": "no such file or directory",
    }
    assert _shown(found) == ["", "a*.wav", "b.wav", "b.wav/x", "c.wav"]


def test_a_missing_file_of_a_folder_that_is_named_too_is_a_row() -> None:
    """The folder does not answer for what it does not hold."""
    _touch("in/a.wav")
    assert _problems(find_clips(["in", "in/b.wav", "in/a.wav"])) == {
        "in/b.wav": "no such file or directory"
    }


def test_nothing_usable_is_an_error_that_says_what_was_there() -> None:
    """A missing path, an empty folder, or a folder without audio."""
    with pytest.raises(InputError, match=r"none: no such file"):
        find_clips(["none"])
    with pytest.raises(InputError, match=r"and 1 more"):
        find_clips(["none", "neither"])
    Path("empty").mkdir()
    with pytest.raises(InputError, match=r"no audio files in empty"):
        find_clips(["empty"])
    _touch("papers/a.txt", "papers/.b.wav")
    with pytest.raises(InputError, match=r"1 other files skipped, 1 hidden") as caught:
        find_clips(["papers"])
    assert "file named itself" in caught.value.hint
    with pytest.raises(InputError):
        find_clips([])


def test_names_in_errors_are_printable() -> None:
    """An argument cannot send escape sequences through the error."""
    with pytest.raises(InputError) as caught:
        find_clips(["\x1b[31mred\n"])
    assert caught.value.message.startswith(r"\x1b[31mred\x0a")


@pytest.mark.parametrize(
    "arguments",
    [
        ["in", "in"],
        ["in", "in/x"],
        ["in/x", "in"],
        ["in/a.wav", "in"],
        ["in", "in/a.wav"],
        ["in/x/../a.wav", "in/a.wav", "in"],
    ],
)
def test_overlapping_arguments_give_each_clip_once(arguments: list[str]) -> None:
    """The earlier argument wins; the number of rows is the number of clips."""
    _touch("in/a.wav", "in/x/b.wav", "in/notes.txt")
    found = find_clips(arguments)
    assert len(found.clips) == len({os.path.realpath(clip.path) for clip in found.clips}) == 2
    assert (found.skipped, found.hidden) == (1, 0)


@_LINKS
def test_the_same_file_by_a_link_is_taken_once_and_hard_links_are_clips_of_their_own() -> None:
    """The real name wins within an argument, whatever the order of names."""
    _touch("in/m.wav")
    Path("in/a.wav").symlink_to("m.wav")
    Path("in/z").symlink_to(".")
    os.link("in/m.wav", "in/n.wav")
    assert _shown(find_clips(["in"])) == ["in/m.wav", "in/n.wav"]
    assert _shown(find_clips(["in/a.wav", "in"])) == ["in/a.wav", "in/n.wav"]
    assert _shown(find_clips(["in", "in/a.wav"])) == ["in/m.wav", "in/n.wav"]


@_LINKS
def test_links_lead_out_of_a_folder() -> None:
    """A linked folder or file outside is found under its name here, once."""
    _touch("else/a.wav", "else/deep/b.wav", "else/data.bin", "else/.secret")
    Path("in").mkdir()
    Path("in/one").symlink_to("../else")
    Path("in/two").symlink_to("../else")
    Path("in/c.wav").symlink_to("../else/data.bin")
    Path("in/d.wav").symlink_to("../else/.secret")
    Path("in/a.wav").symlink_to("../else/a.wav")
    Path("in/readme.txt").symlink_to("../else/data.bin")
    found = find_clips(["in"])
    assert _shown(found) == ["in/a.wav", "in/c.wav", "in/d.wav", "in/one/deep/b.wav"]
    assert not _problems(found)


@_LINKS
def test_loops_of_links_end() -> None:
    """Folders that contain themselves are walked once."""
    _touch("in/a/b/c.wav")
    Path("in/a/b/up").symlink_to("../..")
    Path("in/self").symlink_to("self")
    Path("in/self.wav").symlink_to("self.wav")
    Path("in/a/here").symlink_to(".")
    found = find_clips(["in", "in/a/b/up"])
    assert _shown(found) == ["in/a/b/c.wav", "in/self.wav"]
    assert "circle" in _problems(found)["in/self.wav"]


@_LINKS
def test_a_broken_link_to_audio_is_a_row() -> None:
    """It was meant to be a clip: it is not passed over in silence."""
    _touch("in/a.wav")
    Path("in/gone.wav").symlink_to("nowhere.wav")
    Path("in/gone.txt").symlink_to("nowhere.txt")
    found = find_clips(["in"])
    assert _problems(found) == {"in/gone.wav": "a broken link: no such file or directory"}
    assert found.skipped == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs, which this system lacks")
def test_fifos_sockets_and_devices_are_rows_when_named_and_passed_over_in_folders() -> None:
    """Nothing blocks: they are recognised without being opened."""
    _touch("in/a.wav")
    os.mkfifo("in/pipe.wav")
    Path("in/zero.wav").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("in/socket.wav")
    found = find_clips(["in"])
    assert (_shown(found), found.skipped) == (["in/a.wav"], 3)
    found = find_clips(["in", "in/pipe.wav", "in/socket.wav", "/dev/zero"])
    assert _problems(found) == {
        "/dev/zero": "not a file but a character device",
        "in/pipe.wav": "not a file but a FIFO",
        "in/socket.wav": "not a file but a socket",
    }


def test_an_unreadable_folder_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clips cannot be counted, so the folder itself is owed a row."""
    _touch("in/a.wav", "in/locked/b.wav")
    real = os.scandir

    # Stands in for permissions, which do not bind the superuser under whom tests may run.
    def scandir(path: str) -> Iterable[os.DirEntry[str]]:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_clips(["in"])
    assert _problems(found) == {"in/locked": "the folder cannot be read: permission denied"}
    assert _shown(found) == ["in/a.wav", "in/locked"]
    # A clip in it may be readable all the same.
    named = find_clips(["in", "in/locked/b.wav"])
    assert _shown(named) == ["in/a.wav", "in/locked", "in/locked/b.wav"]


@pytest.mark.skipif(os.name == "nt", reason="file names are text on Windows")
def test_undecodable_names_are_kept_to_the_byte() -> None:
    """What is shown and opened are the very bytes of the name."""
    raw = b"in/caf\xe9/\xff.wav"
    try:
        _touch(os.fsdecode(raw))
    except OSError as error:
        pytest.skip(f"this file system refuses such names: {error.strerror}")
    [clip] = find_clips(["in"]).clips
    assert os.fsencode(clip.path) == os.fsencode(clip.shown) == raw


def test_a_very_deep_tree_is_walked() -> None:
    """Depth is bounded by the system alone; a folder too deep to open is a row."""
    path = Path("in")
    path.mkdir()
    folder = os.open("in", os.O_RDONLY)
    try:
        for _ in range(300):
            os.mkdir("d" * 20, dir_fd=folder)
            below = os.open("d" * 20, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = below
    finally:
        os.close(folder)
    _touch("in/a.wav")
    found = find_clips(["in"])
    assert "in/a.wav" in _shown(found)
    assert all("too long" in problem for problem in _problems(found).values())


_NAMES = st.text(
    st.characters(exclude_characters='/\\\0:*?"<>|', exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sets(_NAMES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_names_are_found_once_and_in_one_order(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], random: "object"
) -> None:
    """Whatever clips are called, and however arguments are ordered."""
    folder = tmp_path_factory.mktemp("any")
    for name in sorted(names):
        (folder / f"{name}.wav").touch()
    count = len(list(folder.iterdir()))
    hidden = sum(entry.name.startswith(".") for entry in folder.iterdir())
    paths = [str(entry) for entry in folder.iterdir()]
    by_folder = find_clips([str(folder), *paths[:1]])
    random.shuffle(paths)  # type: ignore[attr-defined]
    by_name = find_clips([*paths, str(folder)])
    assert len(by_name.clips) == count
    assert len(by_folder.clips) in (count - hidden, count - hidden + 1)
    assert _shown(by_name) == sorted(_shown(by_name))
    assert all(Path(clip.path).exists() for clip in by_name.clips)


def test_many_clips_need_little_memory() -> None:
    """Some hundred bytes a clip: a folder of a hundred thousand takes a few tens of megabytes."""
    Path("in").mkdir()
    Path("in/0.wav").touch()
    count = 5_000
    for number in range(1, count):
        os.link("in/0.wav", f"in/{number}.wav")
    tracemalloc.start()
    found = find_clips(["in"])
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.clips) == count
    assert held / count < 250
    assert peak / count < 400


def test_paths_of_a_list_are_taken_literally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like a pattern is a name; folders are walked; nothing is taken twice."""
    monkeypatch.chdir(tmp_path)
    for name in ("a1.wav", "in/b.wav"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    found = find_clips(["a1.wav"], ["a?.wav", "in", "a1.wav"])
    assert [(clip.shown, clip.problem is None) for clip in found.clips] == [
        ("a1.wav", True),
        ("a?.wav", False),
        ("in/b.wav", True),
    ]


def test_what_messengers_and_phones_write_is_found_in_folders(tmp_path: Path) -> None:
    """WhatsApp calls MP3 `.mpeg`, and Samsung's recorder 3GP `.3ga`."""
    for name in ("a.mpeg", "b.3ga", "c.MPEG", "d.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [clip.shown[-6:] for clip in find_clips([str(tmp_path)]).clips] == [
        "a.mpeg",
        "/b.3ga",
        "c.MPEG",
    ]
