"""Where a table goes that nobody named a file for; tests/emotool/cli has it from end to end."""

from dataclasses import replace
from pathlib import Path

import pytest

from emotool.inputs.clips import Clip
from emotool.results.columns import Columns
from emotool.run.default_place import Planned, settle
from emotool.run.options import Output
from emotool.workers.protocol import Reading
from tests.emotool.run.test_journal import clip, interrupted, ok

TABLE = (
    "path,status,label,confidence,p_happy,p_sad,duration_s,flags,model,error\n{},ok,sad{}tiny,\n"
)


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    """Return a table of one clip."""
    return Planned([clip(tmp_path)], Columns(["happy", "sad"]), "tiny", Reading())


def settled(folder: Path, planned: Planned) -> str:
    """Return the name that is chosen where labels.csv is wanted."""
    output = Output(str(folder / "labels.csv"), default=True)
    return Path(settle(output, planned).target).name


def test_the_name_of_an_interrupted_run_is_kept_for_its_clips(
    tmp_path: Path, planned: Planned
) -> None:
    """Also where the name is a link; the same clips resume there."""
    (tmp_path / "labels.csv").symlink_to(tmp_path / "elsewhere.csv")
    other = Clip(0, "b.wav", str(tmp_path / "b.wav"))
    Path(other.path).write_bytes(b"other sound")
    interrupted(tmp_path / "elsewhere.csv", (other, ok(other)))
    assert settled(tmp_path, planned) == "labels_2.csv"
    assert settled(tmp_path, replace(planned, clips=[other])) == "labels.csv"


def test_folders_and_what_is_no_table_are_kept(tmp_path: Path, planned: Planned) -> None:
    """A folder with the name, an empty file, bytes; a table of the clip is replaced."""
    (tmp_path / "labels.csv").write_bytes(b"")
    (tmp_path / "labels_2.csv").mkdir()
    (tmp_path / "labels_3.csv").write_bytes(b"\xff\x00")
    table = TABLE.format(planned.clips[0].shown, ",0.7,0.3,0.7,1.000,,")
    (tmp_path / "labels_4.csv").write_text(table.replace("tiny", "other"))
    (tmp_path / "labels_5.csv").write_text(table)
    assert settled(tmp_path, planned) == "labels_5.csv"
