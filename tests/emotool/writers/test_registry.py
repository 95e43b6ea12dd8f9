"""The suffix chooses the format, and every format keeps the same promises."""

from pathlib import Path

import pytest

from emotool.errors import MissingExtraError, OutputError
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.writers.registry import EXTRAS, WRITERS, check_target, open_writer

ROW = ClipResult(0, "a.wav", "silent", "cnn")
suffixes = pytest.mark.parametrize("suffix", sorted(WRITERS))


@suffixes
def test_suffix_in_any_case_chooses(tmp_path: Path, suffix: str) -> None:
    """``labels.CSV`` is CSV."""
    with open_writer(str(tmp_path / f"r{suffix.upper()}"), Columns(("a", "b"))) as writer:
        writer.write(ROW)
    with open_writer(str(tmp_path / f"r{suffix}"), Columns(("a", "b"))) as writer:
        writer.write(ROW)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


@suffixes
def test_same_rows_are_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    """Two runs over the same clips give the same file."""
    contents = set()
    for name in ("r", "s"):
        with open_writer(str(tmp_path / f"{name}{suffix}"), Columns(("a", "b"))) as writer:
            for _ in range(3):
                writer.write(ROW)
        contents.add((tmp_path / f"{name}{suffix}").read_bytes())
    assert len(contents) == 1


@suffixes
def test_discarded_output_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    """An error half-way through a run leaves the last run's result as it was."""
    path = tmp_path / f"r{suffix}"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), open_writer(str(path), Columns(("a", "b"))) as writer:
        writer.write(ROW)
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


@suffixes
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_one_clear_line(tmp_path: Path, suffix: str) -> None:
    """No format turns a full disk into anything but an `OutputError`."""
    (tmp_path / f"r{suffix}").symlink_to("/dev/full")
    with (
        pytest.raises(OutputError, match="No space left"),
        open_writer(str(tmp_path / f"r{suffix}"), Columns(("a", "b"))) as writer,
    ):
        writer.write(ROW)


@pytest.mark.parametrize("target", ["labels.doc", "labels", "", "csv", ".csv", "x\x1b.tx"])
def test_unknown_suffix_is_refused_before_any_work(target: str) -> None:
    """The error lists the suffixes there are."""
    for refuse in (check_target, lambda name: open_writer(name, Columns(("a", "b")))):
        with pytest.raises(OutputError, match="format") as caught:
            refuse(target)
        assert ".csv" in caught.value.hint
        assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("target", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_is_csv(target: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a suffix to choose by, standard output is CSV, after what was printed before."""
    if target != "-" and not Path(target).exists():
        pytest.skip(f"needs {target}")
    with open_writer(target, Columns(("a", "b"))) as writer:
        writer.write(ROW)
    assert capfd.readouterr().out.splitlines()[1] == "a.wav,silent,,,,,,,cnn,"


def test_format_can_be_chosen_against_the_suffix(tmp_path: Path) -> None:
    """The format that is named wins over the name's own suffix."""
    with open_writer(str(tmp_path / "r.txt"), Columns(("a", "b")), suffix=".json") as writer:
        writer.write(ROW)
    assert (tmp_path / "r.txt").read_bytes().startswith(b"{")
    check_target("-", ".json")
    with pytest.raises(OutputError, match="unknown format:"):
        check_target("r.csv", ".doc")


@pytest.mark.parametrize("suffix", sorted(EXTRAS))
def test_missing_extra_is_told_before_any_work(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package, the error says what to install; nothing has been classified yet."""
    monkeypatch.setattr("emotool.writers.registry.find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=f"writing {suffix}") as caught:
        check_target(f"labels{suffix}")
    assert f"pip install {EXTRAS[suffix][1]}" in caught.value.hint
