"""Where a path leads is known before anything is written there."""

import os
from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.files.destination import replaced_file, resolve, shown_place

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@posix
def test_replaced_file_follows_links_and_passes_streams_over(tmp_path: Path) -> None:
    """What would be replaced is the link's target; a device or a stream is replaced by nobody."""
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert replaced_file(tmp_path / "link.csv") == tmp_path / "real.csv"
    assert replaced_file("/dev/null") is None
    assert replaced_file("/dev/stdout") is None
    with pytest.raises(OutputError, match="it is a folder"):
        replaced_file(tmp_path)


@posix
@pytest.mark.parametrize("number", [0, 1, 2, 3, 255])
def test_own_streams_are_known_by_every_name(number: int) -> None:
    """The names of a process's own streams stand for their numbers."""
    assert resolve(Path(f"/dev/fd/{number}")) == (number, False)
    assert resolve(Path(f"/proc/self/fd/{number}")) == (number, False)
    assert resolve(Path(f"/dev/../dev/fd/./{number}")) == (number, False)


@pytest.mark.skipif(not Path("/proc/1/fd").exists(), reason="needs /proc")
def test_streams_of_another_process_are_not_taken_for_own() -> None:
    """Descriptor 1 of another process is not our standard output."""
    try:
        target, _ = resolve(Path("/proc/1/fd/1"))
    except OSError:
        return  # the system keeps it to itself
    assert target != 1


def test_places_are_named_safely() -> None:
    """What is shown of a place can be shown anywhere."""
    assert shown_place(1) == "standard output"
    assert shown_place(7) == "descriptor 7"
    assert shown_place("\x1b.csv") == r"\x1b.csv"
