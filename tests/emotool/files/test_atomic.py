"""Outputs are whole or absent, whatever stands at their place or happens on the way."""

import hashlib
import os
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import InputError, OutputError
from emotool.files import atomic as files
from emotool.files.atomic import AtomicFile, atomic_write, sha256_file

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@pytest.fixture(params=["nameless", "named"], autouse=True)
def unfinished(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test with both kinds of unfinished file: without a name, and with one."""
    if request.param == "named":
        monkeypatch.setattr(files, "_open_nameless", lambda folder: None)
    return str(request.param)


def names(folder: Path) -> list[str]:
    """List what is in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    """Nobody can read half a file under its name."""
    target = tmp_path / "a.csv"
    with atomic_write(target) as handle:
        handle.write(b"half")
        handle.flush()
        assert not target.exists()
    assert target.read_bytes() == b"half"
    assert names(tmp_path) == ["a.csv"]


def test_previous_file_stays_when_the_block_raises(tmp_path: Path) -> None:
    """An error half-way leaves the old file, and nothing beside it."""
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(target) as handle:
        handle.write(b"new")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_text_is_utf8_with_line_ends_as_written(tmp_path: Path) -> None:
    """What a text handle gets is what is on the disk, on every system."""
    with atomic_write(tmp_path / "a.txt", text=True) as handle:
        handle.write("é\n\r\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n\r\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(content=st.binary(max_size=300_000))
def test_content_is_written_unchanged(tmp_path: Path, content: bytes) -> None:
    """Every byte arrives, across buffer sizes."""
    with atomic_write(tmp_path / "a.bin") as handle:
        handle.write(content)
    assert (tmp_path / "a.bin").read_bytes() == content


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_mode_follows_the_umask(tmp_path: Path, mask: int) -> None:
    """A result is as readable as any other new file of this user."""
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "a.csv"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o666 & ~mask


@posix
def test_symlink_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    """A link to a result is followed, relative to the link's own folder, over several links."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_text("old")
    (tmp_path / "real" / "link.csv").symlink_to("a.csv")
    (tmp_path / "link.csv").symlink_to("real/link.csv")
    with atomic_write(tmp_path / "link.csv") as handle:
        handle.write(b"new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real" / "link.csv").is_symlink()
    assert (tmp_path / "real" / "a.csv").read_text() == "new"


@posix
def test_dangling_symlink_gets_its_target(tmp_path: Path) -> None:
    """A link to a file that is not there yet makes that file."""
    (tmp_path / "link.csv").symlink_to("later.csv")
    with atomic_write(tmp_path / "link.csv") as handle:
        handle.write(b"new")
    assert (tmp_path / "later.csv").read_text() == "new"


@posix
def test_symlink_loop_is_refused(tmp_path: Path) -> None:
    """Links that lead in a circle end in one clear line."""
    (tmp_path / "a.csv").symlink_to("b.csv")
    (tmp_path / "b.csv").symlink_to("a.csv")
    with pytest.raises(OutputError, match="circle"):
        AtomicFile(tmp_path / "a.csv")


@posix
def test_fifo_is_written_straight_through(tmp_path: Path) -> None:
    """A FIFO's reader gets the rows, and the FIFO is still one afterwards."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(fifo.read_bytes()))
    reader.start()
    with atomic_write(fifo) as handle:
        handle.write(b"rows")
    reader.join(10)
    assert received == [b"rows"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@posix
def test_reader_that_goes_away_is_a_broken_pipe(tmp_path: Path) -> None:
    """The command line ends quietly on it, so it must not look like a failing disk."""
    read, write = os.pipe()
    file = AtomicFile(write)
    os.close(write)
    os.close(read)
    file.handle.write(b"rows")
    with pytest.raises(BrokenPipeError):
        file.commit()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_device_is_named() -> None:
    """A write that finds no space says so, for the file it was meant for."""
    with (
        pytest.raises(OutputError, match=r"cannot write /dev/full: No space left") as caught,
        atomic_write("/dev/full") as handle,
    ):
        handle.write(b"rows")
    assert "free some space" in caught.value.hint


@posix
def test_file_too_large_half_way_leaves_the_old_one(
    tmp_path: Path, python: str, python_path: dict[str, str]
) -> None:
    """What the system refuses in the middle of a run does no harm to the last run's result."""
    target = tmp_path / "a.csv"
    target.write_text("old")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from emotool.errors import OutputError\n"
        "from emotool.files.atomic import atomic_write\n"
        "try:\n"
        "    with atomic_write(sys.argv[1]) as handle:\n"
        "        for _ in range(100): handle.write(b'x' * 10_000)\n"
        "except OutputError as error: print(error)\n"
    )
    done = subprocess.run(
        [python, "-c", code, str(target)], capture_output=True, text=True, env=python_path
    )
    assert done.stdout == f"cannot write {target}: File too large\n", done.stderr
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/./stdout"])
def test_standard_output_keeps_what_is_behind_it(
    tmp_path: Path, python: str, python_path: dict[str, str], name: str
) -> None:
    """`-o /dev/stdout >> log` appends; opening the name anew would have emptied the file."""
    if not Path(name).exists():
        pytest.skip(f"needs {name}")
    log = tmp_path / "log"
    log.write_text("before\n")
    code = (
        "import sys; from emotool.files.atomic import atomic_write\n"
        "with atomic_write(sys.argv[1]) as handle: handle.write(b'rows\\n')\n"
    )
    with log.open("a") as handle:
        subprocess.run([python, "-c", code, name], stdout=handle, env=python_path, check=True)
    assert log.read_text() == "before\nrows\n"


@posix
def test_sigkill_leaves_the_old_file(
    tmp_path: Path, python: str, python_path: dict[str, str], unfinished: str
) -> None:
    """Even `kill -9` leaves the old file; and, where files can be nameless, no litter."""
    target = tmp_path / "a.csv"
    target.write_text("old")
    code = (
        "import sys, time; from emotool.files import atomic as files\n"
        "if sys.argv[2] == 'named': files._open_nameless = lambda folder: None\n"
        "handle = files.AtomicFile(sys.argv[1]).handle\n"
        "handle.write(b'new'); handle.flush(); print('written', flush=True); time.sleep(60)\n"
    )
    command = [python, "-c", code, str(target), unfinished]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=python_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert target.read_text() == "old"
    descriptor = files._open_nameless(tmp_path)
    if descriptor is not None:
        os.close(descriptor)
        assert names(tmp_path) == ["a.csv"]


@posix
def test_folder_that_vanishes_half_way_is_named(tmp_path: Path) -> None:
    """A folder that is deleted during a run ends in one clear line."""
    folder = tmp_path / "gone"
    folder.mkdir()
    file = AtomicFile(folder / "a.csv")
    file.handle.write(b"rows")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with pytest.raises(OutputError, match="No such file or directory"):
        file.commit()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/a.csv", "No such file or directory"),
        ("folder", "it is a folder"),
        ("file/a.csv", "Not a directory"),
        ("a\0.csv", "null (byte|character)"),
        ("x" * 256, "File name too long"),
        ("", "it is a folder"),
    ],
)
def test_impossible_places_are_one_clear_line(tmp_path: Path, name: str, reason: str) -> None:
    """What cannot be written is said before any work is done."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=reason) as caught:
        AtomicFile(tmp_path / name)
    assert "\n" not in caught.value.message


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_places_are_refused(tmp_path: Path) -> None:
    """A read-only folder takes no file, and a read-only file is not replaced behind its back."""
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "a.csv").chmod(0o444)
    with pytest.raises(OutputError, match="read-only"):
        AtomicFile(tmp_path / "a.csv")
    (tmp_path / "folder").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        AtomicFile(tmp_path / "folder" / "a.csv")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_file_system_that_takes_no_files_is_refused() -> None:
    """Where no file can be made, the error names the place."""
    with pytest.raises(OutputError, match=r"cannot write /proc/emotool\.csv"):
        AtomicFile("/proc/emotool.csv")


@posix
@pytest.mark.parametrize(
    "name", [b"x" * 255, b"caf\xe9.csv", b"a\nb.csv", "日本語.csv".encode(), b"-rf"]
)
def test_any_name_the_system_takes_is_taken(tmp_path: Path, name: bytes) -> None:
    """Long, undecodable and odd names are written like any other."""
    target = tmp_path / os.fsdecode(name)
    with atomic_write(target) as handle:
        handle.write(b"rows")
    assert target.read_bytes() == b"rows"


def test_hostile_name_is_escaped_in_the_error(tmp_path: Path) -> None:
    """A name with control characters cannot drive the terminal that shows the error."""
    with pytest.raises(OutputError) as caught:
        AtomicFile(tmp_path / "no" / "\x1b[31m.csv")
    assert "\x1b" not in caught.value.message
    assert r"\x1b[31m" in caught.value.message


def test_unfinished_names_differ() -> None:
    """Temporary names cannot be guessed, so nobody can lay a link in their place."""
    drawn = {files._unguessable(Path()).name for _ in range(100)}
    assert len(drawn) == 100
    assert all(len(name) > 32 for name in drawn)


def test_discard_can_be_repeated(tmp_path: Path) -> None:
    """Giving up twice is harmless, and leaves nothing."""
    file = AtomicFile(tmp_path / "a.csv")
    file.handle.write(b"rows")
    file.discard()
    file.discard()
    assert names(tmp_path) == []


def test_fingerprint_is_sha256_of_the_content(tmp_path: Path) -> None:
    """The fingerprint is what `sha256sum` prints."""
    (tmp_path / "a").write_bytes(b"content")
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()
    with pytest.raises(InputError, match="cannot read"):
        sha256_file(tmp_path / "b")


def test_discarding_twice_is_as_good_as_once(tmp_path: Path) -> None:
    """A file may be given up by whoever failed to write it and again by whoever opened it."""
    streams = [tmp_path / "out.csv", Path(os.devnull)]
    for path in streams:
        file = AtomicFile(path, text=True)
        file.handle.write("x")
        file.discard()
        file.discard()
    assert not streams[0].exists()


def test_content_reaches_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after the move must not leave a name without its content: flush, move, flush."""
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        calls.append("flush folder" if is_folder else f"flush {os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        calls.append(f"move to {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    with atomic_write(tmp_path / "r.csv", text=True) as handle:
        handle.write("whole")
    flushed_folder = ["flush folder"] if os.name == "posix" else []
    assert calls == ["flush 5 bytes", "move to r.csv", *flushed_folder]


def test_read_only_file_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner said no, though the folder's rights would allow to move another over it."""
    (tmp_path / "r.csv").write_text("before")
    # As the system answers those whom permissions bind, which root is not.
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="read-only"):
        AtomicFile(tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == "before"


def test_file_that_has_the_unfinished_name_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the name ever guessed, nothing would be written into what lies there."""
    (tmp_path / "guessed").write_text("mine")
    monkeypatch.setattr(files, "_unguessable", lambda folder: folder / "guessed")
    monkeypatch.setattr(files, "_open_nameless", lambda folder: None)
    with pytest.raises(OutputError, match="exists"):
        AtomicFile(tmp_path / "r.csv")
    assert (tmp_path / "guessed").read_text() == "mine"
    assert names(tmp_path) == ["guessed"]
