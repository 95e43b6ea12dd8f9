"""The folder beside a large report: whole or absent, and nobody else's files are touched."""

from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.report.media import Media
from emotool.report.media_folder import MediaFolder, remove_stale

MEDIA = Media({}, {"sound": b"mp3", "spectrogram": b"png"})


def made(page: Path, indexes: range) -> Path:
    """Make a report's folder."""
    folder = MediaFolder(page)
    for index in indexes:
        folder.add(index, MEDIA)
    assert not folder.path.exists() or indexes.start  # not before it is complete
    folder.commit()
    return folder.path


def names(folder: Path) -> list[str]:
    """List what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_folder_appears_complete(tmp_path: Path) -> None:
    """Files are named by the clip's place, and nothing else remains beside them."""
    folder = made(tmp_path / "r.html", range(2))
    assert folder == tmp_path / "r_files"
    assert names(folder) == ["000000.mp3", "000000.png", "000001.mp3", "000001.png"]
    assert names(tmp_path) == ["r_files"]


def test_newer_report_replaces_the_older_ones_files(tmp_path: Path) -> None:
    """No file of the last run stays behind."""
    made(tmp_path / "r.html", range(2))
    folder = made(tmp_path / "r.html", range(7, 8))
    assert names(folder) == ["000007.mp3", "000007.png"]
    assert names(tmp_path) == ["r_files"]


def test_discarded_folder_leaves_the_old_one(tmp_path: Path) -> None:
    """An error half-way leaves what was there before."""
    old = made(tmp_path / "r.html", range(1))
    folder = MediaFolder(tmp_path / "r.html")
    folder.add(5, MEDIA)
    folder.discard()
    assert names(old) == ["000000.mp3", "000000.png"]
    assert names(tmp_path) == ["r_files"]


@pytest.mark.parametrize("name", ["thesis.docx", "000000.wav", "000000.mp3.bak"])
def test_foreign_folder_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    """A folder of that name in which anything lies that no report wrote is not ours."""
    made(tmp_path / "r.html", range(1))
    (tmp_path / "r_files" / name).write_text("mine")
    with pytest.raises(OutputError, match="no report made it"):
        MediaFolder(tmp_path / "r.html")
    remove_stale(tmp_path / "r.html")
    assert (tmp_path / "r_files" / name).read_text() == "mine"
    assert (tmp_path / "r_files" / "000000.mp3").exists()


def test_file_or_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    """What a link points to is not replaced either."""
    (tmp_path / "r_files").write_text("mine")
    (tmp_path / "real").mkdir()
    (tmp_path / "s_files").symlink_to(tmp_path / "real")
    for page in ("r.html", "s.html"):
        with pytest.raises(OutputError, match="is there already"):
            MediaFolder(tmp_path / page)
        remove_stale(tmp_path / page)
    assert names(tmp_path) == ["r_files", "real", "s_files"]


def test_smaller_report_removes_the_larger_ones_folder(tmp_path: Path) -> None:
    """A page with everything inside leaves no orphaned sounds beside it."""
    made(tmp_path / "r.html", range(3))
    remove_stale(tmp_path / "r.html")
    remove_stale(tmp_path / "r.html")  # nor does it mind that there is none
    assert names(tmp_path) == []


def test_missing_place_is_one_clear_line(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(OutputError, match="No such file"):
        MediaFolder(tmp_path / "nowhere" / "r.html")
