"""A name that nobody chose is kept for the clips of the run that was interrupted there."""

from pathlib import Path

import pytest

from emotool.files.lock import beside
from emotool.inputs.clips import Clip
from emotool.run.unfinished import is_of_others
from emotool.workers.protocol import Reading
from tests.emotool.run.test_journal import clip, interrupted, ok

READING = Reading()


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Return four clips."""
    return [clip(tmp_path, index) for index in range(4)]


def test_a_journal_is_of_those_whose_clips_it_has(tmp_path: Path, clips: list[Clip]) -> None:
    """Of the same clips, of more, and of less where one has changed; not of others."""
    target = tmp_path / "labels.csv"
    assert not is_of_others(target, clips, READING)
    interrupted(target, *((each, ok(each)) for each in clips[:2]))
    assert not is_of_others(target, clips[:2], READING)
    assert not is_of_others(target, clips, READING)
    assert not is_of_others(target, clips[1:], READING)
    assert is_of_others(target, clips[2:], READING)
    assert beside(target, "journal").exists()


def test_what_is_no_journal_is_of_nobody(tmp_path: Path, clips: list[Clip]) -> None:
    """The error comes from where it is opened."""
    target = tmp_path / "labels.csv"
    beside(target, "journal").write_bytes(b"no database")
    assert not is_of_others(target, clips, READING)
