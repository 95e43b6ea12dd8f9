"""Any name and any tree: one row per clip, given back as it was, and no terminal driven."""

import base64
import csv
import json
import os
from pathlib import Path

import pytest

from tests.emotool.tiny_models import write_tiny_model
from tests.faults.fault import emotool, nothing_else, words
from tests.faults.names import CLIP_NAMES, TREE, TreeFault
from tests.synthesis import vowel, write_clip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system"),
]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the clips of all hostile names were classified."""
    folder = tmp_path_factory.mktemp("names")
    write_clip(folder / "source.wav", vowel(120, 0.5))
    (folder / "clips").mkdir()
    for name in CLIP_NAMES:
        (folder / "clips" / name).hardlink_to(folder / "source.wav")
        (folder / "clips" / f"{name[:190]}.bad.wav").write_bytes(b"no sound")
    write_tiny_model(folder / "tiny.onnx")
    targets = ("-o", "r.csv", "-o", "r.json")
    done = emotool(folder, "clips", "-m", "tiny.onnx", *targets, "--raw")
    assert done.returncode == 3
    (folder / "said").write_text(done.stderr)
    return folder


def expected() -> set[bytes]:
    """Return the paths of all clips as bytes."""
    names = [*CLIP_NAMES, *(f"{name[:190]}.bad.wav" for name in CLIP_NAMES)]
    return {b"clips/" + os.fsencode(name) for name in names}


def test_every_name_comes_back_from_both_formats(named: Path) -> None:
    """JSON gives every byte back; so does CSV, but for bytes that are no text."""
    clips = json.loads((named / "r.json").read_text())["clips"]
    paths = [
        base64.b64decode(clip["path_bytes"]) if "path_bytes" in clip else clip["path"].encode()
        for clip in clips
    ]
    assert len(paths) == len(expected())
    assert set(paths) == expected()
    with (named / "r.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["path"] for row in rows] == [clip["path"] for clip in clips]
    assert {row["status"] for row in rows} == {"ok", "failed"}


def test_no_name_drives_the_terminal(named: Path) -> None:
    """What people see holds no control character, whatever the failed clips are called."""
    said = (named / "said").read_text()
    assert "bad.wav" in said
    assert all(character.isprintable() or character == "\n" for character in said)


def test_longest_names_are_taken(named: Path, tmp_path: Path) -> None:
    """255 bytes, for the clip as for the table."""
    (tmp_path / f"{'x' * 251}.wav").hardlink_to(named / "source.wav")
    target = f"{'y' * 251}.csv"
    done = emotool(tmp_path, ".", "-m", str(named / "tiny.onnx"), "-o", target, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / target).read_text().splitlines()) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_name_like_an_option_is_a_clip_after_two_dashes(named: Path, tmp_path: Path) -> None:
    """``-o.wav`` is no option when it comes after ``--``."""
    (tmp_path / "-o.wav").hardlink_to(named / "source.wav")
    done = emotool(tmp_path, "-m", str(named / "tiny.onnx"), "-q", "--", "-o.wav")
    assert (done.returncode, done.stderr) == (0, "")
    assert "'-o.wav,ok" in done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return errors by path of one run over everything odd at once."""
    folder = tmp_path_factory.mktemp("tree")
    write_clip(folder / "clips" / "a.wav", vowel(120, 0.5))
    for fault in TREE:
        fault.make(folder)
    write_tiny_model(folder / "tiny.onnx")
    arguments = [fault.named for fault in TREE if fault.named]
    done = emotool(folder, "clips", *arguments, "-m", "tiny.onnx", "-q", timeout=60)
    assert done.returncode == 3
    assert nothing_else(done.stderr), done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert len({row["path"] for row in rows}) == len(rows)
    return {row["path"]: row["error"] for row in rows}


@pytest.mark.parametrize("fault", TREE, ids=lambda fault: fault.what)
def test_tree_gives_its_rows(tree: dict[str, str], fault: TreeFault) -> None:
    """Each oddity adds the rows that docs/reliability.md promises."""
    for path, error in fault.rows:
        assert path in tree
        assert words(error, tree[path]) if error else tree[path] == ""


def test_tree_gives_no_other_rows(tree: dict[str, str]) -> None:
    """One row per clip, however many ways lead to it."""
    assert set(tree) == {"clips/a.wav", *(path for fault in TREE for path, _ in fault.rows)}
