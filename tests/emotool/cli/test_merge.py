"""``emotool classify --shard`` and ``emotool merge`` as processes."""

import subprocess
from pathlib import Path

from tests.emotool.cli.classify_runs import Emotool, one_line


def merge(
    place: Path, python: str, environment: dict[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run ``emotool merge``."""
    return subprocess.run(
        [python, "-m", "emotool", "merge", *arguments],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_shards_are_merged_to_the_table_of_one_run(
    emotool: Emotool, place: Path, python: str, python_path: dict[str, str]
) -> None:
    """Two shards and a merge write what one run writes, and count the same clips."""
    assert emotool("clips", "-o", "whole.csv").returncode == 0
    for number in (1, 2):
        assert (
            emotool("clips", "--shard", f"{number}/2", "-o", f"part-{number}.csv").returncode == 0
        )
    done = merge(place, python, python_path, "part-1.csv", "part-2.csv", "-o", "merged.csv")
    assert done.returncode == 0, done.stderr
    assert "3 clips of 2 parts" in done.stderr
    assert (place / "merged.csv").read_bytes() == (place / "whole.csv").read_bytes()


def test_missing_shards_are_one_error_line(
    emotool: Emotool, place: Path, python: str, python_path: dict[str, str]
) -> None:
    """The error lists the shards that are missing, and no table is written."""
    emotool("clips", "--shard", "2/3", "-o", "part-2.csv")
    done = merge(place, python, python_path, "part-2.csv", "-o", "merged.csv")
    assert done.returncode == 1
    assert one_line(done.stderr, "2 of 3 shards are missing: 1, 3")
    assert not (place / "merged.csv").exists()


def test_a_shard_in_which_all_clips_fail_is_complete(emotool: Emotool, place: Path) -> None:
    """Exit code 3, not 1: the other shards' clips may be fine, and a scheduler need not retry."""
    (place / "clips" / "a.wav").write_text("no sound")
    assert emotool("clips", "--shard", "1/3", "-o", "part-1.csv").returncode == 3
    assert emotool("clips", "--shard", "1/3", "-o", "part-1.csv").returncode == 3


def test_wrong_shards_and_engines_are_wrong_options(emotool: Emotool) -> None:
    """A shard needs a number within its count, a named table, and no folders of annotations."""
    for arguments, reason in (
        (("--shard", "4/3", "-o", "a.csv"), "i from 1 to n"),
        (("--shard", "x", "-o", "a.csv"), "such as 3/8"),
        (("--shard", "1/3"), "name the part with -o"),
        (("--shard", "1/3", "-o", "a.csv", "--praat", "grids"), "leave out"),
        (("--engine", "ray"), "name one with -o"),
        (("--engine", "ray", "-o", "a.csv", "--shard", "1/3"), "for the local engine"),
        (("--ray-address", "auto", "-o", "a.csv"), "is for --engine ray"),
    ):
        done = emotool("clips", *arguments)
        assert done.returncode == 2
        assert one_line(done.stderr, reason)
