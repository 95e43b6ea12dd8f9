"""``emotool classify --update`` as a user calls it."""

from pathlib import Path

import pytest

from tests.emotool.cli.classify_runs import Emotool, one_line, table
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow


def test_a_table_grows_with_its_folder(emotool: Emotool, place: Path) -> None:
    """Only what is new is labelled; rows of files that are gone are counted, marked or dropped."""
    command = ("clips", "-o", "labels.csv", "--update")
    assert emotool(*command).returncode == 0
    write_clip(place / "clips" / "new.wav", vowel(150, 0.6))
    (place / "clips" / "a.wav").unlink()
    run = emotool(*command)
    assert run.returncode == 0
    assert "update: 1 new or changed, 3 unchanged" in run.stderr
    assert "resuming" not in run.stderr
    assert "3 rows kept from the table as it was" in run.stderr
    assert "1 file no longer there" in run.stderr
    rows = {row["path"]: row for row in table((place / "labels.csv").read_text())}
    assert sorted(rows) == ["clips/a.wav", "clips/b.flac", "clips/new.wav", "clips/sub/c.wav"]
    assert rows["clips/a.wav"]["flags"].split(";")[-1] == "vanished"
    assert emotool(*command, "--vanished", "drop", "-q").returncode == 0
    assert len(table((place / "labels.csv").read_text())) == 3


def test_what_cannot_be_updated_is_refused(emotool: Emotool, place: Path) -> None:
    """Wrong options have exit code 2; a table of another run 1, with what to do, and stays."""
    for wrong in (
        ("clips", "--vanished", "drop", "-o", "a.csv"),
        ("clips", "--update", "-o", "-"),
        ("clips", "--update", "-o", "s3://bucket/a.csv"),
        ("clips", "--update", "-o", "a.csv", "--engine", "ray"),
        ("clips", "--update", "-o", "a.csv", "--segments"),
        ("clips", "--update", "-o", "a.csv", "--embeddings", "a.npz"),
        ("clips", "--update", "-o", "a.csv", "--shard", "1/2"),
    ):
        assert emotool(*wrong).returncode == 2, wrong
    assert emotool("clips", "-o", "a.csv", "-q").returncode == 0
    before = (place / "a.csv").read_bytes()
    run = emotool("clips", "-o", "a.csv", "--update")
    assert run.returncode == 1
    assert one_line(run.stderr, "written without --update", "--restart")
    assert (place / "a.csv").read_bytes() == before
    assert emotool("clips", "-o", "a.csv", "--update", "--restart", "-q").returncode == 0
    run = emotool("clips", "-o", "a.csv", "--update", "--top", "1")
    assert one_line(run.stderr, "other settings: top 0, now 1")
