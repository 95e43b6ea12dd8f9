"""Names and trees that are untrusted, and the rows they give."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.emotool.hostile import NAMES
from tests.faults.fault import Fault

__all__ = ["CLIP_NAMES", "NAMES_FAULTS", "TREE", "TreeFault"]

CLIP_NAMES = [
    name if name.endswith(".wav") else f"{name[:200]}.wav"
    for name in NAMES
    if "/" not in name and len(name) < 255
]
"""Hostile names that are searched for in a folder."""

_NAMES = "tests/faults/test_names.py"


@dataclass(frozen=True)
class TreeFault:
    """Something odd in a folder or on the command line.

    Parameters
    ----------
    what : str
        What it is.
    make : callable
        Makes it below a folder that holds ``clips/a.wav``.
    named : str
        What is named on the command line besides ``clips``; empty if it is found in there.
    rows : dict of str to str
        Paths of the rows it adds, and what their ``error`` says.
    """

    what: str
    make: Callable[[Path], object]
    named: str = ""
    rows: tuple[tuple[str, str], ...] = ()


def _socket(path: Path) -> None:
    # A socket's address may have 108 bytes, a test's folder has more.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _deep(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(500):
            Path("deep").mkdir()
            os.chdir("deep")
        Path("x.wav").write_bytes(b"no sound")
    finally:
        os.chdir(here)


TREE = (
    TreeFault(
        "a folder that links to itself",
        lambda top: (top / "clips" / "loop").symlink_to(top / "clips"),
    ),
    TreeFault(
        "links in a circle",
        lambda top: (top / "clips" / "circle.wav").symlink_to(top / "clips" / "circle.wav"),
        rows=(("clips/circle.wav", "open: a broken link: symbolic links go round in a circle"),),
    ),
    TreeFault(
        "a broken link",
        lambda top: (top / "clips" / "broken.wav").symlink_to(top / "gone.wav"),
        rows=(("clips/broken.wav", "open: a broken link: no such file or directory"),),
    ),
    TreeFault(
        "a clip linked twice",
        lambda top: (top / "clips" / "again.wav").symlink_to(top / "clips" / "a.wav"),
    ),
    TreeFault("a clip named as well as its folder", lambda top: None, "clips/a.wav"),
    TreeFault(
        "a hard link",
        lambda top: (top / "clips" / "hard.wav").hardlink_to(top / "clips" / "a.wav"),
        rows=(("clips/hard.wav", ""),),
    ),
    TreeFault("a FIFO in a folder", lambda top: os.mkfifo(top / "clips" / "pipe.wav")),
    TreeFault(
        "a FIFO that is named",
        lambda top: os.mkfifo(top / "pipe.wav"),
        "pipe.wav",
        (("pipe.wav", "open: not a file but a FIFO"),),
    ),
    TreeFault("a socket in a folder", lambda top: _socket(top / "clips" / "socket.wav")),
    TreeFault(
        "a socket that is named",
        lambda top: _socket(top / "socket.wav"),
        "socket.wav",
        (("socket.wav", "open: not a file but a socket"),),
    ),
    TreeFault(
        "a device",
        lambda top: None,
        "/dev/zero",
        (("/dev/zero", "open: not a file but a character device"),),
    ),
    TreeFault(
        "a missing file", lambda top: None, "gone.wav", (("gone.wav", "open: no such file…"),)
    ),
    TreeFault(
        "a pattern without a match",
        lambda top: None,
        "none/*.wav",
        (("none/*.wav", "open: nothing matches this pattern"),),
    ),
    TreeFault(
        "a path with a file for a folder",
        lambda top: None,
        "clips/a.wav/b.wav",
        (("clips/a.wav/b.wav", "open: not a directory"),),
    ),
    TreeFault(
        "a clip 500 folders deep",
        lambda top: _deep(top / "clips"),
        rows=(("clips/" + "deep/" * 500 + "x.wav", "open: a text file, not audio"),),
    ),
)

NAMES_FAULTS = (
    Fault(
        "Unicode in any normal form, separators, quotes, line breaks",
        "a row each; CSV and JSON give the name back unchanged",
        tests=(f"{_NAMES}::test_every_name_comes_back_from_both_formats",),
    ),
    Fault(
        "bytes that are no UTF-8",
        "a row; `\\xNN` in text, `path_bytes` in base64 in JSON",
        tests=(f"{_NAMES}::test_every_name_comes_back_from_both_formats",),
    ),
    Fault(
        "terminal escape sequences, rich markup, right-to-left marks",
        "a row; shown as text, escaped, wherever a terminal would obey them",
        tests=(
            f"{_NAMES}::test_no_name_drives_the_terminal",
            "tests/emotool/cli/test_summary.py::test_hostile_names_are_shown_not_obeyed",
            "tests/emotool/writers/test_csv_writer.py::test_terminal_gets_no_control_characters",
        ),
    ),
    Fault(
        "a name of 255 bytes, also the output's",
        "a row; lock and journal get shorter names",
        tests=(
            f"{_NAMES}::test_longest_names_are_taken",
            "tests/emotool/files/test_lock.py::test_hidden_files_have_names_that_are_short_enough",
        ),
    ),
    Fault(
        "a name that begins with a dash",
        "a row, after `--`",
        tests=(f"{_NAMES}::test_name_like_an_option_is_a_clip_after_two_dashes",),
    ),
    Fault(
        "an unreadable folder",
        "a `failed` row for the folder",
        "open: the folder cannot be read: …",
        3,
        ("tests/emotool/inputs/test_clips.py::test_an_unreadable_folder_is_a_row",),
    ),
    Fault(
        "a file that changes between two tries of a run",
        "it is done again",
        tests=("tests/emotool/test_resuming.py::test_changed_clip_is_done_again_on_the_way_on",),
    ),
    Fault(
        "a file that shrinks while it is read",
        "a `failed` row",
        "decode: damaged or cut off: …",
        3,
        (
            "tests/emotool/audio/test_stream.py::test_a_file_that_shrinks_while_it_is_read_is_damaged",
        ),
    ),
    Fault(
        "a folder that vanishes during the run",
        "`failed` rows for what was not read yet",
        "open: no such file or directory",
        3,
        ("tests/emotool/run/test_batch.py::test_clips_that_vanish_meanwhile_are_failed_rows",),
    ),
    Fault(
        "a script without a main guard, a notebook (Windows and macOS start new processes)",
        "runs: a worker never imports the caller's main module",
        tests=("tests/emotool/run/test_pipeline.py::test_scripts_need_no_main_guard",),
    ),
)
