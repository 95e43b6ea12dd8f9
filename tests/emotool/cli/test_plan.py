"""``emotool plan`` as a real process."""

import subprocess
import sys
from pathlib import Path

import pytest

from emotool.inputs.listing import Object
from tests.emotool.cli.classify_runs import one_line
from tests.object_store import Store

pytestmark = pytest.mark.slow

Result = subprocess.CompletedProcess[str]


@pytest.fixture
def calls(object_store: Store, tmp_path: Path) -> Store:
    """Store five clips and something else."""
    object_store.bucket("calls")
    for name in ("a.wav", "b.flac", "c/d.mp3", "c/e.wav", "f.wav", "g.txt"):
        object_store.put("calls", name, b"sound")
    return object_store


def plan(store: Store, folder: Path, *arguments: str) -> Result:
    """Run the command in a folder."""
    root = Path(__file__).parents[3]
    environment = store.environment() | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "emotool", "plan", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_bucket_is_listed(calls: Store, tmp_path: Path) -> None:
    """The last line says how many clips in how many shards, and what was skipped."""
    done = plan(calls, tmp_path, "s3://calls", "-o", "plan.parquet", "--clips-per-shard", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "5 clips (0.0 GB) in 3 shards, 1 other keys skipped; plan written to plan.parquet\n"
    )
    assert (tmp_path / "plan.parquet").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["s3://calls", "-o", "plan.csv"], 2, "ends in .parquet"),
        (["s3://other", "-o", "plan.parquet"], 1, "there is no such bucket"),
        (["s3://calls/z", "-o", "plan.parquet"], 1, "no audio files in s3://calls/z"),
        (["clips", "-o", "plan.parquet"], 1, "is not in object storage"),
        (["https://h/?sig=SECRET", "-o", "plan.parquet"], 1, "https://h/?... is not in object"),
    ],
)
def test_what_cannot_be_planned_is_an_error(
    calls: Store, tmp_path: Path, arguments: list[str], code: int, reason: str
) -> None:
    """In one line; no plan is left, and no secret is shown."""
    done = plan(calls, tmp_path, *arguments)
    assert done.returncode == code
    assert one_line(done.stderr, reason), done.stderr
    assert "SECRET" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_long_listing_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that nobody takes it for a hang."""
    from emotool.cli import plan as module

    monkeypatch.setattr(module, "_LINE_SECONDS", 0.0)
    pages = [[Object("a.wav", 1, "")] * 1_000] * 2
    assert list(module._reported(iter(pages))) == pages
    assert capsys.readouterr().err == "1,000 keys listed\n2,000 keys listed\n"
