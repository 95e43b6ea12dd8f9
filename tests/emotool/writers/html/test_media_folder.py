"""The folder beside a large report: whole or absent, and nobody else's files are touched."""

from pathlib import Path

import pytest

from emotool.errors import OutputError
from emotool.writers.html.media import Media
from emotool.writers.html.media_folder import (
    MediaFolder,
    earlier_folder,
    folder_beside,
    remove_folder,
)
from emotool.writers.html.page import foot, head, island

MEDIA = Media({}, {"sound": b"mp3", "spectrogram": b"png"})
# What macOS, macOS on other systems' disks, and Windows leave in folders that are looked at.
LITTER = (".DS_Store", "._.DS_Store", "._000000.mp3", "Thumbs.db", "desktop.ini")


def write_page(page: Path, folder: str | None) -> None:
    """Write a report's page as it begins, whose sounds are in a folder or in itself."""
    data = island({"labels": [], "folder": folder, "endings": {}}, name="page")
    page.write_text(head() + data + foot(), "utf-8")


def made(page: Path, indexes: range) -> Path:
    """Make a report's folder, then its page."""
    folder = MediaFolder(page)
    for index in indexes:
        folder.add(index, MEDIA)
    assert not folder.path.exists() or indexes.start  # not before it is complete
    folder.commit()
    write_page(page, folder.path.name)
    return folder.path


def names(folder: Path) -> list[str]:
    """List what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_folder_appears_complete(tmp_path: Path) -> None:
    """Files are named by the clip's place, and nothing else remains beside them."""
    folder = made(tmp_path / "r.html", range(2))
    assert folder == tmp_path / "r_files"
    assert names(folder) == ["000000.mp3", "000000.png", "000001.mp3", "000001.png"]
    assert names(tmp_path) == ["r.html", "r_files"]


@pytest.mark.parametrize("page", ["r.html", "r.htm", "r"])
def test_newer_report_replaces_the_older_ones_files(tmp_path: Path, page: str) -> None:
    """No file of the last run stays behind, whatever the page's name ends in."""
    made(tmp_path / page, range(2))
    folder = made(tmp_path / page, range(7, 8))
    assert names(folder) == ["000007.mp3", "000007.png"]
    assert names(tmp_path) == [page, "r_files"]


def test_discarded_folder_leaves_the_old_one(tmp_path: Path) -> None:
    """An error half-way leaves what was there before."""
    old = made(tmp_path / "r.html", range(1))
    folder = MediaFolder(tmp_path / "r.html")
    folder.add(5, MEDIA)
    folder.discard()
    assert names(old) == ["000000.mp3", "000000.png"]
    assert names(tmp_path) == ["r.html", "r_files"]


@pytest.mark.parametrize("name", ["thesis.docx", "000000.wav", "000000.mp3.bak", "._thesis.docx"])
def test_foreign_folder_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    """A folder of that name in which anything lies that no report wrote is not ours."""
    made(tmp_path / "r.html", range(1))
    (tmp_path / "r_files" / name).write_text("mine")
    with pytest.raises(OutputError, match="was not made by a report"):
        MediaFolder(tmp_path / "r.html")
    assert earlier_folder(tmp_path / "r.html") is None
    assert (tmp_path / "r_files" / name).read_text() == "mine"
    assert (tmp_path / "r_files" / "000000.mp3").exists()


@pytest.mark.parametrize("page", ["none", "small report", "other page"])
def test_numbered_recordings_are_somebodys_own(tmp_path: Path, page: str) -> None:
    """Files may be called like ours: only a page whose sounds are outside says that they are."""
    folder = folder_beside(tmp_path / "r.html")
    folder.mkdir()
    (folder / "000000.mp3").write_text("mine")
    if page == "small report":
        write_page(tmp_path / "r.html", None)
    elif page == "other page":
        (tmp_path / "r.html").write_text('<title>Mine</title>{"folder":"r_files"}')
    with pytest.raises(OutputError, match="was not made by a report"):
        MediaFolder(tmp_path / "r.html")
    assert earlier_folder(tmp_path / "r.html") is None
    assert names(folder) == ["000000.mp3"]


def test_folder_that_has_come_meanwhile_stays(tmp_path: Path) -> None:
    """Whoever made it while the clips were labelled keeps it, numbered files too."""
    folder = MediaFolder(tmp_path / "r.html")
    folder.path.mkdir()
    (folder.path / "000000.mp3").write_text("mine")
    with pytest.raises(OutputError, match="r_files"):
        folder.commit()
    folder.discard()
    assert names(tmp_path) == ["r_files"]
    assert (tmp_path / "r_files" / "000000.mp3").read_text() == "mine"


def test_what_file_managers_leave_makes_no_folder_foreign(tmp_path: Path) -> None:
    """A folder that somebody has looked at is replaced, and goes, like any other."""
    for indexes in (range(1), range(7, 8)):
        folder = made(tmp_path / "r.html", indexes)
        assert len(names(folder)) == 2
        for name in LITTER:
            (folder / name).write_text("")
    assert earlier_folder(tmp_path / "r.html") == folder
    remove_folder(folder)
    assert names(tmp_path) == ["r.html"]


def test_file_or_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    """What a link points to is not replaced either."""
    (tmp_path / "r_files").write_text("mine")
    (tmp_path / "real").mkdir()
    (tmp_path / "s_files").symlink_to(tmp_path / "real")
    for page in ("r.html", "s.html"):
        write_page(tmp_path / page, f"{page[0]}_files")
        with pytest.raises(OutputError, match="already exists"):
            MediaFolder(tmp_path / page)
        assert earlier_folder(tmp_path / page) is None


def test_strangers_files_outlive_a_reports(tmp_path: Path) -> None:
    """What was put among them while the run went on is no report's; without it nothing stays."""
    folder = made(tmp_path / "r.html", range(3))
    (folder / "mine.txt").write_text("mine")
    remove_folder(folder)
    assert names(folder) == ["mine.txt"]
    (folder / "mine.txt").unlink()
    remove_folder(folder)
    remove_folder(folder)  # nor does it mind that there is none
    assert names(tmp_path) == ["r.html"]


def test_missing_place_is_one_clear_line(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(OutputError, match="No such file"):
        MediaFolder(tmp_path / "nowhere" / "r.html")
